"""What every record checks of itself when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable


def shape(array: np.ndarray) -> str:
    """A shape as people write it: `[3, 4]`."""
    return str(list(np.shape(array)))


def check_finite(name: str, array: np.ndarray) -> None:
    """Refuse NaN and infinity, naming where the first one stands (counted from 0, as in the tables).

    >>> check_finite("weights", np.array([[[[1.0, 0.0], [0.5, np.nan]]]]))
    Traceback (most recent call last):
    attn_cli.errors.InputError: weights hold nan at row 1, column 1 of [0, 0] (counted from 0); replace it with a finite number
    """
    if np.isfinite(array).all():
        return
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    value = array[place]
    *matrix, row, column = place if len(place) > 1 else (*place, None)
    where = f"index {[row]}" if column is None else f"row {row}, column {column}"
    where += f" of {matrix}" if matrix else ""
    raise InputError(
        f"{name} hold {value} at {where} (counted from 0)", hint="replace it with a finite number"
    )


def as_tokens(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Tokens as a tuple of strings."""
    return tuple(str(token) for token in tokens)


def numbers(name: str, array: np.ndarray, axes: tuple[object, ...]) -> np.ndarray:
    """An array of floating-point numbers with these axes, none empty and all finite."""
    array = np.asarray(array)
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    check_numbers(name, array)
    if array.ndim != len(axes):
        raise InputError(f"{name} {shape(array)}, expected {len(axes)} axes")
    check_finite(name, array)
    return array


def check_numbers(name: str, array: np.ndarray, least_axes: int = 0) -> None:
    """Refuse what holds no real numbers: text, objects, complex numbers, nothing; and too few axes.

    >>> check_numbers("weights", np.array([[1j]]))
    Traceback (most recent call last):
    attn_cli.errors.InputError: weights are complex numbers; give real ones, such as their absolute values
    """
    if array.dtype.kind == "c":
        raise InputError(f"{name} are complex numbers", hint="give real ones, such as their absolute values")
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} of type {array.dtype}, expected floating-point numbers")
    if array.size == 0:
        raise InputError(f"{name} {shape(array)} are empty", hint="give at least one row and one column")
    if array.ndim < least_axes:
        raise InputError(f"{name} {shape(array)}, expected at least {least_axes} axes")


def settle(record: object, name: str, value: object) -> None:
    """Set a field of a frozen record while it is made."""
    object.__setattr__(record, name, value)


def in_a_line(name: str, sizes: Iterable[tuple[str, int]], *said: str, provenance: str = "") -> str:
    """A record in one line, for a prompt: what it is, how large, and where it comes from.

    >>> in_a_line("Encoding", (("token", 1), ("dimension", 8)), provenance="by hand")
    "Encoding([1 token, 8 dimensions], 'by hand')"
    """
    told = ", ".join(counted(n, noun) for noun, n in sizes)
    short = provenance if len(provenance) <= _LONGEST else f"{provenance[: _LONGEST - 1]}…"
    return f"{name}({', '.join(filter(None, [f'[{told}]', *said, repr(short) if short else '']))})"


def counted(n: int, noun: str) -> str:
    """So many of something.

    >>> counted(1, "query"), counted(2, "query")
    ('1 query', '2 queries')
    """
    return f"{n} {noun if n == 1 else _PLURALS.get(noun, f'{noun}s')}"


_PLURALS = {"query": "queries", "series": "series"}
_LONGEST = 72  # characters of a provenance
