"""Numbers for people: rounded to some digits, and in a table all with as many decimals, so that points align."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from jaxtyping import Float

MOST = 17  # digits: as many as tell any two float64 apart
_LARGEST, _SMALLEST = 1e3, 1e-3  # beyond, a table's numbers have exponents where they need them


def check_digits(digits: int) -> None:
    """Refuse digits that no number has; 0 stands for all of them."""
    if not 0 <= digits <= MOST:
        raise InputError(f"{digits} digits", hint=f"give 1 to {MOST}, or 0 for all")


def rounder(numbers: Float[np.ndarray, ...], digits: int) -> Callable[[float], str]:
    """What writes each of these numbers: with the same decimals, `digits` significant ones for the largest.

    Numbers up to 1, as weights are, have `digits` decimals, whole numbers none. Where the largest is beyond
    1,000 or below 0.001, each number is written by itself. With 0 all digits are written.

    >>> write = rounder(np.array([0.5, 1 / 3]), 4)
    >>> write(0.5), write(1 / 3), rounder(np.array([25.0, 1.25]), 3)(1.25), rounder(np.array([1e-9]), 4)(1e-9)
    ('0.5000', '0.3333', '1.2', '1e-09')
    """
    check_digits(digits)
    if digits == 0:
        return repr
    finite = np.abs(numbers[np.isfinite(numbers)])
    peak = float(finite.max(initial=0))
    if (finite == np.rint(finite)).all() and peak < 10**digits:
        decimals = 0
    elif peak > _LARGEST or peak < _SMALLEST:
        return lambda number: f"{number:.{digits}g}"
    else:
        decimals = digits if 0.1 <= peak <= 1 else digits - 1 - math.floor(math.log10(peak))
    return lambda number: _unsigned_zero(f"{number:.{max(decimals, 0)}f}")


def short(number: float, digits: int) -> str:
    """One number to that many significant digits; 0 writes all.

    >>> short(1 / 3, 3), short(0.5, 0)
    ('0.333', '0.5')
    """
    return f"{number:.{digits}g}" if digits else repr(number)


def width(text: str) -> int:
    """The columns that a text takes in an editor: two for an ideograph, none for an accent.

    >>> width("注a"), width("e\u0301")
    (3, 1)
    """
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text
    )


def padded(cells: Iterable[str], widths: Sequence[int]) -> list[str]:
    """Cells of a row as wide as their columns, the first to the left and numbers to the right.

    >>> padded(["a", "0.5"], [3, 5])
    ['a  ', '  0.5']
    """
    rows = [(cell, " " * (room - width(cell))) for cell, room in zip(cells, widths, strict=True)]
    return [blanks + cell if i else cell + blanks for i, (cell, blanks) in enumerate(rows)]


def _unsigned_zero(text: str) -> str:
    return text.removeprefix("-") if not text.strip("-0.") else text
