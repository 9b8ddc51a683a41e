"""One way to do an exercise, right or wrong, and when an answer is the same as its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .mistakes import mistake_id

if TYPE_CHECKING:
    from .pipeline import Work

_HIDDEN = -1e4  # what is below is meant as −∞, in stages that a mask has gone through
_MASKED = ("scores", "mask", "masked", "weights")


@dataclass(frozen=True, eq=False)
class Way:
    """One way to do an exercise: the mistakes that are made, none or one or two, and their numbers."""

    specs: tuple[str, ...]
    work: Work
    odd: str = ""  # which other way it is, if it is right by another

    @property
    def ids(self) -> tuple[str, ...]:
        """The mistakes by their ids alone."""
        return tuple(map(mistake_id, self.specs))

    def at(self, stage: str) -> np.ndarray | None:
        """The numbers of a stage, None where this way does not lead."""
        try:
            return canonical(self.work[stage], stage)
        except InputError:
            return None


def canonical(array: np.ndarray, stage: str) -> np.ndarray:
    """Without leading axes of one, in float64; where scores are masked, −∞ for something like −1e9.

    >>> canonical(np.array([[[1.0, -1e9]]]), "masked").tolist()
    [[1.0, -inf]]
    """
    array = np.asarray(array, np.float64)
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    return np.where(array <= _HIDDEN, -np.inf, array) if stage in _MASKED else array


def agrees(answer: np.ndarray, predicted: np.ndarray | None, slack: np.ndarray) -> bool:
    """Whether an answer is this prediction within the slack of every cell; NaN is NaN, −∞ is −∞."""
    if predicted is None or predicted.shape != answer.shape:
        return False
    finite = np.isfinite(predicted)
    if not np.array_equal(answer[~finite], predicted[~finite], equal_nan=True):
        return False
    with np.errstate(invalid="ignore"):
        return bool((np.abs(answer - predicted) <= slack)[finite].all())
