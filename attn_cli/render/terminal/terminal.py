"""Records in a terminal: tables of numbers, and pictures made of blocks. Each fits itself to the screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group

from ...records.queries import place_of
from ...text.escaping import escape
from ..colour import scale_for
from ..labels import KINDS, titles
from ..look import PLAIN, usual_view
from ..patches import maps_of
from ..text import shading
from .blocks import BlockMaps, scaled
from .tables import NumberTable
from .text import TextShades

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...records.attention import Attention
    from ...records.encoding import Encoding, PositionTable
    from ..look import Look


def attention_picture(attention: Attention, look: Look = PLAIN) -> RenderableType:
    """The attention in the view of `look` that a terminal has: maps, all heads at a glance, or the shaded text.

    Of an image: where the patches lie that a query attends to. In the place of lines there are maps.
    """
    seen, dark = look.view or usual_view(attention, look), replace(look, style="dark", size=None, dpi=None)
    if seen == "tokens":
        return _shaded_text(attention, dark)
    if seen == "image" and not attention.pooled:
        return _patches_picture(attention, dark)
    n_layers, n_heads, n_query, n_key = attention.shown.shape
    return BlockMaps(
        attention.shown.reshape(-1, n_query, n_key),
        _hidden(attention),
        rows=attention.query_names,
        columns=attention.key_names,
        titles=titles(attention),
        across=n_heads if n_layers > 1 and n_heads > 1 else n_layers * n_heads,
        unit=attention.unit,
        footer=_footer(attention),
        look=dark,
        overview=seen == "grid",
    )


def _shaded_text(attention: Attention, look: Look) -> RenderableType:
    view = shading(attention, look.query_token)
    shown, scale = scaled(view.weights, view.hidden, look)
    unit = "of its peak" if look.color_scale == "panel" else attention.unit
    return TextShades(view, shown, scale, unit, escape(look.title), _footer(attention))


def _patches_picture(attention: Attention, look: Look) -> RenderableType:
    query = place_of(look.query_token or "0", attention.query_tokens)
    maps = maps_of(attention, query)
    rows, columns = maps.shape[2:]
    return BlockMaps(
        maps.reshape(-1, rows, columns),
        None,
        rows=_numbers(rows),
        columns=_numbers(columns),
        titles=titles(attention),
        across=maps.shape[0] * maps.shape[1] if 1 in maps.shape[:2] else maps.shape[1],
        unit=attention.unit,
        footer=_footer(attention),
        axes=f"attention of {escape(attention.query_tokens[query])} to patches",
        look=look,
    )


def difference_picture(ours: Attention, theirs: Attention, look: Look = PLAIN) -> RenderableType:
    """What the first has more than the second, a map for each head, on a scale centred at zero."""
    n_layers, n_heads, n_query, n_key = ours.shown.shape
    apart = ours.shown.astype(np.float64) - theirs.shown
    return BlockMaps(
        apart.reshape(-1, n_query, n_key),
        None,
        rows=ours.query_names,
        columns=ours.key_names,
        titles=titles(ours),
        across=n_heads if n_layers > 1 and n_heads > 1 else n_layers * n_heads,
        unit="difference",
        footer="first − second",
        look=replace(look, style="dark", size=None, dpi=None, cmap=None),
        overview=n_layers * n_heads > 4,
    )


def attention_table(attention: Attention) -> RenderableType:
    """The weights of each head as a table of numbers, queries down and keys across."""
    hidden = _hidden(attention)
    maps = attention.shown.reshape(-1, *attention.shown.shape[2:])
    scale = scale_for(maps if hidden is None else maps[~hidden], night=True)
    tables = [
        NumberTable(
            values,
            scale,
            columns=attention.key_names,
            called=("query", "key"),
            rows=attention.query_names,
            hidden=None if hidden is None else hidden[i],
            title=title,
            origin=_origin(attention.provenance) if i == len(maps) - 1 else "",
        )
        for i, (values, title) in enumerate(zip(maps, titles(attention), strict=True))
    ]
    return Group(*tables)


def encoding_table(encoding: Encoding) -> RenderableType:
    """The vectors of an encoding, a row for each token."""
    return NumberTable(
        encoding.vectors,
        scale_for(encoding.vectors, night=True),
        columns=_numbers(encoding.vectors.shape[1]),
        called=("token", "dimension"),
        rows=encoding.tokens,
        origin=_origin(encoding.provenance),
    )


def position_table(table: PositionTable) -> RenderableType:
    """A positional encoding, a row for each position."""
    return NumberTable(
        table.values,
        scale_for(table.values, night=True),
        columns=_numbers(table.values.shape[1]),
        called=(table.rows, table.columns),
    )


def _numbers(n: int) -> tuple[str, ...]:
    return tuple(map(str, range(n)))


def _hidden(attention: Attention) -> np.ndarray | None:
    if attention.mask is None:
        return None
    return np.broadcast_to(~attention.mask, attention.shown.shape).reshape(-1, *attention.shown.shape[2:])


def _origin(provenance: str) -> str:
    return escape(provenance.strip()) or "origin not recorded"


def _footer(attention: Attention) -> str:
    """Which kind of attention it is, where there are several, and where it comes from."""
    return " · ".join(filter(None, [KINDS.get(attention.kind), _origin(attention.provenance)]))
