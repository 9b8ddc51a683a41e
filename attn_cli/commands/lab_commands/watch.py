"""`attn lab watch`: judge at each save, and move on when it is right."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..io.languages import Lang, language
from .check import USUAL, Folder, Hint

if TYPE_CHECKING:
    from ...sources.labs import Started


def watch(
    folder: Folder = ".",
    hint: Hint = None,
    lang: Lang = None,
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.05, help="How often to look for a save (default: 0.5).")
    ] = 0.5,
) -> None:
    """Judge the exercise you are at whenever you save its answer, and go on to the next once it is right.

    \b
    attn lab watch

    Ctrl-C ends it; so does the last right answer.
    """
    from ...lab.wording import say
    from ...sources import labs
    from ..io.environment import environment
    from .showing import show, show_changed

    started = labs.opened(Path(folder))
    spoken, level = language(lang, started.language), USUAL if hint is None else hint
    verdict, seen = started.marked(), _saved(started)
    show(started, verdict, level, spoken)
    if not verdict.right:
        environment.stderr().print(say(spoken, "lab_watching"))
    try:
        while not verdict.right:
            time.sleep(every)
            if (now := _saved(started)) != seen:
                before, seen, verdict = verdict, now, started.marked()
                show_changed(started, before, verdict, level, spoken)
    except KeyboardInterrupt:
        environment.stderr().print()


def _saved(started: Started) -> tuple[tuple[str, int, int], ...]:
    """The state of all answer files: name, time and size."""
    from ...sources import labs

    files = [labs.answer_file(started.folder, task) for task in started.course.lab.tasks]
    stats = [(str(path), path.stat()) for path in files if path.exists()]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
