"""What is right though it looks odd: other ways to the same weights, each a function in place of one step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry import Registry
from . import right
from .mistakes.catalogue import in_place_of
from .pipeline import RIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    from .pipeline import Steps, Work
    from .right import Pairs

ALSO_RIGHT: Registry[Callable[..., Any]] = Registry("other way")


def _as_they_are(dots: Pairs, work: Work) -> Pairs:
    return dots


def _scaled(vectors: np.ndarray, part: str, work: Work, parts: str, power: float) -> np.ndarray:
    made = right.linear(vectors, part, work)
    return made * work.exercise.d_head**power if part in parts else made


@ALSO_RIGHT.register
@in_place_of("linear", scale=_as_they_are)
def query_scaled_first(vectors: np.ndarray, part: str, work: Work) -> np.ndarray:
    """The query is divided by √d_head before the product, the scores are not.

    >>> from attn_cli.lab.exercise import Exercise
    >>> from attn_cli.lab.pipeline import Work
    >>> query_scaled_first(np.full((1, 4), 6.0), "q", Work(Exercise(np.zeros((1, 4))))).tolist()
    [[3.0, 3.0, 3.0, 3.0]]
    """
    return _scaled(vectors, part, work, "q", -0.5)


@ALSO_RIGHT.register
@in_place_of("linear", scale=_as_they_are)
def both_scaled_first(vectors: np.ndarray, part: str, work: Work) -> np.ndarray:
    """Query and key are each divided by d_head^¼ before the product, the scores are not.

    >>> from attn_cli.lab.exercise import Exercise
    >>> from attn_cli.lab.pipeline import Work
    >>> both_scaled_first(np.full((1, 16), 6.0), "k", Work(Exercise(np.zeros((1, 16)))))[0, 0].tolist()
    3.0
    """
    return _scaled(vectors, part, work, "qk", -0.25)


@ALSO_RIGHT.register
@in_place_of("finish", mask=_as_they_are)
def masked_and_renormalised(weights: Pairs, work: Work) -> Pairs:
    """Hidden weights are set to 0 after the softmax, and each row is divided by its sum again.

    >>> masked_and_renormalised(np.array([[0.25, 0.75]]), {"mask": np.array([[True, False]])}).tolist()
    [[1.0, 0.0]]
    """
    kept = np.where(work["mask"], weights, 0.0)
    total = kept.sum(axis=-1, keepdims=True)
    return np.divide(kept, total, out=np.zeros_like(kept), where=total > 0)


@ALSO_RIGHT.register
@in_place_of("bias")
def largest_subtracted(scores: Pairs, work: Work) -> Pairs:
    """The largest score of each row is subtracted from it, as a stable softmax does.

    >>> from attn_cli.lab.exercise import Exercise
    >>> from attn_cli.lab.pipeline import Work
    >>> largest_subtracted(np.array([[[1.0, 3.0]]]), Work(Exercise(np.zeros((1, 1)), np.zeros((2, 1))))).tolist()
    [[[-2.0, 0.0]]]
    """
    scores = right.bias(scores, work)
    seen = np.where(work["mask"], scores, -np.inf) if work.exercise.masks else scores
    largest = seen.max(axis=-1, keepdims=True)
    return scores - np.where(np.isfinite(largest), largest, 0.0)


def steps_of(name: str) -> Steps:
    """The steps of one of these ways.

    >>> steps_of("largest_subtracted").bias.__name__
    'largest_subtracted'
    """
    way: Any = ALSO_RIGHT[name]
    return replace(RIGHT, **{way.step: way}, **way.also)
