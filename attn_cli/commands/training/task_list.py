"""The tasks of `train-toy`, a line each: what goes in and out, where attention should look, how long it takes."""

from __future__ import annotations

from typing import Any

import typer

from ..io.environment import environment

COLUMNS: tuple[str, ...] = ("task", "what goes in → comes out", "attention expected", "seconds")


def tasks(value: Any) -> Any:
    """An option callback: `--list`, or `help` as the task, prints the list and ends the command."""
    if value is True or value == "help":
        rows = _rows()
        if environment.to_terminal:
            environment.stdout().print(_table(rows))
        else:
            environment.write(["".join("\t".join(row) + "\n" for row in [COLUMNS, *rows]).encode()])
        raise typer.Exit
    return value


def _rows() -> list[tuple[str, ...]]:
    """A line of help is an example, and after the first semicolon what attention should do for it."""
    from ...registry import summary, usage
    from ...toy import TASKS
    from ...toy.examples import recipe

    rows: list[tuple[str, ...]] = []
    for name, task in TASKS.items():
        example, _, attention = summary(task).rstrip(".").partition("; ")
        rows.append((usage(name, task), example, attention, str(recipe(task).seconds)))
    return rows


def _table(rows: list[tuple[str, ...]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(*COLUMNS[:-1], "about", caption="seconds of one core; Ctrl-C stops, --resume goes on")
    for column in table.columns:
        column.overflow = "fold"  # nothing is cut off
    table.columns[-1].justify = "right"
    for *cells, seconds in rows:
        table.add_row(*map(Text, cells), f"{seconds} s")
    return table
