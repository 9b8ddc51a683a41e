"""Records in a terminal: tables of numbers, and attention in any of its views. Each fits itself to the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group

from ..colour import scale_for
from ..labels import titles
from ..look import PLAIN
from ..views import view_of
from ..written_tokens import steps_of
from .pictures import hidden as hidden_of
from .pictures import origin
from .tables import NumberTable
from .written_tokens import WrittenTokens

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...records.attention import Attention
    from ...records.encoding import Encoding, PositionTable
    from ..look import Look


def attention_picture(attention: Attention, look: Look = PLAIN) -> RenderableType:
    """The attention in the terminal's form of the view that `look` names."""
    drawn = view_of(attention, look).screen(attention, look)
    return Group(drawn, *_written(attention))


def attention_table(attention: Attention, digits: int | None = None) -> RenderableType:
    """The weights of each head as a table of numbers, queries down and keys across."""
    hidden = hidden_of(attention)
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
            origin=origin(attention.provenance) if i == len(maps) - 1 else "",
            digits=digits,
        )
        for i, (values, title) in enumerate(zip(maps, titles(attention), strict=True))
    ]
    return Group(*tables, *_written(attention))


def _written(attention: Attention) -> list[RenderableType]:
    """A line for each token that a model wrote itself."""
    steps = steps_of(attention)
    return [WrittenTokens(steps)] if steps else []


def encoding_table(encoding: Encoding, digits: int | None = None) -> RenderableType:
    """The vectors of an encoding, a row for each token."""
    return NumberTable(
        encoding.vectors,
        scale_for(encoding.vectors, night=True),
        columns=_numbers(encoding.vectors.shape[1]),
        called=("token", "dimension"),
        rows=encoding.tokens,
        origin=origin(encoding.provenance),
        digits=digits,
    )


def position_table(table: PositionTable, digits: int | None = None) -> RenderableType:
    """A positional encoding, a row for each position."""
    return NumberTable(
        table.values,
        scale_for(table.values, night=True),
        columns=_numbers(table.values.shape[1]),
        called=(table.rows, table.columns),
        digits=digits,
    )


def _numbers(n: int) -> tuple[str, ...]:
    return tuple(map(str, range(n)))
