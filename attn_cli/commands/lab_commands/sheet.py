"""`attn lab sheet`: a lab for print."""

from __future__ import annotations

from typing import Annotated

import typer

from ..io.languages import Lang, language
from ..io.options import Output
from .start import Name, Student, named

FORMATS = ("md", "html", "tex")


def sheet(
    to: Output,
    name: Name = None,
    seed: Student = "0",
    answers: Annotated[
        bool, typer.Option("--answers", help="Print the right answers in place of room for them.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Write a worksheet for print: .html, .tex, .pdf or .md, with or without the right answers.

    \b
    attn lab sheet by-hand --seed s1234567 -o by-hand.html
    attn lab sheet by-hand --seed s1234567 -o key.tex --answers
    """
    from ...files import format_of
    from ...lab.course.readme import worksheet
    from ...sources import labs
    from ..io.output import check, deliver

    check(to, FORMATS, ("pdf",))
    source = labs.find(named(name))
    course = labs.course_of(source, source.resolve().name, seed)
    spoken = language(lang)
    spoken = spoken if spoken in course.texts else next(iter(course.texts))
    form = (
        "md"
        if to.output is None and to.format is None
        else format_of(to.output, to.format, formats=FORMATS, pictures=("pdf",))
    )
    deliver([worksheet(course, spoken, answers=answers).encode()], form, to)
