"""Where steps are kept, and how many: when they become too many, every second of them goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ...errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...records.recording import Recording
    from .kept_numbers import Keep
    from .steps import Step

MOST_BYTES = 2**30


@dataclass(frozen=True)
class Wanted:
    """What is to be kept of all that a program attends to."""

    layers: Sequence[int] | None = None  # None: all
    heads: Sequence[int] | None = None
    steps: range | None = None
    every: int = 1
    keep: Keep = "maps"
    example: int = 0  # of a batch

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InputError(f"every {self.every}", hint="give at least 1")
        if self.keep not in ("maps", "vectors", "rows", "figures"):
            raise InputError(f"keep {self.keep!r}", hint="give maps, vectors, rows or figures")
        for name, given in (("layers", self.layers), ("heads", self.heads)):
            if given is not None and (not given or min(given) < 0):
                raise InputError(f"{name} {list(given)}", hint="count from 0, and give at least one")
        if self.example < 0:
            raise InputError(f"example {self.example}", hint="count from 0")

    def nth(self, number: int) -> int | None:
        """The how-manieth of the wanted steps it is, None if it is not wanted.

        >>> [Wanted(steps=range(2, 8), every=3).nth(number) for number in range(9)]
        [None, None, 0, None, None, 1, None, None, None]
        """
        n, rest = divmod(number - (0 if self.steps is None else self.steps.start), self.every)
        return n if rest == 0 and n >= 0 and (self.steps is None or number in self.steps) else None


class Store(Protocol):
    """Keeps steps."""

    wanted: Wanted
    remark: str  # what is to be said in the end, if anything

    def begin(self, made: Callable[[Step], Recording]) -> None:
        """Learn how a step becomes records."""

    def takes(self, step: Step) -> bool:
        """Whether more of a step is to be kept."""

    def grown(self, step: Step, n_bytes: int) -> None:
        """Take note that a step has become larger, before it is done."""

    def add(self, step: Step) -> None:
        """Keep a step that is done."""

    def steps(self) -> list[Step]:
        """Those that are kept."""


class Memory:
    """Keeps steps in memory, so many bytes of them: steps spread evenly over all that the program goes.

    >>> from .steps import Step
    >>> memory = Memory(Wanted(), most_bytes=100)
    >>> for step in (Step(number, root=0) for number in range(9)):
    ...     if memory.takes(step):
    ...         memory.grown(step, 32)
    ...         memory.add(step)
    >>> [step.number for step in memory.steps()], memory.remark
    ([0, 4, 8], 'every 4th step was kept, to stay within 100 bytes')
    """

    def __init__(self, wanted: Wanted, most_bytes: int = MOST_BYTES) -> None:
        self.wanted, self.most_bytes, self.remark = wanted, most_bytes, ""
        self._steps: list[Step] = []
        self._n_bytes = 0
        self._stride = 1
        self._full = False

    def begin(self, made: Callable[[Step], Recording]) -> None:
        """Steps stay what they are."""

    def takes(self, step: Step) -> bool:
        """Whether more of a step is to be kept."""
        nth = self.wanted.nth(step.number)
        return nth is not None and nth % self._stride == 0 and not self._full

    def grown(self, step: Step, n_bytes: int) -> None:
        """Count it, and let go of every second step when there are too many bytes."""
        step.n_bytes += n_bytes
        self._n_bytes += n_bytes
        while self._n_bytes > self.most_bytes and not self._full:
            if len({one.number for one in self._steps}) < 2:
                self._full = True
                self.remark = (
                    f"one step takes more than {self.most_bytes:,} bytes: what came later was not kept"
                )
                return
            self._stride *= 2
            every = self._stride * self.wanted.every
            self.remark = f"every {_ordinal(every)} step was kept, to stay within {self.most_bytes:,} bytes"
            self._let_go()

    def add(self, step: Step) -> None:
        """Keep a step that is done, unless it is one of those that have gone meanwhile."""
        self._steps.append(step)
        self._let_go()

    def steps(self) -> list[Step]:
        """Those that are kept."""
        return list(self._steps)

    def _let_go(self) -> None:
        for step in self.steps():
            if (self.wanted.nth(step.number) or 0) % self._stride:
                self._n_bytes -= step.n_bytes
                self._steps.remove(step)
                self._drop(step)

    def _drop(self, step: Step) -> None:
        """Nothing holds it any more."""


def _ordinal(n: int) -> str:
    """2nd, 3rd, 4th.

    >>> _ordinal(2), _ordinal(12), _ordinal(32)
    ('2nd', '12th', '32nd')
    """
    tens, ones = divmod(n, 10)
    return f"{n}{'th' if tens % 10 == 1 else {1: 'st', 2: 'nd', 3: 'rd'}.get(ones, 'th')}"
