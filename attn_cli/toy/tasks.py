"""Toy tasks: one function per task draws one example. Pure NumPy, everything random from the generator given.

An example says what goes in and what must come out, as tokens, and where attention should look for it: that
is what a trained head is measured against. The vocabulary of a task is whatever its examples use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..registry import Registry

if TYPE_CHECKING:
    from jaxtyping import Bool


@dataclass(frozen=True, eq=False)
class Example:
    """Tokens in, as many tokens out, and which input position each output position should look at."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    expected: Bool[np.ndarray, "query key"]


Task = Callable[..., Example]

TASKS: Registry[Task] = Registry("task")


@TASKS.register
def reverse(rng: np.random.Generator, *, longest: int = 10) -> Example:
    """Digits read backwards: 3 1 4 1 5 → 5 1 4 1 3; each output should look at its mirror position.

        position  0 1 2 3 4
        source    3 1 4 1 5
        target    5 1 4 1 3
        look at   4 3 2 1 0    the anti-diagonal

    Lengths from 1 to `longest` are equally frequent, so a position alone does not tell where to look: the
    model has to find out the length first. Raises InputError when `longest` is less than 1.

    >>> example = reverse(np.random.default_rng(0))
    >>> example.source[0] == example.target[-1] and bool(example.expected[0, -1])
    True
    """
    if longest < 1:
        raise InputError(f"longest {longest}", hint="give at least 1")
    n = int(rng.integers(1, longest + 1))
    digits = tuple(map(str, rng.integers(10, size=n)))
    return Example(digits, digits[::-1], np.eye(n, dtype=bool)[::-1])


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples to train on and examples held out, which share no source, and every token that occurs."""

    train: tuple[Example, ...]
    held_out: tuple[Example, ...]  # each only once
    vocabulary: tuple[str, ...]

    @property
    def longest(self) -> int:
        """Tokens of the longest source."""
        return max(len(example.source) for example in self.train + self.held_out)


def draw(task: Task, n: int, seed: int) -> Dataset:
    """Draw `n` examples of a task and set the held-out ones apart.

    Raises InputError when there are too few different ones for both.

    >>> dataset = draw(reverse, 100, seed=0)
    >>> {e.source for e in dataset.train} & {e.source for e in dataset.held_out}
    set()
    """
    rng = np.random.default_rng(seed)
    drawn = [task(rng) for _ in range(n)]
    train = [example for example in drawn if not is_held_out(example)]
    held_out = {example.source: example for example in drawn if is_held_out(example)}
    if not train or not held_out:
        kinds = len({example.source for example in drawn})
        raise InputError(f"{kinds} different examples are too few", hint="make the task's sequences longer")
    tokens = {token for example in drawn for token in example.source + example.target}
    return Dataset(tuple(train), tuple(held_out.values()), tuple(sorted(tokens)))


# Any of 0 to 19 would do; this one holds out 3 1 4 1 5, so that the example everybody tries is unseen.
_HELD_OUT = 16


def is_held_out(example: Example) -> bool:
    """Whether an example is kept from training: one source in twenty, by the hash of its tokens alone.

    So the two sets cannot share a source, whatever the seed and however many examples are drawn.
    """
    digest = hashlib.sha256("\n".join(example.source).encode("utf-8", "surrogatepass")).digest()
    return digest[0] % 20 == _HELD_OUT
