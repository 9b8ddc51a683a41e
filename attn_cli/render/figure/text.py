"""A shaded text on a sheet: a paragraph for each head, and below them what the shades mean."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ..colour import MASKED, ink, scale_of
from ..fonts import texts as fonts
from ..text import is_right_to_left, shading
from .bar import THICK, Bar
from .maps import which
from .paper import PAGE, Frame, Paper
from .paper import lay_out as on_paper
from .sheet import BASELINE, INK, QUIET, Number, Sheet, Stroke, Words, box
from .ticks import number, widest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float

    from ...records.attention import Attention
    from ..colour import Scale
    from ..look import Look
    from ..text import Piece, Shading
    from .paper import Room
    from .sheet import Mark

MOST = 4000  # tokens on a sheet, those of all panels together
MOST_LARGE = 160  # that are set in larger type, unless the size of letters is given
LARGE = 1.25
PAD, SPACE = 0.17, 0.14  # within a token's box at either side, and a space, for a type size of 1
HIGH, PITCH, NUMBERED = 1.5, 1.75, 2.05  # a box; from one line to the next, without and with numbers below
MOST_NUMBERED = 60  # tokens of a text whose weights stand below them
FAINTEST = 0.1  # of the highest weight: what is less has no number
NUMBERS = 0.6  # their size
OWN = "#d55e00"  # the frame of the query


@dataclass(frozen=True)
class Box:
    """A token's place within its paragraph, from its upper left corner."""

    x: float
    line: int
    width: float


@dataclass(frozen=True, eq=False)
class Paragraphs:
    """The texts of all panels, one below the other, as a block."""

    view: Shading
    paper: Paper
    shown: Float[np.ndarray, "panel key"]  # what the colours show
    scale: Scale
    size: float  # of type
    aside: float  # what titles take
    boxes: Sequence[Box]
    queries: Sequence[Box]  # of another text that the query is in
    n_heads: int
    unit: str
    numbered: bool  # whether the weights stand below their tokens

    notes: Sequence[str] = ()

    bar = None  # it lies below the text

    @property
    def width(self) -> float:
        """Of everything."""
        ends = [self.aside + place.x + place.width for place in (*self.boxes, *self.queries)]
        return max(*ends, (self._bar_at + self._bar.lying_width(self.paper)) * self._barred)

    @property
    def height(self) -> float:
        """Of everything."""
        return (
            self._tops[-1]
            + (0.9 * self.size + self.paper.of(THICK) + 1.5 * self.paper.letters) * self._barred
        )

    @property
    def frame(self) -> Frame:
        """All of it."""
        return Frame(0.0, 0.0, self.width, self.height)

    @property
    def _barred(self) -> bool:
        return self.paper.look.shows("colorbar")

    @property
    def _bar(self) -> Bar:
        return Bar(self.unit, self.scale, "masked" if self.view.hidden.any() else "")

    @property
    def _bar_at(self) -> float:
        return 0.0 if self.paper.fixed else self.aside

    @property
    def _pitch(self) -> float:
        """From one line to the next."""
        return (NUMBERED if self.numbered else PITCH) * self.size

    def _height(self, boxes: Sequence[Box]) -> float:
        return (boxes[-1].line + 1) * self._pitch

    @property
    def _tops(self) -> list[float]:
        """Where each paragraph begins, and where the last one ends."""
        top = self._height(self.queries) + 0.3 * self.size if self.queries else 0.0
        tops, n = [top], len(self.view.titles)
        for i in range(n):
            ends_layer = n > self.n_heads > 1 and (i + 1) % self.n_heads == 0
            tops.append(
                tops[-1]
                + self._height(self.boxes)
                + 0.35 * self.size * (bool(self.boxes[-1].line) + ends_layer)
            )
        return tops

    def marks(self, x: float, y: float) -> Iterator[Mark]:
        """Everything, from this corner."""
        view, size, letters = self.view, self.size, self.paper.letters
        if view.queries:
            yield _beside("query", x, y, size, letters)
            yield from self._queries(x + self.aside, y)
        for i, title in enumerate(view.titles):
            at = x + self.aside, y + self._tops[i]
            if title:
                yield _beside(title, x, at[1], size, letters)
            yield from self._paragraph(i, *at)
            if self.numbered:
                yield from self._numbers(i, *at)
        if self._barred:
            yield from self._bar.lying(x + self._bar_at, y + self._tops[-1] + 0.9 * size, self.paper)

    def _paragraph(self, panel: int, left: float, top: float) -> Iterator[Mark]:
        """The text of one head, each token on the colour of its weight, the query framed."""
        size = self.size
        colours = self.scale.colours(self.shown[panel])
        colours[self.view.hidden[panel]] = MASKED["night" if self.paper.look.night else "paper"]
        inks = np.where(ink(colours) > 127, 255, 32)  # not quite INK, which is made light on a dark ground
        for i, (piece, place) in enumerate(zip(self.view.pieces, self.boxes, strict=True)):
            x, y = left + place.x, top + place.line * self._pitch
            middle = y + HIGH * size / 2
            yield Stroke(((x, middle), (x + place.width, middle)), _hex(colours[i]), HIGH * size)
            if i == self.view.own:
                yield box(x, y, place.width, HIGH * size, OWN)
            written = x + place.width / 2
            yield Words(piece.text, written, middle + BASELINE * size, size, "center", _hex(inks[i]))

    def _queries(self, left: float, top: float) -> Iterator[Mark]:
        """The text that the query is in, where that is another one."""
        size = self.size
        for i, (piece, place) in enumerate(zip(self.view.queries, self.queries, strict=True)):
            x, y = left + place.x, top + place.line * self._pitch
            if i == self.view.query:
                yield box(x, y, place.width, HIGH * size, OWN)
            middle = y + (HIGH / 2 + BASELINE) * size
            colour = INK if i == self.view.query else QUIET
            yield Words(piece.text, x + place.width / 2, middle, size, "center", colour)

    def _numbers(self, panel: int, left: float, top: float) -> Iterator[Number]:
        """The weights that count, below their tokens; of two that would run into each other, the larger."""
        weights, size = self.view.weights[panel], NUMBERS * self.size
        sizes = np.abs(np.where(self.view.hidden[panel], 0, weights))
        taken: dict[int, tuple[int, float]] = {}
        for i in np.argsort(-sizes, kind="stable").tolist():
            if not sizes[i] or sizes[i] < FAINTEST * sizes.max():
                break
            place, wide = self.boxes[i], fonts.width(number(float(weights[i]), 2), size) + 0.25 * size
            middle = place.x + place.width / 2
            if all(line != place.line or abs(x - middle) >= wide for line, x in taken.values()):
                taken[i] = place.line, middle
        for i, (line, middle) in sorted(taken.items()):
            y = top + line * self._pitch + (HIGH + 0.5) * self.size
            yield Number(number(float(weights[i]), 2), left + middle, y, size, QUIET)


