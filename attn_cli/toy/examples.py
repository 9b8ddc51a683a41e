"""What a task is made of: examples, what kind of model learns them, and the set that is held out.

Pure NumPy. An example says what goes in and what must come out, as tokens, and where attention should look
for it: that is what a trained head is measured against. The vocabulary of a task is whatever its examples
use.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from ..errors import InputError
from ..registry import Registry, bound, options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float

    from ..records.attention import Kind

START, END = "[start]", "[end]"  # what a decoder reads first, and writes last
TOTAL = "[CLS]"  # the token of all that follows it, where an answer about the whole is asked
LONGEST = 1000  # the most that `longest` may be: attention takes memory by the square of it


@dataclass(frozen=True, eq=False)
class Example:
    """Tokens in, tokens out, and which of those in each of those out should look at.

    For an encoder or a decoder the target has a token for each position of the source, or None where
    nothing is asked. For an encoder–decoder it is what the decoder writes, without the end.
    """

    source: tuple[str, ...]
    target: tuple[str | None, ...]
    expected: Bool[np.ndarray, "query key"] | None = None  # None: nowhere in particular
    image: Float[np.ndarray, "channel height width"] | None = None  # of which the source names the patches
    start: str = START

    @property
    def written(self) -> list[str]:
        """The tokens that come out."""
        return [token for token in self.target if token is not None]


Task = Callable[..., Example]
T = TypeVar("T", bound=Callable[..., object])

TASKS: Registry[Task] = Registry("task")


@dataclass(frozen=True)
class Recipe:
    """What kind of model learns a task, how large and how long, where nobody says otherwise."""

    stack: Literal["encoder", "decoder", "both"] = "encoder"
    attends: Kind = "encoder"  # the attention in which the task expects something
    steps: int = 500
    layers: int = 2
    heads: int = 4
    dim: int = 64
    lr: float | None = None  # None: what suits the width
    batch: int = 64
    dropout: float = 0.0
    patience: int = 0  # measurements without a better loss after which to stop; 0: never
    patch: int | None = None  # the side of the squares that pictures are cut into
    positions: str = "learned"
    measure: Literal["exact match", "F1", "loss"] = "exact match"
    seconds: int = 20  # about what it takes on two cores
    goal: float = 0.99  # what the measure reaches


def learns(recipe: Recipe) -> Callable[[T], T]:
    """Say of a task what learns it."""

    def note(task: T) -> T:
        task.recipe = recipe  # type: ignore[attr-defined]
        return task

    return note


def recipe(task: Callable[..., object]) -> Recipe:
    """What learns a task: an encoder, unless the task says otherwise."""
    return getattr(task, "recipe", Recipe())


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples to train on and examples held out, which share no source, and every token that occurs."""

    train: tuple[Example, ...]
    held_out: tuple[Example, ...]  # each only once
    vocabulary: tuple[str, ...]  # of the tokens that go in, and come out where these are the same
    outputs: tuple[str, ...] = ()  # of the tokens that come out, where pictures go in
    longer: tuple[Example, ...] = ()  # longer than any to train on
    tokenizer: str | None = None  # tokenizer.json, where text is cut by one
    starts: tuple[str, ...] = (START,)  # what a decoder may read first
    sides: str = ""  # of two languages: for each token, 0 or 1 for the one in which it is more frequent
    facts: dict[str, float] = field(default_factory=dict)  # what a result is to be compared with

    @property
    def longest(self) -> int:
        """Positions of the longest source or target."""
        every = self.train + self.held_out + self.longer
        return max(max(len(example.source), len(example.target) + 1) for example in every)


