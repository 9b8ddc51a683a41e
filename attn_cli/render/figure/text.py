"""A shaded text on a sheet: a paragraph for each head, and below them what the shades mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ...text.escaping import escape
from ..colour import MASKED, ink, ramp, scale_of
from ..fonts import texts as fonts
from ..text import is_right_to_left, shading
from .maps import BAR_WIDTH, HEADING, MARGIN, NAME, NOTE, TITLE, bar_ticks
from .sheet import BASELINE, INK, LEADING, PIXEL, QUIET, Number, Picture, Sheet, Stroke, Words, box, fitted
from .ticks import number, widest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float

    from ...records.attention import Attention
    from ..colour import Scale
    from ..look import Look
    from ..text import Piece, Shading
    from .sheet import Mark

MOST = 4000  # tokens on a sheet, those of all panels together
MOST_LARGE = 160  # that are set in the larger type
LARGE, SMALL = 10.0, 8.0
PAGE = 504.0
PAD, SPACE = 0.17, 0.14  # within a token's box at either side, and a space, for a type size of 1
HIGH, PITCH = 1.5, 1.95  # a box, and from one line to the next
MOST_NUMBERED = 60  # tokens of a text whose weights stand below them
FAINTEST = 0.1  # of the highest weight: what is less has no number
OWN = "#d55e00"  # the frame of the query
BAR = 130.0


@dataclass(frozen=True)
class Box:
    """A token's place within its paragraph, from its upper left corner."""

    x: float
    line: int
    width: float


def lay_out(attention: Attention, look: Look, subheading: str = "") -> Sheet:
    """A paragraph for each head, shaded by the weights from one query or the mean over all.

    Raises InputError for more tokens than can be read.
    """
    view = shading(attention, look.query_token)
    if (n := view.weights.size) > MOST:
        hint = "choose some with --layer, --head or --key-range, or draw a map"
        raise InputError(f"a text of {n:,} tokens over all heads, at most {MOST:,} can be read", hint=hint)
    size = LARGE if n <= MOST_LARGE else SMALL
    beside = [*view.titles, "query" * bool(view.queries)]
    aside = widest(beside, TITLE) + 10 if any(beside) else 0.0
    boxes = place(view.pieces, size, PAGE - 2 * MARGIN - aside)
    heading = list(_heading(look.title, subheading, view))
    top = max((mark.y for mark in heading), default=MARGIN) + 9
    marks: list[Mark] = list(heading)
    if view.queries:
        own = place(view.queries, size, PAGE - 2 * MARGIN - aside)
        marks += _queries(view, own, MARGIN + aside, top, size)
        top += _height(own, size) + 0.3 * size
    peaks = np.abs(np.where(view.hidden, 0, view.weights)).max(axis=1, keepdims=True)
    of_peak = np.where(peaks > 0, peaks, 1) if look.color_scale == "panel" else np.ones_like(peaks)
    shown = view.weights / of_peak
    scale = scale_of(shown[~view.hidden], look)
    numbered = len(view.weights) == 1 and len(view.pieces) <= MOST_NUMBERED
    for i, title in enumerate(view.titles):
        marks += _beside(title, top, size)
        marks += _paragraph(view, i, shown[i], scale, boxes, (MARGIN + aside, top, size), look)
        if numbered:
            marks += _numbers(view.weights[i], view.hidden[i], boxes, MARGIN + aside, top, size)
        ends_layer = len(attention.layers) > 1 and (i + 1) % len(attention.heads) == 0
        top += _height(boxes, size) + 0.35 * size * (bool(boxes[-1].line) + ends_layer)
    unit = "of its peak" if look.color_scale == "panel" else attention.unit
    marks += _flat_bar(
        unit, scale, MARGIN + aside, top + 0.9 * size, masked=bool(view.hidden.any()), look=look
    )
    marks += _footer(attention, top + 0.9 * size + BAR_WIDTH + 3.6 * NAME)
    return _sheet(marks, look)


def place(pieces: Sequence[Piece], size: float, room: float) -> list[Box]:
    """Where each token stands: one after the other, in lines that are no wider than the room.

    Lines end at spaces, and between ideographs; from right to left where the text is written so.
    """
    wide = {text: _whole(fonts.width(text, size) + 2 * PAD * size) for text in {p.text for p in pieces}}
    boxes: list[Box] = []
    x, line, start = 0.0, 0, 0
    for i, piece in enumerate(pieces):
        if piece.before != "nothing":
            start = i
        gap = _whole(SPACE * size) if piece.before == "space" else PIXEL
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


def _whole(length: float) -> float:
    return math.ceil(length / PIXEL) * PIXEL


def _height(boxes: Sequence[Box], size: float) -> float:
    return (boxes[-1].line + 1) * PITCH * size


