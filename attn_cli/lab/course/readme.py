"""A lab as one Markdown text with the numbers of one student: what lies in their folder, and what is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..wording import say
from .data import PLACE
from .texts import shown, with_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .layout import Task
    from .marking import Course
    from .texts import Texts


def readme(course: Course, language: str) -> str:
    """The text of a lab, for the student's folder."""
    texts = course.texts[language]
    parts = [f"# {texts.title}", say(language, "lab_student", {"student": course.student})]
    parts.append(with_data(texts.intro, course.data))
    for i, task in enumerate(course.lab.tasks, start=1):
        parts += _task(course, task, i, language)
        parts.append(say(language, "lab_answer_file", {"file": task.answer}))
    return "\n\n".join(filter(None, parts)) + "\n"


def worksheet(course: Course, language: str, *, answers: bool = False) -> str:
    """The same for print: with room for a name and answers, or with the right answers."""
    texts = course.texts[language]
    key = f" · {say(language, 'lab_key')}" if answers else ""
    parts = [f"# {texts.title}{key}", say(language, "lab_student", {"student": course.student})]
    if not answers:
        parts.append(f"{say(language, 'lab_name')}{'_' * 40}")
    parts.append(with_data(texts.intro, course.data))
    for i, task in enumerate(course.lab.tasks, start=1):
        parts += _task(course, task, i, language)
        parts.append(say(language, "lab_right_answer" if answers else "lab_your_answer"))
        right = course.known(task)
        parts.append(_answer(right, language) if answers else _room(right))
    parts += data_tables(course, texts, language)
    return "\n\n".join(filter(None, parts)) + "\n"


def answers(course: Course, language: str) -> str:
    """The right answers alone."""
    parts = [f"# {course.texts[language].title} · {say(language, 'lab_key')}"]
    parts.append(say(language, "lab_student", {"student": course.student}))
    for task in course.lab.tasks:
        parts += [f"## {course.texts[language].tasks[task.id].title}", _answer(course.known(task), language)]
    return "\n\n".join(parts) + "\n"


def key(course: Course) -> dict[str, Any]:
    """The right answers by exercise: arrays, numbers and words."""
    return {task.id: course.known(task) for task in course.lab.tasks}


def _task(course: Course, task: Task, number: int, language: str) -> Iterator[str]:
    texts: Texts = course.texts[language]
    worth = "lab_point" if task.points == 1 else "lab_points"
    points = say(language, worth, {"points": f"{task.points:g}"})
    title = say(language, "lab_exercise", {"i": number, "title": texts.tasks[task.id].title})
    yield f"## {say(language, 'lab_worth', {'title': title, 'points': points})}"
    yield with_data(texts.tasks[task.id].text, course.data)


def data_tables(course: Course, texts: Texts, language: str) -> Iterator[str]:
    """The matrices that the text names by their files alone: on paper there are no files."""
    said = "".join((texts.intro, *(task.text for task in texts.tasks.values())))
    shown_there = set(PLACE.findall(said))
    left = [
        (name, x) for name, x in course.data.items() if isinstance(x, np.ndarray) and name not in shown_there
    ]
    if left:
        yield f"## {say(language, 'lab_data')}"
    for name, x in left:
        yield f"`data/{name}.csv`"
        yield shown(x)


def _answer(right: Any, language: str) -> str:
    if right is None:
        return say(language, "lab_own")
    if isinstance(right, np.ndarray):
        return shown(right.round(4) + 0.0)
    several = right if isinstance(right, tuple | list) else (right,)
    return say(language, "lab_one_of").join(
        f"{one:.6g}" if isinstance(one, float) else str(one) for one in several
    )


def _room(right: Any) -> str:
    """An empty table of the size of the answer, or a line."""
    if not isinstance(right, np.ndarray):
        return "_" * 20
    blocks = right.reshape(-1, right.shape[-1])
    head = f"| {' | '.join(' ' * (blocks.shape[1] + 1))} |"
    lines = [f"| | {' | '.join(map(str, range(blocks.shape[1])))} |", "|" + " --- |" * (blocks.shape[1] + 1)]
    return "\n".join([*lines, *(head.replace("|", f"| **{i}**", 1) for i in range(len(blocks)))])
