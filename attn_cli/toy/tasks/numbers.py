"""Numbers: a sum digit by digit, and answers that every position has a part in."""

from __future__ import annotations

import numpy as np

from ..examples import TASKS, TOTAL, Example, Recipe, draw_length, learns, within


@TASKS.register
@learns(Recipe(stack="decoder", attends="decoder", steps=900, layers=1, batch=128, seconds=20))
def addition(rng: np.random.Generator, *, digits: int = 3) -> Example:
    """Sums, units first: 72+85= → 580, as 27+58=085; each digit should look at those of its two operands.

    Numbers of every length up to `digits` are equally frequent. Were all long, one digit of a place would say
    nothing about the sum without the other, and what neither teaches alone may never be learned. Raises
    InputError when `digits` is not between 1 and 18.

    >>> example = addition(np.random.default_rng(1), digits=2)
    >>> " ".join(example.source), example.written
    ('7 0 + 5 9 = 2 0', ['2', '0', '1'])
    """
    within("digits", digits, 1, 18)
    first, second = (int(rng.integers(10**length)) for length in rng.integers(1, digits + 1, size=2))
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
@learns(Recipe(stack="decoder", attends="decoder", steps=800, layers=1, positions="rope", seconds=15))
def parity(rng: np.random.Generator, *, longest: int = 12) -> Example:
    """Odd or even, the ones counted first: 1 0 1 1 = → 3 odd; every bit counts, so nowhere in particular.

    Asked for the parity at once, a model of this size learns nothing, as any bit turns the answer round and
    none says anything by itself (Hahn 2020, arXiv:1906.06755). So it writes the count down, as a person
    would, and reads the parity off it. Raises InputError when `longest` is not between 1 and 1000.

    >>> example = parity(np.random.default_rng(0))
    >>> " ".join(example.source), example.written
    ('1 1 0 0 0 0 0 0 1 1 1 = 5', ['5', 'odd'])
    """
    bits = rng.integers(2, size=draw_length(rng, longest))
    count = int(bits.sum())
    source = (*map(str, bits), "=", str(count))
    return Example(source, (*[None] * len(bits), str(count), ("even", "odd")[count % 2]))


@TASKS.register
@learns(Recipe(steps=3000, layers=1, batch=128, seconds=35))
def sum_(rng: np.random.Generator, *, length: int = 5) -> Example:
    """The sum of digits: 3 1 4 1 5 → 14; every digit counts, so nowhere in particular.

    Raises InputError when `length` is not between 1 and 18.

    >>> example = sum_(np.random.default_rng(0))
    >>> example.source, example.written
    (('[CLS]', '8', '6', '5', '2', '3'), ['24'])
    """
    within("length", length, 1, 18)
    digits = rng.integers(10, size=length)
    return Example((TOTAL, *map(str, digits)), (str(digits.sum()), *[None] * length))
