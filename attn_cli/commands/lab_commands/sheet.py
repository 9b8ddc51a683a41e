"""`attn lab sheet`: a lab for print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..io.languages import Lang, language
from ..io.options import Output
from .start import Name, Student, named

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    form = "md"
    if to.output is not None or to.format is not None:
        form = format_of(to.output, to.format, formats=FORMATS, pictures=("pdf",))
    deliver(_written(worksheet(course, spoken, answers=answers), form, spoken), form, to)


def _written(markdown: str, form: str, lang: str) -> Iterator[bytes]:
    from ...lab.course.blocks import prose

    if form == "md":
        yield markdown.encode()
    elif form == "html":
        from ...render.page.prose import prose_page

        yield prose_page(prose(markdown, lang))
    elif form == "pdf":
        from ...render.figure.prose import prose_pdf

        yield prose_pdf(prose(markdown, lang))
    else:
        from ...files.prose_tex import prose_tex

        yield from prose_tex(prose(markdown, lang))
