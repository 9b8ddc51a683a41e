"""A lab's verdict for people: a line for each exercise, and all that is said of what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lab.wording import say
from ..io.environment import environment

if TYPE_CHECKING:
    from ...lab.verdict import StageVerdict, Verdict
    from ...sources.labs import Started

_COLOURS = {"right": "green", "wrong": "red", "unreadable": "yellow"}
_MARKS = {"right": "✓", "wrong": "✗", "unreadable": "?"}


def show(started: Started, verdict: Verdict, hint: int, lang: str) -> None:
    """Every exercise, the points, and what is next."""
    for stage in verdict.stages:
        show_one(started, stage, hint, lang)
    _close(started, verdict, lang)


def show_changed(started: Started, before: Verdict, verdict: Verdict, hint: int, lang: str) -> None:
    """The exercises of which more or else is to be said than before, and what is next."""
    for old, new in zip(before.stages, verdict.stages, strict=True):
        if old.lines(3, lang) != new.lines(3, lang):
            show_one(started, new, hint, lang)
    _close(started, verdict, lang)


def _close(started: Started, verdict: Verdict, lang: str) -> None:
    right = sum(stage.verdict == "right" for stage in verdict.stages)
    told = {
        "score": f"{verdict.score:g}",
        "max": f"{verdict.max:g}",
        "right": right,
        "n": len(verdict.stages),
    }
    console = environment.stdout()
    console.print(say(lang, "lab_total", told))
    if verdict.right:
        console.print(say(lang, "lab_all_right", told), style="bold")
    elif (following := upcoming(verdict)) is not None:
        file = started.course.lab.task(following.task).answer
        console.print(say(lang, "lab_next", {"title": following.called(lang), "file": file}))


def show_one(started: Started, stage: StageVerdict, hint: int, lang: str) -> None:
    """One exercise: its verdict, and what there is to say."""
    from rich.padding import Padding
    from rich.text import Text

    from ...text.escaping import escape

    console = environment.stdout()
    if stage.missing:
        told = {"title": stage.called(lang), "file": started.course.lab.task(stage.task).answer}
        console.print(Text(f"· {say(lang, 'lab_open', told)}", "dim"))
        return
    first, *rest = stage.lines(hint, lang)
    console.print(Text(f"{_MARKS[stage.verdict]} {first}", _COLOURS[stage.verdict]))
    for line in rest:
        console.print(Padding(Text(escape(line)), (0, 0, 0, 2)))


def upcoming(verdict: Verdict) -> StageVerdict | None:
    """The first exercise that is not right."""
    return next((stage for stage in verdict.stages if stage.verdict != "right"), None)


def exit_code(verdict: Verdict) -> int:
    """0 where all is right, 1 where something is wrong or open, 2 where something cannot be read."""
    if verdict.right:
        return 0
    judged = [stage for stage in verdict.stages if stage.verdict == "unreadable" and not stage.missing]
    return 2 if judged and not any(stage.verdict == "wrong" for stage in verdict.stages) else 1
