"""Reads the tables that `delimited` writes: whichever record the header says, its rows in any order."""

from __future__ import annotations

import array
import itertools
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..records.attention import Attention
from ..records.encoding import Encoding, PositionTable
from ..text.escaping import unescape
from . import cells, delimited, spans
from .source import called

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float64

    from ..records.attention import Record


@dataclass(frozen=True)
class Table:
    """A table taken apart: labels by the name of their column, then the numbers."""

    path: str
    labels: dict[str, list[str]]
    columns: list[str]  # what the header says over the numbers
    numbers: Float64[np.ndarray, "row column"]
    lines: list[int]  # where each row stands in the file


def parse(text: str, path: str) -> Record | None:
    """The record in a table with one of our headers, or None for any other text.

    Raises InputError for cells that are no numbers, for rows that are missing or there twice.
    """
    first = text.partition("\n")[0]
    delimiter = cells.delimiter_of(first)
    if delimiter is None or (layout := _layout(cells.split(first, delimiter))) is None:
        return None
    n_labels, build = layout
    return build(_take_apart(text, path, delimiter, n_labels))


def _layout(header: list[str]) -> tuple[int, Callable[[Table], Record]] | None:
    """How many columns are labels, and what makes the record."""
    if build := _TIDY.get(tuple(header)):
        return next(i for i, name in enumerate(header) if name in ("weight", "score", "norm", "value")), build
    plain = tuple(_FIRST_CELL.sub("0", cell.partition(":")[0]) for cell in header)
    for names, build in _WIDE.items():
        if plain[: len(names) + 1] == (*names, "0"):
            return len(names), build
    return None


_FIRST_CELL = re.compile(r"^0-\d+$")  # of a pooled map: the mean of several keys


def _take_apart(text: str, path: str, delimiter: str, n_labels: int) -> Table:
    rows = cells.rows(text, delimiter, path)
    _, header = next(rows)
    labels, lines, numbers = [], [], array.array("d")
    for line, row in rows:
        labels.append(row[:n_labels])
        numbers.extend(cells.numbers(row[n_labels:], path, line, first=n_labels + 1))
        lines.append(line)
    if not lines:
        raise InputError("a header, but no rows", hint="write the table again")
    columns, matrix = header[n_labels:], np.array(numbers).reshape(len(lines), -1)
    masked = (matrix == -np.inf) & (np.array(columns) == "score")
    cells.check_finite(np.where(masked, 0, matrix), path, lines, first=n_labels + 1)
    by_name = dict(zip(header, map(list, zip(*labels, strict=True)), strict=False))
    return Table(path, by_name, columns, matrix, lines)


# ---- tables → records -------------------------------------------------------------------------------


def _encoding(table: Table) -> Encoding:
    _, vectors = _arrange(table, "pos")
    return Encoding(_tokens(table, "pos", "token"), _numbered(table, vectors))


def _tidy_encoding(table: Table) -> Encoding:
    _, vectors = _arrange(table, "pos", "dim")
    return Encoding(_tokens(table, "pos", "token"), vectors[..., 0])


def _positions(table: Table) -> PositionTable:
    return PositionTable("", _numbered(table, _arrange(table, "pos")[1]))


def _tidy_positions(table: Table) -> PositionTable:
    return PositionTable("", _arrange(table, "pos", "dim")[1][..., 0])


def _attention(table: Table) -> Attention:
    places, _, names = zip(*(column.partition(":") for column in table.columns), strict=True)
    numbers, columns = spans.numbered(places)
    table, rows = _numbered_rows(replace(table, columns=numbers), "query_pos")
    (layers, heads, _), weights = _arrange(table, "layer", "head", "query_pos")
    keys = spans.spread([*map(unescape, names)], columns)
    return _attended(table, rows, keys, _numbered(table, weights), layers, heads, pooled=bool(columns))


def _tidy_attention(table: Table) -> Attention:
    table, rows = _numbered_rows(table, "query_pos")
    table, columns = _numbered_rows(table, "key_pos")
    (layers, heads, *_), numbers = _arrange(table, "layer", "head", "query_pos", "key_pos")
    keys = spans.spread(_tokens(table, "key_pos", "key"), columns)
    made = _attended(table, rows, keys, numbers[..., 0], layers, heads, pooled=bool(columns))
    return replace(made, scores=numbers[..., 1]) if "score" in table.columns else made


def _scores(table: Table) -> Attention:
    queries = {"query": table.labels["score_of"]}
    return replace(_attention(replace(table, labels=table.labels | queries)), are_scores=True)


def _tidy_scores(table: Table) -> Attention:
    return replace(_tidy_attention(replace(table, columns=["weight"])), are_scores=True)


def _norms(table: Table) -> Attention:
    queries = {"query": table.labels["norm_of"]}
    return replace(_attention(replace(table, labels=table.labels | queries)), are_norms=True)


def _tidy_norms(table: Table) -> Attention:
    return replace(_tidy_attention(replace(table, columns=["weight"])), are_norms=True)


def _numbered_rows(table: Table, name: str) -> tuple[Table, list[range] | None]:
    """The table with cells numbered where their positions stood, and these cells."""
    numbers, places = spans.numbered(table.labels[name])
    return replace(table, labels=table.labels | {name: numbers}), places


