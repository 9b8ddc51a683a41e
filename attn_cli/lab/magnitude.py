"""How large the sums behind each number of a stage are, in absolute values: what bounds its rounding error."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from ..variants.projections import Projection
from .exercise import Exercise, Recorded, TableExercise
from .pipeline import Work
from .ways import Way, canonical

if TYPE_CHECKING:
    from .exercise import AnyExercise


_OF_RECORDS = 20  # times a number, for sums whose terms are not known


def size_of(exercise: AnyExercise, right: Way, stage: str) -> float | np.ndarray:
    """The sums behind a stage in absolute values; weights feel twice what their row's largest score loses.

    >>> from attn_cli.lab.pipeline import RIGHT
    >>> x = Exercise(np.array([[1.0, -1.0]]), scale=1.0)
    >>> size_of(x, Way((), Work(x, RIGHT)), "scores").tolist()
    [[2.0]]
    """
    if isinstance(exercise, TableExercise):
        # An angle of a thousand is off by a thousand times the precision, and so is its sine.
        return 2.0 + 4.0 * np.arange(exercise.seq_len, dtype=float)[:, None]
    if isinstance(exercise, Recorded):
        return _OF_RECORDS * np.abs(np.nan_to_num(right.work[stage], neginf=0.0))
    if not isinstance(exercise, Exercise):
        return 0.0
    absolute = _absolute(exercise)
    if stage in ("weights", "head_output", "output"):
        spread = Work(absolute)["scores"].max(axis=-1, keepdims=True)
        weights = np.nan_to_num(np.abs(right.work["mixture"]), posinf=0.0) * (2 + 2 * spread)
        return canonical(Work(absolute, known={"weights": weights})[stage], stage)
    return canonical(Work(absolute)["scores" if stage == "masked" else stage], stage)


def _absolute(x: Exercise) -> Exercise:
    """The same sums, of absolute values: what rounding errors are relative to."""
    ours = x.projection
    matrices = {f.name: None if (W := getattr(ours, f.name)) is None else np.abs(W) for f in fields(ours)}
    query, key, value = (np.abs(vectors) + (x.positions is not None) for vectors in x.inputs)
    return replace(
        x, query=query, key=key, value=value, projection=Projection(**matrices), masks=(), rope=None, alibi=False,
        positions=None, known={stage: np.abs(array) for stage, array in x.known.items()},
    )  # fmt: skip
