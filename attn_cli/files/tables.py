"""Reads the tables that `delimited` writes: whichever record the header says, its rows in any order."""

from __future__ import annotations

import array
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..records.attention import Attention
from ..records.encoding import Encoding, PositionTable
from ..text.escaping import unescape
from . import arranging, cells, delimited, headers, spans
from .arranging import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..records.attention import Record


ORIGIN = "from a table: origin unknown"  # a table has no place for where its numbers come from


def parse(text: str, path: str) -> Record | None:
    """The record in a table with one of our headers, or None for any other text.

    Columns of labels may have been cut off, and whole rows: a note says how what is left was read. Raises
    InputError for cells that are no numbers, for rows that are there twice or in some heads alone.
    """
    if (delimiter := headers.delimiter_of(text)) == "":
        return None
    header = cells.split(text.partition("\n")[0], delimiter)
    if headers.tidy(header):
        n_labels = next(i for i, name in enumerate(header) if name in (*delimited.UNITS, "value"))
        return _TIDY[tuple(header)](_take_apart(text, path, delimiter, n_labels))
    labels = headers.wide(header) or ()
    table = _take_apart(text, path, delimiter, len(labels))
    if labels == delimited.POSITIONS:
        return _positions(table)
    return _encoding(table) if labels and headers.is_encoding(labels) else _attention(table)


def _take_apart(text: str, path: str, delimiter: str | None, n_labels: int) -> Table:
    rows = cells.rows(cells.lines_of(text, delimiter), delimiter, path)
    _, header = next(rows)
    labels, lines, numbers = [], [], array.array("d")
    for line, row in rows:
        labels.append(row[:n_labels])
        numbers.extend(cells.numbers(row[n_labels:], path, line, first=n_labels + 1))
        lines.append(line)
    if not lines:
        raise InputError("has a header but no rows", hint="write the table again")
    columns, matrix = header[n_labels:], np.array(numbers).reshape(len(lines), -1)
    masked = (matrix == -np.inf) & (np.array(columns) == "score")
    cells.check_finite(np.where(masked, 0, matrix), path, lines, first=n_labels + 1)
    by_name = dict(zip(header, map(list, zip(*labels, strict=True)), strict=False))
    return Table(path, by_name, columns, matrix, lines)


# ---- tables → records -------------------------------------------------------------------------------


def _encoding(table: Table) -> Encoding:
    table = arranging.completed(table, *delimited.ENCODING)
    _, vectors = arranging.arrange(table, "pos", gaps="pos")
    return Encoding(arranging.tokens(table, "pos", "token"), arranging.numbered(table, vectors), ORIGIN)


def _tidy_encoding(table: Table) -> Encoding:
    _, vectors = arranging.arrange(table, "pos", "dim")
    return Encoding(arranging.tokens(table, "pos", "token"), vectors[..., 0], ORIGIN)


def _positions(table: Table) -> PositionTable:
    return PositionTable("", arranging.numbered(table, arranging.arrange(table, "pos")[1]))


def _tidy_positions(table: Table) -> PositionTable:
    return PositionTable("", arranging.arrange(table, "pos", "dim")[1][..., 0])


def _attention(table: Table) -> Attention:
    of_map = {header[-1]: unit for unit, header in delimited.OF_MAP.items()}
    what = next((name for name in of_map if name in table.labels), "query")
    table = replace(table, labels=table.labels | {"query": table.labels.get(what, [])})
    table = arranging.completed(table, *delimited.ATTENTION)
    places, _, names = zip(*(column.partition(":") for column in table.columns), strict=True)
    numbers, columns = spans.numbered(places)
    table, rows = _numbered_rows(replace(table, columns=numbers), "query_pos")
    (layers, heads, _), values = arranging.arrange(table, "layer", "head", "query_pos", gaps="query_pos")
    queries = spans.spread(arranging.tokens(table, "query_pos", "query"), rows)
    keys = spans.spread([*map(unescape, names)], columns)
    maps = {of_map[what]: arranging.numbered(table, values)}
    return _attended(queries, keys, layers, heads, maps, pooled=bool(columns or rows))


def _tidy_attention(table: Table) -> Attention:
    table, rows = _numbered_rows(table, "query_pos")
    table, columns = _numbered_rows(table, "key_pos")
    axes = ("layer", "head", "query_pos", "key_pos")
    (layers, heads, *_), numbers = arranging.arrange(table, *axes, gaps="query_pos")
    queries = spans.spread(arranging.tokens(table, "query_pos", "query"), rows)
    keys = spans.spread(arranging.tokens(table, "key_pos", "key"), columns)
    maps = dict(zip(table.columns, np.moveaxis(numbers, -1, 0), strict=True))
    return _attended(queries, keys, layers, heads, maps, pooled=bool(columns or rows))


def _numbered_rows(table: Table, name: str) -> tuple[Table, list[range] | None]:
    """The table with cells numbered where their positions stood, and these cells."""
    numbers, places = spans.numbered(table.labels[name])
    return replace(table, labels=table.labels | {name: numbers}), places


def _attended(
    queries: tuple[str, ...],
    keys: tuple[str, ...],
    layers: list[int | str],
    heads: list[int | str],
    maps: dict[str, np.ndarray],
    *,
    pooled: bool,
) -> Attention:
    """The maps of a table, each under the word for one of its numbers; the first is shown.

    A table does not say which kind of attention it holds, and the number of its rows does not tell.
    """
    parts: dict[str, Any] = {delimited.UNITS[unit]: numbers for unit, numbers in maps.items()}
    return Attention(
        queries,
        keys,
        kind="unknown",
        provenance=ORIGIN,
        show=next(iter(parts)),
        layers=tuple(layers),
        heads=tuple(heads),
        pooled=pooled,
        **parts,
    )


_TIDY: dict[tuple[str, ...], Callable[[Table], Record]] = {
    **dict.fromkeys(delimited.TIDY_OF_MAP.values(), _tidy_attention),
    (*delimited.TIDY_ATTENTION, "score"): _tidy_attention,
    delimited.TIDY_ENCODING: _tidy_encoding,
    delimited.TIDY_POSITIONS: _tidy_positions,
}
