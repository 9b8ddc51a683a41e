"""Curves on a sheet: how numbers went, step by step, each named where it ends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..fonts import texts as fonts
from .maps import HEADING, MARGIN, NAME, NOTE
from .sheet import BASELINE, LEADING, QUIET, Sheet, Stroke, Words
from .ticks import number, round_ticks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .sheet import Mark

    Curves = Mapping[str, tuple[Sequence[float], Sequence[float]]]

WIDTH, HEIGHT, GAP = 300.0, 110.0, 26.0  # of a panel, and from one to the next
GRID = "#e4e4e4"
# Okabe and Ito's colours, told apart by eyes that confuse red and green.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")


def lay_out(curves: Curves, *, heading: str, footer: str) -> Sheet:
    """Losses in one panel, shares from 0 to 1 in another below it, over the same steps."""
    panels = [{n: c for n, c in curves.items() if ("loss" in n) is loss} for loss in (True, False)]
    panels = [panel for panel in panels if panel]
    left, top = MARGIN + 26, MARGIN + (HEADING * LEADING + 6) * bool(heading) + NAME
    last_step = max(max(steps) for steps, _ in curves.values()) or 1
    marks: list[Mark] = [Words(line, MARGIN, MARGIN + HEADING, HEADING) for line in [heading] if line]
    colours = dict(zip(curves, COLOURS * len(curves), strict=False))
    for panel in panels:
        high = max(max(values) for _, values in panel.values())
        high = high if any("loss" in name for name in panel) else max(1.0, high)
        marks += _grid(left, top, high)
        marks += _lines(panel, colours, left, top, high, last_step)
        top += HEIGHT + GAP
    marks += _steps(left, top - GAP, last_step)
    y = top - GAP + 4 * NAME + NOTE
    for line in fonts.lines(footer, NOTE, WIDTH + 80):
        marks.append(Words(line, MARGIN, y, NOTE, colour=QUIET))
        y += NOTE * LEADING
    ends = [mark.x + fonts.width(mark.text, mark.size) for mark in marks if isinstance(mark, Words)]
    return Sheet(math.ceil(max(ends) + MARGIN), math.ceil(y - NOTE * LEADING + MARGIN), tuple(marks))


def _grid(left: float, top: float, high: float) -> Iterator[Mark]:
    ticks, decimals = round_ticks(0, high)
    for tick in ticks:
        y = top + HEIGHT * (1 - tick / high)
        yield Stroke(((left, y), (left + WIDTH, y)), GRID)
        yield Words(number(tick, decimals), left - 5, y + BASELINE * NAME, NAME, "right", QUIET)


def _steps(left: float, bottom: float, last_step: float) -> Iterator[Mark]:
    ticks, decimals = round_ticks(0, last_step)
    for tick in ticks:
        x = left + WIDTH * tick / last_step
        yield Words(number(tick, decimals), x, bottom + 4 + NAME, NAME, "center", QUIET)
    yield Words("step", left + WIDTH / 2, bottom + 5 + 2.4 * NAME, NAME, "center", QUIET)


def _lines(
    panel: Curves, colours: Mapping[str, str], left: float, top: float, high: float, last_step: float
) -> Iterator[Mark]:
    ends = {}
    for name, (steps, values) in panel.items():
        points = [
            (left + WIDTH * step / last_step, top + HEIGHT * (1 - value / high))
            for step, value in zip(steps, values, strict=True)
        ]
        yield Stroke(tuple(points), colours[name], 1.3)
        ends[name] = points[-1][1]
    free = -math.inf
    for name in sorted(ends, key=lambda name: ends[name]):
        free = max(free + NAME * LEADING, ends[name])  # names do not lie on one another
        text = f"{name} {panel[name][1][-1]:.3g}"
        yield Words(text, left + WIDTH + 5, free + BASELINE * NAME, NAME, colour=colours[name])
