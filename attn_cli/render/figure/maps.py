"""Maps: panels of shaded cells, queries down and keys across, with their labels.

`Maps` is what a picture says; `lay_out` gives everything its place. Lengths are in points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from ...records.attention import axis_name
from ..labels import KINDS, label
from ..look import PLAIN
from ..pooling import SAID, pool_of, pooled_unit, unit_said
from .bar import Bar
from .cells import SHORTEST_SIDE, Cells, Grain, filled, grain_in, numbers
from .paper import GAP, PAGE, TALL, WIDE, Frame, Laid, Paper
from .paper import lay_out as on_paper
from .sheet import QUIET, Sheet, Stroke, Words, box
from .strips import marks as strip_marks
from .strips import strips_of
from .ticks import CLOSEST, Setting, below, beside, marks_below, marks_beside, widest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Bool, Float

    from ...records.attention import Attention
    from ..look import Look
    from .cells import Corner
    from .paper import Room
    from .sheet import Mark
    from .strips import Strips
    from .ticks import Ticks

MORE = 45.0  # the width of a page for each panel after the fourth
USUAL, TALL_PANEL = 404.0, 864.0  # the height of one, where that is enough for all labels; at most
MOST_WITH_TOKENS = 3  # panels side by side, for thinned labels to show more than positions
STRIP = 0.25  # labels along a side reach so far, for all else of 1: a fifth of the picture
LABEL = 8  # letters that always have room
LONGEST = 60  # cells of a label, as a terminal counts
FLOWS = 1.3  # panels are not set by layer and head if that makes them so much larger
SMALLEST = 8.0  # the side of a panel
PARTING = "#d55e00"  # between what a model was given and what it wrote


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
    strips: Strips | None = None  # figures of single tokens, beside a map of many
    flows: bool = True  # whether panels are set in other columns, to fill paper of a given size

    @property
    def down(self) -> int:
        """Panels below one another."""
        return math.ceil(len(self.values) / self.across)


def attention_maps(attention: Attention, look: Look = PLAIN) -> Maps:
    """What the picture of an attention says: one panel for each head; several layers below one another."""
    n_layers, n_heads, n_query, n_key = attention.shown.shape
    layers = tuple(axis_name("layer", layer) for layer in attention.layers)
    heads = tuple(axis_name("head", head) for head in attention.heads)
    hidden = None
    if attention.mask is not None:
        shape = (n_layers, n_heads, *attention.mask.shape[2:])
        hidden = np.broadcast_to(~attention.mask, shape).reshape(-1, *shape[2:])
    return Maps(
        attention.shown.reshape(-1, n_query, n_key),
        rows=tuple(label(token, LONGEST) for token in attention.query_tokens),
        columns=tuple(label(token, LONGEST) for token in attention.key_tokens),
        row_name="query",
        column_name="key",
        unit=pooled_unit(attention),
        origin=attention.provenance,
        hidden=hidden,
        across=n_heads
        if n_layers > 1 and n_heads > 1
        else _side_by_side(n_layers * n_heads, n_key / n_query),
        titles=heads if n_heads > 1 else layers if n_layers > 1 else (),
        side_titles=layers if n_layers > 1 and n_heads > 1 else (),
        look=replace(look, pool=pool_of(attention, look)),
        subheading=which(attention),
        began=attention.began,
        strips=strips_of(attention) if look.shows("strips") else None,
    )


def which(attention: Attention) -> str:
    """Kind, layer and head, as far as the panels' titles leave them open."""
    axes = (("layer", attention.layers), ("head", attention.heads))
    alone = [axis_name(name, numbers[0]) for name, numbers in axes if len(numbers) == 1]
    return " · ".join([*filter(None, [KINDS.get(attention.kind)]), *alone])


def _side_by_side(n: int, aspect: float = 1.0) -> int:
    """How many of n panels stand in a row: as near to a square as leaves no gap, or a small one.

    `aspect` is the width of a panel for a height of 1.

    >>> [_side_by_side(n) for n in (1, 2, 3, 4, 6, 7, 8, 12, 16)], _side_by_side(4, 0.25)
    ([1, 2, 3, 2, 3, 3, 4, 4, 4], 4)
    """
    least = min(n, math.ceil(math.sqrt(n / max(1 / 4, min(aspect, 4)))))
    return next((k for k in range(least, 2 * least) if n % k == 0), least)


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
        left, top = paper.whole(_names_left(maps, paper) + self.rows.reach), paper.whole(_above(paper))
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
        return self.frame.bottom + self.columns.reach + _names_below(self.paper)

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
        factors = zip((self.grain.down, self.grain.across), _together(self.maps), strict=True)
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
        written = "lines: where the model's own text begins" if any(self.maps.began) else None
        return [*notes, *filter(None, [self.cells.beyond, written])]

    def marks(self, x: float, y: float) -> Iterator[Mark]:
        """Everything, from this corner."""
        at = self.at(x, y)
        corners, frame, size = at.corners, self.frame, self.paper.letters
        yield self.cells.marks(corners)
        yield from (box(*corner, self.grain.panel_width, self.grain.panel_height) for corner in corners)
        yield from _parted(at)
        if self.maps.strips is not None:
            yield from strip_marks(self.maps.strips, corners, self.grain, self.paper)
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


