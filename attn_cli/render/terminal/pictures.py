"""An attention as a picture of blocks: the terminal's forms of the views."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...records.queries import place_of
from ...text.escaping import escape
from .. import explained
from ..labels import KINDS, titles
from ..look import PLAIN
from ..patches import maps_of, middle_of
from ..pooling import pool_of, pooled_unit
from ..text import shading
from ..written_tokens import beginning
from .blocks import BlockMaps
from .painting import scaled
from .text import TextShades

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from ...records.attention import Attention
    from ...records.explanation import Explanation
    from ..look import Look


def maps(attention: Attention, look: Look, *, overview: bool = False) -> RenderableType:
    """A map for each head, heads side by side."""
    n_layers, n_heads, n_query, n_key = attention.shown.shape
    return BlockMaps(
        attention.shown.reshape(-1, n_query, n_key),
        hidden(attention),
        rows=_names(attention.query_tokens, attention.query_cells),
        columns=_names(attention.key_tokens, attention.key_cells),
        places=(attention.query_cells, attention.key_cells) if attention.pooled else None,
        titles=titles(attention),
        across=n_heads if n_layers > 1 and n_heads > 1 else n_layers * n_heads,
        unit=pooled_unit(attention),
        footer=_footer(attention),
        look=replace(look, pool=pool_of(attention, look)),
        overview=overview,
        began=beginning(attention, attention.query_cells, attention.key_cells),
    )


def _names(tokens: Sequence[str], cells: Sequence[range]) -> tuple[str, ...]:
    """Each row or column by its token, or the first of its tokens."""
    return tuple(tokens[cell[0]] + "…" * (len(cell) > 1) for cell in cells)


def overview(attention: Attention, look: Look) -> RenderableType:
    """All heads at a glance, as small as they can be told apart."""
    return maps(attention, look, overview=True)


def shaded_text(attention: Attention, look: Look) -> RenderableType:
    """The tokens where they stand, on the colour of the attention that they get."""
    view = shading(attention, look.query_token)
    shown, scale = scaled(view.weights, view.hidden, look)
    unit = "of its peak" if look.color_scale == "panel" else attention.unit
    return TextShades(view, shown, scale, unit, escape(look.title), _footer(attention))


def explained_text(found: Explanation, look: Look, words: Mapping[str, str]) -> RenderableType:
    """The tokens where they stand, once for each method, on the colour of their share of its largest."""
    view = explained.shading(found, words["explain_title"].format(output=" ".join(found.output)))
    shown, scale = scaled(view.weights, view.hidden, replace(look, style="dark", toward=True))
    footer = "; ".join(filter(None, [found.provenance, *explained.said(found, words)]))
    return TextShades(view, shown, scale, explained.unit(found, words), escape(look.title), escape(footer))


def patches(attention: Attention, look: Look) -> RenderableType:
    """Where the patches of an image lie that a query attends to; pooled ones lie nowhere and are a map."""
    if attention.pooled:
        return maps(attention, look)
    query = place_of(look.query_token or middle_of(attention), attention.query_tokens)
    shown = maps_of(attention, query)
    rows, columns = shown.shape[2:]
    return BlockMaps(
        shown.reshape(-1, rows, columns),
        None,
        rows=tuple(map(str, range(rows))),
        columns=tuple(map(str, range(columns))),
        titles=titles(attention),
        across=shown.shape[0] * shown.shape[1] if 1 in shown.shape[:2] else shown.shape[1],
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


def hidden(attention: Attention) -> np.ndarray | None:
    """Which cells of the maps of all heads are masked; None where none is."""
    if attention.mask is None:
        return None
    return np.broadcast_to(~attention.mask, attention.shown.shape).reshape(-1, *attention.shown.shape[2:])


def origin(provenance: str) -> str:
    """Where numbers come from, as a terminal may print it."""
    return escape(provenance.strip()) or "origin not recorded"


def _footer(attention: Attention) -> str:
    """Which kind of attention it is, where there are several, and where it comes from."""
    return " · ".join(filter(None, [KINDS.get(attention.kind), origin(attention.provenance)]))
