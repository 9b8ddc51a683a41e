"""Curves of a training: how numbers went, step by step, each named where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..fonts import texts as fonts
from ..look import PLAIN
from .paper import Frame, Paper
from .paper import lay_out as on_paper
from .plot import BELOW, OFF, Panel, Plot, apart, numbers_below, rules
from .sheet import BASELINE, COLOURS, LEADING, Sheet, Stroke, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..look import Look
    from .paper import Room
    from .sheet import Mark

    Curves = Mapping[str, tuple[Sequence[float], Sequence[float]]]

WIDTH, HEIGHT, GAP = 300.0, 110.0, 26.0  # of a panel, and from one to the next; for letters of 8
LOWEST = 20.0


def lay_out(curves: Curves, look: Look = PLAIN, *, provenance: str = "") -> Sheet:
    """Losses in one panel, shares from 0 to 1 in another below it, over the same steps."""

    def fit(paper: Paper, room: Room) -> Plot:
        return _plot(curves, paper, room)

    return on_paper(look, fit, origin=provenance).sheet()


def _plot(curves: Curves, paper: Paper, room: Room) -> Plot:
    size, parts = (
        paper.letters,
        [{n: c for n, c in curves.items() if ("loss" in n) is loss} for loss in (True, False)],
    )
    parts = [part for part in parts if part]
    left = fonts.width("0.00", size) + (OFF + 0.3) * size
    right = max(fonts.width(_named(name, values), size) for name, (_, values) in curves.items()) + 0.7 * size
    gap, above = paper.of(GAP), 0.6 * size
    width, height = paper.of(WIDTH), paper.of(HEIGHT)
    if paper.fixed:
        width = room.width - left - right
        height = (room.height - above - BELOW * size + gap) / len(parts) - gap
        height = max(height, paper.of(LOWEST))
    last = max(max(steps) for steps, _ in curves.values()) or 1
    panels = [
        Panel(left, above + i * (height + gap), width, height, last, 0.0, _highest(part), size)
        for i, part in enumerate(parts)
    ]
    colours = dict(zip(curves, COLOURS * len(curves), strict=False))

    def draw(x: float, y: float) -> Iterator[Mark]:
        for panel, part in zip(panels, parts, strict=True):
            placed = Panel(x + panel.left, y + panel.top, width, height, last, 0.0, panel.high, size)
            yield from rules(placed)
            yield from _lines(part, colours, placed)
        yield from numbers_below(placed, "step")

    bottom = panels[-1].bottom
    return Plot(left + width + right, bottom + BELOW * size, Frame(left, above, left + width, bottom), draw)


def _highest(part: Curves) -> float:
    high = max(max(values) for _, values in part.values())
    return (high or 1.0) if any("loss" in name for name in part) else max(1.0, high)


def _named(name: str, values: Sequence[float]) -> str:
    return f"{name} {values[-1]:.3g}"


def _lines(part: Curves, colours: Mapping[str, str], panel: Panel) -> Iterator[Mark]:
    ends = {}
    for name, (steps, values) in part.items():
        points = [(panel.x(step), panel.y(value)) for step, value in zip(steps, values, strict=True)]
        yield Stroke(tuple(points), colours[name], 1.3 * panel.size / 8)
        ends[name] = points[-1][1]
    for name, y in apart(ends, LEADING * panel.size, panel.bottom).items():
        text = _named(name, part[name][1])
        yield Words(
            text, panel.right + 0.6 * panel.size, y + BASELINE * panel.size, panel.size, colour=colours[name]
        )
