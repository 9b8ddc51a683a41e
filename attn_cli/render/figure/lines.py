"""Attention as lines: queries on the left, keys on the right, what joins them as strong as the weight."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...errors import InputError
from ...records.attention import axis_name
from ...text.escaping import escape
from ..fonts import texts as fonts
from ..labels import label
from .curves import COLOURS
from .sheet import BASELINE, LEADING, NIGHT, PAPER, QUIET, Sheet, Stroke, Words, fitted
from .ticks import widest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float

    from ...records.attention import Attention
    from ..look import Look
    from .sheet import Mark

MOST = 64  # tokens on a side
FAINTEST = 0.05  # of the highest weight: what is less has no line
MARGIN, HEADING, TITLE, SIZE, NOTE = 12.0, 11.0, 7.5, 8.0, 6.0
PITCH, SPAN, GAP, OFF = 13.0, 150.0, 24.0, 5.0  # between tokens, columns, panels; from a token to its lines
THINNEST, THICKEST = 0.3, 2.6


def lay_out(attention: Attention, look: Look, subheading: str = "") -> Sheet:
    """A panel for each layer, side by side, a colour for each head.

    Raises InputError for more tokens, layers or heads than can be told apart.
    """
    n_layers, n_heads, n_query, n_key = attention.weights.shape
    if max(n_layers, n_heads) > len(COLOURS):
        hint = f"choose up to {len(COLOURS)} of each with --layer and --head"
        raise InputError(f"lines of {n_layers} layers × {n_heads} heads", hint=hint)
    if attention.are_scores or attention.weights.min() < 0:
        what = "scores" if attention.are_scores else "numbers below zero"
        raise InputError(f"lines of {what}", hint="draw a map")
    if max(n_query, n_key) > MOST:
        hint = "choose some with --query-range and --key-range, or draw a map"
        raise InputError(
            f"lines between {n_query} queries and {n_key} keys, at most {MOST} can be read", hint=hint
        )
    queries, keys = (tuple(map(label, names)) for names in (attention.query_names, attention.key_names))
    left, right = (math.ceil(widest((*texts, "query"), SIZE)) + OFF for texts in (queries, keys))
    across = left + SPAN + right + GAP
    width = max(across * len(attention.layers) - GAP, 200.0)
    marks: list[Mark] = list(_above(attention, look, subheading, width))
    top = max((mark.y for mark in marks if isinstance(mark, Words)), default=MARGIN) + 2.6 * TITLE
    for i, (layer, weights) in enumerate(zip(attention.layers, attention.weights, strict=True)):
        start = MARGIN + i * across + left
        if len(attention.layers) > 1:
            marks.append(
                Words(axis_name("layer", layer), start + SPAN / 2, top - 1.4 * TITLE, TITLE, "center")
            )
        marks += _lines(weights, start, top, float(attention.weights.max()), look)
        marks += _column(queries, start - OFF, top, "right", "query")
        marks += _column(keys, start + SPAN + OFF, top, "left", "key")
    y = top + max(n_query, n_key) * PITCH + 2 * NOTE
    highest = float(attention.weights.max())
    origin = escape(attention.provenance.strip()) or "origin not recorded"
    for note in (origin, f"strongest line: {highest:.2g}; none below {FAINTEST * highest:.2g}"):
        for text in fonts.lines(note, NOTE, width):
            marks.append(Words(text, MARGIN, y, NOTE, colour=QUIET))
            y += NOTE * LEADING
    sheet = Sheet(math.ceil(width + 2 * MARGIN), math.ceil(y - NOTE + MARGIN), tuple(marks), look.night)
    return fitted(sheet, look.inches[0] * 72, look.inches[1] * 72) if look.inches else sheet


def _above(attention: Attention, look: Look, subheading: str, width: float) -> Iterator[Words]:
    """The headings, and the name of every head in its colour."""
    y = MARGIN
    for text in fonts.lines(escape(look.title), HEADING, width):
        yield Words(text, MARGIN, y + HEADING, HEADING)
        y += HEADING * LEADING
    if subheading:
        yield Words(subheading, MARGIN, y + TITLE, TITLE, colour=QUIET)
        y += 1.4 * TITLE
    x = MARGIN
    for i, head in enumerate(attention.heads):
        name = axis_name("head", head)
        if x > MARGIN and x + fonts.width(name, TITLE) > MARGIN + width:
            x, y = MARGIN, y + TITLE * LEADING
        yield Words(name, x, y + 1.6 * TITLE, TITLE, colour=COLOURS[i])
        x += fonts.width(name, TITLE) + 9


def _column(
    tokens: Sequence[str], x: float, top: float, align: Literal["left", "right"], name: str
) -> Iterator[Words]:
    yield Words(name, x, top - 0.5 * TITLE, NOTE + 1, align, QUIET)
    for i, token in enumerate(tokens):
        yield Words(token, x, _middle(i, top) + BASELINE * SIZE, SIZE, align)


def _lines(
    weights: Float[np.ndarray, "head query key"], x: float, top: float, highest: float, look: Look
) -> Iterator[Stroke]:
    """A line for each weight that can be seen, the strongest over the others."""
    part = weights / (highest or 1)
    places = np.argwhere(part >= FAINTEST)
    for head, query, key in places[np.argsort(part[tuple(places.T)], kind="stable")].tolist():
        share = float(part[head, query, key])
        ends = ((x, _middle(query, top)), (x + SPAN, _middle(key, top)))
        colour = _mixed(COLOURS[head], NIGHT if look.night else PAPER, share)
        yield Stroke(ends, colour, THINNEST + (THICKEST - THINNEST) * share)


def _middle(i: int, top: float) -> float:
    return top + (i + 0.5) * PITCH


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
