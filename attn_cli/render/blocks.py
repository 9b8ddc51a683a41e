"""Maps in a terminal: two pixels to a character where there are colours, shades of text where there are none."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from .colour import MASKED, Scale, scale_for
from .pooling import pooled
from .screen import PLAIN, QUIET, STRONG, Screen, ground, ink, line, padded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Bool, Float, UInt8
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.style import Style

    Part = tuple[str, Style]

LOWER_HALF, UPPER_HALF = "▄", "▀"
SHADES, ASCII_SHADES = " ░▒▓█", " .:-=+*#%@"
LONGEST_NAME = 14
MOST_NAMES = 100  # of columns, in the list below the maps
BETWEEN = 2  # columns between panels
# Sizes of a cell, in columns and half rows, and the longest side of a map that may have cells so large.
SIZES = ((6, 4), (4, 8), (2, 40))
MOST_LINES = 60  # that all maps together may take with cells larger than the smallest
CROWD, MOST_IN_CROWD = 8, 24  # more maps than this are averaged down to so many cells along a side


@dataclass(frozen=True, eq=False)
class BlockMaps:
    """Maps that fit themselves to the screen on which they are printed."""

    values: Float[np.ndarray, "panel row column"]
    hidden: Bool[np.ndarray, "#panel row column"] | None
    rows: Sequence[str]
    columns: Sequence[str]
    titles: Sequence[str]  # of the panels
    across: int  # at most so many panels side by side
    unit: str
    footer: str
    axes: str = "rows: queries, columns: keys"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The maps as they look on this console."""
        yield from lines(self, Screen.of(console, options))


@dataclass(frozen=True)
class Fit:
    """How the maps are fitted to a screen; sizes are in columns and half rows."""

    factor: int  # a cell is the mean of factor × factor values
    width: int  # of a cell
    height: int  # of a cell, in half rows
    across: int
    named: bool  # whether the columns have their tokens over them, or else positions
    names: tuple[str, ...]  # of the rows
    names_width: int  # with their positions


def lines(maps: BlockMaps, screen: Screen) -> Iterator[Text]:
    """The maps, as many side by side as there is room for, and what their shades mean."""
    fit = _fit(maps, screen)
    values, hidden = pooled(maps.values, maps.hidden, fit.factor)
    scale = scale_for(values[~hidden], night=True)
    for first in range(0, len(values), fit.across):
        group = slice(first, first + fit.across)
        painted = [
            _paint(*panel, scale, fit, screen) for panel in zip(values[group], hidden[group], strict=True)
        ]
        yield from _side_by_side(painted, maps.titles[group], maps, fit, screen)
        yield line()
    yield from _legend(maps, scale, bool(hidden.any()), fit, screen)


# ---- fitting --------------------------------------------------------------------------------------


def _fit(maps: BlockMaps, screen: Screen) -> Fit:
    """The largest cells with which every map fits the width, and all maps together a few screenfuls."""
    longest = max(maps.values.shape[1:])
    for size, most in SIZES:
        if longest <= most:
            fit = _fit_with(size, maps, screen)
            lines_each = math.ceil(len(maps.rows) * fit.height / 2) + 3
            if fit.factor == 1 and math.ceil(len(maps.values) / fit.across) * lines_each <= MOST_LINES:
                return fit
    return _fit_with(1, maps, screen)


