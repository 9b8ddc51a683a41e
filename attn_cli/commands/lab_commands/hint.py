"""`attn lab hint`: one hint more each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..io.languages import Lang, language
from .check import Folder

if TYPE_CHECKING:
    from ...lab.course.layout import Task
    from ...sources.labs import Started


def hint(
    folder: Folder = ".",
    exercise: Annotated[
        str | None, typer.Option(metavar="ID", help="Exercise (default: the first that is not right).")
    ] = None,
    lang: Lang = None,
) -> None:
    """Show a hint for the exercise you are at, one more each time.

    \b
    attn lab hint
    attn lab hint --exercise weights
    """
    from pathlib import Path

    from ...sources import labs
    from .showing import upcoming

    started = labs.opened(Path(folder))
    spoken = language(lang, started.language)
    if exercise is None:
        following = upcoming(started.marked())
        exercise = None if following is None else following.task
    task = None if exercise is None else started.course.lab.task(exercise)
    _show(started, task, spoken)


def _show(started: Started, task: Task | None, lang: str) -> None:
    from ...lab.course.texts import with_data
    from ...lab.wording import say

    if task is None:
        print(say(lang, "lab_all_right", {"n": len(started.course.lab.tasks)}))
        return
    texts = started.course.texts.get(lang) or started.course.texts[started.language]
    said = texts.tasks[task.id]
    level = min(started.hints.get(task.id, 0) + 1, len(said.hints))
    print(f"{said.title}\n")
    told = {"i": level, "n": len(said.hints), "text": with_data(said.hints[level - 1], started.course.data)}
    print(say(lang, "lab_hint", told))
    if level == len(said.hints):
        print(f"\n{say(lang, 'lab_last_hint')}")
    started.hints[task.id] = level
    started.save()
