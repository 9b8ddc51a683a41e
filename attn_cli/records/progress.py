"""How far a long computation is, told to whoever watches; computing never prints."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

T = TypeVar("T")


class Progress(NamedTuple):
    """How much is done, and of how much."""

    done: int
    total: int


def drain(steps: Generator[Progress, None, T]) -> T:
    """Run a generator to its end, report each step to the active watcher, and return its result.

    >>> def count():
    ...     yield Progress(1, 1)
    ...     return "done"
    >>> drain(count())
    'done'
    """
    tell = _tell.get()
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value
        tell(step)


@contextmanager
def watched(tell: Callable[[Progress], None]) -> Iterator[None]:
    """While this is open, all that is drained reports its steps, however deep within a model.

    >>> def count():
    ...     yield Progress(1, 1)
    >>> with watched(print):
    ...     drain(count())
    Progress(done=1, total=1)
    """
    before = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(before)


def _ignore(step: Progress) -> None:
    """The default watcher: ignores progress."""


_tell: ContextVar[Callable[[Progress], None]] = ContextVar("tell", default=_ignore)