def _fit_with(size: int, maps: BlockMaps, screen: Screen) -> Fit:
    n_panels, n_rows, n_columns = maps.values.shape
    names = tuple("" if _counted(maps.rows) else screen.label(row, LONGEST_NAME) for row in maps.rows)
    names_width = len(str(n_rows - 1)) + 1 + max(map(cell_len, names))
    frame = 0 if screen.colours else 2
    room = max(screen.width - names_width - 1 - frame, 1)
    factor = math.ceil(n_columns * size / room)
    if n_panels > CROWD:
        factor = max(factor, math.ceil(max(n_rows, n_columns) / MOST_IN_CROWD))
    side = size * math.ceil(n_columns / factor) + frame
    most = min(maps.across, max(1, (room + frame + BETWEEN) // (side + BETWEEN)))
    across = math.ceil(maps.across / math.ceil(maps.across / most))  # rows of equal length
    labels = [cell_len(screen.label(column, LONGEST_NAME)) for column in maps.columns]
    named = factor == 1 and (max(labels) < size or min(labels) == max(labels) == size)
    halves = screen.colours and screen.can_show(LOWER_HALF)
    return Fit(factor, size, size if halves else max(2, size), across, named, names, names_width)


def _counted(labels: Sequence[str]) -> bool:
    """Whether labels are mere positions, which stand there anyway."""
    return all(label == str(i) for i, label in enumerate(labels))


# ---- panels ---------------------------------------------------------------------------------------


def _paint(
    values: Float[np.ndarray, "row column"],
    hidden: Bool[np.ndarray, "row column"],
    scale: Scale,
    fit: Fit,
    screen: Screen,
) -> list[list[Part]]:
    """A panel as lines of styled text."""
    if not screen.colours:
        return _in_shades(values, hidden, scale, fit, screen)
    colours = scale.colours(values)
    colours[hidden] = MASKED["night"]
    pixels = colours.repeat(fit.height, axis=0).repeat(fit.width, axis=1)
    pairs = [_in_halves(upper, lower) for upper, lower in zip(pixels[:-1:2], pixels[1::2], strict=True)]
    return [*pairs, _last_half(pixels[-1], screen)] if len(pixels) % 2 else pairs


def _in_halves(upper: UInt8[np.ndarray, "column 3"], lower: UInt8[np.ndarray, "column 3"]) -> list[Part]:
    """Two rows of pixels in one line of text, alike neighbours together."""
    parts: list[Part] = []
    for (above, below), run in itertools.groupby(zip(map(tuple, upper), map(tuple, lower), strict=True)):
        n = len(list(run))
        parts.append((" " * n, ground(above)) if above == below else (LOWER_HALF * n, ground(above, below)))
    return parts


def _last_half(pixels: UInt8[np.ndarray, "column 3"], screen: Screen) -> list[Part]:
    """A row of pixels with nothing below it."""
    if not screen.can_show(UPPER_HALF):
        return [(" ", ground(pixel)) for pixel in pixels]
    return [(UPPER_HALF, ink(pixel)) for pixel in pixels]


def _in_shades(
    values: Float[np.ndarray, "row column"],
    hidden: Bool[np.ndarray, "row column"],
    scale: Scale,
    fit: Fit,
    screen: Screen,
) -> list[list[Part]]:
    shades = _shades(screen)
    strength = np.abs(values) / scale.high  # without colours there is no sign
    levels = np.rint(strength * (len(shades) - 1)).astype(int)
    blank = "·" if screen.can_show("·") else " "
    rows = [
        "".join((blank if hide else shades[level]) * fit.width for level, hide in zip(*row, strict=True))
        for row in zip(levels, hidden, strict=True)
    ]
    return [[("|" + row + "|", PLAIN)] for row in rows for _ in range(fit.height // 2)]


def _shades(screen: Screen) -> str:
    return SHADES if screen.can_show(SHADES) else ASCII_SHADES


# ---- what stands around the panels ----------------------------------------------------------------


def _side_by_side(
    panels: Sequence[list[list[Part]]], titles: Sequence[str], maps: BlockMaps, fit: Fit, screen: Screen
) -> Iterator[Text]:
    """A row of panels: titles, column labels, and row labels to the left."""
    indent = " " * (fit.names_width + 1)
    frame = " " * (0 if screen.colours else 1)
    between = " " * BETWEEN
    side = math.ceil(len(maps.columns) / fit.factor) * fit.width + 2 * len(frame)
    if any(titles):
        shown = (padded(_title(title, side, screen), side) for title in titles)
        yield line((indent + between.join(shown).rstrip(), STRONG))
    columns = padded(frame + _column_labels(maps, fit, screen), side)
    yield line((indent + between.join([columns] * len(panels)).rstrip(), QUIET))
    for i, (first, *others) in enumerate(zip(*panels, strict=True)):
        rest = (part for panel in others for part in ((between, PLAIN), *panel))
        yield line((_row_label(i, maps, fit) + " ", QUIET), *first, *rest)


def _title(title: str, room: int, screen: Screen) -> str:
    """A panel's title, in short where there is little room."""
    short = title.replace("layer ", "L").replace("head ", "H").replace(" · ", " ")
    return next((text for text in map(screen.spelled, (title, short)) if cell_len(text) <= room), "")


def _row_label(i: int, maps: BlockMaps, fit: Fit) -> str:
    """What stands beside the i-th line of text: position and token, once for each cell or pair of cells."""
    lines_per_cell = max(1, fit.height // 2)
    cell = i * 2 // fit.height
    row = cell * fit.factor
    if i % lines_per_cell != (lines_per_cell - 1) // 2 or row >= len(fit.names):
        return " " * fit.names_width
    position = str(row).rjust(len(str(len(maps.rows) - 1)))
    return position + " " + padded(fit.names[row], fit.names_width - len(position) - 1)


def _column_labels(maps: BlockMaps, fit: Fit, screen: Screen) -> str:
    """Tokens where each fits over its column, else positions, as many as leave a space between them."""
    if fit.named:
        return "".join(padded(screen.label(column, fit.width), fit.width) for column in maps.columns)
    n = len(maps.columns)
    steps = (lead * 10**power for power in range(9) for lead in (1, 2, 5))
    step = next(s for s in steps if s >= n or s // fit.factor * fit.width > len(str(n - 1)))
    labels = ""
    for column in range(0, n, step):
        labels = labels.ljust(column // fit.factor * fit.width) + str(column)
    return labels


def _legend(maps: BlockMaps, scale: Scale, hidden: bool, fit: Fit, screen: Screen) -> Iterator[Text]:
    """What the shades stand for, and where the numbers come from."""
    steps = np.linspace(scale.low, scale.high, 16)
    if screen.colours:
        bar = [(" ", ground(shade)) for shade in scale.colours(steps)]
        masked = [("  ", PLAIN), ("  ", ground(MASKED["night"])), (" masked", QUIET)] if hidden else []
    else:
        bar, masked = [(_shades(screen), PLAIN)], []
    low = scale.low if screen.colours else 0.0
    yield line(
        (f"{maps.unit} {low:.2f} ", QUIET),
        *bar,
        (f" {scale.high:.2f}", QUIET),
        *masked,
        (f"   {maps.axes}", QUIET),
    )
    if not fit.named and tuple(maps.rows) != tuple(maps.columns) and not _counted(maps.columns):
        names = (f"{i} {screen.label(column, LONGEST_NAME)}" for i, column in enumerate(maps.columns))
        yield Text("keys: " + "  ".join(itertools.islice(names, MOST_NAMES)), style=QUIET)
    if fit.factor > 1:
        yield line(
            (screen.spelled(f"each cell is the mean of {fit.factor} × {fit.factor} {maps.unit}s"), QUIET)
        )
    yield Text(screen.spelled(maps.footer), style=QUIET)