def _paragraph(
    view: Shading,
    panel: int,
    shown: Float[np.ndarray, " key"],
    scale: Scale,
    boxes: Sequence[Box],
    at: tuple[float, float, float],
    look: Look,
) -> Iterator[Mark]:
    """The text of one head, each token on the colour of its weight, the query framed."""
    left, top, size = at
    colours = scale.colours(shown)
    colours[view.hidden[panel]] = MASKED["night" if look.night else "paper"]
    inks = np.where(ink(colours) > 127, 255, 32)  # not quite INK, which is made light on a dark ground
    for i, (piece, place) in enumerate(zip(view.pieces, boxes, strict=True)):
        x, y = left + place.x, top + place.line * PITCH * size
        middle = y + HIGH * size / 2
        yield Stroke(((x, middle), (x + place.width, middle)), _hex(colours[i]), HIGH * size)
        if i == view.own:
            yield box(x, y, place.width, HIGH * size, OWN)
        written = x + place.width / 2
        yield Words(piece.text, written, middle + BASELINE * size, size, "center", _hex(inks[i]))


def _beside(title: str, top: float, size: float) -> Iterator[Words]:
    """What a paragraph is called, on its first line."""
    if title:
        yield Words(title, MARGIN, top + HIGH * size / 2 + BASELINE * TITLE, TITLE, colour=QUIET)


def _queries(view: Shading, boxes: Sequence[Box], left: float, top: float, size: float) -> Iterator[Mark]:
    """The text that the query is in, where that is another one."""
    yield from _beside("query", top, size)
    for i, (piece, place) in enumerate(zip(view.queries, boxes, strict=True)):
        x, y = left + place.x, top + place.line * PITCH * size
        if i == view.query:
            yield box(x, y, place.width, HIGH * size, OWN)
        middle = y + (HIGH / 2 + BASELINE) * size
        yield Words(
            piece.text, x + place.width / 2, middle, size, "center", INK if i == view.query else QUIET
        )


def _numbers(
    weights: Float[np.ndarray, " key"],
    hidden: np.ndarray,
    boxes: Sequence[Box],
    left: float,
    top: float,
    size: float,
) -> Iterator[Number]:
    """The weights that count, below their tokens."""
    peak = float(np.abs(np.where(hidden, 0, weights)).max())
    for weight, place in zip(weights.tolist(), boxes, strict=True):
        if peak and abs(weight) >= FAINTEST * peak:
            y = top + place.line * PITCH * size + (HIGH + 0.42) * size
            yield Number(number(weight, 2), left + place.x + place.width / 2, y, 4.8, QUIET)


def _hex(colour: np.ndarray) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _heading(title: str, subheading: str, view: Shading) -> Iterator[Words]:
    y = MARGIN
    said = " · ".join(filter(None, [subheading, view.said]))
    for text, size, colour in ((escape(title), HEADING, INK), (said, TITLE, QUIET)):
        for line in fonts.lines(text, size, PAGE - 2 * MARGIN):
            yield Words(line, MARGIN, y + size, size, colour=colour)
            y += size * LEADING + 3


def _flat_bar(unit: str, scale: Scale, x: float, y: float, *, masked: bool, look: Look) -> Iterator[Mark]:
    """The colours from left to right, with round numbers below them, and the colour of what is masked."""
    shades = np.rint(np.linspace(0, 255, round(BAR / PIXEL))).astype(int)
    yield Picture(ramp(scale.ramp)[shades][None].repeat(round(BAR_WIDTH / PIXEL), axis=0), x, y)
    yield box(x, y, BAR, BAR_WIDTH)
    for tick, text in bar_ticks(scale):
        at = x + BAR * float(scale.part(np.array(tick)))
        yield Stroke(((at, y + BAR_WIDTH), (at, y + BAR_WIDTH + 2)))
        middle = max(at, x + fonts.width(text, NAME) / 2)  # the first begins where the bar does
        yield Words(text, middle, y + BAR_WIDTH + 3 + NAME, NAME, "center")
    after = x + BAR + 6
    baseline = y + BAR_WIDTH / 2 + BASELINE * NAME
    yield Words(unit, after, baseline, NAME, colour=QUIET)
    if masked:
        after += fonts.width(unit, NAME) + 14
        colour = MASKED["night" if look.night else "paper"]
        pixels = np.full((round(BAR_WIDTH / PIXEL), round(BAR_WIDTH / PIXEL), 3), colour, np.uint8)
        yield Picture(pixels, after, y)
        yield Words("masked", after + BAR_WIDTH + 4, baseline, NAME)


def _footer(attention: Attention, y: float) -> Iterator[Words]:
    origin = escape(attention.provenance.strip()) or "origin not recorded"
    for line in fonts.lines(origin, NOTE, PAGE - 2 * MARGIN):
        yield Words(line, MARGIN, y, NOTE, colour=QUIET)
        y += NOTE * LEADING


def _sheet(marks: Sequence[Mark], look: Look) -> Sheet:
    words = [mark for mark in marks if isinstance(mark, Words)]
    ends = [x for mark in marks if isinstance(mark, Stroke) for x, _ in mark.points]
    ends += [mark.x + fonts.width(mark.text, mark.size) for mark in words if mark.align == "left"]
    bottom = max(mark.y for mark in words)
    sheet = Sheet(math.ceil(max(ends) + MARGIN), math.ceil(bottom + MARGIN), tuple(marks), look.night)
    return fitted(sheet, look.inches[0] * 72, look.inches[1] * 72) if look.inches else sheet