def lay_out(maps: Maps) -> Sheet:
    """Give everything on the sheet its place."""
    return _laid(maps).sheet()


def plan_for(maps: Maps) -> Plan:
    """Settle the size of the cells, which labels there are, and where the panels stand."""
    laid = _laid(maps)
    assert isinstance(laid.block, Plan)
    return laid.block.at(laid.x, laid.y)


def _laid(maps: Maps) -> Laid:
    return on_paper(maps.look, partial(fit, maps), subheading=maps.subheading, origin=maps.origin)


def fit(maps: Maps, paper: Paper, room: Room) -> Plan:
    """The panels as a block for this room."""
    return _filling(maps, paper, room) if paper.fixed else _natural(maps, paper)


# ---- sizes --------------------------------------------------------------------------------------------


def _natural(maps: Maps, paper: Paper) -> Plan:
    """Panels of a page's share, or as large as it takes to read all labels."""
    maps = _set_in_columns(maps, paper.look.columns) if paper.look.columns else maps
    width = _share(maps, paper)
    labelled = len(maps.rows) * (CLOSEST * paper.letters + paper.pixel)
    usual = min(max(labelled, width, paper.of(USUAL)), paper.of(TALL_PANEL))
    height = max(min(paper.of(TALL) / maps.down - 2 * paper.of(GAP), usual), paper.of(SHORTEST_SIDE))
    grain = grain_in((width, height), _shape(maps), paper, square=maps.square)
    maps = _without_strips(maps, grain.panel_width, grain.panel_height, paper)
    rest = maps.across * (grain.panel_width + paper.of(GAP)) + paper.of(70)
    tall = maps.down * (grain.panel_height + paper.of(GAP)) + paper.of(50)
    return _labelled(maps, paper, grain, STRIP * rest, STRIP * tall)


def _share(maps: Maps, paper: Paper) -> float:
    """The width that a panel may take."""
    reach = min(widest(maps.rows, paper.letters), paper.of(PAGE) / 4)
    around = reach + paper.of(100)
    across = max(maps.across, maps.among)
    pages = (min(WIDE, PAGE + MORE * max(0, across - 4)), WIDE)
    share, most = ((paper.of(page) - around) / across - paper.of(GAP) for page in pages)
    needed = max(maps.values.shape[1:]) * (CLOSEST * paper.letters + paper.pixel)
    if needed > most and maps.across > MOST_WITH_TOKENS:  # there will be positions only
        share += (around - paper.of(120)) / across
    if share < needed <= most:
        return needed
    pixels = max(maps.values.shape[1:]) * paper.pixel * (2 if len(maps.values) == 1 else 1) * maps.square
    beside_labels = (
        reach / STRIP - paper.of(60)
    ) / across  # with which the strip of labels is no wider than it may be
    return max(share, min(most, max(pixels, beside_labels)), paper.of(SHORTEST_SIDE))


def _filling(maps: Maps, paper: Paper, room: Room) -> Plan:
    """Panels as large as they can be in a room, by layer and head or, where that is far better, as they come."""
    if paper.look.columns or not maps.flows:
        ways = [_set_in_columns(maps, paper.look.columns or maps.across)]
    else:
        ways = [_set_in_columns(maps, n) for n in range(1, len(maps.values) + 1)]
    sides = [_side(way, paper, room) for way in ways]
    best = ways[int(np.argmax(sides))]
    if maps.side_titles and not paper.look.columns and FLOWS * _side(maps, paper, room) >= max(sides):
        best = maps
    return _fitted(best, paper, room)


def _set_in_columns(maps: Maps, across: int) -> Maps:
    """The panels in rows of so many; layers beside the rows as long as each row is a layer."""
    if not maps.side_titles or across == maps.across:
        return replace(maps, across=min(across, len(maps.values)))
    titles = tuple(f"{side} · {title}" for side in maps.side_titles for title in maps.titles)
    return replace(maps, across=min(across, len(maps.values)), titles=titles, side_titles=())


