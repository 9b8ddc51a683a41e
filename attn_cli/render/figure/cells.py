"""Numbers as shaded cells: how large a cell is, how many numbers share one, what colour it has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..colour import MANY, MASKED, Scale, ink, scale_of, top_of
from ..fonts import texts as fonts
from ..look import PLAIN
from ..pooling import pooled, smoothed
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
LOWEST = 0.6  # the height of a table at most, for a width of 1
MOST_NUMBERED = 12  # rows or columns of a panel that has its numbers written in
NUMBER_SIZES = (0.65, 0.9)  # for letters of 1
UNEVEN = 5  # pixels: cells of more are all of one size


@dataclass(frozen=True)
class Grain:
    """How many numbers share a cell, and how large it is."""

    rows: int  # of cells
    columns: int
    down: int  # so many numbers × so many share a cell
    across: int
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
    if not square:
        room = room[0], min(room[1], LOWEST * room[0])
    down, across = (
        max(1, math.ceil(n * paper.pixel / side - 1e-9)) for n, side in zip(shape, room[::-1], strict=True)
    )
    if square:
        down = across = max(down, across)
    rows, columns = math.ceil(n_rows / down), math.ceil(n_columns / across)
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
    return Grain(rows, columns, down, across, _even(width, paper), _even(height, paper))


def _even(length: float, paper: Paper) -> float:
    """In whole pixels, as cells look alike then; on paper of a given size only where that leaves little empty."""
    n = length / paper.pixel
    if paper.fixed and n < UNEVEN:
        return length
    return max(1, int(n + 1e-6)) * paper.pixel


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of every panel; where several numbers share one, it shows their mean, or the largest."""

    values: Float[np.ndarray, "panel row column"]
    hidden: Bool[np.ndarray, "panel row column"]
    grain: Grain
    scale: Scale
    peaks: Float[np.ndarray, "panel 1 1"] | None = None  # where each panel has a scale of its own
    night: bool = False

    @property
    def factor(self) -> int:
        """How many numbers share a cell, along the side where they are most."""
        return max(self.grain.down, self.grain.across)

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

    @cached_property
    def beyond(self) -> str:
        """What is said where cells lie beyond the scale."""
        return beyond(self.values, self.hidden, self.scale, self.peaks)

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
    *,
    smooth: bool = False,
) -> Cells:
    """Cells of this grain with their values and colours; `smooth` ones show no patterns that are not there."""
    means, covered = pooled(values, hidden, (grain.down, grain.across), look.pool)
    if smooth:
        means = smoothed(values, (grain.down, grain.across))
    many = max(values.shape[1:]) >= MANY
    if look.color_scale == "panel":
        peaks = tops(means, covered, many=many)
        scale = scale_of((means / peaks).clip(-1, 1)[~covered], look)
        return Cells(means, covered, grain, scale, peaks, look.night)
    seen = means if hidden is None else means[~covered]
    return Cells(means, covered, grain, scale_of(seen, look, many=many), None, look.night)


def tops(
    values: Float[np.ndarray, "*panel row column"],
    hidden: Bool[np.ndarray, "*panel row column"],
    *,
    many: bool,
) -> Float[np.ndarray, "*panel 1 1"]:
    """Where the colours of each panel end: at its peak, of `many` short of the few largest."""
    panels = zip(values.reshape(-1, *values.shape[-2:]), hidden.reshape(-1, *hidden.shape[-2:]), strict=True)
    ends = [top_of(p[~h]) if many else float(np.abs(p[~h]).max(initial=0)) for p, h in panels]
    return np.array([end or 1.0 for end in ends]).reshape(*values.shape[:-2], 1, 1)


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


def beyond(
    values: Float[np.ndarray, "*panel row column"],
    hidden: Bool[np.ndarray, "*panel row column"],
    scale: Scale,
    peaks: Float[np.ndarray, "*panel 1 1"] | None = None,
) -> str:
    """What is said where cells lie beyond the scale, or the peaks that are its ends; nothing where none does.

    >>> beyond(np.array([[[0.1, 0.9]]]), np.zeros((1, 1, 2), bool), Scale(0, 0.5, "paper"))
    'the last colour stands for 0.5 and more: 50.0% of the cells, up to 0.9'
    """
    if scale.log:
        return ""
    sizes = np.abs(values)
    outside = (sizes > (scale.high if peaks is None else peaks) * (1 + 1e-6)) & ~hidden
    if not outside.any():
        return ""
    part = outside.sum() / (~hidden).sum()
    share = f"{part:.1%}" if part >= 0.001 else "under 0.1%"
    if peaks is not None:
        return f"the last colour of each panel also stands for what lies beyond it: {share} of all cells"
    farthest = float(values[outside][sizes[outside].argmax()])
    return f"the last colour stands for {scale.high:.2g} and more: {share} of the cells, up to {farthest:.2g}"


_ALIKE = str.maketrans(dict.fromkeys("123456789", "0"))  # digits are all as wide as one another


def _decimals(cells: Cells) -> int:
    """As many decimals as leave three digits: 0.12, 1.23, 12.3, 123."""
    high = cells.scale.high if cells.peaks is None else float(cells.peaks.max())
    return max(0, 2 - max(0, int(math.log10(max(high, 1)))))
