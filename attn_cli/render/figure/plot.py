"""Panels for curves: which numbers their edges stand for, their rules and the numbers beside these."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..fonts import texts as fonts
from .sheet import BASELINE, LEADING, QUIET, RULE, Stroke, Words
from .ticks import number, round_ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import numpy as np
    from jaxtyping import Float

    from .paper import Frame
    from .sheet import Mark

    Rules = Iterable[tuple[float, str]]

OFF = 0.6  # from a panel to the numbers beside it, for letters of 1
NEAR = 2.2  # from one number beside a panel to the next, at least
DOT = 0.4
MOST_DOTS = 40  # points that are each shown


@dataclass(frozen=True)
class Panel:
    """A rectangle, and which numbers its edges stand for."""

    left: float
    top: float
    width: float
    height: float
    last: float  # at the right edge; the left one is 0
    low: float
    high: float
    size: float  # of letters

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.top + self.height

    def x(self, number: float) -> float:
        """Where a number lies across."""
        return self.left + self.width * number / self.last

    def y(self, number: float) -> float:
        """Where a number lies, upwards."""
        return self.top + self.height * (self.high - number) / (self.high - self.low)


@dataclass(frozen=True, eq=False)
class Plot:
    """Panels below one another, as a block."""

    width: float
    height: float
    frame: Frame
    draw: Callable[[float, float], Iterator[Mark]]
    bar: None = None
    notes: tuple[str, ...] = ()

    def marks(self, x: float, y: float) -> Iterator[Mark]:
        """Everything, from this corner."""
        return self.draw(x, y)


def rules(panel: Panel, at: Rules | None = None) -> Iterator[Mark]:
    """Lines across with their numbers to the left: round ones, or these."""
    if at is None:
        ticks, decimals = round_ticks(panel.low, panel.high, min(5.5, panel.height / NEAR / panel.size + 1))
        at = [(tick, number(tick, decimals)) for tick in ticks]
    for tick, text in at:
        y = panel.y(tick)
        yield Stroke(((panel.left, y), (panel.right, y)), RULE)
        yield Words(
            text, panel.left - OFF * panel.size, y + BASELINE * panel.size, panel.size, "right", QUIET
        )


def numbers_below(panel: Panel, name: str) -> Iterator[Mark]:
    """What the panel counts from left to right, in whole numbers as far apart as they can be read."""
    size = panel.size
    widest = fonts.width(f"{panel.last:,.0f}", size) + 1.2 * size
    ticks = [
        tick for tick in round_ticks(0, panel.last, max(1.5, panel.width / widest))[0] if tick == int(tick)
    ]
    for tick in ticks:
        yield Stroke(((panel.x(tick), panel.bottom), (panel.x(tick), panel.bottom + 2.5)))
        yield Words(f"{tick:,.0f}", panel.x(tick), panel.bottom + 1.5 * size, size, "center", QUIET)
    middle = (panel.left + panel.right) / 2
    yield Words(name, middle, panel.bottom + (1.5 + LEADING) * size, size, "center", QUIET)


BELOW = 3.1  # what numbers below take, for letters of 1


def curve(panel: Panel, values: Float[np.ndarray, " n"], colour: str, pixel: float) -> Iterator[Mark]:
    """The values as a line; a few of them each with a dot."""
    points = [(panel.x(x), panel.y(y)) for x, y in _drawn(values, panel.width, pixel)]
    if len(points) > 1:
        yield Stroke(tuple(points), colour, panel.size / 8)
    if len(values) <= MOST_DOTS:
        half = DOT * panel.size / 2
        yield from (Stroke(((x - half, y), (x + half, y)), colour, 2 * half) for x, y in points)


def _drawn(values: Float[np.ndarray, " n"], width: float, pixel: float) -> Iterator[tuple[float, float]]:
    """The points of a curve; where there are more than pixels, the lowest and highest of each pixel."""
    per_pixel = math.ceil(len(values) * pixel / width)
    if per_pixel <= 2:
        yield from enumerate(values.tolist())
        return
    for start in range(0, len(values), per_pixel):
        part = values[start : start + per_pixel]
        yield from ((start + int(i), float(part[i])) for i in sorted((part.argmin(), part.argmax())))


def apart(wanted: Mapping[str, float], closest: float, lowest: float) -> dict[str, float]:
    """Where names go that would stand at these heights, none nearer to the next, none under the lowest place.

    >>> apart({"a": 10, "b": 11}, 5, 100)
    {'a': 10, 'b': 15}
    """
    places: dict[str, float] = {}
    free = -math.inf
    for name in sorted(wanted, key=lambda name: wanted[name]):
        free = places[name] = max(free + closest, wanted[name])
    for name in reversed(places):
        places[name] = min(places[name], lowest)
        lowest = places[name] - closest
    return places
