"""Attention cut into steps that a mistake can replace, one at a time.

`Steps` names the steps, right ones unless told; `Work` is one exercise done with them, stage by stage. What is not
replaced is right, so two mistakes in different steps can be made at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from . import right

if TYPE_CHECKING:
    from jaxtyping import Bool

    from .exercise import AnyExercise, Known
    from .right import Heads, Pairs

Step = Callable[..., Any]


class ImpossibleError(InputError):
    """What a step cannot do with the shapes of this exercise: the mistake would not run there."""


@dataclass(frozen=True)
class Steps:
    """The formula of every step: the right ones unless told."""

    inputs: Step = right.inputs
    linear: Step = right.linear
    split: Step = right.split
    share: Step = right.share
    value: Step = right.value
    query_positions: Step = right.query_positions
    first_position: Step = right.first_position
    base: Step = right.base
    exponents: Step = right.exponents
    arrange: Step = right.arrange
    table: Step = right.table
    direction: Step = right.direction
    turn: Step = right.turn
    slopes: Step = right.slopes
    penalty: Step = right.penalty
    dots: Step = right.dots
    scale: Step = right.scale
    bias: Step = right.bias
    allowed: Step = right.allowed
    visible: Step = right.visible
    mask: Step = right.mask
    normalise: Step = right.normalise
    blind: Step = right.blind
    finish: Step = right.finish
    show: Step = right.show
    weigh: Step = right.weigh
    merge: Step = right.merge
    out: Step = right.out


RIGHT = Steps()


class Work:
    """One exercise, done with these steps: `work["weights"]` is made when it is first asked for.

    `known` holds stages that are taken as they are, such as a student's own scores. Raises ImpossibleError for a
    stage that these steps cannot reach.

    >>> from attn_cli.lab.exercise import Exercise
    >>> Work(Exercise(np.eye(2)))["weights"].round(3).tolist()  # scores [1, 0] / √2
    [[[0.67, 0.33], [0.33, 0.67]]]
    """

    def __init__(self, exercise: AnyExercise, steps: Steps = RIGHT, known: Known | None = None) -> None:
        # What an exercise lacks (a mask has no vectors) is not asked for: only its own stages are.
        self.exercise: Any = exercise
        self.steps = steps
        self.given = frozenset({*exercise.known, *(known or {})})
        self._made: dict[str, Any] = {**exercise.known, **(known or {})}
        self._impossible: dict[str, ImpossibleError] = {}
        if "weights" in self._made:
            self._made["mixture"] = self._made["weights"]

    def __getitem__(self, stage: str) -> np.ndarray:
        if stage in self._impossible:
            raise self._impossible[stage]
        if stage not in self._made:
            try:
                with np.errstate(all="ignore"):  # mistakes may well end in NaN
                    made = STAGES[stage](self)
            except (
                ValueError,
                IndexError,
                ZeroDivisionError,
                AttributeError,
            ) as error:  # or our own InputError
                self._impossible[stage] = ImpossibleError(f"{stage} cannot be computed so: {error}")
                raise self._impossible[stage] from error
            self._made[stage] = made
        return self._made[stage]

    @property
    def n_heads(self) -> int:
        """How many heads there are."""
        return int(self.exercise.n_heads)

    @property
    def n_kv_heads(self) -> int:
        """How many heads keys and values have."""
        return int(self.exercise.n_kv_heads or self.n_heads)

    @property
    def d_head(self) -> int:
        """The width of one head's queries."""
        return self["query"].shape[-1]


def _inputs(work: Work, index: int) -> np.ndarray:
    return work.steps.inputs(work)[index]


def _turned(heads: Heads, work: Work, positions: np.ndarray) -> Heads:
    rope = work.exercise.rope
    if rope is None:
        return heads
    frequencies = work.steps.base(rope.base) ** -work.steps.exponents(heads.shape[-1])[0]
    angles = (positions + work.steps.first_position())[:, None] * frequencies
    return work.steps.turn(heads, work.steps.direction(angles), rope)


def _query(work: Work) -> Heads:
    vectors = _inputs(work, 0)
    heads = work.steps.split(work.steps.linear(vectors, "q", work), work.n_heads)
    return _turned(heads, work, work.steps.query_positions(vectors.shape[-2], _inputs(work, 1).shape[-2]))


def _key(work: Work) -> Heads:
    vectors = _inputs(work, 1)
    heads = work.steps.split(work.steps.linear(vectors, "k", work), work.n_kv_heads)
    return work.steps.share(_turned(heads, work, np.arange(vectors.shape[-2])), work.n_heads)


def _mask(work: Work) -> Bool[np.ndarray, "*batch query key"]:
    if work.exercise.masks:
        return work.steps.visible(work)
    return np.ones(work["scores"].shape[-2:], bool)


def _masked(work: Work) -> Pairs:
    if not work.exercise.masks and "mask" not in work.given:
        return work["scores"]  # where there is no mask, none can be applied wrongly
    masked = work.steps.mask(work["scores"], work)
    if masked.shape != work["scores"].shape:
        raise ImpossibleError("the mask does not fit the scores")
    return masked


def _mixture(work: Work) -> Pairs:
    weights = work.steps.normalise(work["masked"], work)
    return work.steps.finish(work.steps.blind(weights, work), work)


def _table(work: Work) -> np.ndarray:
    x = work.exercise
    return work.steps.table(work, x, x.seq_len, x.dim)


STAGES: dict[str, Callable[[Work], np.ndarray]] = {
    "query": _query,
    "key": _key,
    "value": lambda work: work.steps.value(_inputs(work, 2), work),
    "dots": lambda work: work.steps.dots(work["query"], work["key"]),
    "scores": lambda work: work.steps.bias(work.steps.scale(work["dots"], work), work),
    "mask": _mask,
    "masked": _masked,
    "mixture": _mixture,
    "weights": lambda work: work.steps.show(work["mixture"]),
    "head_output": lambda work: work.steps.weigh(work["mixture"], work["value"], work),
    "output": lambda work: work.steps.out(work.steps.merge(work["head_output"]), work),
    "table": _table,
}
