"""What a decoder learns to do with what it has just read: go on as before, and find the value of a key.

Both need two layers: in the first, a head tells each token which one stands before it; in the second, a head
looks for that. With --layers 1 they cannot be learned, as no position of theirs says where to look.
"""

from __future__ import annotations

import string

import numpy as np

from ..examples import TASKS, Example, Recipe, draw_length, learns

_LETTERS = tuple(string.ascii_lowercase)


@TASKS.register
@learns(Recipe(stack="decoder", attends="decoder", steps=300, positions="rope", seconds=15))
def induction(rng: np.random.Generator, *, longest: int = 12) -> Example:
    """Letters said again: q c x q c → x; each letter should look at what came after it the first time.

        position  0 1 2 3 4 5
        source    q c x q c x
        target          c x q    asked of the second time alone
        look at         1 2 3    a stripe, as far off as the sequence is long

    Periods from 2 to `longest` are equally frequent, so how far back to look is not to be learned by heart.
    The share of attention on the stripe is the prefix-matching score of Olsson et al. 2022, arXiv:2209.11895.
    Raises InputError when `longest` is not between 2 and 26.

    >>> example = induction(np.random.default_rng(1), longest=3)
    >>> example.source, example.written
    (('b', 'u', 'b', 'u'), ['u', 'b'])
    """
    said = _different(rng, draw_length(rng, longest, least=2, most=len(_LETTERS)))
    n = len(said)
    expected = np.eye(2 * n, k=1 - n, dtype=bool)
    expected[:n] = False
    return Example(said * 2, (*[None] * n, *said[1:], said[0]), expected)


@TASKS.register
@learns(
    Recipe(
        stack="decoder", attends="decoder", steps=300, lr=0.003, batch=128, positions="rope", seconds=20
    )
)  # fmt: skip
def recall(rng: np.random.Generator, *, longest: int = 6) -> Example:
    """Values of keys: f 3 k 1, then k → 1; each key, asked again, should look at the value after it.

        position  0 1 2 3 4 5
        source    f 3 k 1 k f
        target            1 3    asked of the keys said again
        look at           3 1

    There are 2 to `longest` pairs, and all keys are asked, in any order. Arora et al. 2023, arXiv:2312.04927.
    Raises InputError when `longest` is not between 2 and 26.

    >>> example = recall(np.random.default_rng(1), longest=3)
    >>> example.source, example.written
    (('b', '7', 'u', '1', 'u', 'b'), ['1', '7'])
    """
    n = draw_length(rng, longest, least=2, most=len(_LETTERS))
    keys, values = _different(rng, n), tuple(map(str, rng.integers(10, size=n)))
    asked = rng.permutation(n)
    pairs = [token for pair in zip(keys, values, strict=True) for token in pair]
    expected = np.zeros((3 * n, 3 * n), dtype=bool)
    expected[2 * n + np.arange(n), 2 * asked + 1] = True
    return Example(
        (*pairs, *(keys[i] for i in asked)), (*[None] * (2 * n), *(values[i] for i in asked)), expected
    )


def _different(rng: np.random.Generator, n: int) -> tuple[str, ...]:
    """Some letters, none of them twice."""
    return tuple(_LETTERS[i] for i in rng.permutation(len(_LETTERS))[:n])
