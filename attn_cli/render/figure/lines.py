"""Attention as lines: queries on the left, keys on the right, what joins them as strong as the weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...errors import InputError
from ...records.attention import axis_name
from ..fonts import texts as fonts
from ..labels import KINDS, label
from .maps import LONGEST
from .paper import Frame, Paper
from .paper import lay_out as on_paper
from .sheet import BASELINE, COLOURS, LEADING, NIGHT, PAPER, QUIET, Sheet, Stroke, Words
from .ticks import cut, widest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float

    from ...records.attention import Attention
    from ..look import Look
    from .paper import Room
    from .sheet import Mark

MOST = 64  # tokens on a side
FAINTEST = 0.05  # of the highest weight: what is less has no line
PITCH, SPAN, GAP = 1.6, 19.0, 3.0  # between tokens, columns, panels; for letters of 1
OFF, CLOSEST, SHORTEST = 0.6, 1.06, 4.0  # a token from its lines; the least that tokens, columns lie apart
THINNEST, THICKEST = 0.3, 2.6


@dataclass(frozen=True, eq=False)
class Joined:
    """Panels of two columns of tokens each, and what joins them."""

    attention: Attention
    paper: Paper
    queries: tuple[str, ...]
    keys: tuple[str, ...]
    left: float  # what the names of queries take
    right: float  # and those of keys
    span: float
    pitch: float
    legend: tuple[tuple[float, float, int], ...]  # where each head is named

    @property
    def across(self) -> float:
        """From one panel to the next."""
        return self.left + self.span + self.right + GAP * self.paper.letters

    @property
    def top(self) -> float:
        """Where the first tokens begin: under the heads, the names of layers, those of the columns."""
        size, titled = self.paper.letters, len(self.attention.layers) > 1
        named = self.legend[-1][1] + 0.6 * size if self.legend else 0.0
        return named + (1.5 * titled + 1.6) * size

    @property
    def width(self) -> float:
        """Of everything."""
        ends = [
            x + fonts.width(axis_name("head", self.attention.heads[i]), self.paper.letters)
            for x, _, i in self.legend
        ]
        return max(len(self.attention.layers) * self.across - GAP * self.paper.letters, *ends, 0)

    @property
    def height(self) -> float:
        """Of everything."""
        return self.top + max(len(self.queries), len(self.keys)) * self.pitch

    @property
    def frame(self) -> Frame:
        """All of it: the heading begins where the tokens do."""
        return Frame(0.0, self.top, self.width, self.height)

    bar = None

    @property
    def notes(self) -> list[str]:
        """How strong the lines are."""
        highest = float(self.attention.shown.max())
        return [f"strongest line: {highest:.2g}; none below {FAINTEST * highest:.2g}"]

    def marks(self, x: float, y: float) -> Iterator[Mark]:
        """Everything, from this corner."""
        size, top, highest = self.paper.letters, y + self.top, float(self.attention.shown.max())
        for across, down, i in self.legend:
            yield Words(
                axis_name("head", self.attention.heads[i]), x + across, y + down, size, colour=COLOURS[i]
            )
        for i, (layer, weights) in enumerate(zip(self.attention.layers, self.attention.shown, strict=True)):
            start = x + i * self.across + self.left
            if len(self.attention.layers) > 1:
                over = top - 1.9 * size
                yield Words(axis_name("layer", layer), start + self.span / 2, over, size, "center")
            yield from self._lines(weights, start, top, highest)
            off = OFF * size
            yield from self._column(self.queries, start - off, top, "right", "query")
            yield from self._column(self.keys, start + self.span + off, top, "left", "key")

    def _column(
        self, tokens: Sequence[str], x: float, top: float, align: Literal["left", "right"], name: str
    ) -> Iterator[Words]:
        size = self.paper.letters
        yield Words(name, x, top - 0.5 * size, size, align, QUIET)
        for i, token in enumerate(tokens):
            yield Words(token, x, top + (i + 0.5) * self.pitch + BASELINE * size, size, align)

    def _lines(
        self, weights: Float[np.ndarray, "head query key"], x: float, top: float, highest: float
    ) -> Iterator[Stroke]:
        """A line for each weight that can be seen, the strongest over the others."""
        part, ground = weights / (highest or 1), NIGHT if self.paper.look.night else PAPER
        places = np.argwhere(part >= FAINTEST)
        for head, query, key in places[np.argsort(part[tuple(places.T)], kind="stable")].tolist():
            share = float(part[head, query, key])
            ys = (top + (query + 0.5) * self.pitch, top + (key + 0.5) * self.pitch)
            ends = ((x, ys[0]), (x + self.span, ys[1]))
            colour = _mixed(COLOURS[head], ground, share)
            yield Stroke(ends, colour, self.paper.of(THINNEST + (THICKEST - THINNEST) * share))


def lay_out(attention: Attention, look: Look) -> Sheet:
    """A panel for each layer, side by side, a colour for each head.

    Raises InputError for more tokens, layers or heads than can be told apart.
    """
    _check(attention)

    def fit(paper: Paper, room: Room) -> Joined:
        return _joined(attention, paper, room)

    # The heads are named in their colours, one too.
    alone = [axis_name("layer", number) for number in attention.layers if len(attention.layers) == 1]
    subheading = " · ".join([*filter(None, [KINDS.get(attention.kind)]), *alone])
    return on_paper(look, fit, subheading=subheading, origin=attention.provenance).sheet()


def _check(attention: Attention) -> None:
    n_layers, n_heads, n_query, n_key = attention.shown.shape
    if max(n_layers, n_heads) > len(COLOURS):
        hint = f"choose up to {len(COLOURS)} of each with --layer and --head"
        raise InputError(f"lines of {n_layers} layers × {n_heads} heads", hint=hint)
    if attention.show == "scores" or attention.shown.min() < 0:
        what = "scores" if attention.show == "scores" else "numbers below zero"
        raise InputError(f"lines of {what}", hint="draw a map")
    if max(n_query, n_key) > MOST:
        hint = "choose some with --query-range and --key-range, or draw a map"
        raise InputError(
            f"lines between {n_query} queries and {n_key} keys, at most {MOST} can be read", hint=hint
        )


def _joined(attention: Attention, paper: Paper, room: Room) -> Joined:
    size, n_layers = paper.letters, len(attention.layers)
    queries, keys = (
        tuple(label(name, LONGEST) for name in names)
        for names in (attention.query_names, attention.key_names)
    )
    most = (room.width + GAP * size) / n_layers - GAP * size  # across a panel
    if paper.fixed:
        column = (most - SHORTEST * size) / 2 - OFF * size
        queries, keys = (tuple(cut(name, size, column) for name in names) for names in (queries, keys))
    left, right = (math.ceil(widest((*texts, "query"), size) + OFF * size) for texts in (queries, keys))
    span = most - left - right if paper.fixed else SPAN * size
    width = n_layers * (left + span + right + GAP * size) - GAP * size
    legend = tuple(_legend(attention, size, max(width, paper.of(200)) if not paper.fixed else room.width))
    joined = Joined(attention, paper, queries, keys, left, right, span, PITCH * size, legend)
    if not paper.fixed:
        return joined
    pitch = (room.height - joined.top) / max(len(queries), len(keys))
    pitch = max(pitch, CLOSEST * size)
    return Joined(attention, paper, queries, keys, left, right, span, min(pitch, 2 * PITCH * size), legend)


def _legend(attention: Attention, size: float, room: float) -> Iterator[tuple[float, float, int]]:
    """Where the name of every head stands."""
    x, y = 0.0, size
    for i, head in enumerate(attention.heads):
        wide = fonts.width(axis_name("head", head), size)
        if x and x + wide > room:
            x, y = 0.0, y + LEADING * size
        yield x, y, i
        x += wide + 1.2 * size


def _mixed(colour: str, ground: str, share: float) -> str:
    """So much of a colour over its ground.

    >>> _mixed("#000000", "#ffffff", 1.0), _mixed("#000000", "#ffffff", 0.5)
    ('#000000', '#808080')
    """
    parts = (
        round(share * int(colour[i : i + 2], 16) + (1 - share) * int(ground[i : i + 2], 16))
        for i in (1, 3, 5)
    )
    return "#{:02x}{:02x}{:02x}".format(*parts)
