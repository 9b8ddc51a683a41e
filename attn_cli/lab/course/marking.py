"""The answers of one student to a lab → a verdict with a stage for every exercise."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...registry import nearest, options
from ..judging import Judge
from ..verdict import Said, StageVerdict, Verdict
from .attention import exercise, right_numbers
from .blocks import joined
from .data import drawn, filled_in
from .quantities import QUANTITIES, Place
from .single import InEach, judged
from .texts import with_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..answer import Answer
    from ..exercise import AnyExercise
    from .layout import Lab, Task
    from .texts import Texts

_SIDE_BY_SIDE = ("query", "key", "value", "head_output")  # as tokens are written: a row for each
Given = Mapping[str, Any]  # by exercise: arrays, what was typed, or an InputError; nothing where it is open


@dataclass(frozen=True, eq=False)
class Course:
    """A lab with the numbers of one student: knows what is right, and judges answers."""

    lab: Lab
    student: str
    texts: Mapping[str, Texts]  # by language
    read: Callable[[str], Any] | None = None
    folder: str = ""
    trusted: bool = True  # whether the folder is one's own

    @functools.cached_property
    def data(self) -> Mapping[str, Any]:
        """The student's own numbers."""
        return drawn(self.lab, self.student, self.read)

    def right(self, task: Task) -> Any:
        """What is right: an array, a number, a word, or several words of which each is right."""
        if task.what:
            right = right_numbers(self._judge(task).exercise, task.what)
            beside = task.what in _SIDE_BY_SIDE and right.ndim == 3
            return right.swapaxes(0, 1).reshape(right.shape[1], -1) if beside else right
        return self._quantity(task, task.options)

    def known(self, task: Task) -> Any:
        """What is right; None where that depends on what a student makes first, such as a training."""
        try:
            return self.right(task)
        except InputError:
            return None

    def known_wrong(self, task: Task, name: str) -> Any:
        """A known wrong answer to an exercise; None where that depends on what a student makes first."""
        try:
            return self._quantity(task, {**task.options, **task.wrong[name]})
        except InputError:
            return None

    def check(self) -> None:
        """Raise InputError for what cannot be judged, before a student begins."""
        for task in self.lab.tasks:
            if task.quantity:
                for told in (task.options, *task.wrong.values()):
                    _check_options(task, told)
        _ = self._judges

    def mark(self, given: Given, file: str = "") -> Verdict:
        """The verdict on all answers, in the order of the exercises.

        An exercise that follows others is judged from what was handed in for these.
        """
        return Verdict(file, tuple(self.judged(task, given) for task in self.lab.tasks))

    def judged(self, task: Task, given: Given) -> StageVerdict:
        """The verdict on one answer."""
        answer = given.get(task.id)
        if answer is None:
            verdict = _unreadable(task, Said("missing"))
        elif isinstance(answer, InputError):
            verdict = _unreadable(task, Said("error", {"error": str(answer)}))
        elif task.what:
            verdict = self._of_array(task, answer, given)
        else:
            verdict = self._of_quantity(task, answer)
        verdict = replace(verdict, task=task.id, title=self.title(task))
        return replace(verdict, said=(*verdict.said, *self._said_if_right(task, verdict)))

    def _of_quantity(self, task: Task, answer: str) -> StageVerdict:
        try:
            wrong = {
                name: self._quantity(task, {**task.options, **also}) for name, also in task.wrong.items()
            }
            return judged(answer, self.right(task), wrong, self._said_if_wrong(task), task.points)
        except InputError as problem:  # there is no training yet, or it is none
            return _unreadable(task, Said("error", {"error": str(problem)}))

    def title(self, task: Task) -> Said:
        """What an exercise is called."""
        titles = {name: texts.tasks[task.id].title for name, texts in self.texts.items()}
        return Said("says", {"text": InEach(titles or {"en": task.id})})

    def _said_if_wrong(self, task: Task) -> dict[str, InEach]:
        told = {lang: texts.tasks[task.id].if_wrong for lang, texts in self.texts.items()}
        return {
            name: self._in_each({lang: said.get(name, "") for lang, said in told.items()})
            for name in task.wrong
        }

    def _said_if_right(self, task: Task, verdict: StageVerdict) -> tuple[Said, ...]:
        said = {lang: texts.tasks[task.id].right for lang, texts in self.texts.items()}
        if verdict.verdict != "right" or not any(said.values()):
            return ()
        return (Said("says", {"text": self._in_each(said)}),)

    def _in_each(self, said: Mapping[str, str]) -> InEach:
        """A text of every language as one line, with the student's own numbers."""
        lines = {lang: joined(text.split("\n")) for lang, text in said.items()}
        return InEach({lang: with_data(text, self.data) for lang, text in lines.items()})

    # ---- arrays ----------------------------------------------------------------------------------------

    def _of_array(self, task: Task, answer: Answer, given: Given) -> StageVerdict:
        before = {}
        for name in task.follows:
            earlier = self.lab.task(name)
            if isinstance(given.get(name), np.ndarray) and self._judge(earlier).exercise.asked:
                before[earlier.what] = given[name]
        array = _only(answer, task.what)
        worth = {task.what: task.points}
        verdict = self._judge(task)({**before, task.what: array}, points=worth)
        found = [stage for stage in verdict.stages if stage.points or stage.stage == task.what]
        return found[-1]

    def _judge(self, task: Task) -> Judge:
        return self._judges[task.id]

    @functools.cached_property
    def _judges(self) -> Mapping[str, Judge]:
        """One for each exercise; exercises on the same attention share it."""
        made: dict[str, Judge] = {}
        alike: dict[str, Judge] = {}
        for task in self.lab.tasks:
            if task.what:
                told = filled_in(task.options, self.data)
                key = repr((sorted(task.options.items(), key=str), task.what if "shape" in told else ""))
                if key not in alike:
                    alike[key] = Judge(_exercise(task, told))
                made[task.id] = alike[key]
        return made

    # ---- numbers and words -----------------------------------------------------------------------------

    def _quantity(self, task: Task, told: Mapping[str, Any]) -> Any:
        place = Place(self.lab, self.data, self.folder, self.trusted)
        return QUANTITIES[task.quantity](place, **filled_in(dict(told), self.data))


def _check_options(task: Task, told: Mapping[str, Any]) -> None:
    known = list(options(QUANTITIES[task.quantity]))
    for key in told:
        if key not in known:
            raise InputError(
                f"exercise {task.id!r}: quantity {task.quantity!r} has no option {key!r}",
                hint=f"its options are {', '.join(known)}{nearest(key, known)}",
            )


def _exercise(task: Task, told: Mapping[str, Any]) -> AnyExercise:
    """What a task asks for. Raises InputError, naming it, where its numbers do not fit together."""
    try:
        asked = exercise(task.what, told, task.id)
        right_numbers(asked, task.what)
    except (TypeError, ValueError, AssertionError) as problem:
        raise InputError(
            f"exercise {task.id!r} cannot be computed: {problem}", hint="see docs/write-a-lab.md"
        ) from None
    return asked


def _unreadable(task: Task, said: Said) -> StageVerdict:
    stage = task.what or "answer"
    return StageVerdict(stage, "unreadable", 0.0, task.points, (said,))


def _only(answer: Answer, what: str) -> np.ndarray:
    """The array of an answer: the one of this name, or the only one."""
    if not isinstance(answer, Mapping):
        return answer
    if what in answer or len(answer) != 1:
        return answer.get(what, next(iter(answer.values())))
    return next(iter(answer.values()))
