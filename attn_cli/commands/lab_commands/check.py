"""`attn lab check`: what lies in a student's folder is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..check import Report
from ..io.languages import Lang, language

if TYPE_CHECKING:
    from ...sources.labs import Started

Folder = Annotated[str, typer.Argument(metavar="DIR", help="Folder of the lab (default: this one).")]
Hint = Annotated[
    int | None,
    typer.Option(
        metavar="0|1|2|3", min=0, max=3, help="Say that it is wrong, where, what, or how (default: 2)."
    ),
]
USUAL = 2


def check(to: Report, folder: Folder = ".", hint: Hint = None, lang: Lang = None) -> None:
    """Judge the answers in a lab's folder, and name the mistakes.

    \b
    attn lab check
    attn lab check by-hand --hint 1

    A terminal gets lines, a pipe gets TSV with a row for each exercise. Exit code: 0 all right, 1 something is wrong
    or open, 2 something cannot be read.
    """
    from pathlib import Path

    from ...lab.verdict import Verdict
    from ...sources import labs
    from ..io.output import for_screen
    from ..io.verdicts import check_output, write
    from ..lab_commands.showing import exit_code, show

    check_output(to)
    started = labs.opened(Path(folder))
    spoken = language(lang, started.language)
    verdict = started.marked()
    level = USUAL if hint is None else hint
    if for_screen(to):
        show(started, verdict, level, spoken)
    else:
        write([Verdict(_file(started, stage.task), (stage,)) for stage in verdict.stages], to, level, spoken)
    raise typer.Exit(exit_code(verdict))


def _file(started: Started, task: str) -> str:
    from ...sources import labs

    return labs.answer_file(started.folder, started.course.lab.task(task)).name
