"""Figures of heads: layers × heads for each column of a table, which heads are alike, how two attentions differ."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ...records.attention import axis_name
from ...text.escaping import escape
from ..fonts.faces import preferring
from ..labels import label
from ..look import PLAIN
from .maps import LONGEST, fit, lay_out
from .panels import Maps
from .paper import lay_out as on_paper
from .several import Several, fit_several
from .sheet import Sheet, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float
    from matplotlib.figure import Figure

    from ...records.attention import Attention
    from ...records.table import Table
    from ..look import Look
    from .paper import Paper, Room

MOST_COMPARED = 24  # heads whose maps stand beside each other


def columns_figure(table: Table, names: Sequence[str], look: Look = PLAIN) -> Figure:
    """Layers down and heads across, a map for each of the named columns, each on a scale of its own.

    Where heads are of several kinds, there is a map for each of these, all on the scale of their column.

    Raises InputError for a table without layers and heads, and for a column that holds no numbers.
    """
    with preferring(look.font):
        return draw(columns_sheet(table, names, look), look.pixels)


def table_figure(table: Table, look: Look = PLAIN, names: Sequence[str] = ()) -> Figure:
    """What `stats`, `diff` or `explain` found of heads: a map for each column that holds numbers, or for those named.

    Standard errors are drawn only by name; of heads that are alike it is their divergences.
    """
    if table.about == "similar":
        return similarity_figure(table, look)
    numbers = [
        name for name, held in table.columns.items() if held.dtype.kind == "f" and np.isfinite(held).any()
    ]
    return columns_figure(table, names or [name for name in numbers if not name.endswith("_se")], look)


def columns_sheet(table: Table, names: Sequence[str], look: Look = PLAIN) -> Sheet:
    """Where everything of `columns_figure` stands."""
    return side_by_side([_map_of(table, name, look) for name in names], table.provenance, look)


def _map_of(table: Table, name: str, look: Look) -> Maps:
    if "layer" not in table.columns or "head" not in table.columns:
        raise InputError("a figure needs a row per layer and head", hint="leave --by out, or write a table")
    values = table[name]
    if values.dtype.kind not in "iuf":
        raise InputError(f"column {name!r} holds no numbers", hint="choose another with --column")
    layers, heads = (list(dict.fromkeys(table[axis].tolist())) for axis in ("layer", "head"))
    kinds = list(dict.fromkeys(table["kind"].tolist())) if "kind" in table.columns else []
    grid = values.astype(np.float64).reshape(-1, len(layers), len(heads))
    missing = np.isnan(grid)
    return Maps(
        np.where(missing, 0, grid),
        rows=tuple(map(str, layers)),
        columns=tuple(map(str, heads)),
        row_name="layer",
        column_name="head",
        unit=table.units.get(name, ""),
        origin=None,
        hidden=missing if missing.any() else None,
        hidden_name="unknown",
        titles=tuple(f"{kind}: {name}" for kind in kinds) or (name,),
        look=look,
    )


def side_by_side(parts: Sequence[Maps], origin: str, look: Look) -> Sheet:
    """Maps in rows, each with a colour bar of its own."""

    def fit_all(paper: Paper, room: Room) -> Several:
        return fit_several([partial(fit, maps) for maps in parts], paper, room)

    return on_paper(look, fit_all, origin=origin).sheet()


def difference_figure(
    ours: Attention, theirs: Attention, names: tuple[str, str], look: Look = PLAIN
) -> Figure:
    """For each layer and head both maps on one scale, and beside them their difference, centred at zero."""
    with preferring(look.font):
        return draw(difference_sheet(ours, theirs, names, look), look.pixels)


def difference_sheet(ours: Attention, theirs: Attention, names: tuple[str, str], look: Look = PLAIN) -> Sheet:
    """Where everything of `difference_figure` stands."""
    n = ours.shown.shape[0] * ours.shown.shape[1]
    if n > MOST_COMPARED:
        raise InputError(
            f"{n} heads side by side; at most {MOST_COMPARED}", hint="choose with --layer and --head"
        )
    a, b = (each.shown.astype(np.float64).reshape(n, *each.shown.shape[2:]) for each in (ours, theirs))
    plain = replace(look, columns=None)
    whole = Maps(
        np.stack([a, b], axis=1).reshape(2 * n, *a.shape[1:]),
        rows=tuple(label(token, LONGEST) for token in ours.query_tokens),
        columns=tuple(label(token, LONGEST) for token in ours.key_tokens),
        row_name="query",
        column_name="key",
        unit=ours.unit,
        origin=None,
        across=2,
        titles=tuple(f"{title} {side}" for title in _titles(ours) for side in ("first", "second")),
        look=plain,
        said=(f"first: {escape(names[0])}", f"second: {escape(names[1])}", "difference: first − second"),
        flows=False,
    )
    apart = replace(
        whole,
        values=a - b,
        across=1,
        among=2,
        unit="difference",
        titles=tuple(_titles(ours)),
        look=replace(plain, cmap=None, color_scale="shared"),
    )
    return side_by_side([whole, apart], "; ".join(names), plain)


def _titles(attention: Attention) -> list[str]:
    return [
        f"{axis_name('layer', layer)} {axis_name('head', head)}"
        for layer in attention.layers
        for head in attention.heads
    ]


def similarity_figure(table: Table, look: Look = PLAIN) -> Figure:
    """Divergences between heads as a map, those of a cluster side by side: what `stats --similar` gives."""
    names = [f"{row['layer']}.{row['head']}" for row in table.rows()]
    places = np.argsort(table["cluster"], kind="stable")
    divergences = np.stack([table[name] for name in names], axis=1)[np.ix_(places, places)]
    with preferring(look.font):
        sheet = similarity_sheet(divergences, [names[i] for i in places], table.provenance, look)
        return draw(sheet, look.pixels)


def similarity_sheet(
    divergences: Float[np.ndarray, "head head"], names: Sequence[str], provenance: str, look: Look = PLAIN
) -> Sheet:
    """Divergences between heads as a map, the heads in the order in which they are given."""
    return lay_out(
        Maps(
            divergences[None],
            rows=tuple(names),
            columns=tuple(names),
            row_name="layer.head",
            column_name="layer.head",
            unit="JS, nats",
            origin=provenance,
            look=look,
        )
    )
