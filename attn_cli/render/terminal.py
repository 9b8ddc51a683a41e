"""Records in a terminal: tables of numbers, and pictures made of blocks. Each fits itself to the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group

from ..records import axis_name
from ..tokens import escape
from .blocks import BlockMaps
from .colour import scale_for
from .patches import maps_of
from .tables import NumberTable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..records import Attention, Encoding, PositionTable


def attention_picture(attention: Attention) -> RenderableType:
    """A map for each head, queries down and keys across, as many side by side as there is room for.

    Of an image: where the patches lie that its first query attends to.
    """
    if attention.image is not None and not attention.pooled and not attention.are_scores:
        return _patches_picture(attention)
    n_layers, n_heads, n_query, n_key = attention.weights.shape
    return BlockMaps(
        attention.weights.reshape(-1, n_query, n_key),
        _hidden(attention),
        rows=attention.query_names,
        columns=attention.key_names,
        titles=_titles(attention),
        across=n_heads if n_layers > 1 and n_heads > 1 else n_layers * n_heads,
        unit=attention.unit,
        footer=_origin(attention.provenance),
    )


def _patches_picture(attention: Attention) -> RenderableType:
    maps = maps_of(attention)
    rows, columns = maps.shape[2:]
    return BlockMaps(
        maps.reshape(-1, rows, columns),
        None,
        rows=_numbers(rows),
        columns=_numbers(columns),
        titles=_titles(attention),
        across=maps.shape[0] * maps.shape[1] if 1 in maps.shape[:2] else maps.shape[1],
        unit=attention.unit,
        footer=_origin(attention.provenance),
        axes=f"attention of {escape(attention.query_tokens[0])} to patches",
    )


def attention_table(attention: Attention) -> RenderableType:
    """The weights of each head as a table of numbers, queries down and keys across."""
    hidden = _hidden(attention)
    maps = attention.weights.reshape(-1, *attention.weights.shape[2:])
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
        for i, (values, title) in enumerate(zip(maps, _titles(attention), strict=True))
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
        called=("position", "dimension"),
    )


def _numbers(n: int) -> tuple[str, ...]:
    return tuple(map(str, range(n)))


def _titles(attention: Attention) -> list[str]:
    """Layer and head of every map, as far as there are several."""
    layers = [axis_name("layer", layer) if _told(attention.layers) else "" for layer in attention.layers]
    heads = [axis_name("head", head) if _told(attention.heads) else "" for head in attention.heads]
    return [" · ".join(filter(None, [layer, head])) for layer in layers for head in heads]


def _told(numbers: tuple[int | str, ...]) -> bool:
    """Whether a title is needed: for one of several, and for what stands for several."""
    return len(numbers) > 1 or isinstance(numbers[0], str)


def _hidden(attention: Attention) -> np.ndarray | None:
    if attention.mask is None:
        return None
    return np.broadcast_to(~attention.mask, attention.weights.shape).reshape(-1, *attention.weights.shape[2:])


def _origin(provenance: str) -> str:
    return escape(provenance.strip()) or "origin not recorded"
