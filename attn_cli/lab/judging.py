"""The verdict on a student's numbers: right, wrong or unreadable, and which mistakes explain them.

Nothing is guessed: a mistake is named if it explains every number, as exactly as the numbers were given. If several
do, all are named. Where no single mistake does, two at once are tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .answer import given, is_named, stage_named, which_stage
from .comparing import parting, shape_said, trails, worst
from .evidence import evidence
from .exercise import Exercise, Recorded
from .predictions import Predictions
from .telling import told_apart_by
from .verdict import Numbers, Said, StageVerdict, Verdict
from .ways import Way, agrees

if TYPE_CHECKING:
    from .answer import Answer
    from .exercise import AnyExercise
    from .precision import Given

Points = float | Mapping[str, float]


class Judge:
    """Judges many answers to one exercise: what mistakes give is computed once for all of them.

    >>> from attn_cli.lab.exercise import Exercise
    >>> judge = Judge(Exercise(np.array([[1.0, 0.0], [0.0, 2.0]])))
    >>> judge(np.array([[0.73, 0.27], [0.02, 0.98]])).mistakes  # scores 1 and 4, where they are 1/√2 and 4/√2
    'no_scale|scale_n_heads'
    """

    def __init__(self, exercise: AnyExercise) -> None:
        self.exercise = exercise
        self.predictions = Predictions(exercise)

    def __call__(
        self,
        answer: Answer,
        *,
        what: str | None = None,
        tolerance: float | None = None,
        points: Points = 1.0,
        file: str = "",
    ) -> Verdict:
        """Judge one answer: an array, or several by the names of their stages, each from those before it.

        `points` are shared by the stages handed in, or given for each stage by name; what is then not handed
        in has none of its points. Raises InputError for a stage that the exercise does not ask for.
        """
        if what is not None:
            what = stage_named(what, self.exercise.asked)
        try:
            stages = self._read(answer, what, tolerance)
        except InputError as error:
            return unreadable(file, str(error), points=points, what=what)
        worth = _worth(points, list(stages))
        verdicts: list[StageVerdict] = []
        before: list[Given] = []
        for i, (asked, one) in enumerate(stages.items(), start=1):
            after = list(stages.values())[i:]
            verdicts.append(self._stage(one, before, after, verdicts, worth.pop(asked, 0.0)))
            if self._fits_in(one):
                before.append(one)
        missing = [_unreadable(stage, Said("missing"), worth[stage]) for stage in worth]
        return Verdict(file, (*verdicts, *missing))

    def _read(self, answer: Answer, what: str | None, tolerance: float | None) -> dict[str, Given]:
        """The stages of an answer, in the order of the exercise, by the names they were handed in as."""
        asked = self.exercise.asked
        if not isinstance(answer, Mapping):
            stage = stage_named(what, asked) if what else which_stage(answer, self.predictions, tolerance)
            return {stage: given(stage, answer, self.exercise, tolerance)}
        if len(answer) == 1 and not any(is_named(name, asked) for name in answer):
            return self._read(next(iter(answer.values())), what, tolerance)
        found = {stage_named(name, asked): array for name, array in answer.items() if is_named(name, asked)}
        if what is not None:
            found = {stage: array for stage, array in found.items() if stage == stage_named(what, asked)}
        if not found:
            raise InputError(f"arrays {', '.join(answer)}", hint=f"name them {', '.join(asked)}")
        stages = [stage for stage in asked if stage in found]
        return {stage: given(stage, found[stage], self.exercise, tolerance) for stage in stages}

    def _fits_in(self, one: Given) -> bool:
        """Whether later stages can be judged from this one."""
        right = self.predictions.right.at(one.stage)
        return right is not None and right.shape == one.array.shape and isinstance(self.exercise, Exercise)

    # ---- one stage -------------------------------------------------------------------------------------

    def _stage(
        self, one: Given, before: list[Given], after: list[Given], judged: list[StageVerdict], points: float
    ) -> StageVerdict:
        predictions, ways, followed = self._ways(one, before, judged)
        ways = _explaining_what_follows(predictions, ways, after)
        right = predictions.right.at(one.stage)
        assert right is not None
        if right.shape != one.array.shape:
            return self._of_other_shape(one, right, ways, points)
        slack = predictions.slack(one.stage, right, one.precision)
        rounded = one.precision.kind == "whole" and one.array.any()  # all zeros are no work of anyone
        if not ways and rounded and agrees(one.array, right, np.asarray(0.5)):
            return _unreadable(one.stage, Said("too_coarse"), points)
        by_other_way = ways[0].at(one.stage) if ways and ways[0].odd else None
        cell = worst(one.array, right if by_other_way is None else by_other_way)
        error = 0.0 if cell.given == cell.expected else abs(cell.given - cell.expected)
        numbers = Numbers(one.array, right, np.broadcast_to(slack, right.shape))
        exactness = (one.precision.largest, one.precision.kind, followed, _facts(self.exercise), numbers)
        if any(not way.specs for way in ways):
            odd = [Said(f"also_{way.odd}") for way in ways if way.odd]
            said = (_how_sure("right_by", one), *odd, *[Said("followed")] * followed)
            return StageVerdict(
                one.stage, "right", points, points, said, (), (), cell, error, (), None, *exactness
            )
        alternatives = tuple(dict.fromkeys(way.ids for way in ways))
        shown = evidence(one.stage, one.array, right, slack, **_beside(predictions))
        return StageVerdict(
            one.stage, "wrong", 0.0, points,
            _remarks(one, alternatives) if ways else (parting(one.array, right, slack),),
            alternatives, shown, cell, error,
            trails(predictions, ways, one.stage, cell),
            told_apart_by(alternatives, one.stage) if len(alternatives) > 1 else None, *exactness,
        )  # fmt: skip

    def _of_other_shape(self, one: Given, right: np.ndarray, ways: list[Way], points: float) -> StageVerdict:
        """An answer in a wrong shape: a mistake if one gives just this, else unreadable."""
        shapes = {"expected": str(list(right.shape)), "got": str(list(one.array.shape))}
        if not ways:
            return _unreadable(one.stage, Said(shape_said(one, self.exercise), shapes), points)
        alternatives = tuple(dict.fromkeys(way.ids for way in ways))
        return StageVerdict(
            one.stage, "wrong", 0.0, points, (Said("other_shape", shapes), *_remarks(one, alternatives)), alternatives,
            told_apart_by=told_apart_by(alternatives, one.stage) if len(alternatives) > 1 else None,
            tolerance=one.precision.largest, tolerance_from=one.precision.kind, facts=_facts(self.exercise),
        )  # fmt: skip

    def _ways(
        self, one: Given, before: list[Given], judged: list[StageVerdict]
    ) -> tuple[Predictions, list[Way], bool]:
        """The ways that explain an array: right from the beginning, right from the student's own stages, or wrong.

        Where the stages before it are right, mistakes are tried from the beginning first, which tells more of them
        apart; where they are not, from the student's own.
        """
        direct = self.predictions
        if direct.fits(direct.right, one.stage, one.array, one.precision):
            return direct, [direct.right], False
        for way in direct.also_right:
            if direct.fits(way, one.stage, one.array, one.precision):
                return direct, [way], False
        own = Predictions(self.exercise, before) if before else None
        wrong_before = any(verdict.verdict == "wrong" for verdict in judged)
        if own is not None and (
            own.fits(own.right, one.stage, one.array, one.precision)
            or (wrong_before and self._made_before(judged, one))
        ):
            return own, [own.right], True
        order = [direct] if own is None else [own, direct] if wrong_before else [direct, own]
        for predictions in order:
            if ways := predictions.explaining(one.stage, one.array, one.precision):
                return predictions, ways, predictions is own
        for predictions in order:
            if ways := predictions.explaining_in_pairs(one.stage, one.array, one.precision):
                return predictions, ways, predictions is own
        return order[0], [], order[0] is own

    def _made_before(self, judged: list[StageVerdict], one: Given) -> bool:
        """Whether an array is what a mistake gives that an earlier stage was found to have."""
        before = {ids for verdict in judged for ids in verdict.alternatives}
        ways = [way for way in self.predictions.singles if way.ids in before]
        ways += [self.predictions.made(ids) for ids in before if len(ids) > 1]
        return any(self.predictions.fits(way, one.stage, one.array, one.precision) for way in ways)


def _explaining_what_follows(predictions: Predictions, ways: list[Way], after: list[Given]) -> list[Way]:
    """Those of several ways that explain the later stages too; all of them where none does."""
    if len(ways) < 2 or not after:
        return ways
    fitting = [
        way
        for way in ways
        if all(predictions.fits(way, later.stage, later.array, later.precision) for later in after)
    ]
    return fitting or ways


def judge(
    answer: Answer,
    exercise: AnyExercise,
    *,
    what: str | None = None,
    tolerance: float | None = None,
    points: Points = 1.0,
) -> Verdict:
    """Judge one answer to an exercise.

    >>> from attn_cli.lab.exercise import MaskExercise
    >>> judge(np.array([[1, 1], [0, 1]]), MaskExercise(2, 2, ("causal",))).mistakes
    'mask_upper'
    """
    return Judge(exercise)(answer, what=what, tolerance=tolerance, points=points)


def unreadable(file: str, why: str, *, points: Points = 1.0, what: str | None = None) -> Verdict:
    """The verdict on a file that holds no answer.

    >>> unreadable("a.csv", "no numbers").verdict
    'unreadable'
    """
    total = sum(points.values()) if isinstance(points, Mapping) else points
    return Verdict(file, (_unreadable(what or "answer", Said("error", {"error": why}), total),))


def _unreadable(stage: str, said: Said, points: float) -> StageVerdict:
    return StageVerdict(stage, "unreadable", 0.0, points, (said,))


def _worth(points: Points, stages: list[str]) -> dict[str, float]:
    """The points of each stage: as told, else in equal parts."""
    if isinstance(points, Mapping):
        return dict(points)
    return {stage: points / len(stages) for stage in stages}


def _remarks(one: Given, alternatives: tuple[tuple[str, ...], ...]) -> tuple[Said, ...]:
    pairs = len(alternatives[0]) > 1
    return (*[Said("two_at_once")] * pairs, _how_sure("explained_by", one))


def _how_sure(key: str, one: Given) -> Said:
    return Said(key, {"n": one.array.size})


def _beside(predictions: Predictions) -> dict[str, Any]:
    """What the right scores and the mask are, where the exercise has them."""
    if not isinstance(predictions.exercise, Exercise | Recorded):
        return {}
    mask = predictions.right.at("mask")
    return {"scores": predictions.right.at("masked"), "mask": None if mask is None else mask.astype(bool)}


def _facts(exercise: AnyExercise) -> dict[str, Any]:
    """Sizes that texts name."""
    names = ("n_query", "n_key", "n_heads", "d_head", "d_model")
    return {name: getattr(exercise, name, 1) for name in names}
