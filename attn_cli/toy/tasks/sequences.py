"""Sequence to sequence, one position out for each position in."""

from __future__ import annotations

import numpy as np

from ..examples import TASKS, Example, Recipe, draw_length, learns


@TASKS.register
@learns(Recipe(stack="both", attends="cross", steps=200, layers=1, seconds=5))
def copy(rng: np.random.Generator, *, longest: int = 10) -> Example:
    """Digits as they are: 3 1 4 → 3 1 4; each, when written, should look at its place, the diagonal.

        source    3 1 4
        target    3 1 4
        look at   0 1 2    the diagonal of cross-attention

    An encoder would have nothing to look for, as each of its positions already holds what it is to say; a
    decoder knows of the source what it looks at. Raises InputError when `longest` is not between 1 and 1000.

    >>> copy(np.random.default_rng(0)).expected.diagonal().all()
    np.True_
    """
    digits = _digits(rng, longest)
    return Example(digits, digits, np.eye(len(digits), dtype=bool))


@TASKS.register
@learns(Recipe(seconds=8))
def reverse(rng: np.random.Generator, *, longest: int = 10) -> Example:
    """Digits read backwards: 3 1 4 1 5 → 5 1 4 1 3; each output should look at its mirror position.

        position  0 1 2 3 4
        source    3 1 4 1 5
        target    5 1 4 1 3
        look at   4 3 2 1 0    the anti-diagonal

    Lengths from 1 to `longest` are equally frequent, so a position alone does not tell where to look: the
    model has to find out the length first. Raises InputError when `longest` is not between 1 and 1000.

    >>> example = reverse(np.random.default_rng(0))
    >>> example.source[0] == example.target[-1] and bool(example.expected[0, -1])
    True
    """
    digits = _digits(rng, longest)
    return Example(digits, digits[::-1], np.eye(len(digits), dtype=bool)[::-1])


@TASKS.register
@learns(Recipe(stack="both", attends="cross", steps=400, heads=2, lr=0.003, seconds=15))
def sort(rng: np.random.Generator, *, longest: int = 10) -> Example:
    """Digits in order: 3 1 4 1 5 → 1 1 3 4 5; each digit, when written, should look at where it stands.

        source    3  1  4  1  5
        target    1  1  3  4  5
        look at   13 13 0  2  4    both of the 1s, then the next larger ones

    Not a place but what stands there tells where to look: a lookup by content, of the smallest digit not yet
    written. Raises InputError when `longest` is not between 1 and 1000.

    >>> sort(np.random.default_rng(0)).target
    ('0', '0', '0', '1', '2', '3', '5', '6', '8')
    """
    digits = _digits(rng, longest)
    ordered = tuple(sorted(digits))
    return Example(digits, ordered, np.array(ordered)[:, None] == np.array(digits)[None, :])


def _digits(rng: np.random.Generator, longest: int) -> tuple[str, ...]:
    return tuple(map(str, rng.integers(10, size=draw_length(rng, longest))))
