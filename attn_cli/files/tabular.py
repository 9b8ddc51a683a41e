"""A `Table` in files, a function to bytes for each format: what stats, diff, explain and check write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..text.escaping import escape, json_text
from .rounding import short, width
from .typeset import markdown_row, markdown_text, tex_number, tex_row, tex_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ..records.table import Table

SCHEMA_VERSION = 1


def tsv(table: Table, digits: int = 0) -> Iterator[bytes]:
    r"""Tab-separated, a row for each thing; a number that is not there is an empty cell.

    >>> from attn_cli.records.table import Table
    >>> list(tsv(Table({"head": [0], "max": [1 / 3], "role": ["a\tb"]})))
    [b'head\tmax\trole\n', b'0\t0.3333333333333333\ta\\tb\n']
    """
    return _delimited(table, "\t", str, digits)


def csv_(table: Table, digits: int = 0) -> Iterator[bytes]:
    r"""Comma-separated, with the columns of tsv; what holds a comma or a quote is quoted.

    >>> from attn_cli.records.table import Table
    >>> list(csv_(Table({"head": [0], "role": ["a,b"]})))
    [b'head,role\n', b'0,"a,b"\n']
    """
    return _delimited(table, ",", _quoted, digits)


def json_(table: Table) -> Iterator[bytes]:
    """An object on one line, with a row for each thing; its schema is `files/schemas/table.json`.

    >>> from attn_cli.records.table import Table
    >>> print(b"".join(json_(Table({"head": [0], "max": [float("nan")]}, about="stats"))).decode().rstrip())
    {"schema_version": 1, "type": "table", "about": "stats", "provenance": "", "units": {}, "rows": [{"head": 0, "max": null}]}
    """
    names = {"schema_version": SCHEMA_VERSION, "type": "table", "about": table.about}
    start = json_text({**names, "provenance": table.provenance, "units": table.units})
    yield f'{start[:-1]}, "rows": ['.encode()
    for i, row in enumerate(table.rows()):
        finite = {
            name: None if isinstance(cell, float) and not np.isfinite(cell) else cell
            for name, cell in row.items()
        }
        yield f"{', ' if i else ''}{json_text(finite)}".encode()
    yield b"]}\n"


def md(table: Table, digits: int = 4) -> Iterator[bytes]:
    """A Markdown table for people, four significant digits.

    >>> from attn_cli.records.table import Table
    >>> print(b"".join(md(Table({"head": [0], "max": [1 / 3], "role": ["sink"]}))).decode().rstrip())
    | head |    max | role |
    | ---: | -----: | ---- |
    |    0 | 0.3333 | sink |
    """
    if table.provenance:
        yield f"{markdown_text(table.provenance)}\n\n".encode()
    header, *rows = _laid_out(table, markdown_text, lambda cell: markdown_text(_short(cell, digits)))
    yield markdown_row(header)
    sides = [_is_text(values) for values in table.columns.values()]
    yield markdown_row(
        "-" * width(cell) if left else "-" * (width(cell) - 1) + ":"
        for cell, left in zip(header, sides, strict=True)
    )
    for row in rows:
        yield markdown_row(row)


def tex(table: Table, digits: int = 4) -> Iterator[bytes]:
    r"""A LaTeX table to \input, four significant digits; no package is needed.

    >>> from attn_cli.records.table import Table
    >>> list(tex(Table({"head": [0], "role": ["sink"]})))[2]
    b'   0 & sink \\\\\n'
    """
    sides = "".join("l" if _is_text(values) else "r" for values in table.columns.values())
    yield f"\\begin{{table}}\n\\centering\n\\begin{{tabular}}{{{sides}}}\n".encode()
    header, *rows = _laid_out(table, tex_text, lambda cell: _tex_cell(cell, digits))
    yield tex_row(header) + b"\\hline\n"
    for row in rows:
        yield tex_row(row)
    caption = f"\\caption{{{tex_text(table.provenance)}}}\n" if table.provenance else ""
    yield f"\\end{{tabular}}\n{caption}\\end{{table}}\n".encode()


def _laid_out(table: Table, named: Callable[[str], str], written: Callable[[object], str]) -> list[list[str]]:
    """The header and each row, cells as wide as their columns: texts to the left, numbers to the right."""
    rows = [list(map(named, table.columns)), *(list(map(written, row.values())) for row in table.rows())]
    left = [_is_text(values) for values in table.columns.values()]
    widths = [max(3, *map(width, column)) for column in zip(*rows, strict=True)]
    return [[_filled(*cell) for cell in zip(row, widths, left, strict=True)] for row in rows]


def _filled(cell: str, room: int, left: bool) -> str:
    blanks = " " * (room - width(cell))
    return cell + blanks if left else blanks + cell


def _delimited(table: Table, delimiter: str, cell: Callable[[str], str], digits: int) -> Iterator[bytes]:
    yield _line(delimiter, map(cell, map(escape, table.columns)))
    columns = [[cell(text) for text in _texts(values, digits)] for values in table.columns.values()]
    for row in zip(*columns, strict=True):
        yield _line(delimiter, row)


def _texts(values: np.ndarray, digits: int) -> Iterator[str]:
    """Each value so that reading it back gives the same, or with so many digits."""
    if values.dtype.kind == "f":
        return ("" if x != x else short(x, digits) for x in values.astype(np.float64).tolist())
    if values.dtype.kind == "b":
        return ("true" if value else "false" for value in values.tolist())
    return (escape(str(value)) for value in values.tolist())


def _short(cell: object, digits: int) -> str:
    """A value for people; nothing where there is no number."""
    if cell is None:
        return ""
    return short(cell, digits) if isinstance(cell, float) else str(cell)


def _tex_cell(cell: object, digits: int) -> str:
    if cell is None or isinstance(cell, str | bool):
        return tex_text(_short(cell, digits))
    return tex_number(_short(cell, digits))


def _is_text(values: np.ndarray) -> bool:
    return values.dtype.kind in "Ob"


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if "," in cell or '"' in cell else cell


def _line(delimiter: str, cells: Iterable[str]) -> bytes:
    return f"{delimiter.join(cells)}\n".encode()


TABLES: Mapping[str, Callable[[Table], Iterator[bytes]]] = {
    "tsv": tsv, "csv": csv_, "json": json_, "md": md, "tex": tex
}  # fmt: skip
