"""Maps on a sheet: panels of shaded cells, their labels, a colour bar, and where the numbers come from.

`Maps` is what a picture says; `lay_out` gives everything its place. Lengths are in points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..colour import MASKED, ramp
from ..fonts import texts as fonts
from ..look import PLAIN
from .cells import SHORTEST_SIDE, Cells, cells_in, numbers, picture
from .sheet import BASELINE, INK, LEADING, PIXEL, QUIET, Picture, Sheet, Stroke, Words, box, fitted
from .ticks import CLOSEST, below, beside, marks_below, marks_beside, number, round_ticks, widest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Bool, Float

    from ..colour import Scale
    from ..look import Look
    from .cells import Corner
    from .sheet import Mark
    from .ticks import Ticks

PAGE, MORE, WIDE = 504.0, 45.0, 864.0  # the width of a sheet; more for each panel after the fourth; at most
TALL, TALL_PANEL = 1000.0, 720.0
MOST_WITH_TOKENS = 3  # panels side by side, for thinned labels to show more than positions
MARGIN, GAP = 12.0, 10.0
HEADING, TITLE, NAME, NOTE = 11.0, 7.5, 7.0, 6.0  # type sizes
BAR_WIDTH, BAR_HEIGHT = 7.0, 130.0


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
    footer: str
    hidden: Bool[np.ndarray, "#panel row column"] | None = None
    across: int = 1  # panels side by side
    titles: tuple[str, ...] = ()
    side_titles: tuple[str, ...] = ()
    heading: str = ""
    subheading: str = ""
    square: bool = True
    look: Look = PLAIN


@dataclass(frozen=True, eq=False)
class Plan:
    """The sizes and places from which the rest follows."""

    cells: Cells
    rows: Ticks
    columns: Ticks
    corners: tuple[Corner, ...]  # the upper left one of each panel

    @property
    def left(self) -> float:
        """Where the panels begin."""
        return self.corners[0][0]

    @property
    def top(self) -> float:
        """Where the panels begin."""
        return self.corners[0][1]

    @property
    def right(self) -> float:
        """Where the panels end."""
        return max(x for x, _ in self.corners) + self.cells.panel_width

    @property
    def bottom(self) -> float:
        """Where the panels end."""
        return max(y for _, y in self.corners) + self.cells.panel_height


def lay_out(maps: Maps) -> Sheet:
    """Give everything on the sheet its place."""
    plan = plan_for(maps)
    bar = list(_bar(maps.unit, plan))
    heading = list(_heading(maps, plan.left))
    foot = max(plan.bottom + plan.columns.reach + NAME + 2, *(_lower_end(mark) for mark in bar))
    width = _right_end([*heading, *bar], plan.right)
    footer = list(_footer(maps, plan, foot + 2 * NOTE, max(width, PAGE / 2) - MARGIN))
    marks: list[Mark] = [
        *heading,
        picture(plan.cells, plan.corners),
        *(box(x, y, plan.cells.panel_width, plan.cells.panel_height) for x, y in plan.corners),
        *numbers(plan.cells, plan.corners),
        *_titles(maps, plan),
        *_labels(plan),
        Words(maps.column_name, (plan.left + plan.right) / 2, foot, NAME, "center", QUIET),
        Words(maps.row_name, MARGIN + NAME, (plan.top + plan.bottom) / 2, NAME, "center", QUIET, turned=True),
        *bar,
        *footer,
    ]
    width = _right_end(footer, width) + MARGIN
    sheet = Sheet(math.ceil(width), math.ceil(footer[-1].y + MARGIN), tuple(marks), maps.look.night)
    if inches := maps.look.inches:
        sheet = fitted(sheet, inches[0] * 72, inches[1] * 72)
    return sheet


def plan_for(maps: Maps) -> Plan:
    """Settle the size of the cells, which labels there are, and where the panels stand."""
    cells = cells_in(_room(maps), maps.values, maps.hidden, square=maps.square, look=maps.look)
    brief = maps.across > MOST_WITH_TOKENS
    down, across = _together(maps)
    rows = beside(maps.rows, cells.height / cells.factor / down, brief=brief)
    columns = below(maps.columns, cells.width / cells.factor / across, brief=brief)
    left = math.ceil(MARGIN + NAME + 6 + (TITLE + 6) * bool(maps.side_titles) + rows.reach)
    top = math.ceil(MARGIN + _heading_height(maps) + TITLE + 6)
    return Plan(cells, rows, columns, tuple(_corners(maps, cells, left, top)))


def _together(maps: Maps) -> tuple[float, float]:
    """How many labels stand for one value, down and across."""
    return len(maps.rows) / maps.values.shape[1], len(maps.columns) / maps.values.shape[2]


def _room(maps: Maps) -> tuple[float, float]:
    """Width and height that a panel may take: a page's share, or what it takes to read all labels."""
    down = math.ceil(len(maps.values) / maps.across)
    around = widest(maps.rows, TITLE) + 100  # the labels, the colour bar and the margins
    share, most = ((page - around) / maps.across - GAP for page in (_page(maps.across), WIDE))
    needed = max(maps.values.shape[1:]) * CLOSEST
    if needed > most and maps.across > MOST_WITH_TOKENS:  # there will be positions only
        share += (around - 120) / maps.across
    width = needed if share < needed <= most else share
    return max(width, SHORTEST_SIDE), max(min(TALL / down - 2 * GAP, TALL_PANEL), SHORTEST_SIDE)


def _page(across: int) -> float:
    return min(WIDE, PAGE + MORE * max(0, across - 4))


