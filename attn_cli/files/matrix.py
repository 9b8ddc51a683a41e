"""A bare matrix in text: numbers between tabs, semicolons, commas or blanks, no names of rows or columns."""

from __future__ import annotations

import array
import itertools
import re
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, note
from . import cells
from .source import called, suffix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float64

_SAMPLE = 50  # lines by which numbers are told from text
_SAMPLE_SIZE = 1_000_000  # and characters
_PADDED = re.compile(r"[-+]?0\d")
# What a Chinese keyboard types for , ; . - + and the minus sign; float() reads its digits already.
_PLAIN = str.maketrans("，；．－＋−", ",;.-+-")
_COMMENTS = ("#", "%")  # numpy.savetxt's and MATLAB's, before the numbers and behind them


def find(text: str, path: str) -> Float64[np.ndarray, "row column"] | None:
    """The matrix that a text is, or None for a text that is to be read as one.

    A file called .csv or .tsv is a matrix. Any other text is one when every line of it, up to comments
    before and behind, holds numbers alone, and

    - a number is written with a point or an exponent, and there are two lines or more, as `numpy.savetxt`
      writes them; or there is one, of two numbers or more, and all have exponents (1.5e+00);
    - or all are whole, and two lines or more hold the same count of them, at least two; a note says so;
    - or tabs, semicolons or commas separate them, and the file has no suffix.

    So `3 1 4 1 5` is a text, and so are lines of different counts of whole numbers. Raises InputError for a
    table of numbers that is none of attn's: names in front of the numbers, or above them.

    >>> find("1.5 2\\n3 4\\n", "q.txt").tolist(), find("3 1 4 1 5", "q.txt"), find("3 1\\n4\\n", "q.txt")
    ([[1.5, 2.0], [3.0, 4.0]], None, None)
    """
    if suffix(path) in (".csv", ".tsv"):
        return parse(text, path)
    sample = _sample(text)
    delimiter = _delimiter_of(sample[0]) if sample else None
    rows = [_cells(line, delimiter) for line in sample]
    if rows and all(
        any(c.isdigit() for c in "".join(row)) and all(map(cells.is_number, row)) for row in rows
    ):
        if not _is_matrix(rows, delimiter, path):
            return None
        return parse(text, path)
    _refuse_table(rows, delimiter, path)
    return None


def _sample(text: str) -> list[str]:
    """Lines enough to tell what a text is, without blank ones, and without comments around them."""
    lines = _without_comments(text.split("\n", _SAMPLE)[:_SAMPLE])[0]
    sizes = itertools.accumulate(map(len, lines))
    fitting = (line for line, size in zip(lines, sizes, strict=True) if size - len(line) < _SAMPLE_SIZE)
    return [line for line in fitting if not _is_comment(line)]


def _is_matrix(rows: Sequence[list[str]], delimiter: str | None, path: str) -> bool:
    if not suffix(path) and delimiter is not None:
        return True
    written = [[cells.is_float(cell) for cell in row] for row in rows]
    if len(rows) == 1:
        return len(rows[0]) > 1 and all(written[0]) and all("e" in cell.lower() for cell in rows[0])
    if any(map(any, written)):
        return True
    padded = any(_PADDED.match(cell.strip()) for row in rows for cell in row)  # as in 1,000
    if len(rows[0]) > 1 and {len(row) for row in rows} == {len(rows[0])} and not padded:
        note(f"{called(path)}: lines of {len(rows[0])} whole numbers are read as a matrix, not as text")
        return True
    return False


def parse(text: str, path: str) -> Float64[np.ndarray, "row column"]:
    """The numbers of a text.

    Raises InputError for a line of another length, and for anything but finite numbers.

    >>> parse("# two rows\\n1,2\\n3,4\\n", "q.csv").tolist(), parse("0,5;1\\n", "q.csv").tolist()
    ([[1.0, 2.0], [3.0, 4.0]], [[0.5, 1.0]])
    """
    matrix, lines = numbers(text, path)
    cells.check_finite(matrix, path, lines)
    return matrix


