"""A bare matrix in text: numbers between commas, tabs or blanks, no header."""

from __future__ import annotations

import array
from typing import TYPE_CHECKING

import numpy as np

from . import cells
from .source import suffix

if TYPE_CHECKING:
    from jaxtyping import Float64


def looks_numeric(text: str, path: str) -> bool:
    """Whether to read a text as a matrix: it is called so, or has no suffix and begins with several numbers.

    >>> looks_numeric("3 1 4", "-"), looks_numeric("3,1,4", "-"), looks_numeric("3,1,4", "a.txt")
    (False, True, False)
    """
    if suffix(path):
        return suffix(path) in (".csv", ".tsv")
    first = text.partition("\n")[0]
    delimiter = cells.delimiter_of(first)
    return delimiter is not None and all(map(cells.is_number, cells.split(first, delimiter)))


def parse(text: str, path: str) -> Float64[np.ndarray, "row column"]:
    """The numbers of a text.

    Raises InputError for a line of another length, and for anything but finite numbers.

    >>> parse("1,2\\n3,4\\n", "q.csv").tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    delimiter = cells.delimiter_of(text.partition("\n")[0])
    numbers, lines = array.array("d"), []
    for line, row in cells.rows(text, delimiter, path):
        numbers.extend(cells.numbers(row, path, line))
        lines.append(line)
    matrix = np.array(numbers).reshape(len(lines), -1)
    cells.check_finite(matrix, path, lines)
    return matrix
