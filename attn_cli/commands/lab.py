"""`attn lab`: exercises that check themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .io.options import Output

if TYPE_CHECKING:
    from ..records.table import Table
    from ..sources.labs import Started


def lab(to: Output) -> None:
    """Do exercises that check themselves: they lay your own numbers, judge answers and name mistakes.

    \b
    attn lab
    attn lab start by-hand --seed YOU

    Without a command, list the labs and how far they are in this folder and those directly inside it.
    """
    from ..files import TABLES
    from .io.output import check, emit_table

    check(to, TABLES, ())
    emit_table(_listed(), to)


# `attn lab COMMAND`; each is a function of its own name in a module of its own name in lab_commands/.
lab.COMMANDS = ("start", "check", "watch", "hint", "grade", "key", "sheet", "page")  # type: ignore[attr-defined]


def _listed() -> Table:
    from pathlib import Path

    from ..records.table import Table
    from ..sources import labs

    going: dict[str, list[Started]] = {}
    for started in labs.under_way(Path()):
        going.setdefault(started.name, []).append(started)
    rows = [
        row for name in [*labs.bundled(), *(set(going) - set(labs.bundled()))] for row in _rows(name, going)
    ]
    names = ("lab", "title", "exercises", "right", "folder")
    import numpy as np

    return Table({name: np.array([row[i] for row in rows]) for i, name in enumerate(names)}, about="lab")


def _rows(name: str, going: dict[str, list[Started]]) -> list[tuple[str, str, int, int, str]]:
    """A row for each folder that a lab is done in; one with nothing right where it is not begun."""
    from ..sources import labs
    from .io.languages import language

    if name not in going:
        course = labs.course_of(labs.find(name), name, "")
        texts = course.texts.get(language(None)) or next(iter(course.texts.values()))
        return [(name, texts.title, len(course.lab.tasks), 0, "")]
    rows = []
    for started in going[name]:
        stages = started.marked().stages
        right = sum(stage.verdict == "right" for stage in stages)
        rows.append(
            (name, started.course.texts[started.language].title, len(stages), right, str(started.folder))
        )
    return rows
