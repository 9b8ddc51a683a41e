"""Maps of an attention: queries down and keys across, a panel for each head, as large as the paper lets them be.

`attention_maps` says what a picture shows; `lay_out` gives everything its place. Lengths are in points.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...errors import note
from ...records.attention import axis_name
from ..labels import KINDS, label
from ..look import PLAIN
from ..pooling import no_effect, pool_of, pooled_unit
from .cells import LOWEST, SHORTEST_SIDE, Grain, grain_in
from .panels import Maps, Plan, names_above, names_below, names_left, shape_of, together
from .paper import GAP, PAGE, TALL, WIDE, Laid, Paper
from .paper import lay_out as on_paper
from .spectrogram import spectrogram_of
from .strips import strips_of
from .ticks import CLOSEST, Setting, below, beside, widest

if TYPE_CHECKING:
    from ...records.attention import Attention
    from ..look import Look
    from .paper import Room
    from .sheet import Sheet

MORE = 45.0  # the width of a page for each panel after the fourth
USUAL, TALL_PANEL = 404.0, 864.0  # the height of one, where that is enough for all labels; at most
MOST_WITH_TOKENS = 3  # panels side by side, for thinned labels to show more than positions
STRIP = 0.25  # labels along a side reach so far, for all else of 1: a fifth of the picture
LABEL = 8  # letters that always have room
LONGEST = 60  # cells of a label, as a terminal counts
FLOWS = 1.3  # panels are not set by layer and head if that makes them so much larger
SMALLEST = 8.0  # the side of a panel


def attention_maps(attention: Attention, look: Look = PLAIN) -> Maps:
    """What the picture of an attention says: one panel for each head; several layers below one another."""
    n_layers, n_heads, n_query, n_key = attention.shown.shape
    layers = tuple(axis_name("layer", layer) for layer in attention.layers)
    heads = tuple(axis_name("head", head) for head in attention.heads)
    hidden, heard = None, attention.spectrogram is not None
    square = (
        not heard or attention.kind == "encoder"
    )  # else words, which are few, beside moments, which are many
    if attention.mask is not None:
        shape = (n_layers, n_heads, *attention.mask.shape[2:])
        hidden = np.broadcast_to(~attention.mask, shape).reshape(-1, *shape[2:])
    return Maps(
        attention.shown.reshape(-1, n_query, n_key),
        rows=tuple(label(token, LONGEST) for token in attention.query_tokens),
        columns=tuple(label(token, LONGEST) for token in attention.key_tokens),
        row_name="time" if heard and attention.kind == "encoder" else "query",
        column_name="time" if heard else "key",
        unit=pooled_unit(attention),
        square=square,
        origin=attention.provenance,
        hidden=hidden,
        across=n_heads
        if n_layers > 1 and n_heads > 1
        else _side_by_side(n_layers * n_heads, n_key / n_query if square else 1 / LOWEST),
        titles=heads if n_heads > 1 else layers if n_layers > 1 else (),
        side_titles=layers if n_layers > 1 and n_heads > 1 else (),
        look=replace(look, pool=pool_of(attention, look)),
        subheading=which(attention),
        began=attention.began,
        strips=(spectrogram_of(attention) or strips_of(attention)) if look.shows("strips") else None,
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


def lay_out(maps: Maps, asked: str | None = None) -> Sheet:
    """Give everything on the sheet its place; a note says where the pooling that was `asked` for changes nothing."""
    laid = _laid(maps)
    if asked is not None and isinstance(laid.block, Plan) and max(laid.block.sharing) == 1:
        note(no_effect(asked, maps.unit))
    return laid.sheet()


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
    grain = grain_in((width, height), shape_of(maps), paper, square=maps.square)
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
        grain = grain_in((width, height), shape_of(maps), paper, square=maps.square)
        plan = _labelled(maps, paper, grain, *strips)
        if plan.width <= room.width + 0.5 and plan.height <= room.height + 0.5:
            fits = plan
            left, down = plan.rows.reach, plan.columns.reach
        else:
            left, down = max(left, plan.rows.reach), max(down, plan.columns.reach)
            if fits is not None:
                break
    return fits or _labelled(maps, paper, Grain(*shape_of(maps), 1, 1, room.width, room.height), *strips)


def _inner(maps: Maps, paper: Paper, room: Room, left: float, down: float) -> tuple[float, float]:
    """Width and height that are left to a panel beside labels that reach so far."""
    gap, titled = paper.whole(paper.of(GAP)), bool(maps.titles and not maps.side_titles) * 1.4 * paper.letters
    width = room.width - paper.pixel - names_left(maps, paper) - left - 0.3 * paper.letters
    height = room.height - paper.pixel - names_above(paper) - down - names_below(paper)
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
    down, across = together(maps)
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
