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
    folder: Annotated[list[str] | None, typer.Argument(metavar="DIR", help="Folders of students.")] = None,
    lab: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The lab that all must be of; of a lab of your own, its folder (needed)."
        ),
    ] = None,
    by_name: Annotated[
        bool,
        typer.Option("--by-name", help="Take each folder's name for its student, whatever lab.json says."),
    ] = False,
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
    from ...sources import labs
    from ..io.environment import environment
    from ..io.verdicts import check_output, exit_code, write

    check_output(to)
    if not folder:
        environment.help_a_person()
        raise InputError("no DIR", hint="give the folders of students")
    if lab is not None:
        labs.find(lab)  # or it is said once, not for each
    verdicts = [_graded(one, lab, by_name) for one in folder]
    write(verdicts, to, hint, language(lang))
    raise typer.Exit(exit_code(verdicts))


def _graded(folder: str, lab: str | None, by_name: bool) -> Verdict:
    from pathlib import Path

    from ...errors import InputError
    from ...lab.judging import unreadable
    from ...sources import labs

    try:
        started = labs.opened(
            Path(folder), lab, Path(folder).resolve().name if by_name else None, trusted=False
        )
        if started.own and lab is None:
            raise InputError("holds a lab that does not ship with attn", hint="give its folder: --lab FOLDER")
        return started.marked()
    except (InputError, OSError) as problem:
        return unreadable(folder, str(problem).removeprefix(f"{folder}: "))
