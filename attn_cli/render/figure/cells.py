"""Numbers as shaded cells: how large a cell is, how many numbers share one, what colour it has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..colour import MASKED, Scale, ink, scale_of
from ..fonts import texts as fonts
from ..look import PLAIN
from ..pooling import pooled
from .sheet import BASELINE, NIGHT, PAPER, PIXEL, Number, Picture
from .ticks import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float, UInt8

    from ..look import Look

    Corner = tuple[float, float]

LARGEST, SHORTEST_SIDE = 34.0, 26.0  # of a cell, of a panel; in points
MOST_NUMBERED = 12  # rows or columns of a panel that has its numbers written in
NUMBER_SIZES = (4.8, 7.5)


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of every panel; each shows the mean of `factor` × `factor` numbers."""

    values: Float[np.ndarray, "panel row column"]
    hidden: Bool[np.ndarray, "panel row column"]
    factor: int
    width: float  # of one cell, in points
    height: float
    scale: Scale
    peaks: Float[np.ndarray, "panel 1 1"] | None = None  # where each panel has a scale of its own
    night: bool = False

    @property
    def panel_width(self) -> float:
        """Width of a panel."""
        return self.values.shape[2] * self.width

    @property
    def panel_height(self) -> float:
        """Height of a panel."""
        return self.values.shape[1] * self.height

    def colours(self) -> UInt8[np.ndarray, "panel row column 3"]:
        """The colour of each cell."""
        colours = self.scale.colours(self.values if self.peaks is None else self.values / self.peaks)
        colours[self.hidden] = MASKED["night" if self.night else "paper"]
        return colours


def cells_in(
    room: tuple[float, float],
    values: Float[np.ndarray, "panel row column"],
    hidden: Bool[np.ndarray, "#panel row column"] | None = None,
    *,
    square: bool = True,
    look: Look = PLAIN,
) -> Cells:
    """Cells as large as the room for a panel (its width and height) lets them be, whole pixels each.

    Where there are more numbers than pixels, cells show the means of blocks.
    """
    n_rows, n_columns = values.shape[1:]
    factor = max(math.ceil(n_rows * PIXEL / room[1]), math.ceil(n_columns * PIXEL / room[0]))
    means, covered = pooled(values, hidden, factor)
    rows, columns = means.shape[1:]
    width, height = min(LARGEST, room[0] / columns), min(LARGEST, room[1] / rows)
    if square:
        width, height = (max(min(width, height), min(LARGEST, SHORTEST_SIDE / n)) for n in (columns, rows))
    else:
        height = min(height, 0.6 * width * columns / rows)
    peaks = None
    if look.color_scale == "panel":
        peaks = np.abs(np.where(covered, 0, means)).max(axis=(1, 2), keepdims=True)
        peaks = np.where(peaks > 0, peaks, 1)
    scale = scale_of((means if peaks is None else means / peaks)[~covered], look)
    return Cells(
        means, covered, factor, _whole_pixels(width), _whole_pixels(height), scale, peaks, look.night
    )


def _whole_pixels(length: float) -> float:
    return max(1, int(length / PIXEL + 1e-6)) * PIXEL


def picture(cells: Cells, corners: Sequence[Corner]) -> Picture:
    """All panels as one picture, the ground between them: a picture each would take longer to draw."""
    left, top = corners[0]
    at = [(round((x - left) / PIXEL), round((y - top) / PIXEL)) for x, y in corners]
    wide, high = round(cells.width / PIXEL), round(cells.height / PIXEL)
    right = max(x for x, _ in at) + wide * cells.values.shape[2]
    bottom = max(y for _, y in at) + high * cells.values.shape[1]
    ground = bytes.fromhex((NIGHT if cells.night else PAPER)[1:])
    pixels = np.full((bottom, right, 3), list(ground), np.uint8)
    for (x, y), panel in zip(at, cells.colours(), strict=True):
        block = panel.repeat(high, axis=0).repeat(wide, axis=1)
        pixels[y : y + block.shape[0], x : x + block.shape[1]] = block
    return Picture(pixels, left, top)


def numbers(cells: Cells, corners: Sequence[Corner]) -> list[Number]:
    """The numbers themselves, where cells are few and large enough to hold them."""
    if cells.factor > 1 or max(cells.values.shape[1:]) > MOST_NUMBERED:
        return []
    texts = [number(value, _decimals(cells)) for value in cells.values.flat]
    widest = max(fonts.width(text, 1) for text in {text.translate(_ALIKE) for text in texts})
    size = min(NUMBER_SIZES[1], (cells.width - 2.5) / widest, cells.height / 1.5)
    if size < NUMBER_SIZES[0]:
        return []
    inks = ink(cells.colours()).reshape(-1, 3)
    places = zip(texts, inks, np.ndindex(cells.values.shape), strict=True)
    return [
        Number(
            text,
            corners[panel][0] + (column + 0.5) * cells.width,
            corners[panel][1] + (row + 0.5) * cells.height + BASELINE * size,
            size,
            "#{:02x}{:02x}{:02x}".format(*colour),
        )
        for text, colour, (panel, row, column) in places
        if not cells.hidden[panel, row, column]
    ]


_ALIKE = str.maketrans(dict.fromkeys("123456789", "0"))  # digits are all as wide as one another


def _decimals(cells: Cells) -> int:
    """As many decimals as leave three digits: 0.12, 1.23, 12.3, 123."""
    high = cells.scale.high if cells.peaks is None else float(cells.peaks.max())
    return max(0, 2 - max(0, int(math.log10(max(high, 1)))))