def _side(maps: Maps, paper: Paper, room: Room) -> float:
    """About how large cells come out, with labels of the usual length."""
    width, height = _inner(maps, paper, room, 4 * paper.letters, 4 * paper.letters)
    n_rows, n_columns = maps.values.shape[1:]
    return min(width / n_columns, height / n_rows) if maps.square else min(width, height)


def _fitted(maps: Maps, paper: Paper, room: Room) -> Plan:
    """The largest cells with which everything fits the room; labels are cut to a fifth of it."""
    strips = STRIP / (1 + STRIP) * paper.size[0], STRIP / (1 + STRIP) * paper.size[1]
    maps = _without_strips(maps, *_inner(maps, paper, room, 4 * paper.letters, 4 * paper.letters), paper)
    left, down = min(widest(maps.rows, paper.letters) + 0.5 * paper.letters, strips[0]), strips[1]
    fits = None
    for _ in range(3):
        width, height = _inner(maps, paper, room, left, down)
        if min(width, height) < SMALLEST:
            break
        grain = grain_in((width, height), _shape(maps), paper, square=maps.square)
        plan = _labelled(maps, paper, grain, *strips)
        if plan.width <= room.width + 0.5 and plan.height <= room.height + 0.5:
            fits = plan
            left, down = plan.rows.reach, plan.columns.reach
        else:
            left, down = max(left, plan.rows.reach), max(down, plan.columns.reach)
            if fits is not None:
                break
    return fits or _labelled(maps, paper, Grain(*_shape(maps), 1, 1, room.width, room.height), *strips)


def _inner(maps: Maps, paper: Paper, room: Room, left: float, down: float) -> tuple[float, float]:
    """Width and height that are left to a panel beside labels that reach so far."""
    gap, titled = paper.whole(paper.of(GAP)), bool(maps.titles and not maps.side_titles) * 1.4 * paper.letters
    width = room.width - paper.pixel - _names_left(maps, paper) - left - 0.3 * paper.letters
    height = room.height - paper.pixel - _above(paper) - down - _names_below(paper)
    beside, above = (
        (0.0, 0.0) if maps.strips is None else (maps.strips.beside(paper), maps.strips.above(paper))
    )
    across, down = (width + gap) / maps.across - gap, (height + gap + titled) / maps.down - gap - titled
    return across - beside, down - above - paper.pixel


def _without_strips(maps: Maps, width: float, height: float, paper: Paper) -> Maps:
    """The maps, without strips beside them where panels of this size have no room for any."""
    if maps.strips is None or maps.strips.fit(width, height, paper):
        return maps
    return replace(maps, strips=None)


def _labelled(maps: Maps, paper: Paper, grain: Grain, widest_row: float, deepest: float) -> Plan:
    """Cells of this size with the labels that they have room for."""
    brief, least = maps.across > MOST_WITH_TOKENS, LABEL * paper.letters
    down, across = _together(maps)
    if paper.fixed:
        least = 0.0
    rows = beside(
        maps.rows,
        grain.height / grain.down / down,
        Setting(paper.letters, max(least, widest_row), brief),
    )
    columns = below(
        maps.columns,
        grain.width / grain.across / across,
        Setting(paper.letters, max(least, deepest), brief),
    )
    return Plan(maps, paper, grain, rows, columns)


def _shape(maps: Maps) -> tuple[int, int]:
    """Rows and columns of the values of a panel."""
    return maps.values.shape[1], maps.values.shape[2]


def _together(maps: Maps) -> tuple[float, float]:
    """How many labels stand for one value, down and across."""
    return len(maps.rows) / maps.values.shape[1], len(maps.columns) / maps.values.shape[2]


def _names_left(maps: Maps, paper: Paper) -> float:
    """What stands to the left of the labels."""
    return (1.6 + 1.6 * bool(maps.side_titles)) * paper.letters


def _names_below(paper: Paper) -> float:
    """What stands under the labels."""
    return 1.6 * paper.letters


def _above(paper: Paper) -> float:
    """What stands over the panels."""
    return 1.6 * paper.letters


# ---- what is written ----------------------------------------------------------------------------------


def _parted(plan: Plan) -> Iterator[Stroke]:
    """Lines between what a model was given and what it wrote."""
    grain, (row, column) = plan.grain, plan.maps.began
    for x, y in plan.corners:
        if row:
            at = y + grain.panel_height * row / len(plan.maps.rows)
            yield Stroke(((x, at), (x + grain.panel_width, at)), PARTING, plan.paper.of(1.0))
        if column:
            at = x + grain.panel_width * column / len(plan.maps.columns)
            yield Stroke(((at, y), (at, y + grain.panel_height)), PARTING, plan.paper.of(1.0))


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
