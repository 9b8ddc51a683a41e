"""Tables in Markdown and LaTeX read back: ours as the records they were, rounded; others' as numbers with names.

A document is a table when more than half of its lines belong to tables and most cells of these are numbers.
Any other text stays text: an article may well have a table in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, note
from ..records.attention import Attention
from ..records.checks import shape
from ..records.encoding import Encoding, PositionTable
from . import cells, grids
from .source import called

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..records.attention import Record
    from .grids import Grid


def parse(text: str, path: str) -> Record | np.ndarray | None:
    """The record or the numbers in a document that is a table, None for any other text.

    Raises InputError for several these tables are not the heads of one attention, and for cells without numbers.

    >>> parse("| query | a |\\n| --- | --: |\\n| a | 1 |\\n", "w.md").weights.tolist()
    [[[[1.0]]]]
    >>> parse("|  |  |\\n|---|---|\\n| 1 | 2 |\\n", "w.md").tolist(), parse("| is a pipe", "s.txt")
    ([[1.0, 2.0]], None)
    """
    tables = grids.tables(text)
    if not tables or not all(grid.numeric for grid in tables):
        return None
    with_names = [_checked(grid, path) for grid in tables]
    corner = tables[0].rows[0][0]
    if (show := grids.queries(corner)) is not None:
        return _attention(tables, with_names, show, path)
    if len(tables) > 1:
        what = f"holds {len(tables)} these tables are not the heads of one attention"
        raise InputError(what, hint="give one table", where=called(path))
    names, numbers = with_names[0]
    if corner == "pos":
        return PositionTable(tables[0].caption, numbers)
    if corner != "token" and any(tables[0].rows[0]):
        note(f"{called(path)}: a table of numbers {shape(numbers)}; the names of its columns are left out")
    return numbers if names is None else Encoding(names, numbers, tables[0].caption)


def _checked(grid: Grid, path: str) -> tuple[tuple[str, ...] | None, np.ndarray]:
    """The names of the rows, where they have some, and the numbers."""
    n_labels, body = int(grid.labelled), grid.rows[1:]
    rows = []
    for i, row in enumerate(body):
        if len(row) != len(body[0]):
            what = f"a table in which row {i + 1} has {len(row)} cells, row 1 has {len(body[0])}"
            raise InputError(what, hint="give every row the same", where=called(path, grid.line or None))
        if bad := [cell for cell in row[n_labels:] if not cells.is_number(cell)]:
            what = f"a table whose row {i + 1} holds {cells.shortened(bad[0])!r}, expected a number"
            raise InputError(what, hint="write a number in each cell", where=called(path, grid.line or None))
        rows.append([float(cell) for cell in row[n_labels:]])
    return (tuple(row[0] for row in body) if n_labels else None), np.array(rows)


# ---- ours: an attention ---------------------------------------------------------------------------------

_PLACE = re.compile(
    r"(?:layer (\d+)|(mean|max) of layers), (?:head (\d+)|(mean|max) of heads)(?:: (.*))?", re.DOTALL
)


def _attention(
    tables: Sequence[Grid], found: Sequence[tuple[tuple[str, ...] | None, np.ndarray]], show: str, path: str
) -> Attention:
    """The heads of one attention, each with its layer and head in its caption."""
    places = [_PLACE.fullmatch(grid.caption) for grid in tables]
    if not all(places) and len(tables) > 1:
        raise InputError(
            "these tables do not say their layer and head", hint="keep the captions", where=called(path)
        )
    at = [_numbered(place) if place else (0, 0) for place in places]
    layers, heads = (list(dict.fromkeys(column)) for column in zip(*at, strict=True))
    head, names = tables[0].rows[0], found[0][0]
    alike = all(grid.rows[0] == head and rows == names for grid, (rows, _) in zip(tables, found, strict=True))
    if not alike or sorted(map(str, at)) != sorted(str((la, he)) for la in layers for he in heads):
        raise InputError(
            "these tables are not the heads of one attention", hint="give one", where=called(path)
        )
    matrices = dict(zip(at, (numbers for _, numbers in found), strict=True))
    maps: dict[str, Any] = {show: np.array([[matrices[la, he] for he in heads] for la in layers])}
    return Attention(
        names or tuple(map(str, range(len(found[0][1])))),
        tuple(head[1:]),
        **maps,
        kind="unknown",
        provenance=(places[0][5] or "") if places[0] else tables[0].caption,
        layers=tuple(layers),
        heads=tuple(heads),
        show=show,
    )


def _numbered(place: re.Match[str]) -> tuple[int | str, int | str]:
    layer, of_layers, head, of_heads, _ = place.groups()
    return of_layers or int(layer), of_heads or int(head)
