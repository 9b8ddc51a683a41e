"""Pictures of positional encodings: curves by position, similarity by distance, wavelengths by dimension."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..fonts import texts as fonts
from .curves import COLOURS, GRID
from .maps import MARGIN, NAME, NOTE
from .sheet import BASELINE, LEADING, PIXEL, QUIET, Sheet, Stroke, Words, draw
from .ticks import number, round_ticks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Float
    from matplotlib.figure import Figure

    from ...records.series import Series
    from .sheet import Mark

WIDTH, HEIGHT = 360.0, 180.0  # of the only panel
STRIP, GAP = 40.0, 12.0  # the height of one of several, and from one to the next
MOST_DOTS = 40  # points that are each shown
_LEFT, _RIGHT = 44.0, 64.0  # beside a panel, for numbers and names
_DOT, _DASH = 3.2, 8.0
_MAIN, _OTHER, _PALE = COLOURS[0], COLOURS[1], "#9ecae8"


@dataclass(frozen=True)
class Panel:
    """A rectangle on the sheet, and which numbers its edges stand for."""

    top: float
    height: float
    last: float  # at the right edge; the left one is 0
    low: float
    high: float

    @property
    def left(self) -> float:
        """Where it begins."""
        return MARGIN + _LEFT

    @property
    def right(self) -> float:
        """Where it ends."""
        return MARGIN + _LEFT + WIDTH

    def x(self, number: float) -> float:
        """Where a number lies across."""
        return self.left + WIDTH * number / self.last

    def y(self, number: float) -> float:
        """Where a number lies, upwards."""
        return self.top + self.height * (self.high - number) / (self.high - self.low)


def series_figure(series: Series) -> Figure:
    """The picture of a view of a positional encoding."""
    return draw(lay_out(series))


def lay_out(series: Series) -> Sheet:
    """Give everything on the sheet its place."""
    marks = list(
        {"curves": _strips, "similarity": _similarity, "wavelengths": _wavelengths}[series.view](series)
    )
    bottom = max(mark.y for mark in marks if isinstance(mark, Words))
    y = bottom + 3 * NOTE
    for text in fonts.lines(series.about, NOTE, WIDTH + _LEFT):
        marks.append(Words(text, MARGIN, y, NOTE, colour=QUIET))
        y += NOTE * LEADING
    return Sheet(2 * MARGIN + _LEFT + WIDTH + _RIGHT, math.ceil(y - NOTE * LEADING + MARGIN), tuple(marks))


# ---- the views --------------------------------------------------------------------------------------


def _strips(series: Series) -> Iterator[Mark]:
    """A strip for each dimension, all on one scale: curves over one another could not be told apart."""
    low, high = _round_ends(series.values)
    top = MARGIN + NAME
    for name, values in series.columns.items():
        panel = Panel(top, STRIP, _last(series), low, high)
        for tick in sorted({low, max(low, 0.0), high}):
            yield from _rule(panel, tick, f"{tick:g}".replace("-", "−"))
        yield from _line(panel, values)
        label = f"{_spelt(series.column)} {name}"
        yield Words(label, panel.right + 6, top + STRIP / 2 + BASELINE * NAME, NAME)
        top += STRIP + GAP
    yield from _numbers_below(panel, _spelt(series.index))


def _similarity(series: Series) -> Iterator[Mark]:
    """The mean; and between which values it lies, where pairs of one distance differ."""
    panel = Panel(MARGIN + 2 * NAME, HEIGHT, _last(series), *_ends(np.append(series.values, 0)))
    yield Words("dot product", MARGIN, panel.top - NAME, NAME, colour=QUIET)
    yield from _numbers_beside(panel)
    mean, lowest, highest = (series.columns[name] for name in ("dot", "lowest", "highest"))
    if (highest - lowest).max() > 0.005 * (panel.high - panel.low):
        yield from _band(panel, lowest, highest)
        middle = panel.y(float(mean[-1])) + BASELINE * NAME
        yield Words("mean", panel.right + 6, middle, NAME, colour=_MAIN)
        yield Words("lowest to highest", panel.right + 6, middle + NAME * LEADING, NAME, colour=_PALE)
    yield from _line(panel, mean)
    yield from _numbers_below(panel, series.index)


def _wavelengths(series: Series) -> Iterator[Mark]:
    """On a logarithmic scale, with the length of the sequence drawn across."""
    exponents, length = np.log10(series.columns["wavelength"]), math.log10(series.seq_len)
    low, high = math.floor(min(exponents.min(), length)), math.ceil(max(exponents.max(), length) + 1e-9)
    panel = Panel(MARGIN + 2 * NAME, HEIGHT, _last(series), low, high)
    yield Words("wavelength in positions", MARGIN, panel.top - NAME, NAME, colour=QUIET)
    step = math.ceil((high - low) / 8)
    for power in range(low, high + 1, step):
        yield from _rule(panel, power, f"{10**power:,}" if 0 <= power < 7 else f"1e{power}")
    yield Stroke(((panel.left, panel.y(length)), (panel.right, panel.y(length))), _OTHER, 1)
    text = f"{series.seq_len:,} positions"
    yield Words(text, panel.right + 6, panel.y(length) + BASELINE * NAME, NAME, colour=_OTHER)
    half = min(_DASH, 0.7 * WIDTH / panel.last) / 2
    for x, y in ((panel.x(i), panel.y(exponent)) for i, exponent in enumerate(exponents.tolist())):
        yield Stroke(((x - half, y), (x + half, y)), _MAIN, 1.6)
    yield from _numbers_below(panel, _spelt(series.index))


# ---- parts ------------------------------------------------------------------------------------------


def _line(panel: Panel, values: Float[np.ndarray, " n"], colour: str = _MAIN) -> Iterator[Mark]:
    points = [(panel.x(x), panel.y(y)) for x, y in _drawn(values)]
    if len(points) > 1:
        yield Stroke(tuple(points), colour, 1.0)
    if len(values) <= MOST_DOTS:
        yield from (Stroke(((x - _DOT / 2, y), (x + _DOT / 2, y)), colour, _DOT) for x, y in points)


def _drawn(values: Float[np.ndarray, " n"]) -> Iterator[tuple[float, float]]:
    """The points of a curve; where there are more than pixels, the lowest and highest of each pixel."""
    per_pixel = math.ceil(len(values) * PIXEL / WIDTH)
    if per_pixel <= 2:
        yield from enumerate(values.tolist())
        return
    for start in range(0, len(values), per_pixel):
        part = values[start : start + per_pixel]
        yield from ((start + int(i), float(part[i])) for i in sorted((part.argmin(), part.argmax())))


def _band(panel: Panel, lowest: Float[np.ndarray, " n"], highest: Float[np.ndarray, " n"]) -> Iterator[Mark]:
    """What lies between two curves, a line for each point."""
    width = min(10.0, max(PIXEL, WIDTH / panel.last))
    for i, (low, high) in enumerate(zip(lowest.tolist(), highest.tolist(), strict=True)):
        yield Stroke(((panel.x(i), panel.y(low)), (panel.x(i), panel.y(high))), _PALE, width)


def _numbers_beside(panel: Panel) -> Iterator[Mark]:
    ticks, decimals = round_ticks(panel.low, panel.high)
    for tick in ticks:
        yield from _rule(panel, tick, number(tick, decimals))


def _rule(panel: Panel, number: float, text: str) -> Iterator[Mark]:
    y = panel.y(number)
    yield Stroke(((panel.left, y), (panel.right, y)), GRID)
    yield Words(text, panel.left - 5, y + BASELINE * NAME, NAME, "right", QUIET)


def _numbers_below(panel: Panel, name: str) -> Iterator[Mark]:
    bottom = panel.top + panel.height
    ticks = [i for i in round_ticks(0, panel.last)[0] if i == int(i)]
    for tick in ticks:
        yield Stroke(((panel.x(tick), bottom), (panel.x(tick), bottom + 2.5)))
        yield Words(f"{tick:,.0f}", panel.x(tick), bottom + 5 + NAME, NAME, "center", QUIET)
    yield Words(name, (panel.left + panel.right) / 2, bottom + 6 + 2.4 * NAME, NAME, "center", QUIET)


def _last(series: Series) -> int:
    return max(len(series.values) - 1, 1)


def _round_ends(values: Float[np.ndarray, "*n"]) -> tuple[float, float]:
    """Round numbers around all values.

    >>> _round_ends(np.array([-0.99, 0.97]))
    (-1.0, 1.0)
    """
    low, high = _ends(values)
    ticks, decimals = round_ticks(low, high)
    step = ticks[1] - ticks[0]
    return round(math.floor(low / step) * step, decimals), round(math.ceil(high / step) * step, decimals)


def _ends(values: Float[np.ndarray, "*n"]) -> tuple[float, float]:
    """The lowest and the highest, apart even if all are the same."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _spelt(name: str) -> str:
    return {"pos": "position", "dim": "dimension"}.get(name, name)