def _corners(maps: Maps, cells: Cells, left: float, top: float) -> Iterator[Corner]:
    titled = math.ceil(TITLE + 4) * bool(maps.titles and not maps.side_titles)
    for i in range(len(maps.values)):
        row, column = divmod(i, maps.across)
        yield left + column * (cells.panel_width + GAP), top + row * (cells.panel_height + GAP + titled)


def _labels(plan: Plan) -> Iterator[Mark]:
    """Row labels beside the first panel of a row, column labels under the last panel of a column."""
    for y in sorted({y for _, y in plan.corners}):
        yield from marks_beside(plan.rows, plan.left, y)
    for x, y in dict(sorted(plan.corners)).items():
        yield from marks_below(plan.columns, x, y + plan.cells.panel_height)


def _titles(maps: Maps, plan: Plan) -> Iterator[Words]:
    over = plan.corners[: maps.across] if maps.side_titles else plan.corners
    for title, (x, y) in zip(maps.titles, over, strict=bool(maps.titles)):
        yield Words(_brief(title, plan.cells.panel_width), x, y - 4, TITLE)
    for title, (_, y) in zip(maps.side_titles, plan.corners[:: maps.across], strict=bool(maps.side_titles)):
        middle = y + plan.cells.panel_height / 2
        text = _brief(title, plan.cells.panel_height)
        yield Words(text, MARGIN + NAME + 6 + TITLE, middle, TITLE, "center", turned=True)


def _brief(title: str, room: float) -> str:
    """A title; in short, as L0 or H0, where it would run into the next."""
    if fonts.width(title, TITLE) <= room:
        return title
    return title.replace("layer ", "L").replace("head ", "H")


def _heading_lines(maps: Maps) -> Iterator[tuple[str, float, str]]:
    for text, size, colour in ((maps.heading, HEADING, INK), (maps.subheading, TITLE, QUIET)):
        yield from ((line, size, colour) for line in fonts.lines(text, size, PAGE - 2 * MARGIN))


def _heading_height(maps: Maps) -> float:
    return sum(size * LEADING + 3 for _, size, _ in _heading_lines(maps))


def _heading(maps: Maps, left: float) -> Iterator[Words]:
    y = MARGIN
    for line, size, colour in _heading_lines(maps):
        yield Words(line, left, y + size, size, colour=colour)
        y += size * LEADING + 3


def _footer(maps: Maps, plan: Plan, y: float, room: float) -> Iterator[Words]:
    """Where the numbers come from; and, where pixels are fewer than numbers, what a pixel shows."""
    texts = [maps.footer]
    down, across = (math.ceil(plan.cells.factor * n) for n in _together(maps))
    if max(down, across) > 1:
        texts.append(f"each cell is the mean of {down} × {across} {maps.unit}s")
    for text in texts:
        for line in fonts.lines(text, NOTE, room - MARGIN):
            yield Words(line, MARGIN, y, NOTE, colour=QUIET)
            y += NOTE * LEADING


# ---- the colour bar -------------------------------------------------------------------------------


def _bar(unit: str, plan: Plan) -> Iterator[Mark]:
    """The colour bar beside the panels, and under it the colour of what is masked."""
    x, height = plan.right + 1.4 * GAP, _bar_height(plan.bottom - plan.top)
    name = unit if plan.cells.peaks is None else "of its peak"
    yield from colour_bar(name, plan.cells.scale, x, plan.top, plan.bottom)
    if plan.cells.hidden.any():
        colour = MASKED["night" if plan.cells.night else "paper"]
        y = plan.top + height + 8
        yield Picture(np.full((round(NAME / PIXEL), round(BAR_WIDTH / PIXEL), 3), colour, np.uint8), x, y)
        yield Words("masked", x + BAR_WIDTH + 4, y - 1 + NAME, NAME)


def _bar_height(room: float) -> int:
    return math.ceil(min(BAR_HEIGHT, max(room, 3 * SHORTEST_SIDE)))


def colour_bar(name: str, scale: Scale, x: float, top: float, bottom: float) -> Iterator[Mark]:
    """The colours, top value uppermost, with round numbers beside them."""
    height = _bar_height(bottom - top)
    shades = np.rint(np.linspace(255, 0, round(height / PIXEL))).astype(int)
    yield Picture(ramp(scale.ramp)[shades][:, None].repeat(round(BAR_WIDTH / PIXEL), axis=1), x, top)
    yield box(x, top, BAR_WIDTH, height)
    yield Words(name, x, top - 7, NAME, colour=QUIET)
    for tick, text in bar_ticks(scale):
        y = top + height * (1 - float(scale.part(np.array(tick))))
        yield Stroke(((x + BAR_WIDTH, y), (x + BAR_WIDTH + 2, y)))
        yield Words(text, x + BAR_WIDTH + 4, y + BASELINE * NAME, NAME)


def bar_ticks(scale: Scale) -> Iterator[tuple[float, str]]:
    """Round numbers beside a colour bar; on a logarithmic scale, powers of ten."""
    if scale.log:
        powers = range(math.ceil(math.log10(scale.low) - 1e-9), math.floor(math.log10(scale.high) + 1e-9) + 1)
        yield from ((10.0**power, f"{10.0**power:g}") for power in powers)
        return
    ticks, decimals = round_ticks(scale.low, scale.high)
    yield from ((tick, number(tick, decimals)) for tick in ticks)


def _right_end(marks: Sequence[Mark], start: float) -> float:
    ends = [mark.x + fonts.width(mark.text, mark.size) for mark in marks if isinstance(mark, Words)]
    return max([start, *ends])


def _lower_end(mark: Mark) -> float:
    return mark.y if isinstance(mark, Words) else 0.0
