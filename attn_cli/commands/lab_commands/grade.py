"""`attn lab grade`: the folders of many students, for instructors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..check import Report
from ..io.languages import Lang, language

if TYPE_CHECKING:
    from ...lab.verdict import Verdict


def grade(
    to: Report,
    folder: Annotated[list[str] | None, typer.Argument(metavar="DIR…", help="Folders of students.")] = None,
    lab: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="A lab of your own, instead of the copy in each student's folder."
        ),
    ] = None,
    hint: Annotated[
        int | None,
        typer.Option(metavar="0|1|2|3", min=0, max=3, help="How much is said (default: 3; graders 1)."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Grade the folders of many students: points, verdicts and mistakes, a row or report for each.

    \b
    attn lab grade students/*
    attn lab grade students/* --format csv -o grades.csv

    Formats are those of attn check. The right answers are computed anew from each student's seed; a folder that
    cannot be read does not stop the rest. Exit code: 0 all right, 1 something is wrong, 2 something cannot be read.
    """
    from ...errors import InputError
    from ..io.environment import environment
    from ..io.verdicts import check_output, exit_code, write

    check_output(to)
    if not folder:
        environment.help_a_person()
        raise InputError("no DIR", hint="give the folders of students")
    verdicts = [_graded(one, lab) for one in folder]
    write(verdicts, to, hint, language(lang))
    raise typer.Exit(exit_code(verdicts))


def _graded(folder: str, lab: str | None) -> Verdict:
    from pathlib import Path

    from ...errors import InputError
    from ...lab.judging import unreadable
    from ...sources import labs

    try:
        return labs.opened(Path(folder), lab).marked()
    except (InputError, OSError) as problem:
        return unreadable(folder, str(problem).removeprefix(f"{folder}: "))