def _attended(
    table: Table,
    rows: list[range] | None,
    keys: tuple[str, ...],
    weights: np.ndarray,
    layers: list[int | str],
    heads: list[int | str],
    *,
    pooled: bool,
) -> Attention:
    queries = spans.spread(_tokens(table, "query_pos", "query"), rows)
    return Attention(
        queries,
        keys,
        weights,
        kind="self" if queries == keys else "cross",
        layers=tuple(layers),
        heads=tuple(heads),
        pooled=pooled or bool(rows),
    )


_WIDE: dict[tuple[str, ...], Callable[[Table], Record]] = {
    delimited.ATTENTION: _attention,
    delimited.SCORES: _scores,
    delimited.NORMS: _norms,
    delimited.ENCODING: _encoding,
    delimited.POSITIONS: _positions,
}
_TIDY: dict[tuple[str, ...], Callable[[Table], Record]] = {
    delimited.TIDY_ATTENTION: _tidy_attention,
    (*delimited.TIDY_ATTENTION, "score"): _tidy_attention,
    delimited.TIDY_SCORES: _tidy_scores,
    delimited.TIDY_NORMS: _tidy_norms,
    delimited.TIDY_ENCODING: _tidy_encoding,
    delimited.TIDY_POSITIONS: _tidy_positions,
}


# ---- labels → axes ----------------------------------------------------------------------------------


def _arrange(table: Table, *axes: str) -> tuple[list[list[Any]], Float64[np.ndarray, "... column"]]:
    """The rows put where their labels say: the labels along each axis, and an array with those axes."""
    labels = [_named(table, axis) for axis in axes]
    orders = [_order(table, axis, column) for axis, column in zip(axes, labels, strict=True)]
    ranks = [{label: i for i, label in enumerate(order)} for order in orders]
    places = [
        tuple(rank[label] for rank, label in zip(ranks, row, strict=True))
        for row in zip(*labels, strict=True)
    ]
    rows = {place: row for row, place in reversed(list(enumerate(places)))}  # of two, the first
    if len(rows) < len(places):
        row = next(i for i, place in enumerate(places) if rows[place] != i)
        raise _error(table, row, f"a second row for {_place(axes, [c[row] for c in labels])}")
    sizes = [len(order) for order in orders]
    if len(rows) < math.prod(sizes):
        absent = next(p for p in itertools.product(*map(range, sizes)) if p not in rows)
        place = _place(axes, [order[i] for order, i in zip(orders, absent, strict=True)])
        raise InputError(f"no row for {place}", hint="give every one")
    in_place = table.numbers[[rows[p] for p in itertools.product(*map(range, sizes))]]
    return orders, in_place.reshape(*sizes, -1)


def _order(table: Table, axis: str, labels: list[Any]) -> list[Any]:
    """Layers and heads as they come; positions and dimensions from 0 on, none left out."""
    if axis in ("layer", "head"):
        return list(dict.fromkeys(labels))
    order = sorted(set(labels))
    if order != list(range(len(order))):
        strange = next(n for i, n in enumerate(order) if n != i)
        raise _error(
            table, labels.index(strange), f"{axis} {strange}, where 0 to {len(order) - 1} should be there"
        )
    return order


def _numbered(table: Table, values: np.ndarray) -> np.ndarray:
    """The values themselves, once the columns are known to be numbered 0, 1, 2, …"""
    numbers = [column.partition(":")[0] for column in table.columns]
    for i, number in enumerate(numbers):
        if number != str(i):
            what = f"column {number!r}, expected {i}"
            raise InputError(what, hint="number the columns from 0", where=called(table.path, 1))
    return values


def _named(table: Table, name: str) -> list[Any]:
    """Numbers; but a layer or head that stands for several has a name."""
    if name in ("layer", "head") and set(table.labels[name]) <= {"mean", "max"}:
        return table.labels[name]
    return _integers(table, name)


def _integers(table: Table, name: str) -> list[int]:
    try:
        return [int(cell) for cell in table.labels[name]]
    except ValueError:
        row, cell = next((i, c) for i, c in enumerate(table.labels[name]) if not c.strip("-").isdigit())
    raise _error(table, row, f"{name} {cells.shortened(cell)!r}, expected a whole number")


def _tokens(table: Table, position: str, name: str) -> tuple[str, ...]:
    """The token at each position, which all rows must agree upon."""
    found: dict[int, str] = {}
    for row, (i, token) in enumerate(zip(_integers(table, position), table.labels[name], strict=True)):
        if found.setdefault(i, token) != token:
            shown = (
                f"{position} {i} is {cells.shortened(token)!r} here and {cells.shortened(found[i])!r} above"
            )
            raise _error(table, row, shown)
    return tuple(unescape(found[i]) for i in sorted(found))


def _place(axes: tuple[str, ...], labels: list[Any]) -> str:
    return ", ".join(f"{axis} {label}" for axis, label in zip(axes, labels, strict=True))


def _error(table: Table, row: int, what: str) -> InputError:
    return InputError(what, hint="write the table again", where=called(table.path, table.lines[row]))
