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
from .sheet import BASELINE, Number
from .sheet import Cells as Mark
from .ticks import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float, UInt8

    from ..look import Look
    from .paper import Paper

    Corner = tuple[float, float]

LARGEST, SHORTEST_SIDE = 34.0, 26.0  # of a cell, of a panel; for letters of 8
LOWEST = 0.6  # the height of a cell of a table, for a width of 1
MOST_NUMBERED = 12  # rows or columns of a panel that has its numbers written in
NUMBER_SIZES = (0.65, 0.9)  # for letters of 1
UNEVEN = 5  # pixels: cells of more are all of one size


@dataclass(frozen=True)
class Grain:
    """How many numbers share a cell, and how large it is."""

    rows: int  # of cells
    columns: int
    factor: int  # a cell is the mean of factor × factor numbers
    width: float
    height: float

    @property
    def panel_width(self) -> float:
        """Width of a panel."""
        return self.columns * self.width

    @property
    def panel_height(self) -> float:
        """Height of a panel."""
        return self.rows * self.height


def grain_in(
    room: tuple[float, float], shape: tuple[int, int], paper: Paper, *, square: bool = True
) -> Grain:
    """Cells as large as the room for a panel (its width and height) lets them be.

    Where there are more numbers than pixels, cells show the means of blocks.
    """
    n_rows, n_columns = shape
    factor = max(
        1,
        *(
            math.ceil(n * paper.pixel / side - 1e-9)
            for n, side in zip((n_columns, n_rows), room, strict=True)
        ),
    )
    rows, columns = math.ceil(n_rows / factor), math.ceil(n_columns / factor)
    most = math.inf if paper.fixed else paper.of(LARGEST)
    width, height = min(most, room[0] / columns), min(most, room[1] / rows)
    if square:
        shortest = paper.of(SHORTEST_SIDE)  # of what has one row or one column
        side = min(width, height)
        width, height = (
            max(side, min(most, shortest / n, full)) for n, full in ((columns, width), (rows, height))
        )
    else:
        height = min(height, LOWEST * width * columns / rows)
    return Grain(rows, columns, factor, _even(width, paper), _even(height, paper))


def _even(length: float, paper: Paper) -> float:
    """In whole pixels, as cells look alike then; on paper of a given size only where that leaves little empty."""
    n = length / paper.pixel
    if paper.fixed and n < UNEVEN:
        return length
    return max(1, int(n + 1e-6)) * paper.pixel


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of every panel; each shows the mean of `factor` × `factor` numbers."""

    values: Float[np.ndarray, "panel row column"]
    hidden: Bool[np.ndarray, "panel row column"]
    grain: Grain
    scale: Scale
    peaks: Float[np.ndarray, "panel 1 1"] | None = None  # where each panel has a scale of its own
    night: bool = False

    @property
    def factor(self) -> int:
        """How many numbers share a cell, along either side."""
        return self.grain.factor

    @property
    def width(self) -> float:
        """Of a cell."""
        return self.grain.width

    @property
    def height(self) -> float:
        """Of a cell."""
        return self.grain.height

    @property
    def panel_width(self) -> float:
        """Width of a panel."""
        return self.grain.panel_width

    @property
    def panel_height(self) -> float:
        """Height of a panel."""
        return self.grain.panel_height

    def colours(self) -> UInt8[np.ndarray, "panel row column 3"]:
        """The colour of each cell."""
        colours = self.scale.colours(self.values if self.peaks is None else self.values / self.peaks)
        colours[self.hidden] = MASKED["night" if self.night else "paper"]
        return colours

    def marks(self, corners: Sequence[Corner]) -> Mark:
        """The cells of panels whose upper left corners these are."""
        return Mark(self.colours(), tuple(corners), self.width, self.height)


def filled(
    grain: Grain,
    values: Float[np.ndarray, "panel row column"],
    hidden: Bool[np.ndarray, "#panel row column"] | None = None,
    look: Look = PLAIN,
) -> Cells:
    """Cells of this grain with their values and colours."""
    means, covered = pooled(values, hidden, grain.factor)
    peaks = None
    if look.color_scale == "panel":
        peaks = np.abs(np.where(covered, 0, means)).max(axis=(1, 2), keepdims=True)
        peaks = np.where(peaks > 0, peaks, 1)
    scale = scale_of((means if peaks is None else means / peaks)[~covered], look)
    return Cells(means, covered, grain, scale, peaks, look.night)


def numbers(cells: Cells, corners: Sequence[Corner], letters: float) -> list[Number]:
    """The numbers themselves, where cells are few and large enough to hold them."""
    if cells.factor > 1 or max(cells.values.shape[1:]) > MOST_NUMBERED:
        return []
    texts = [number(value, _decimals(cells)) for value in cells.values.flat]
    widest = max(fonts.width(text, 1) for text in {text.translate(_ALIKE) for text in texts})
    size = min(NUMBER_SIZES[1] * letters, (cells.width - 0.3 * letters) / widest, cells.height / 1.5)
    if size < NUMBER_SIZES[0] * letters:
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
