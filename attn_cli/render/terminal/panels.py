"""Maps for a terminal, and how they are fitted to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..look import Look

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from jaxtyping import Bool, Float

DARK = Look(style="dark")  # a terminal's ground


@dataclass(frozen=True, eq=False)
class Maps:
    """What is shown: a panel for each map, `across` of which belong together, as the heads of a layer."""

    values: Float[np.ndarray, "panel row column"]
    hidden: Bool[np.ndarray, "#panel row column"] | None
    rows: Sequence[str]
    columns: Sequence[str]
    titles: Sequence[str]  # of the panels
    across: int
    unit: str
    footer: str
    axes: str = "rows: queries, columns: keys"
    look: Look = DARK
    overview: bool = False  # small maps without labels
    # Which positions each row and each column stands for, where these are means of many already.
    places: tuple[Sequence[range], Sequence[range]] | None = None
    most_lines: int | None = None  # that all panels together may take
    # How many rows and columns stand before what a model wrote itself.
    began: tuple[float | None, float | None] = (None, None)

    def place(self, axis: int, i: int) -> int:
        """The position of a row (axis 0) or a column (axis 1): the first of those that it stands for."""
        return i if self.places is None else self.places[axis][i][0]

    def last_place(self, axis: int) -> int:
        """The largest of these numbers."""
        return self.place(axis, self.values.shape[1 + axis] - 1)

    def sharing(self, factor: int) -> tuple[int, int]:
        """How many numbers a cell of so many rows and columns stands for, down and across."""
        if self.places is None:
            return factor, factor
        down, across = (math.ceil(factor * (cells[-1][-1] + 1) / len(cells)) for cells in self.places)
        return down, across


@dataclass(frozen=True)
class Fit:
    """How the maps are fitted to a screen; sizes are in columns and half rows."""

    factor: int  # a cell stands for factor × factor values
    width: int  # of a cell
    height: int  # of a cell, in half rows
    frame: int  # columns of the frame around a panel
    between: int  # columns between panels
    group: int  # so many panels fill whole rows of panels
    across: int  # panels side by side
    told: str  # what stands beside the rows: names, positions or nothing
    names: tuple[str, ...]  # of the rows; of two that share a line, with the first
    names_width: int  # with their positions
    named: bool  # whether the columns have their tokens over them, or else positions
    tight: bool = False  # whether rows of panels stand close together, so that more of them is on the screen
    shown: int | None = None  # so many panels only; None: all

    @property
    def numbered(self) -> bool:
        """Whether anything stands over the columns."""
        return self.told != "nothing"

    def side(self, maps: Maps) -> int:
        """How wide a panel is."""
        return math.ceil(maps.values.shape[2] / self.factor) * self.width + self.frame

    def title_width(self, maps: Maps) -> int:
        """How much room there is for the title of a panel, which may reach over the gap to the next."""
        return self.side(maps) + self.between - 1

    def rows_of_panels(self, maps: Maps) -> list[slice]:
        """Which panels stand in each row of panels."""
        n = len(maps.values) if self.shown is None else self.shown
        starts = [
            (first, min(start + self.group, n))
            for start in range(0, n, self.group)
            for first in range(start, min(start + self.group, n), self.across)
        ]
        return [slice(first, min(first + self.across, end)) for first, end in starts]

    def lines_of_row(self, maps: Maps) -> int:
        """How many lines a row of panels takes, without the labels of columns."""
        cells = math.ceil(maps.values.shape[1] / self.factor)
        return any(maps.titles) + math.ceil(cells * self.height / 2) + (not self.tight)

    def lines(self, maps: Maps) -> int:
        """How many lines all panels take."""
        n_rows = len(self.rows_of_panels(maps))
        over = self.numbered * (1 + bool(maps.began[1]))
        return n_rows * self.lines_of_row(maps) + over * (1 if self.tight else n_rows)


def counted(labels: Sequence[str]) -> bool:
    """Whether labels are mere positions, which stand there anyway."""
    return all(label == str(i) for i, label in enumerate(labels))