def lay_out(attention: Attention, look: Look) -> Sheet:
    """A paragraph for each head, shaded by the weights from one query or the mean over all.

    Raises InputError for more tokens than can be read.
    """
    view = shading(attention, look.query_token)
    subheading = " · ".join(filter(None, [which(attention), view.said]))
    return shaded(
        view, look, attention.unit, len(attention.heads), subheading=subheading, origin=attention.provenance
    )


def shaded(
    view: Shading,
    look: Look,
    unit: str,
    together: int,
    *,
    subheading: str,
    origin: str,
    notes: Sequence[str] = (),
) -> Sheet:
    """A paragraph for each panel, so many `together`, with room after them.

    Raises InputError for more tokens than can be read.
    """
    if (n := view.weights.size) > MOST:
        hint = "choose some with --layer, --head or --key-range, or draw a map"
        raise InputError(f"a text of {n:,} tokens over all heads, at most {MOST:,} can be read", hint=hint)

    def fit(paper: Paper, room: Room) -> Paragraphs:
        return replace(_paragraphs(view, unit, together, paper, room), notes=notes)

    return on_paper(look, fit, subheading=subheading, origin=origin).sheet()


def _paragraphs(view: Shading, unit: str, together: int, paper: Paper, room: Room) -> Paragraphs:
    large = view.weights.size <= MOST_LARGE and not paper.fixed and paper.look.font_size is None
    size = paper.letters * (LARGE if large else 1)
    beside = [*view.titles, "query" * bool(view.queries)]
    aside = widest(beside, paper.letters) + 1.2 * paper.letters if any(beside) else 0.0
    wide = (room.width if paper.fixed else paper.of(PAGE) - 2 * paper.margin) - aside
    peaks = np.abs(np.where(view.hidden, 0, view.weights)).max(axis=1, keepdims=True)
    each = paper.look.color_scale == "panel"
    shown = view.weights / (np.where(peaks > 0, peaks, 1) if each else 1)
    return Paragraphs(
        view,
        paper,
        shown,
        scale_of(shown[~view.hidden], paper.look),
        size,
        aside,
        place(view.pieces, size, wide, paper.pixel),
        place(view.queries, size, wide, paper.pixel) if view.queries else (),
        together,
        "of its peak" if each else unit,
        len(view.weights) == 1 and len(view.pieces) <= MOST_NUMBERED and paper.look.shows("numbers"),
    )


def place(pieces: Sequence[Piece], size: float, room: float, pixel: float = 1 / 3) -> list[Box]:
    """Where each token stands: one after the other, in lines that are no wider than the room.

    Lines end at spaces, and between ideographs; from right to left where the text is written so.
    """

    def whole(length: float) -> float:
        return math.ceil(length / pixel) * pixel

    wide = {text: whole(fonts.width(text, size) + 2 * PAD * size) for text in {p.text for p in pieces}}
    boxes: list[Box] = []
    x, line, start = 0.0, 0, 0
    for i, piece in enumerate(pieces):
        if piece.before != "nothing":
            start = i
        gap = whole(SPACE * size) if piece.before == "space" else pixel
        x += gap if boxes and x else 0
        boxes.append(Box(x, line, wide[piece.text]))
        if x + boxes[-1].width > room and x:
            start = start if boxes[start].x else i  # what is longer than a line is broken anywhere
            back, line = boxes[start].x, line + 1
            boxes[start:] = [Box(box.x - back, line, box.width) for box in boxes[start:]]
        x = boxes[-1].x + boxes[-1].width
    if is_right_to_left(pieces):
        edge = min(room, max(box.x + box.width for box in boxes))
        boxes = [Box(edge - box.x - box.width, box.line, box.width) for box in boxes]
    return boxes


def _beside(title: str, x: float, top: float, size: float, letters: float) -> Words:
    """What a paragraph is called, on its first line."""
    return Words(title, x, top + HIGH * size / 2 + BASELINE * letters, letters, colour=QUIET)


def _hex(colour: np.ndarray) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
