"""Numbers: a sum digit by digit, and answers that every position has a part in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ..examples import TASKS, Example, Recipe, learns

if TYPE_CHECKING:
    from collections.abc import Sequence

TOTAL = "[CLS]"  # where an answer about the whole sequence is asked


@TASKS.register
@learns(Recipe(stack="decoder", attends="decoder", steps=500, layers=1, batch=128, seconds=15))
def addition(rng: np.random.Generator, *, digits: int = 3) -> Example:
    """Sums, units first: 72+85=211 is 27+58=112; each digit should look at its two operands' digits.

    Raises InputError when `digits` is not between 1 and 18.

    >>> addition(np.random.default_rng(0), digits=2).source
    """
    if not 1 <= digits <= 18:
        raise InputError(f"digits {digits}", hint="give 1 to 18")
    first, second = (int(n) for n in rng.integers(10**digits, size=2))
    left, right = (f"{n:0{digits}}"[::-1] for n in (first, second))
    answer = f"{first + second:0{digits + 1}}"[::-1]
    source = (*left, "+", *right, "=", *answer[:-1])
    begin = 2 * digits + 1  # of the row that reads "=" and says the units
    target = (*[None] * begin, *answer)
    expected = np.zeros((len(source), len(source)), dtype=bool)
    for place in range(digits):
        expected[begin + place, [place, digits + 1 + place]] = True
    return Example(source, target, expected)


@TASKS.register
@learns(Recipe(steps=500, seconds=15))
def parity(rng: np.random.Generator, *, longest: int = 12) -> Example:
    """Whether the ones are odd or even: 1 0 1 1 → odd; every bit counts, so nowhere in particular.

    Raises InputError when `longest` is less than 1.

    >>> parity(np.random.default_rng(0)).written
    """
    bits = rng.integers(2, size=_length(rng, longest))
    return _asked_of_all(map(str, bits), ("even", "odd")[int(bits.sum()) % 2])


@TASKS.register
@learns(Recipe(stack="decoder", attends="decoder", steps=500, seconds=15))
def pparity(rng: np.random.Generator, *, longest: int = 10) -> Example:
    """x"""
    bits = rng.integers(2, size=_length(rng, longest))
    return Example(("[CLS]", *map(str, bits)), (None, *(("even", "odd")[int(n) % 2] for n in np.cumsum(bits))))


@TASKS.register
@learns(Recipe(steps=500, seconds=15))
def sum_(rng: np.random.Generator, *, length: int = 5) -> Example:
    """The sum of digits: 3 1 4 1 5 → 14; every digit counts, so nowhere in particular.

    Raises InputError when `longest` is less than 1.
    """
    digits = rng.integers(10, size=length)
    return _asked_of_all(map(str, digits), str(digits.sum()))


def _asked_of_all(tokens: Sequence[str], answer: str) -> Example:
    """One answer for all tokens, asked at one that comes before them."""
    source = (TOTAL, *tokens)
    return Example(source, (answer, *[None] * (len(source) - 1)))


def _length(rng: np.random.Generator, longest: int) -> int:
    if longest < 1:
        raise InputError(f"longest {longest}", hint="give at least 1")
    return int(rng.integers(1, longest + 1))
