"""Rows of a table put where their labels say: labels to axes, and every complaint about one that is missing."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import InputError, note
from ..text.escaping import unescape
from . import cells
from .source import called

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float64


@dataclass(frozen=True)
class Table:
    """A table taken apart: labels by the name of their column, then the numbers."""

    path: str
    labels: dict[str, list[str]]
    columns: list[str]  # what the header says over the numbers
    numbers: Float64[np.ndarray, "row column"]
    lines: list[int]  # where each row stands in the file


def completed(table: Table, *names: str) -> Table:
    """The table with labels for the columns that were cut off; a note says how its rows were read.

    One layer and head, rows counted in their order, tokens called by their numbers. Raises InputError where
    the rows say that there were several heads.
    """
    if not (missing := [name for name in names if not table.labels.get(name)]):
        return table
    n, labels = len(table.lines), dict(table.labels)
    for name in missing:
        labels[name] = ["0"] * n if name in ("layer", "head") else _counted(labels, n)
    repeats = _repeats(labels[names[-1]]) if {"head", "query_pos"} <= set(missing) else 1
    if repeats > 1 and n > len(table.columns):
        raise InputError(
            f"{n} rows that repeat {repeats} times, without their layer and head",
            hint="keep all columns, or one head",
        )
    kept = ", ".join(missing)
    note(f"{called(table.path)}: {kept} missing; rows are counted in their order")
    return Table(table.path, labels, table.columns, table.numbers, table.lines)


def _counted(labels: dict[str, list[str]], n: int) -> list[str]:
    """The number of each row among those of its layer and head."""
    groups = zip(*(labels[name] for name in ("layer", "head") if name in labels), strict=True)
    seen: dict[tuple[str, ...], int] = {}
    counted = []
    for group in groups if any(name in labels for name in ("layer", "head")) else [()] * n:
        counted.append(str(seen.get(group, 0)))
        seen[group] = seen.get(group, 0) + 1
    return counted


def _repeats(names: list[str]) -> int:
    """How many times over a list says the same.

    >>> _repeats(["a", "b", "a", "b"]), _repeats(["a", "b", "a"])
    (2, 1)
    """
    n = len(names)
    lengths = (length for length in range(1, n + 1) if n % length == 0)
    return n // next(length for length in lengths if names == names[:length] * (n // length))


def arrange(
    table: Table, *axes: str, gaps: str = ""
) -> tuple[list[list[Any]], Float64[np.ndarray, "... column"]]:
    """The rows put where their labels say: the labels along each axis, and an array with those axes.

    Along the axis `gaps` positions may be left out, the same ones everywhere.
    """
    labels = [_named(table, axis) for axis in axes]
    orders = [
        _order(table, axis, column, with_gaps=axis == gaps) for axis, column in zip(axes, labels, strict=True)
    ]
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
        raise InputError(f"no row for {place}", hint="give every one, or the rows of one head")
    in_place = table.numbers[[rows[p] for p in itertools.product(*map(range, sizes))]]
    return orders, in_place.reshape(*sizes, -1)


def _order(table: Table, axis: str, labels: list[Any], *, with_gaps: bool) -> list[Any]:
    """Layers and heads as they come; positions and dimensions from 0 on."""
    if axis in ("layer", "head"):
        return list(dict.fromkeys(labels))
    order = sorted(set(labels))
    if order == list(range(len(order))):
        return order
    if with_gaps and order[0] >= 0:
        note(f"{called(table.path)}: has rows for {len(order)} of the positions 0 to {order[-1]}")
        return order
    strange = next(n for i, n in enumerate(order) if n != i)
    what = f"{axis} {strange}, where 0 to {len(order) - 1} should be there"
    raise _error(table, labels.index(strange), what)


def numbered(table: Table, values: np.ndarray) -> np.ndarray:
    """The values themselves, once the columns are known to be numbered 0, 1, 2, …"""
    numbers = [column.partition(":")[0] for column in table.columns]
    for i, number in enumerate(numbers):
        if number != str(i):
            what = f"column {number!r}, expected {i}"
            raise InputError(what, hint="number the columns from 0", where=called(table.path, 1))
    return values


def _named(table: Table, name: str) -> list[Any]:
    """Numbers; but a layer or head that stands for several has a name: mean, rollout."""
    if name in ("layer", "head") and all(map(str.isidentifier, table.labels[name])):
        return table.labels[name]
    return integers(table, name)


def integers(table: Table, name: str) -> list[int]:
    """The whole numbers of a column of labels."""
    try:
        return [int(cell) for cell in table.labels[name]]
    except ValueError:
        row, cell = next((i, c) for i, c in enumerate(table.labels[name]) if not c.strip("-").isdigit())
    raise _error(table, row, f"{name} {cells.shortened(cell)!r}, expected a whole number")


def tokens(table: Table, position: str, name: str) -> tuple[str, ...]:
    """The token at each position, which all rows must agree upon."""
    found: dict[int, str] = {}
    for row, (i, token) in enumerate(zip(integers(table, position), table.labels[name], strict=True)):
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
