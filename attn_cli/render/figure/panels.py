"""Panels of shaded cells: what they say (`Maps`), and where everything of them stands (`Plan`). Lengths are in points."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..look import PLAIN
from ..pooling import SAID, unit_said
from . import parting
from .bar import Bar
from .cells import Cells, Grain, filled, numbers
from .paper import GAP, Frame, Paper
from .sheet import QUIET, Stroke, Words, box
from .ticks import marks_below, marks_beside, widest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from jaxtyping import Bool, Float

    from ..look import Look
    from .cells import Corner
    from .sheet import Mark
    from .spectrogram import Spectrogram
    from .strips import Strips
    from .ticks import Ticks


@dataclass(frozen=True, eq=False)
class Maps:
    """What a picture of maps says, before anything has a place.

    `titles` stand over the panels, or over those of the first row if `side_titles` stand beside the rows.
    """

    values: Float[np.ndarray, "panel row column"]
    rows: tuple[str, ...]  # more than there are rows of values, if these are means already
    columns: tuple[str, ...]
    row_name: str
    column_name: str
    unit: str
    origin: str | None
    hidden: Bool[np.ndarray, "#panel row column"] | None = None
    across: int = 1  # panels side by side
    titles: tuple[str, ...] = ()
    side_titles: tuple[str, ...] = ()
    subheading: str = ""
    square: bool = True
    smooth: bool = False  # whether waves shorter than a cell fade, where others would be averaged
    look: Look = PLAIN
    barred: bool = True  # whether a colour bar says what the colours mean
    said: tuple[str, ...] = ()  # at the foot
    hidden_name: str = "masked"
    among: int = 1  # panels of this size that would stand side by side, where other maps stand beside these
    began: tuple[int | None, int | None] = (None, None)  # rows and columns from which a model wrote itself
    # Figures of single tokens, beside a map of many; or the sound whose moments the keys are.
    strips: Strips | Spectrogram | None = None
    flows: bool = True  # whether panels are set in other columns, to fill paper of a given size

    @property
    def down(self) -> int:
        """Panels below one another."""
        return math.ceil(len(self.values) / self.across)


@dataclass(frozen=True, eq=False)
class Plan:
    """The sizes and places from which the rest follows. Places are within the block, which lies at `x`, `y`."""

    maps: Maps
    paper: Paper
    grain: Grain
    rows: Ticks
    columns: Ticks
    x: float = 0.0
    y: float = 0.0

    @cached_property
    def cells(self) -> Cells:
        """The values and colours of all cells."""
        maps = self.maps
        return filled(self.grain, maps.values, maps.hidden, maps.look, smooth=maps.smooth)

    @property
    def corners(self) -> tuple[Corner, ...]:
        """The upper left corner of each panel."""
        left, top = self.x + self.frame.left, self.y + self.frame.top
        across = self.grain.panel_width + self.beside + self.gap
        down = self.grain.panel_height + self.above + self.gap + self.titled
        places = (divmod(i, self.maps.across) for i in range(len(self.maps.values)))
        return tuple((left + column * across, top + row * down) for row, column in places)

    @property
    def gap(self) -> float:
        """Between panels."""
        return self.paper.whole(self.paper.of(GAP))

    @property
    def beside(self) -> float:
        """The width of strips to the right of each panel."""
        return 0.0 if self.maps.strips is None else self.maps.strips.beside(self.paper)

    @property
    def above(self) -> float:
        """The height of strips over each panel."""
        return 0.0 if self.maps.strips is None else self.maps.strips.above(self.paper)

    @property
    def titled(self) -> float:
        """The height of a title over each panel."""
        over_each = self.maps.titles and not self.maps.side_titles
        return self.paper.whole(1.4 * self.paper.letters) * bool(over_each)

    @cached_property
    def frame(self) -> Frame:
        """Where the panels lie."""
        maps, grain, paper = self.maps, self.grain, self.paper
        left, top = paper.whole(names_left(maps, paper) + self.rows.reach), paper.whole(names_above(paper))
        right = left + maps.across * (grain.panel_width + self.beside + self.gap) - self.gap
        top, between = top + self.above, self.above + self.gap + self.titled
        bottom = top + maps.down * (grain.panel_height + between) - between
        return Frame(left, top, right, bottom)

    @property
    def width(self) -> float:
        """Of everything."""
        return self.frame.right + 0.3 * self.paper.letters  # half of the last label

    @property
    def height(self) -> float:
        """Of everything."""
        return self.frame.bottom + self.columns.reach + names_below(self.paper)

    @property
    def bar(self) -> Bar | None:
        """What the colours mean."""
        if not (self.maps.barred and self.maps.look.shows("colorbar")):
            return None
        name = unit_said(self.maps.unit, self.pool, max(self.sharing))
        name = name if self.cells.peaks is None else "of its peak"
        hidden = self.maps.hidden_name if self.cells.hidden.any() else ""
        return Bar(name, self.cells.scale, hidden, clipped=bool(self.cells.beyond))

    @property
    def sharing(self) -> tuple[int, int]:
        """How many numbers share a cell, down and across."""
        factors = zip((self.grain.down, self.grain.across), together(self.maps), strict=True)
        down, across = (math.ceil(factor * n) for factor, n in factors)
        return down, across

    @property
    def pool(self) -> str:
        """What a cell shows of them."""
        return self.maps.look.pool or "mean"

    @property
    def notes(self) -> list[str]:
        """Which lines part what; where pixels are fewer than numbers, what a pixel shows."""
        notes = [*self.maps.said, *([self.maps.strips.said] if self.maps.strips else [])]
        down, across = self.sharing
        if max(down, across) > 1:
            smooth = " and their neighbours, so that shorter waves fade" * self.maps.smooth
            notes.append(f"each cell is {SAID[self.pool]} of {down} × {across} {self.maps.unit}s{smooth}")
        written = parting.SAID if any(self.maps.began) else None
        return [*notes, *filter(None, [self.cells.beyond, written])]

    def marks(self, x: float, y: float) -> Iterator[Mark]:
        """Everything, from this corner."""
        at = self.at(x, y)
        corners, frame, size = at.corners, self.frame, self.paper.letters
        yield self.cells.marks(corners)
        yield from (box(*corner, self.grain.panel_width, self.grain.panel_height) for corner in corners)
        yield from _parted(at)
        if self.maps.strips is not None:
            yield from self.maps.strips.marks(corners, self.grain, self.paper)
        if self.maps.look.shows("numbers"):
            yield from numbers(self.cells, corners, size)
        yield from _titles(at)
        yield from _labels(at)
        across, down = x + (frame.left + frame.right) / 2, y + (frame.top + frame.bottom) / 2
        bottom = y + self.height - 0.25 * size
        yield Words(self.maps.column_name, across, bottom, size, "center", QUIET)
        yield Words(self.maps.row_name, x + 0.8 * size, down, size, "center", QUIET, turned=True)

    def at(self, x: float, y: float) -> Plan:
        """The plan with its places on the sheet."""
        moved = replace(self, x=x, y=y)
        moved.__dict__["cells"] = self.cells  # need not be made again
        return moved


def shape_of(maps: Maps) -> tuple[int, int]:
    """Rows and columns of the values of a panel."""
    return maps.values.shape[1], maps.values.shape[2]


def together(maps: Maps) -> tuple[float, float]:
    """How many labels stand for one value, down and across."""
    return len(maps.rows) / maps.values.shape[1], len(maps.columns) / maps.values.shape[2]


def names_left(maps: Maps, paper: Paper) -> float:
    """What stands to the left of the labels."""
    return (1.6 + 1.6 * bool(maps.side_titles)) * paper.letters


def names_below(paper: Paper) -> float:
    """What stands under the labels."""
    return 1.6 * paper.letters


def names_above(paper: Paper) -> float:
    """What stands over the panels."""
    return 1.6 * paper.letters


# ---- what is written ----------------------------------------------------------------------------------


def _parted(plan: Plan) -> Iterator[Stroke]:
    """Lines between what a model was given and what it wrote."""
    maps, grain = plan.maps, plan.grain
    size = len(maps.rows), len(maps.columns)
    return parting.lines(
        maps.began, size, plan.corners, grain.panel_width, grain.panel_height, plan.paper.of(1.0)
    )


def _labels(plan: Plan) -> Iterator[Mark]:
    """Row labels beside the first panel of a row, column labels under the last panel of a column."""
    corners = plan.corners
    for y in sorted({y for _, y in corners}):
        yield from marks_beside(plan.rows, corners[0][0], y)
    for x, y in dict(sorted(corners)).items():
        yield from marks_below(plan.columns, x, y + plan.grain.panel_height)


def _titles(plan: Plan) -> Iterator[Words]:
    maps, size, corners = plan.maps, plan.paper.letters, plan.corners
    over = corners[: maps.across] if maps.side_titles else corners
    titles = _brief(maps.titles, plan.grain.panel_width + plan.gap / 2, size)
    for title, (x, y) in zip(titles, over, strict=bool(titles)):
        yield Words(title, x, y - plan.above - 0.75 * size, size)
    sides = _brief(maps.side_titles, plan.grain.panel_height + plan.gap / 2, size)
    for title, (_, y) in zip(sides, corners[:: maps.across], strict=bool(sides)):
        middle = y + plan.grain.panel_height / 2
        yield Words(title, plan.x + 2.5 * size, middle, size, "center", turned=True)


def _brief(titles: Sequence[str], room: float, size: float) -> Sequence[str]:
    """Titles; all in short, as L0 or H0, where one would run into the next; none where these would too."""
    short = [title.replace("layer ", "L").replace("head ", "H") for title in titles]
    tight = [title.replace(" · ", "") for title in short]
    bare = [title.replace(" · ", ".").translate({ord("L"): None, ord("H"): None}) for title in short]
    ways = (titles, short, tight, bare)
    return next((way for way in ways if widest(way, size) <= room), ())