def numbers(text: str, path: str) -> tuple[Float64[np.ndarray, "row column"], list[int]]:
    """The numbers of a text, infinite ones too, and the line on which each row stands.

    Full-width marks are read as plain ones.

    >>> numbers("０．５，－1\\n", "a.csv")[0].tolist()
    [[0.5, -1.0]]
    """
    plain = text if text.isascii() else text.translate(_PLAIN)
    lines, first = _without_comments(cells.lines_of(plain, None))
    if not lines:
        raise InputError("holds only comments", hint="put some numbers in it", where=called(path))
    delimiter = _delimiter_of(lines[0])
    if len(lines) > 1 and _numbers_columns(_cells(lines[0], delimiter), _cells(lines[1], delimiter)):
        note(f"{called(path)}: line {first} numbers the columns and is skipped")
        lines, first = lines[1:], first + 1
    values, places = array.array("d"), []
    for line, row in cells.rows(lines, delimiter, path, first):
        if row[0].lstrip().startswith(_COMMENTS):
            raise InputError(
                "a comment between rows", hint="give one matrix, without it", where=called(path, line)
            )
        values.extend(cells.numbers(_pointed(row, delimiter), path, line))
        places.append(line)
    return np.array(values).reshape(len(places), -1), places


def _without_comments(lines: list[str]) -> tuple[list[str], int]:
    """The lines from the first that is no comment to the last, and the number of the first, from 1."""
    blank = list(map(_is_comment, lines))
    before = sum(1 for _ in itertools.takewhile(bool, blank))
    behind = sum(1 for _ in itertools.takewhile(bool, reversed(blank)))
    return lines[before : len(lines) - behind], before + 1


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith(_COMMENTS)


def _delimiter_of(line: str) -> str | None:
    """What separates the cells of a line, so that all of them are numbers if they can be."""
    marks = [mark for mark in "\t;," if mark in line]
    fitting = (mark for mark in [*marks, None] if all(map(cells.is_number, _cells(line, mark))))
    return next(fitting, marks[0] if marks else None)


def _cells(line: str, delimiter: str | None) -> list[str]:
    return _pointed(cells.split(line, delimiter), delimiter)


def _pointed(row: list[str], delimiter: str | None) -> list[str]:
    """The cells with a decimal comma as a point, and without the empty one behind a delimiter at the end."""
    if len(row) > 1 and not row[-1].strip():
        row = row[:-1]
    if delimiter == "," or not any("," in cell for cell in row):
        return row
    return [cell.replace(",", ".") if cell.count(",") == 1 and "." not in cell else cell for cell in row]


def _numbers_columns(head: list[str], row: list[str]) -> bool:
    """Whether a line is what is left of the head of an encoding when its first columns are cut off: 0 1 2 …"""
    return len(head) > 2 and head == [str(i) for i in range(len(row))] and all(map(cells.is_float, row))


# ---- tables that others wrote -------------------------------------------------------------------------


def _refuse_table(rows: Sequence[list[str]], delimiter: str | None, path: str) -> None:
    """Refuse what would be numbers but for the names in it; nobody wants attention between its digits."""
    if len(rows) < 2 or any(len(row) != len(rows[-1]) for row in rows[1:]):
        return
    numeric = [[cells.is_float(cell) or cell.strip() in ("0", "1") for cell in row] for row in rows]
    if len(rows) > 2 and all(map(all, numeric[1:])) and len(rows[0]) in (len(rows[1]), len(rows[1]) + 1):
        raise InputError(
            "has a line of names above its numbers", hint="remove this line", where=called(path, 1)
        )
    tail = 1 if delimiter is not None else 2
    behind = [len(row) > tail and all(map(cells.is_float, row[-tail:])) for row in rows]
    if all(behind[1:]) and sum(behind) >= (1 if delimiter == "\t" else 2):
        raise InputError(
            "has names before its numbers, but no header that attn writes",
            hint="keep the first line of attn's tables; word vectors are for --embed; a text is given by --text",
            where=called(path),
        )


__all__ = ["find", "numbers", "parse"]
