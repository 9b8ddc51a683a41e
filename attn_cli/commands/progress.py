"""A progress bar on stderr for what takes longer than a person waits without wondering."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from .environment import environment

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.progress import Progress

T = TypeVar("T")
PATIENCE = 2.0  # seconds


class Step(Protocol):
    """How far something is."""

    @property
    def done(self) -> int:
        """How much of it."""

    @property
    def total(self) -> int:
        """How much there is."""


def finish(steps: Generator[Step, None, T], what: str) -> T:
    """Go through all steps and give what they return; after two seconds a terminal sees a bar with an estimate."""
    begun, bar, row = time.monotonic(), None, None
    with contextlib.ExitStack() as screen:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            if row is not None and bar is not None:
                bar.update(row, completed=step.done)
            elif time.monotonic() - begun > PATIENCE:
                bar = screen.enter_context(_bar())
                row = bar.add_task(what, completed=step.done, total=step.total)


def _bar() -> Progress:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = environment.stderr()
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
