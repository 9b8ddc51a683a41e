"""Maps in a terminal: two pixels to a character where there are colours, shades of text where there are none."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from ...text.escaping import escape
from ..colour import MASKED, Scale, ramp, scale_of
from ..look import Look
from ..pooling import SAID, even_factor, pooled
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
CROWD, IN_CROWD = 8, range(24, 7, -2)  # more maps than this are averaged down to so many cells along a side
MOST_LINES_OF_CROWD = 100  # with which the most cells are chosen
_AROUND = 5  # lines of the window for the legend, the name of the file and the prompt
DARK = Look(style="dark")  # a terminal's ground


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
    look: Look = DARK
    overview: bool = False  # small maps without labels
    most_lines: int = MOST_LINES

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
    numbered: bool  # whether anything stands over the columns
    names: tuple[str, ...]  # of the rows; of two that share a line, with the first
    names_width: int  # with their positions
    tight: bool = False  # whether rows of panels stand close together, so that more of them is on the screen


def lines(maps: BlockMaps, screen: Screen) -> Iterator[Text]:
    """The maps, as many side by side as there is room for, and what their shades mean."""
    fit = _fit(maps, screen)
    values, hidden = pooled(maps.values, maps.hidden, fit.factor, maps.look.pool)
    values, scale = scaled(values, hidden, maps.look)
    if maps.look.title:
        yield line((screen.spelled(escape(maps.look.title)), STRONG))
    for first in range(0, len(values), fit.across):
        if fit.tight and first:
            fit = replace(fit, numbered=False)
        group = slice(first, first + fit.across)
        painted = [
            _paint(*panel, scale, fit, screen) for panel in zip(values[group], hidden[group], strict=True)
        ]
        yield from _side_by_side(painted, maps.titles[group], maps, fit, screen)
        if not fit.tight:
            yield line()
    yield from _legend(maps, scale, bool(hidden.any()), fit, screen)


def scaled(
    values: Float[np.ndarray, "*panel place"], hidden: Bool[np.ndarray, "*panel place"], look: Look
) -> tuple[Float[np.ndarray, "*panel place"], Scale]:
    """The values as they are shaded, of each panel as parts of its peak if the look wants that, and their scale."""
    if look.color_scale == "panel":
        axes = tuple(range(1, values.ndim))
        peaks = np.abs(np.where(hidden, 0, values)).max(axis=axes, keepdims=True)
        values = values / np.where(peaks > 0, peaks, 1)
    return values, scale_of(values[~hidden], look)


# ---- fitting --------------------------------------------------------------------------------------


def _fit(maps: BlockMaps, screen: Screen) -> Fit:
    """The largest cells with which every map fits the width, and all maps together the window, or a few of them."""
    longest, room = max(maps.values.shape[1:]), screen.height - _AROUND
    if len(maps.values) > CROWD or maps.overview:
        whole = _fit_with(2, maps, screen)  # a line for each query
        if not maps.overview and whole.factor == 1 and _lines(whole, maps) <= min(maps.most_lines, room):
            return whole
        fits = (_fit_with(1, maps, screen, most) for most in IN_CROWD)
        fit = next(
            (fit for fit in fits if _lines(fit, maps) <= MOST_LINES_OF_CROWD),
            _fit_with(1, maps, screen, IN_CROWD[-1]),
        )
        return replace(fit, tight=_lines(fit, maps) > room)
    for size, most in SIZES:
        if longest <= most:
            fit = _fit_with(size, maps, screen)
            if fit.factor == 1 and _lines(fit, maps) <= min(maps.most_lines, room):
                return fit
    fit = _fit_with(1, maps, screen)
    return replace(fit, tight=_lines(fit, maps) > room)


def _lines(fit: Fit, maps: BlockMaps) -> int:
    """How many lines all maps take."""
    each = math.ceil(math.ceil(maps.values.shape[1] / fit.factor) * fit.height / 2) + 2 + fit.numbered
    return math.ceil(len(maps.values) / fit.across) * each


def _fit_with(size: int, maps: BlockMaps, screen: Screen, most_cells: int | None = None) -> Fit:
    """The fit with cells so large, or smaller ones that stand for several values."""
    n_rows, n_columns = maps.values.shape[1:]
    factor = (
        1
        if most_cells is None
        else even_factor(math.ceil(max(n_rows, n_columns) / most_cells), n_rows, n_columns)
    )
    names = [""] * n_rows
    if not (maps.overview or _counted(maps.rows) or (most_cells and factor > 1)):
        names = [screen.label(row, LONGEST_NAME) for row in maps.rows]
    fit = _fit_beside(names, size, factor, maps, screen)
    if fit.height == 1 and fit.factor == 1 and any(names):
        both = [" ".join(names[i : i + 2]) if i % 2 == 0 else "" for i in range(n_rows)]
        wider = _fit_beside(both, size, factor, maps, screen)
        return wider if (wider.factor, wider.across) == (fit.factor, fit.across) else fit
    return fit


def _fit_beside(names: Sequence[str], size: int, factor: int, maps: BlockMaps, screen: Screen) -> Fit:
    n_rows, n_columns = maps.values.shape[1:]
    position = 0 if maps.overview else len(str(n_rows - 1)) + 1
    names_width = position + max(map(cell_len, names))
    frame = 0 if screen.colours else 2
    room = max(screen.width - names_width - 1 - frame, 1)
    if (needed := math.ceil(n_columns * size / room)) > factor:
        factor = even_factor(needed, n_rows, n_columns)
    side = size * math.ceil(n_columns / factor) + frame
    most = min(maps.across, max(1, (room + frame + BETWEEN) // (side + BETWEEN)))
    across = math.ceil(maps.across / math.ceil(maps.across / most))  # rows of equal length
    labels = [cell_len(screen.label(column, LONGEST_NAME)) for column in maps.columns]
    named = factor == 1 and (max(labels) < size or min(labels) == max(labels) == size)
    halves = screen.colours and screen.can_show(LOWER_HALF)
    height = size if halves else max(2, size)
    numbered = not maps.overview and not (len(maps.values) > CROWD and factor > 1)
    return Fit(factor, size, height, across, named, numbered, tuple(names), names_width)


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
    blank = "·" if screen.can_show("·") else " "
    rows = [
        "".join((blank if hide else shade) * fit.width for shade, hide in zip(*row, strict=True))
        for row in zip(shades(values, scale, screen), hidden, strict=True)
    ]
    return [[("|" + row + "|", PLAIN)] for row in rows for _ in range(fit.height // 2)]


def shades(values: Float[np.ndarray, "*n"], scale: Scale, screen: Screen) -> np.ndarray:
    """A character for each value, the darker the farther it is from zero: without colours there is no sign."""
    known = np.array(list(_shades(screen)))
    strength = scale.part(values).clip(0, 1) if scale.log else np.abs(values) / scale.high
    return known[np.rint(strength.clip(0, 1) * (len(known) - 1)).astype(int)]


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
        shown = (padded(brief(title, side, screen), side) for title in titles)
        yield line((indent + between.join(shown).rstrip(), STRONG))
    if fit.numbered:
        columns = padded(frame + _column_labels(maps, fit, screen), side)
        yield line((indent + between.join([columns] * len(panels)).rstrip(), QUIET))
    for i, (first, *others) in enumerate(zip(*panels, strict=True)):
        rest = (part for panel in others for part in ((between, PLAIN), *panel))
        beside = " " * fit.names_width if maps.overview else _row_label(i, maps, fit)
        yield line((beside + " ", QUIET), *first, *rest)


def brief(title: str, room: int, screen: Screen) -> str:
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
    unit = "of its peak" if maps.look.color_scale == "panel" else maps.unit
    yield scale_line(unit, scale, screen, masked=hidden, after=maps.axes)
    if not fit.named and tuple(maps.rows) != tuple(maps.columns) and not _counted(maps.columns):
        names = (f"{i} {screen.label(column, LONGEST_NAME)}" for i, column in enumerate(maps.columns))
        yield Text("keys: " + "  ".join(itertools.islice(names, MOST_NAMES)), style=QUIET)
    if fit.factor > 1:
        yield line(
            (
                screen.spelled(
                    f"each cell is {SAID[maps.look.pool or 'mean']} of {fit.factor} × {fit.factor} {maps.unit}s"
                ),
                QUIET,
            )
        )
    yield Text(screen.spelled(maps.footer), style=QUIET)


def scale_line(unit: str, scale: Scale, screen: Screen, *, masked: bool, after: str) -> Text:
    """The shades from the lowest value to the highest, and what else there is to say, as far as it fits."""
    if screen.colours:
        bar = [(" ", ground(shade)) for shade in ramp(scale.ramp)[np.linspace(0, 255, 16).astype(int)]]
        grey = [("  ", PLAIN), ("  ", ground(MASKED["night"])), (" masked", QUIET)] if masked else []
    else:
        bar = [(_shades(screen), PLAIN)]
        grey = [(screen.spelled("  · masked"), QUIET)] if masked and screen.can_show("·") else []
    low = scale.low if screen.colours or scale.log else 0.0
    number = "{:.0e}".format if scale.log else "{:.2f}".format
    parts = [(f"{unit} {number(low)} ", QUIET), *bar, (f" {scale.high:.2f}", QUIET), *grey]
    used = sum(cell_len(text) for text, _ in parts)
    said = screen.spelled(after)
    if used + 3 + cell_len(said) <= screen.width:
        parts.append((f"   {said}", QUIET))
    return line(*parts)
