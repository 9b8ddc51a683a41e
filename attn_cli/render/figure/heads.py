"""Figures of heads: layers × heads for each column of a table, which heads are alike, how two attentions differ."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ...records.attention import axis_name
from ...text.escaping import escape
from ..fonts import texts as fonts
from ..fonts.faces import preferring
from ..labels import label
from ..look import PLAIN
from .maps import MARGIN, NOTE, Maps, lay_out
from .sheet import LEADING, QUIET, Sheet, Words, draw, fitted, moved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float
    from matplotlib.figure import Figure

    from ...records.attention import Attention
    from ...records.table import Table
    from ..look import Look
    from .sheet import Mark

BETWEEN = 10.0  # two sheets
WIDEST = 1100.0  # of sheets side by side
MOST_COMPARED = 24  # heads whose maps stand beside each other


def columns_figure(table: Table, names: Sequence[str], look: Look = PLAIN) -> Figure:
    """Layers down and heads across, a map for each of the named columns, each on a scale of its own.

    Raises InputError for a table without layers and heads, and for a column that holds no numbers.
    """
    with preferring(look.font):
        return draw(columns_sheet(table, names, look), look.pixels)


def columns_sheet(table: Table, names: Sequence[str], look: Look = PLAIN) -> Sheet:
    """Where everything of `columns_figure` stands."""
    parts = [lay_out(_map_of(table, name, look)) for name in names]
    return side_by_side(parts, table.provenance, look)


def _map_of(table: Table, name: str, look: Look) -> Maps:
    if "layer" not in table.columns or "head" not in table.columns:
        raise InputError("a figure needs a row per layer and head", hint="leave --by out, or write a table")
    values = table[name]
    if values.dtype.kind not in "iuf":
        raise InputError(f"column {name!r} holds no numbers", hint="choose another with --column")
    layers, heads = (list(dict.fromkeys(table[axis].tolist())) for axis in ("layer", "head"))
    grid = values.astype(np.float64).reshape(1, len(layers), len(heads))
    missing = np.isnan(grid)
    return Maps(
        np.where(missing, 0, grid),
        rows=tuple(map(str, layers)),
        columns=tuple(map(str, heads)),
        row_name="layer",
        column_name="head",
        unit=table.units.get(name, ""),
        footer="a cell per head",
        hidden=missing if missing.any() else None,
        titles=(name,),
        look=replace(look, title="", size=None, style="dark" if look.night else "paper"),
    )


def side_by_side(sheets: Sequence[Sheet], footer: str, look: Look) -> Sheet:
    """Sheets in rows, the heading of the look above them, and below them where the numbers come from."""
    heading = list(fonts.lines(escape(look.title), 11.0, WIDEST)) if look.title else []
    y = MARGIN + 14.0 * len(heading) if heading else 0.0
    marks: list[Mark] = [Words(line, MARGIN, MARGIN + 11 + 14 * i, 11.0) for i, line in enumerate(heading)]
    x = width = row = 0.0
    step = max(sheet.width for sheet in sheets) + BETWEEN
    for sheet in sheets:
        if x and x + step > WIDEST:
            x, y, row = 0.0, y + row, 0.0
        marks += [moved(mark, x, y) for mark in sheet.marks]
        x, row, width = x + step, max(row, sheet.height), max(width, x + sheet.width)
    y += row
    for line in fonts.lines(escape(footer.strip()) or "origin not recorded", NOTE, width - 2 * MARGIN):
        marks.append(Words(line, MARGIN, y, NOTE, colour=QUIET))
        y += NOTE * LEADING
    whole = Sheet(math.ceil(width), math.ceil(y + MARGIN / 2), tuple(marks), look.night)
    return fitted(whole, look.inches[0] * 72, look.inches[1] * 72) if look.inches else whole


def difference_figure(
    ours: Attention, theirs: Attention, names: tuple[str, str], look: Look = PLAIN
) -> Figure:
    """For each layer and head both maps on one scale, and beside them their difference, centred at zero."""
    with preferring(look.font):
        return draw(difference_sheet(ours, theirs, names, look), look.pixels)


def difference_sheet(ours: Attention, theirs: Attention, names: tuple[str, str], look: Look = PLAIN) -> Sheet:
    """Where everything of `difference_figure` stands."""
    n = ours.weights.shape[0] * ours.weights.shape[1]
    if n > MOST_COMPARED:
        raise InputError(
            f"{n} heads beside each other, at most {MOST_COMPARED}", hint="choose with --layer and --head"
        )
    a, b = (each.weights.astype(np.float64).reshape(n, *each.weights.shape[2:]) for each in (ours, theirs))
    plain = replace(look, title="", size=None, style="dark" if look.night else "paper")
    whole = Maps(
        np.stack([a, b], axis=1).reshape(2 * n, *a.shape[1:]),
        rows=tuple(map(label, ours.query_tokens)),
        columns=tuple(map(label, ours.key_tokens)),
        row_name="query",
        column_name="key",
        unit=ours.unit,
        footer=f"left {escape(names[0])}, right {escape(names[1])}",
        across=2,
        titles=tuple(f"{title} {side}" for title in _titles(ours) for side in ("first", "second")),
        look=plain,
    )
    apart = replace(
        whole,
        values=a - b,
        across=1,
        unit="difference",
        titles=tuple(_titles(ours)),
        footer="first − second",
        look=replace(plain, cmap=None, color_scale="shared"),
    )
    return side_by_side([lay_out(whole), lay_out(apart)], "; ".join(names), look)


def _titles(attention: Attention) -> list[str]:
    return [
        f"{axis_name('layer', layer)} {axis_name('head', head)}"
        for layer in attention.layers
        for head in attention.heads
    ]


def similarity_sheet(
    divergences: Float[np.ndarray, "head head"], names: Sequence[str], provenance: str, look: Look = PLAIN
) -> Sheet:
    """Divergences between heads as a map, the heads in the order in which they are given."""
    maps = Maps(
        divergences[None],
        rows=tuple(names),
        columns=tuple(names),
        row_name="layer.head",
        column_name="layer.head",
        unit="JS, nats",
        footer=escape(provenance.strip()) or "origin not recorded",
        heading=escape(look.title),
        look=look,
    )
    return lay_out(maps)
