"""Lines of text to cells and numbers; every complaint names line and column, counted from 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .memory import allow
from .source import called

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def delimiter_of(line: str) -> str | None:
    """What separates the numbers of a line: a tab, else a semicolon, else a comma, else blanks (None).

    >>> delimiter_of("1;2"), delimiter_of("0,5;0,5"), delimiter_of(" 1  2")
    (';', ';', None)
    """
    return next((mark for mark in "\t;," if mark in line), None)


def split(line: str, delimiter: str | None) -> list[str]:
    """The cells of a line; between commas or semicolons, quotes may enclose a cell.

    >>> split('1,"a,b"', ",")
    ['1', 'a,b']
    """
    if delimiter in (",", ";") and '"' in line:
        import csv

        return next(csv.reader([line], delimiter=delimiter))
    return line.split(delimiter)


def rows(
    lines: Sequence[str], delimiter: str | None, path: str, first: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """Line numbers from `first` on, and cells. Every line must have as many cells as the first."""
    width, head = 0, list[str]()
    for number, line in enumerate(lines, start=first):
        if not line.strip():
            raise InputError("a blank line", hint="remove it", where=called(path, number))
        cells = split(line, delimiter)
        width = width or len(cells)
        head = head or cells
        if number > first and len(cells) > 1 and cells[:2] == head[:2] and not is_number(cells[1]):
            raise InputError(
                "a second table begins here",
                hint="write each table into a file of its own",
                where=called(path, number),
            )
        if len(cells) != width:
            raise InputError(
                f"{len(cells)} columns, line {first} has {width}",
                hint="give every line the same",
                where=called(path, number),
            )
        yield number, cells


def lines_of(text: str, delimiter: str | None) -> list[str]:
    """The lines of a table, once it is known that its cells fit into memory; blank ones may follow."""
    allow(2 * len(text) + 200 * text.count("\n") + 24 * text.count(delimiter or " "))
    return text.rstrip("\n \t").split("\n")


def numbers(cells: Sequence[str], path: str, line: int, first: int = 1) -> list[float]:
    """The numbers in cells of which the first is in column `first`."""
    try:
        if "_" not in "".join(cells):  # which float() would read as a separator of thousands
            return [float(cell) for cell in cells]
    except ValueError:
        pass
    bad = next(i for i, cell in enumerate(cells) if not is_number(cell))
    found = repr(shortened(cells[bad])) if cells[bad].strip() else "nothing"
    raise InputError(
        f"column {first + bad} holds {found}, expected a number",
        hint=_HEADED if line == 1 and not is_number(cells[0]) else "separate plain numbers by commas or tabs",
        where=called(path, line),
    )


_HEADED = "give numbers alone: no header line, no column of names (pandas: header=False, index=False)"


def is_number(cell: str) -> bool:
    """Whether a cell is a number, infinite ones included."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def is_float(cell: str) -> bool:
    """Whether a cell is a number that is written with a point or an exponent, as no count is.

    >>> [is_float(cell) for cell in ("0.5", "1e-3", "5", "inf", "No.")]
    [True, True, False, False, False]
    """
    return is_number(cell) and any(c.isdigit() for c in cell) and any(mark in cell for mark in ".eE")


def check_finite(matrix: np.ndarray, path: str, lines: Sequence[int], first: int = 1) -> None:
    """Refuse NaN and infinity, naming line and column."""
    if np.isfinite(matrix).all():
        return
    row, column = (int(i) for i in np.argwhere(~np.isfinite(matrix))[0])
    raise InputError(
        f"column {first + column} holds {matrix[row, column]}",
        hint="replace it with a finite number",
        where=called(path, lines[row]),
    )


def shortened(cell: str, most: int = 40) -> str:
    """A cell that fits into a message."""
    return cell if len(cell) <= most else cell[:most] + "…"
