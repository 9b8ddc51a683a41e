"""A progress bar on stderr for what takes longer than a person waits without wondering."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from ...records import progress
from .environment import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from rich.progress import Progress, TaskID

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
    """Go through all steps and give what they return, with a bar for what takes long."""
    with bar(what) as show:
        while True:
            try:
                show(next(steps))
            except StopIteration as end:
                return end.value


@contextlib.contextmanager
def bar(what: str) -> Iterator[Callable[[Step], None]]:
    """What to show each step to: after two seconds a terminal sees a bar with an estimate.

    Work in several parts, each counting from its beginning, begins the bar anew for each.
    """
    begun, before = time.monotonic(), 0
    drawn: Progress | None = None
    row: TaskID | None = None

    def show(step: Step) -> None:
        nonlocal before, drawn, row
        if drawn is not None and row is not None:
            if step.done < before:
                drawn.reset(row, total=step.total)
            drawn.update(row, completed=step.done)
        elif time.monotonic() - begun > PATIENCE:
            drawn = screen.enter_context(_bar())
            row = drawn.add_task(what, completed=step.done, total=step.total)
        before = step.done

    with contextlib.ExitStack() as screen:
        yield show


@contextlib.contextmanager
def watched(what: str) -> Iterator[None]:
    """A bar for whatever is streamed while this is open; torch is not loaded for what is not."""
    with bar(what) as show, progress.watched(show):
        yield


def _bar() -> Progress:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = environment.stderr()
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
