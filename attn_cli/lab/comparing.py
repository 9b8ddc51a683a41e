"""An answer beside the truth: the worst cell, worked out both ways, and where other numbers begin to differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .exercise import Exercise
from .verdict import Cell, Said, Trail

if TYPE_CHECKING:
    from .exercise import AnyExercise
    from .precision import Given
    from .predictions import Predictions
    from .ways import Way

_ON_THE_WAY = {
    "weights": ("dots", "scores", "masked", "weights"),
    "masked": ("dots", "scores", "masked"),
    "scores": ("dots", "scores"),
}


def worst(answer: np.ndarray, right: np.ndarray) -> Cell:
    """The cell that differs most; NaN and infinity differ more than any number.

    >>> worst(np.array([0.0, 1.0]), np.array([0.5, 0.8]))
    Cell(index=(0,), given=0.0, expected=0.5)
    """
    error = np.where(_same(answer, right), 0.0, np.nan_to_num(_difference(answer, right), nan=np.inf))
    index = tuple(int(i) for i in np.unravel_index(np.argmax(error), error.shape))
    return Cell(index, float(answer[index]), float(right[index]))


def parting(answer: np.ndarray, right: np.ndarray, slack: np.ndarray) -> Said:
    """Where numbers that no mistake explains part from the right ones.

    >>> parting(np.array([[0.0, 1.0]]), np.array([[0.0, 0.5]]), np.array(0.1)).key
    'one_cell'
    """
    with np.errstate(invalid="ignore"):
        off = ~(_difference(answer, right) <= slack) & ~_same(answer, right)
    if off.sum() == 1:
        return Said("one_cell")
    rows = sorted({int(at[-2]) for at in np.argwhere(off)})
    shown = ", ".join(map(str, rows[:8])) + " …" * (len(rows) > 8)
    return Said("unexplained", {"n": int(off.sum()), "of": off.size, "rows": shown})


def trails(predictions: Predictions, ways: list[Way], stage: str, cell: Cell) -> tuple[Trail, ...]:
    """A cell worked out rightly, and by the first way that explains it."""
    stages = _ON_THE_WAY.get(stage, (stage,))
    if not getattr(predictions.exercise, "masks", ()):
        stages = tuple(what for what in stages if what != "masked")
    found = []
    for way in (predictions.right, *ways[:1]):
        steps = ((what, _at(way, what, cell)) for what in stages)
        found.append(Trail(way.ids, tuple((what, x) for what, x in steps if x is not None)))
    return tuple(found)


def shape_said(one: Given, exercise: AnyExercise) -> str:
    """What is said of a wrong shape: of a column per feature instead of per key, that no query has met a key."""
    if isinstance(exercise, Exercise) and one.stage in ("scores", "masked", "weights"):
        widths = {n * width for n in (1, 2) for width in (exercise.d_model, exercise.d_head)}
        rows, columns = one.array.shape[-2:] if one.array.ndim > 1 else (0, 0)
        if columns in widths - {exercise.n_key} and rows == exercise.n_query:
            return "no_attention"
    return "other_shape"


def _at(way: Way, stage: str, cell: Cell) -> float | None:
    array, index = way.at(stage), cell.index
    if array is None or array.ndim != len(index):
        return None
    inside = all(i < n for i, n in zip(index, array.shape, strict=True))
    return float(array[index]) if inside else None


def _difference(answer: np.ndarray, right: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.abs(answer - right)


def _same(answer: np.ndarray, right: np.ndarray) -> np.ndarray:
    return (answer == right) | (np.isnan(answer) & np.isnan(right))
