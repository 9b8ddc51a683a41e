"""`attn lab start`: a lab laid into a folder of one's own."""

from __future__ import annotations

from typing import Annotated

import typer

from ..io.languages import Lang, language


def _offered(incomplete: str) -> list[tuple[str, str]]:
    """What a shell offers for the name of a lab."""
    from ...sources import labs

    found = ((name, labs.course_of(labs.find(name), name, "").texts["en"].title) for name in labs.bundled())
    return [(name, title) for name, title in found if name.startswith(incomplete)]


Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME", autocompletion=_offered, help="A lab that attn lab lists, or a folder of your own."
    ),
]
Student = Annotated[
    str,
    typer.Option("--seed", metavar="STUDENT", help="Whose numbers: a name or student number (default: 0)."),
]


def start(
    name: Name = None,
    seed: Student = "0",
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="DIR", help="New folder (default: the lab's name)."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Begin a lab: lay its text, your own numbers and empty answer files into a new folder.

    \b
    attn lab start by-hand --seed s1234567
    attn lab start ./my-lab -o exercises

    A folder that is there is never written into.
    """
    import shlex
    from pathlib import Path

    from ...lab.wording import say
    from ...sources import labs

    name = named(name)
    folder = Path(output or labs.find(name).resolve().name)
    started = labs.start(name, seed, folder, language(lang))
    texts = started.course.texts[started.language]
    told = {"folder": shlex.quote(str(folder)), "title": texts.title, "n": len(started.course.lab.tasks)}
    print(say(started.language, "lab_laid", told))


def named(name: str | None) -> str:
    """The name that was given. Raises InputError without one."""
    from ...errors import InputError
    from ...sources import labs
    from ..io.environment import environment

    if name is None:
        environment.help_a_person()
        raise InputError("no NAME", hint=f"give {', '.join(labs.bundled())} or a folder")
    return name
