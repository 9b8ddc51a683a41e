"""The numbers that each mistake, and each pair of mistakes, gives for an exercise; each computed once, when asked for."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .also_right import ALSO_RIGHT, steps_of
from .exercise import Exercise
from .magnitude import size_of
from .mistakes import made, mistake_id, replaced, specs
from .mistakes.fitted import dropped
from .pipeline import RIGHT, Work
from .ways import Way, agrees

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .exercise import AnyExercise, Known
    from .precision import Given, Precision

_DRAWS = 16
_OF_HEADS = ("query", "key", "value", "dots", "scores", "mask", "masked", "weights", "head_output")
_FAR = 30  # times what the right numbers may move


class Predictions:
    """All ways to do one exercise, from `known` stages on if there are any.

    >>> from attn_cli.lab.exercise import proposed
    >>> way = next(way for way in Predictions(proposed()).singles if way.ids == ("no_scale",))
    >>> way.at("weights").shape
    (2, 5, 7)
    """

    def __init__(self, exercise: AnyExercise, given: Iterable[Given] = ()) -> None:
        self.exercise, self.given = exercise, tuple(given)
        self.known: Known = {one.stage: _with_heads(one) for one in self.given}
        self.right = Way((), Work(exercise, RIGHT, self.known))
        self.magnitude = functools.cache(self._magnitude)
        self.pairs = functools.cache(self._pairs)
        self._spread_of_right = functools.cache(self._find_spread_of_right)
        self._changing = functools.cache(self._find_changing)
        self._stacked = functools.cache(self._stack)

    @functools.cached_property
    def singles(self) -> list[Way]:
        """Every mistake by itself, in every variant."""
        return [way for spec in specs() for way in self._ways(spec)]

    @functools.cached_property
    def also_right(self) -> list[Way]:
        """Right ways that look odd at some stage."""
        if not isinstance(self.exercise, Exercise):
            return []
        return [Way((), Work(self.exercise, steps_of(name), self.known), name) for name in ALSO_RIGHT]

    def _pairs(self, stage: str) -> list[Way]:
        """Every two mistakes that can be made at once and of which each changes this stage."""
        names = list(dict.fromkeys(way.specs[0] for way in self._changing(stage)))
        return [
            way
            for a, b in itertools.combinations(names, 2)
            if mistake_id(a) != mistake_id(b) and not replaced(a) & replaced(b)
            for way in self._ways(a, b)
        ]

    def _find_changing(self, stage: str) -> list[Way]:
        return [way for way in self.singles if self.changes(way, stage)]

    def fits(self, way: Way, stage: str, answer: np.ndarray, precision: Precision) -> bool:
        """Whether an answer is what this way gives, as exactly as it was given."""
        predicted = way.at(stage)
        if predicted is None or predicted.shape != answer.shape:
            return False
        slack = self.slack(stage, predicted, precision)
        if agrees(answer, predicted, slack):
            return True
        if not self.given or not self._is_near(answer, predicted, stage, slack):
            return False
        return agrees(answer, predicted, slack + self._spread(way, stage, predicted))

    def _is_near(self, answer: np.ndarray, predicted: np.ndarray, stage: str, slack: np.ndarray) -> bool:
        """Whether a prediction is near enough to compute how far it may move; one that is many times off is not."""
        with np.errstate(invalid="ignore"):
            error = np.nanmax(np.abs(answer - predicted), initial=0.0)
        return bool(error <= np.max(slack) + _FAR * self._spread_of_right(stage))

    def _find_spread_of_right(self, stage: str) -> float:
        right = self.right.at(stage)
        return 0.0 if right is None else float(self._spread(self.right, stage, right).max(initial=0.0))

    def _fitting(self, which: str, stage: str, answer: np.ndarray, precision: Precision) -> list[Way]:
        """Those of the singles or pairs that an answer fits: all compared at once, as there are a thousand."""
        if self.given:
            ways = self._changing(stage) if which == "singles" else self.pairs(stage)
            return [way for way in ways if self.fits(way, stage, answer, precision)]
        alike, predicted, size = self._stacked(which, stage, answer.shape)
        with np.errstate(invalid="ignore"):
            near = np.abs(answer - predicted) <= precision.slack(size)
        same = (answer == predicted) | (np.isnan(answer) & np.isnan(predicted))
        fits = np.where(np.isfinite(predicted), near, same).all(axis=tuple(range(1, predicted.ndim)))
        return [way for way, one in zip(alike, fits, strict=True) if one]

    def _stack(
        self, which: str, stage: str, shape: tuple[int, ...]
    ) -> tuple[list[Way], np.ndarray, np.ndarray]:
        """The ways that give this shape, what they give, and how large the sums behind it are."""
        ways = self.singles if which == "singles" else self.pairs(stage)
        alike = [(way, x) for way in ways if (x := way.at(stage)) is not None and x.shape == shape]
        if not alike:
            return [], np.zeros((0, *shape)), np.zeros((0, *shape))
        predicted = np.stack([x for _, x in alike])
        return [way for way, _ in alike], predicted, np.stack([self._size(stage, x) for _, x in alike])

    def explaining(self, stage: str, answer: np.ndarray, precision: Precision) -> list[Way]:
        """The single mistakes of which each explains every number."""
        found = self._fitting("singles", stage, answer, precision)
        right = self.right.at(stage)
        if stage == "weights" and right is not None:
            fit = dropped(answer, right, self.slack(stage, right, precision))
            if fit is not None:
                way = Way((fit[0],), Work(self.exercise, RIGHT, {**self.known, stage: fit[1]}))
                found += [way] * self.fits(way, stage, answer, precision)
        return found

    def explaining_in_pairs(self, stage: str, answer: np.ndarray, precision: Precision) -> list[Way]:
        """The pairs of mistakes which explain every number together."""
        return self._fitting("pairs", stage, answer, precision)

    def slack(self, stage: str, predicted: np.ndarray, precision: Precision) -> np.ndarray:
        """How far an answer may be from a prediction, cell by cell."""
        return precision.slack(self._size(stage, predicted))

    def _size(self, stage: str, predicted: np.ndarray) -> np.ndarray:
        """How large the numbers are that were summed for a prediction."""
        right = self.right.at(stage)
        magnitude = np.asarray(self.magnitude(stage))
        if right is None or right.shape != predicted.shape:
            magnitude = magnitude.max()
        return np.fmax(magnitude, 4 * np.abs(predicted))

    def _spread(self, way: Way, stage: str, predicted: np.ndarray) -> np.ndarray:
        """How much a stage changes as the stages that it was made of move within their own precision."""
        try:
            moved = np.asarray(Work(self.exercise, way.work.steps, self._moved)[stage], np.float64)
            with np.errstate(invalid="ignore"):
                spread = np.abs(moved.reshape(_DRAWS, *predicted.shape) - predicted).max(axis=0)
        except (InputError, ValueError):
            return np.zeros_like(predicted)
        return 1.5 * np.where(np.isfinite(spread), spread, 0.0)

    @functools.cached_property
    def _moved(self) -> Known:
        """Every known stage, many times over: each number up or down by as much as its digits leave open."""
        draw = np.random.Generator(np.random.PCG64(0))
        moved = {}
        for one in self.given:
            slack = np.nan_to_num(self.slack(one.stage, one.array, one.precision), posinf=0.0)
            array = _with_heads(one)  # where the draws would stand for heads
            moved[one.stage] = array + draw.choice([-1.0, 1.0], size=(_DRAWS, *array.shape)) * slack
        return moved

    def changes(self, way: Way, stage: str) -> bool:
        """Whether this way gives other numbers than the right one at a stage."""
        ours, theirs = self.right.at(stage), way.at(stage)
        return theirs is not None and (ours is None or not agrees(theirs, ours, np.asarray(1e-12)))

    def made(self, specs: tuple[str, ...]) -> Way:
        """The way with just these mistakes."""
        return Way(specs, Work(self.exercise, made(*specs), self.known))

    def _ways(self, *names: str) -> Iterator[Way]:
        steps = made(*names)
        yield (way := Way(names, Work(self.exercise, steps, self.known)))
        # Whoever hides the wrong keys may blind a row that the exercise does not, and what they do with
        # such a row, zeros or NaN or nothing, is no mistake of its own.
        of_masks = ("visible", "allowed", "query_positions")
        if all(getattr(steps, step) is getattr(RIGHT, step) for step in of_masks):
            return
        if _blinds(way.work) and not _blinds(self.right.work):
            for also in _ON_BLIND_ROWS:
                if not replaced(also) & frozenset().union(*map(replaced, names)):
                    yield Way(names, Work(self.exercise, made(also, steps=steps), self.known))

    def _magnitude(self, stage: str) -> float | np.ndarray:
        """How large the sums behind each number of a stage are, in absolute values: what bounds its rounding error."""
        return size_of(self.exercise, self.right, stage)


def _with_heads(one: Given) -> np.ndarray:
    """What was handed in, with an axis of heads where one head is handed in without it."""
    return one.array[None] if one.stage in _OF_HEADS and one.array.ndim == 2 else one.array


_ON_BLIND_ROWS = ("nan_blind_row", "fill_uniform_blind_row:how=filled", "fill_uniform_blind_row:how=added")


def _blinds(work: Work) -> bool:
    try:
        return not work["mask"].any(axis=-1).all()
    except InputError:
        return False
