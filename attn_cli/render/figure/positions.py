"""Pictures of positional encodings: the table, curves by position, similarity, wavelengths by dimension."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...registry import Registry
from ..fonts import texts as fonts
from ..look import PLAIN
from .panels import Maps
from .paper import Frame, Paper, Room
from .paper import lay_out as on_paper
from .plot import BELOW, OFF, Panel, Plot, curve, numbers_below, rules
from .sheet import BASELINE, COLOURS, LEADING, PALE, QUIET, Sheet, Stroke, Words
from .ticks import round_ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jaxtyping import Float

    from ...records.encoding import PositionTable
    from ...records.series import Series
    from ..look import Look
    from .sheet import Mark

WIDTH, HEIGHT = 360.0, 180.0  # of the only panel; for letters of 8
STRIP, GAP = 40.0, 12.0  # the height of one of several, and from one to the next
LOWEST = 10.0
DASH = 8.0
_MAIN, _OTHER = COLOURS[:2]

# How a view of `attn posenc` is drawn, by its name.
PLOTS: Registry[Callable[[Series, Paper, Room], Plot]] = Registry("view of positions")


def table_maps(table: PositionTable, look: Look = PLAIN) -> Maps:
    """What the picture of a whole table says: zero is in the middle of the colours if there is anything below it."""
    n_rows, n_columns = table.values.shape
    return Maps(
        table.values[None],
        rows=tuple(map(str, range(n_rows))),
        columns=tuple(map(str, range(n_columns))),
        row_name=table.rows,
        column_name=table.columns,
        unit=table.unit,
        origin=table.about,
        square=table.rows == table.columns or {table.rows, table.columns} == {"query", "key"},
        smooth=True,
        look=look,
    )


def lay_out(series: Series, look: Look = PLAIN) -> Sheet:
    """A view of a positional encoding on its paper."""

    def fit(paper: Paper, room: Room) -> Plot:
        return PLOTS[series.view](series, paper, room)

    return on_paper(look, fit, origin=series.about).sheet()


# ---- the views --------------------------------------------------------------------------------------


@PLOTS.register
def curves(series: Series, paper: Paper, room: Room) -> Plot:
    """A strip for each dimension, or for a pair of them, all on one scale.

    More in one strip could not be told apart.

    >>> from attn_cli.records.series import Series
    >>> series = Series("curves", "pos", {"0": np.sin([0, 1]), "1": np.cos([0, 1])}, "dim", "sinusoidal", 2, 2)
    >>> [word for word in lay_out(series).words() if word.startswith("dimension")]
    ['dimension 0', 'dimension 1']
    """
    low, high = _round_ends(series.values)
    strips = _pairs(series)
    names = {name: f"{_spelt(series.column)} {name}" for name in series.columns}
    beside = max(fonts.width(name, paper.letters) for name in names.values()) + paper.letters
    panels = _panels(series, paper, room, (low, high), len(strips), beside)
    ends = sorted({low, max(low, 0.0), high} if panels[0].height > 3 * paper.letters else {low, high})

    def draw(panels: list[Panel]) -> Iterator[Mark]:
        for panel, strip in zip(panels, strips, strict=True):
            yield from rules(panel, [(tick, f"{tick:g}".replace("-", "−")) for tick in ends])
            middle = panel.top + panel.height / 2 + (BASELINE - (len(strip) - 1) * LEADING / 2) * panel.size
            for i, (name, colour) in enumerate(zip(strip, (_MAIN, _OTHER), strict=False)):
                yield from curve(panel, series.columns[name], colour, paper.pixel)
                y = middle + i * LEADING * panel.size
                yield Words(names[name], panel.right + 0.7 * panel.size, y, panel.size, colour=colour)
        yield from numbers_below(panels[-1], _spelt(series.index))

    return _plot(panels, beside, draw)


@PLOTS.register
def similarity(series: Series, paper: Paper, room: Room) -> Plot:
    """The mean; and between which values it lies, where pairs of one distance differ.

    >>> from attn_cli.records.series import Series
    >>> series = Series("similarity", "distance", dict.fromkeys(("dot", "lowest", "highest"), np.array([1.0, 0.5])), "", "sinusoidal", 2, 2)
    >>> lay_out(series).words()[0]
    'dot product'
    """
    low, high = _ends(np.append(series.values, 0))
    mean, lowest, highest = (series.columns[name] for name in ("dot", "lowest", "highest"))
    differ = bool((highest - lowest).max() > 0.005 * (high - low))
    beside = (fonts.width("lowest to highest", paper.letters) + paper.letters) * differ + paper.letters
    panels = _panels(series, paper, room, (low, high), 1, beside, named=True)

    def draw(panels: list[Panel]) -> Iterator[Mark]:
        (panel,) = panels
        size, right = panel.size, panel.right + 0.7 * panel.size
        yield _named(panel, "dot product")
        yield from rules(panel)
        if differ:
            yield from _band(panel, lowest, highest, paper.pixel)
            middle = min(panel.y(float(mean[-1])) + BASELINE * size, panel.bottom - LEADING * size)
            yield Words("mean", right, middle, size, colour=_MAIN)
            yield Words("lowest to highest", right, middle + LEADING * size, size, colour=PALE)
        yield from curve(panel, mean, _MAIN, paper.pixel)
        yield from numbers_below(panel, series.index)

    return _plot(panels, beside, draw)


@PLOTS.register
def wavelengths(series: Series, paper: Paper, room: Room) -> Plot:
    """On a logarithmic scale, with the length of the sequence drawn across.

    >>> from attn_cli.records.series import Series
    >>> series = Series("wavelengths", "dim", {"wavelength": np.array([6.28, 628.3])}, "", "sinusoidal", 2, 2)
    >>> "2 positions" in lay_out(series).words()
    True
    """
    exponents, length = np.log10(series.columns["wavelength"]), math.log10(series.seq_len)
    low, high = math.floor(min(exponents.min(), length)), math.ceil(max(exponents.max(), length) + 1e-9)
    said = f"{series.seq_len:,} positions"
    beside = fonts.width(said, paper.letters) + paper.letters
    panels = _panels(series, paper, room, (low, high), 1, beside, named=True)

    def draw(panels: list[Panel]) -> Iterator[Mark]:
        (panel,) = panels
        yield _named(panel, "wavelength in positions")
        step = math.ceil((high - low) * 2 * panel.size / panel.height)
        powers = range(low, high + 1, step)
        yield from rules(panel, [(p, f"{10**p:,}" if 0 <= p < 7 else f"1e{p}") for p in powers])
        yield Stroke(((panel.left, panel.y(length)), (panel.right, panel.y(length))), _OTHER, 1)
        middle = panel.y(length) + BASELINE * panel.size
        yield Words(said, panel.right + 0.7 * panel.size, middle, panel.size, colour=_OTHER)
        half = min(paper.of(DASH), 0.7 * panel.width / panel.last) / 2
        for x, y in ((panel.x(i), panel.y(exponent)) for i, exponent in enumerate(exponents.tolist())):
            yield Stroke(((x - half, y), (x + half, y)), _MAIN, paper.of(1.6))
        yield from numbers_below(panel, _spelt(series.index))

    return _plot(panels, beside, draw)


def _pairs(series: Series) -> list[tuple[str, ...]]:
    """The columns of each strip: two where they are a pair of dimensions, as sine and cosine are."""
    strips: list[tuple[str, ...]] = []
    for name in series.columns:
        first = strips[-1][0] if strips and len(strips[-1]) == 1 else ""
        if series.column == "dim" and first and int(first) % 2 == 0 and int(name) == int(first) + 1:
            strips[-1] = (first, name)
        else:
            strips.append((name,))
    return strips


# ---- parts ------------------------------------------------------------------------------------------


def _panels(
    series: Series,
    paper: Paper,
    room: Room,
    ends: tuple[float, float],
    n: int,
    beside: float,
    *,
    named: bool = False,
) -> list[Panel]:
    """So many panels below one another, with room beside them for names and over them for what they count."""
    size = paper.letters
    left = max(fonts.width(text, size) for text in ("0.00", "10,000")) + (OFF + 0.2) * size
    top, gap = (1.8 if named else 0.6) * size, max(paper.of(GAP), 1.3 * size) if n > 1 else 0.0
    width, height = paper.of(WIDTH), paper.of(STRIP if n > 1 else HEIGHT)
    if paper.fixed:
        width = max(room.width - left - beside, paper.of(LOWEST))
        height = max((room.height - top - BELOW * size + gap) / n - gap, paper.of(LOWEST))
    last = max(len(series.values) - 1, 1)
    return [Panel(left, top + i * (height + gap), width, height, last, *ends, size) for i in range(n)]


def _plot(panels: list[Panel], beside: float, draw: Callable[[list[Panel]], Iterator[Mark]]) -> Plot:
    first, last = panels[0], panels[-1]
    frame = Frame(first.left, first.top, first.right, last.bottom)

    def moved(x: float, y: float) -> Iterator[Mark]:
        return draw([replace(panel, left=x + panel.left, top=y + panel.top) for panel in panels])

    return Plot(first.right + beside, last.bottom + BELOW * last.size, frame, moved)


def _named(panel: Panel, text: str) -> Words:
    """What the numbers beside a panel are."""
    return Words(text, panel.left, panel.top - 0.7 * panel.size, panel.size, colour=QUIET)


def _band(
    panel: Panel, lowest: Float[np.ndarray, " n"], highest: Float[np.ndarray, " n"], pixel: float
) -> Iterator[Mark]:
    """What lies between two curves, a line for each point."""
    width = min(10.0, max(pixel, panel.width / panel.last))
    for i, (low, high) in enumerate(zip(lowest.tolist(), highest.tolist(), strict=True)):
        yield Stroke(((panel.x(i), panel.y(low)), (panel.x(i), panel.y(high))), PALE, width)


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
