"""All layers × heads at a glance: a small map for each, without labels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...text.escaping import escape
from ..colour import MASKED, scale_of
from ..fonts import texts as fonts
from ..pooling import block_peaks
from .maps import HEADING, MARGIN, NAME, NOTE, TITLE, colour_bar
from .sheet import BASELINE, INK, LEADING, NIGHT, PAPER, PIXEL, QUIET, Picture, Sheet, Words, box, fitted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Bool, UInt8

    from ...records.attention import Attention
    from ..colour import Scale
    from ..look import Look
    from .sheet import Mark, Stroke

PAGE, WIDE, BAR = 504.0, 864.0, 46.0  # the width of a sheet, at most, and beside the panels
LARGEST, SMALLEST = 84.0, 10.0  # the longest side of a panel
GAP = 0.06  # between panels, of their side
FRAME = 0.3  # the width of its line
LONGEST = 3.0  # side of a panel, for a shorter one of 1


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """The small maps, whole pixels each, and where they stand."""

    pixels: UInt8[np.ndarray, "layer head height width 3"]
    scale: Scale
    left: float
    top: float
    gap: float
    block: int  # each pixel is the largest of block × block weights

    @property
    def width(self) -> float:
        """Of a panel."""
        return self.pixels.shape[3] * PIXEL

    @property
    def height(self) -> float:
        """Of a panel."""
        return self.pixels.shape[2] * PIXEL

    def x(self, head: int) -> float:
        """Where the panels of a head begin."""
        return self.left + head * (self.width + self.gap)

    def y(self, layer: int) -> float:
        """Where the panels of a layer begin."""
        return self.top + layer * (self.height + self.gap)


def lay_out(attention: Attention, look: Look, subheading: str = "") -> Sheet:
    """A row of small maps for each layer, a column for each head, all on one picture."""
    heading = list(_heading(look.title, subheading))
    top = max((mark.y + 10 for mark in heading), default=MARGIN) + 2 * NAME * LEADING + 3
    maps = _thumbnails(attention, look, MARGIN + NAME * LEADING + 14, math.ceil(top))
    right = maps.x(len(attention.heads)) - maps.gap
    bottom = maps.y(len(attention.layers)) - maps.gap
    unit = "of its peak" if look.color_scale == "panel" else attention.unit
    marks: list[Mark] = [
        *heading,
        _picture(maps, look),
        *_frames(maps),
        *_names(attention, maps, right, bottom),
        *colour_bar(unit, maps.scale, right + 14, maps.top, bottom),
    ]
    lower = max(mark.y for mark in marks if isinstance(mark, Words))
    footer = list(_footer(attention, maps, max(bottom, lower) + 3 * NOTE, right + BAR - MARGIN))
    running = [mark for mark in (*marks, *footer) if isinstance(mark, Words) and mark.align == "left"]
    width = max(word.x + fonts.width(word.text, word.size) for word in running)
    sheet = Sheet(
        math.ceil(width + MARGIN), math.ceil(footer[-1].y + MARGIN), (*marks, *footer), night=look.night
    )
    return fitted(sheet, look.inches[0] * 72, look.inches[1] * 72) if look.inches else sheet


def _thumbnails(attention: Attention, look: Look, left: float, top: float) -> Thumbnails:
    n_layers, n_heads, n_query, n_key = attention.weights.shape
    side = _side(n_layers, n_heads)
    flat = max(1 / LONGEST, min(LONGEST, n_query / n_key))  # the height of a panel, for a width of 1
    high, wide = (round(side * min(1, part) / PIXEL) for part in (flat, 1 / flat))
    block = max(math.ceil(n_query / high), math.ceil(n_key / wide))
    peaks, hidden = block_peaks(attention.weights, _hidden(attention), block)
    shown = peaks
    if look.color_scale == "panel":
        top_values = np.abs(np.where(hidden, 0, peaks)).max(axis=(2, 3), keepdims=True)
        shown = peaks / np.where(top_values > 0, top_values, 1)
    scale = scale_of(shown[~hidden], look)
    colours = scale.colours(shown)
    colours[hidden] = MASKED["night" if look.night else "paper"]
    rows, columns = (_stretched(n, room) for n, room in zip(colours.shape[2:4], (high, wide), strict=True))
    return Thumbnails(colours[:, :, rows][:, :, :, columns], scale, left, top, _whole(side * GAP), block)


def _side(n_layers: int, n_heads: int) -> float:
    """The longest side of a panel with which all fit on a page, or else on a wide one."""
    around = 2 * MARGIN + NAME * LEADING + 14 + BAR
    sides = ((page - around) / n_heads / (1 + GAP) for page in (PAGE, WIDE))
    wanted = next((side for side in sides if side >= 2.5 * SMALLEST), (WIDE - around) / n_heads / (1 + GAP))
    return max(SMALLEST, min(LARGEST, wanted, 1.4 * WIDE / n_layers))


def _stretched(n: int, room: int) -> np.ndarray:
    """Which of n cells each pixel shows: all as wide as one another, or where that leaves much empty, nearly."""
    if room % n < 0.12 * room:
        room -= room % n
    return np.arange(room) * n // room


def _whole(length: float) -> float:
    return max(2, round(length / PIXEL)) * PIXEL


def _hidden(attention: Attention) -> Bool[np.ndarray, "layer head query key"] | None:
    return None if attention.mask is None else np.broadcast_to(~attention.mask, attention.weights.shape)


def _picture(maps: Thumbnails, look: Look) -> Picture:
    """All panels as one picture; a picture each would take long to draw."""
    n_layers, n_heads, height, width, _ = maps.pixels.shape
    gap = round(maps.gap / PIXEL)
    ground = bytes.fromhex((NIGHT if look.night else PAPER)[1:])
    size = n_layers * (height + gap) - gap, n_heads * (width + gap) - gap
    pixels = np.full((*size, 3), list(ground), np.uint8)
    for layer, row in enumerate(maps.pixels):
        for head, panel in enumerate(row):
            y, x = layer * (height + gap), head * (width + gap)
            pixels[y : y + height, x : x + width] = panel
    return Picture(pixels, maps.left, maps.top)


def _frames(maps: Thumbnails) -> Iterator[Stroke]:
    n_layers, n_heads = maps.pixels.shape[:2]
    for layer, head in np.ndindex(n_layers, n_heads):
        frame = box(maps.x(head), maps.y(layer), maps.width, maps.height)
        yield replace(frame, width=FRAME)


def _names(attention: Attention, maps: Thumbnails, right: float, bottom: float) -> Iterator[Words]:
    """The numbers of heads above, of layers beside, and what they count."""
    for i, head in enumerate(attention.heads):
        yield Words(str(head), maps.x(i) + maps.width / 2, maps.top - 4, NAME, "center")
    for i, layer in enumerate(attention.layers):
        y = maps.y(i) + maps.height / 2 + BASELINE * NAME
        yield Words(str(layer), maps.left - 5, y, NAME, "right")
    yield Words("head", (maps.left + right) / 2, maps.top - 6 - NAME * LEADING, NAME, "center", QUIET)
    yield Words("layer", MARGIN + NAME, (maps.top + bottom) / 2, NAME, "center", QUIET, turned=True)


def _heading(title: str, subheading: str) -> Iterator[Words]:
    y = MARGIN
    for text, size, colour in ((escape(title), HEADING, INK), (subheading, TITLE, QUIET)):
        for line in fonts.lines(text, size, PAGE - 2 * MARGIN):
            yield Words(line, MARGIN, y + size, size, colour=colour)
            y += size * LEADING + 3


def _footer(attention: Attention, maps: Thumbnails, y: float, room: float) -> Iterator[Words]:
    texts = [escape(attention.provenance.strip()) or "origin not recorded"]
    if maps.block > 1:
        texts.append(f"each pixel is the largest of {maps.block} × {maps.block} {attention.unit}s")
    n_query, n_key = len(attention.query_tokens), len(attention.key_tokens)
    texts.append(f"in each map {n_query} queries down, {n_key} keys across")
    for text in texts:
        for line in fonts.lines(text, NOTE, max(room, PAGE / 3)):
            yield Words(line, MARGIN, y, NOTE, colour=QUIET)
            y += NOTE * LEADING