def draw(task: Task, n: int, seed: int) -> Dataset:
    """Draw `n` examples of a task and set the held-out ones apart.

    A task with an option `longest` is also drawn with half as much again, where it can be, for how well what
    was learned carries over to lengths that were never seen. Where attention should look grows with the
    square of the length, and is kept of the held-out examples alone, as only they are measured by it. Raises
    InputError when there are too few different examples.

    >>> dataset = draw(TASKS["reverse"], 100, seed=0)
    >>> {e.source for e in dataset.train} & {e.source for e in dataset.held_out}
    set()
    """
    rng = np.random.default_rng(seed)
    train, held_out = [], {}
    for example in (task(rng) for _ in range(n)):
        if is_held_out(example):
            held_out[identity(example)] = example
        else:
            train.append(replace(example, expected=None))
    if not train or not held_out:
        kinds = {identity(example) for example in (*train, *held_out.values())}
        raise too_few(len(kinds), "example", hint="make the task's sequences longer")
    drawn = [*train, *held_out.values()]
    longer = _longer(task, rng, max(len(example.source) for example in drawn))
    vocabulary, outputs = _vocabulary([*drawn, *longer], recipe(task))
    return Dataset(tuple(train), tuple(held_out.values()), vocabulary, outputs, tuple(longer))


def too_few(n: int, noun: str, *, hint: str) -> InputError:
    """The error of data that leaves nothing to train on, or nothing to hold out.

    >>> print(too_few(1, "example", hint="give a few hundred"))
    1 different example is too few to hold one in twenty out; give a few hundred
    """
    are = " is" if n == 1 else "s are"
    return InputError(f"{n} different {noun}{are} too few to hold one in twenty out", hint=hint)


def _longer(task: Task, rng: np.random.Generator, longest: int, n: int = 200) -> list[Example]:
    """Some examples longer than `longest`, where the task has lengths and can be so long."""
    if "longest" not in options(task):
        return []
    limit: int = bound(task).get("longest", options(task)["longest"].default)
    try:
        drawn = [task(rng, longest=limit + max(1, limit // 2)) for _ in range(4 * n)]
    except InputError:  # the task ends before: there are but 26 letters
        return []
    return [replace(example, expected=None) for example in drawn if len(example.source) > longest][:n]


def _vocabulary(drawn: Sequence[Example], learner: Recipe) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tokens that go in, with those that come out; of pictures only those that come out."""
    edges = {END, *(example.start for example in drawn)} if learner.stack == "both" else set()
    out = edges.union(*(example.written for example in drawn))
    if learner.patch is not None:
        return (), tuple(sorted(out))
    return tuple(sorted(out.union(*(example.source for example in drawn)))), ()


# Any of 0 to 19 would do; this one holds out 3 1 4 1 5, so that the example everybody tries is unseen.
_HELD_OUT = 16


def is_held_out(example: Example) -> bool:
    """Whether an example is kept from training: one source in twenty, by the hash of its tokens alone.

    So the two sets cannot share a source, whatever the seed and however many examples are drawn.
    """
    return hashlib.sha256(identity(example)).digest()[0] % 20 == _HELD_OUT


def identity(example: Example) -> bytes:
    """The source as bytes: what makes two examples the same."""
    if example.image is not None:
        return example.image.tobytes()
    return "\n".join(example.source).encode("utf-8", "surrogatepass")


# ---- what options may be -------------------------------------------------------------------------------


def within(name: str, value: float, least: float, most: float = math.inf) -> None:
    """Raise InputError unless an option is between two numbers, which NaN never is.

    >>> within("vocab", 1, 2, 1_000_000)
    Traceback (most recent call last):
        ...
    attn_cli.errors.InputError: vocab 1; give 2 to 1,000,000
    """
    if not least <= value <= most:
        hint = f"give at least {least}" if most == math.inf else f"give {least} to {most:,}"
        raise InputError(f"{name} {value}", hint=hint)


def draw_length(rng: np.random.Generator, longest: int, *, least: int = 1, most: int = LONGEST) -> int:
    """Any length from the least to `longest`, all equally frequent.

    Raises InputError when `longest` is not between `least` and `most`.
    """
    within("longest", longest, least, most)
    return int(rng.integers(least, longest + 1))
