"""What a student hands in: which stage each array is, and in what shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..registry import nearest
from .exercise import Exercise
from .precision import Given, Precision, precision_of
from .ways import canonical

if TYPE_CHECKING:
    from .exercise import AnyExercise
    from .predictions import Predictions

Answer = np.ndarray | Mapping[str, np.ndarray]

# What stages are called, in lower case, beside their own names.
_CALLED = {
    "query": ("q", "queries"),
    "key": ("k", "keys"),
    "value": ("v", "values"),
    "dots": ("qk", "qkt", "products", "dot_products"),
    "scores": ("s", "score", "scaled", "scaled_scores", "logits", "attn_scores", "attention_scores"),
    "mask": ("m", "attn_mask", "attention_mask"),
    "masked": ("masked_scores",),
    "weights": ("a", "w", "p", "attn", "attention", "attn_weights", "attention_weights", "probs", "pattern"),
    "head_output": ("z", "head_outputs"),
    "output": ("o", "out", "outputs", "y", "context", "result"),
    "table": ("pe", "posenc", "positions", "values", "encoding"),
}

STAGES = tuple(_CALLED)
_SIDE_BY_SIDE = ("query", "key", "value", "head_output")  # heads are columns one after the other, or rows


def stage_named(name: str, asked: tuple[str, ...]) -> str:
    """The stage that an array's name stands for. Raises InputError for none.

    >>> stage_named("attn_weights", ("scores", "weights"))
    'weights'
    """
    for stage in asked:
        if name.lower() == stage or name.lower() in _CALLED.get(stage, ()):
            return stage
    raise InputError(f"no stage {name!r}", hint=f"known are {', '.join(asked)}{nearest(name, list(asked))}")


def is_named(name: str, asked: tuple[str, ...]) -> bool:
    """Whether a name stands for a stage.

    >>> is_named("Q", ("query",)), is_named("x", ("query",))
    (True, False)
    """
    return any(name.lower() == stage or name.lower() in _CALLED.get(stage, ()) for stage in asked)


def given(stage: str, array: np.ndarray, exercise: AnyExercise, tolerance: float | None) -> Given:
    """An array as a stage. Raises InputError when it holds no numbers."""
    numbers = _numbers(array)
    if stage == "mask":
        return Given(stage, _as_mask(numbers), Precision("whole", 0, 0.0))
    if stage == "scores" and (canonical(numbers, stage) == -np.inf).any():
        stage = "masked"
    shaped = _shaped(stage, canonical(numbers, stage), exercise)
    half = getattr(array, "dtype", None) == np.float16
    return Given(stage, shaped, precision_of(shaped.astype(np.float16) if half else shaped, tolerance))


def _numbers(array: np.ndarray) -> np.ndarray:
    try:
        numbers = np.asarray(array, np.float64)
    except (TypeError, ValueError):
        raise InputError("these are not numbers", hint="give a table of numbers") from None
    if numbers.size == 0:
        raise InputError(
            f"an array {list(numbers.shape)} holds nothing", hint="give one number for each cell"
        )
    return numbers


def _as_mask(numbers: np.ndarray) -> np.ndarray:
    """1 may attend and 0 may not; an additive mask of 0 and −∞ is read as what it is."""
    mask = canonical(numbers, "mask")
    if np.isneginf(mask).any() and set(np.unique(mask)) <= {-np.inf, 0.0}:
        return np.where(np.isneginf(mask), 0.0, 1.0)
    return mask


def _shaped(stage: str, array: np.ndarray, exercise: AnyExercise) -> np.ndarray:
    """Heads one below the other, or side by side as before they are cut, become [head, row, column]."""
    if not isinstance(exercise, Exercise) or exercise.n_heads == 1 or array.ndim != 2:
        return array
    n = exercise.n_heads
    if stage in ("dots", "scores", "masked", "weights"):
        if array.shape == (n * exercise.n_query, exercise.n_key):
            return array.reshape(n, exercise.n_query, exercise.n_key)
    elif stage in _SIDE_BY_SIDE and array.shape[1] == exercise.d_head and len(array) % n == 0:
        return array.reshape(n, -1, exercise.d_head)
    elif stage in _SIDE_BY_SIDE and array.shape[1] % n == 0:
        heads = (
            array.reshape(len(array), -1, exercise.d_head) if array.shape[1] % exercise.d_head == 0 else None
        )
        if heads is not None and heads.shape[1] == n:
            return heads.swapaxes(0, 1)
    return array


_GUESSED = ("weights", "output", "scores", "query", "key", "value", "table", "mask")


def which_stage(array: np.ndarray, predictions: Predictions, tolerance: float | None) -> str:
    """The stage that an unnamed array is: what is right as one, else what a mistake explains, else what is nearest."""
    exercise = predictions.exercise
    asked = [stage for stage in _GUESSED if stage in exercise.asked]
    tried = [given(stage, array, exercise, tolerance) for stage in asked if _may_be(stage, array)]
    for one in tried:
        if predictions.fits(predictions.right, one.stage, one.array, one.precision):
            return one.stage
    for one in tried:
        if predictions.explaining(one.stage, one.array, one.precision):
            return one.stage
    shaped = [one for one in tried if _same_shape(one, predictions)]
    return min(shaped or tried, key=lambda one: _distance(one, predictions)).stage


def _may_be(stage: str, array: np.ndarray) -> bool:
    numbers = _as_mask(_numbers(array)) if stage == "mask" else None
    return numbers is None or set(np.unique(numbers)) <= {0.0, 1.0}


def _same_shape(one: Given, predictions: Predictions) -> bool:
    right = predictions.right.at(one.stage)
    return right is not None and right.shape == one.array.shape


def _distance(one: Given, predictions: Predictions) -> float:
    """How far numbers are from a stage's, relative to their size; far off where shapes differ."""
    right = predictions.right.at(one.stage)
    if right is None or right.shape != one.array.shape:
        return np.inf
    finite = np.isfinite(right) & np.isfinite(one.array)
    size = np.linalg.norm(right[finite]) + np.linalg.norm(one.array[finite]) + 1e-12
    return float(np.linalg.norm((right - one.array)[finite]) / size)
