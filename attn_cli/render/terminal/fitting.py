"""How maps are fitted to a screen: the largest cells and the most labels with which all of them are in the window."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.cells import cell_len

from ..pooling import even_factor
from .captions import LONGEST_NAME, notes, short
from .painting import LOWER_HALF
from .panels import Fit, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .panels import Maps
    from .screen import Screen

BETWEEN = 2  # columns between panels
# Sizes of a cell, in columns and half rows, and the longest side of a map that may have cells so large.
SIZES = ((6, 4), (4, 8), (2, 40))
MOST_LINES = 60  # that all maps together may take with cells larger than the smallest
MOST_LINES_OF_SMALL = 100  # and with the smallest
FEWEST_CELLS = 4  # along a side of a map that is averaged down
MOST_CELLS_OF_OVERVIEW = 24
_AROUND = 3  # lines of the window for the command, the name of the file and the prompt


def fit_of(maps: Maps, screen: Screen) -> Fit:
    """The first way of showing all maps that fits the screen; where none does, the last, and as many maps as fit."""
    for fit in _ways(maps, screen):
        room = _room(fit, maps, screen)
        if fit.lines(maps) <= room:
            return fit
    return _cut(fit, maps, screen) if screen.is_window else fit


def _room(fit: Fit, maps: Maps, screen: Screen) -> int:
    """How many lines the panels may take."""
    below = 1 + sum(_wrapped(text, screen.width) for text in notes(maps, fit, screen))
    most = maps.most_lines or (MOST_LINES if fit.width > 1 else MOST_LINES_OF_SMALL)
    return min(most, screen.height - _AROUND - below - bool(maps.look.title))


def _wrapped(text: str, width: int) -> int:
    """How many lines a text takes that breaks between words."""
    n, used = 1, 0
    for word in text.split():
        if used and used + 1 + cell_len(word) > width:
            n, used = n + 1, 0
        used += bool(used) + cell_len(word)
        n, used = n + used // (width + 1), used % (width + 1)
    return n


def _cut(fit: Fit, maps: Maps, screen: Screen) -> Fit:
    """As many whole rows of panels as fit, at least one."""
    each = fit.lines_of_row(maps)
    fit = replace(fit, shown=len(maps.values) - 1)  # so that the note about it is counted
    n_rows = max(1, (_room(fit, maps, screen) - fit.numbered) // each)
    rows = replace(fit, shown=None).rows_of_panels(maps)
    return replace(fit, shown=rows[min(n_rows, len(rows)) - 1].stop)


def _ways(maps: Maps, screen: Screen) -> Iterator[Fit]:
    """All ways of showing the maps, from large cells with names to small ones that stand for many values."""
    longest = max(maps.values.shape[1:])
    if not maps.overview:
        for size, most in SIZES:
            if longest <= most:
                yield from (fit for fit in _arranged(size, 1, "names", maps, screen) if fit.factor == 1)
        for told in ("names", "positions"):
            yield from (fit for fit in _arranged(1, 1, told, maps, screen) if fit.factor == 1)
    told = "nothing" if maps.overview or len(maps.values) > 1 else "names"
    least = math.ceil(longest / MOST_CELLS_OF_OVERVIEW) if maps.overview else 1
    for factor in range(least, math.ceil(longest / FEWEST_CELLS) + 1):
        yield from _arranged(1, even_factor(factor, *maps.values.shape[1:]), told, maps, screen)


def _arranged(size: int, factor: int, told: str, maps: Maps, screen: Screen) -> Iterator[Fit]:
    """The ways of laying panels side by side: a layer to a row, several layers, both also close together."""
    for between in (BETWEEN, BETWEEN - 1) if told != "names" else (BETWEEN,):
        fit = _beside(size, factor, told, between, maps, screen)
        fits = [fit, *_several_layers(fit, maps, screen)]
        yield from fits
        yield from (replace(fit, tight=True) for fit in fits)


def _several_layers(fit: Fit, maps: Maps, screen: Screen) -> Iterator[Fit]:
    """The panels of several layers in one row, where each has room for its whole title; whole layers first."""
    n, most = len(maps.values), _most_across(fit, maps, screen)
    if n == maps.across or max(cell_len(short(title)) for title in maps.titles) > fit.title_width(maps):
        return
    layers = n // maps.across
    if most >= 2 * maps.across:
        layers = math.ceil(layers / math.ceil(layers / (most // maps.across)))
        yield replace(fit, group=layers * maps.across, across=layers * maps.across)
    if fit.width == fit.factor == 1 and most > fit.across:
        yield replace(fit, group=n, across=math.ceil(n / math.ceil(n / most)))


def _most_across(fit: Fit, maps: Maps, screen: Screen) -> int:
    """How many panels have room side by side."""
    room = max(screen.width - fit.names_width - bool(fit.names_width), 1)
    return max(1, (room + fit.between) // (fit.side(maps) + fit.between))


def _beside(size: int, factor: int, told: str, between: int, maps: Maps, screen: Screen) -> Fit:
    """The fit with cells so large and these labels; two names share a line if that leaves no panel out."""
    names = [""] * len(maps.rows)
    if told == "names" and not counted(maps.rows):
        names = [screen.label(row, LONGEST_NAME) for row in maps.rows]
    fit = _with_names(names, size, factor, told, between, maps, screen)
    if fit.height == 1 and fit.factor == 1 and any(names):
        both = [" ".join(names[i : i + 2]) if i % 2 == 0 else "" for i in range(len(names))]
        wider = _with_names(both, size, factor, told, between, maps, screen)
        return wider if (wider.factor, wider.across) == (fit.factor, fit.across) else fit
    return fit


def _with_names(
    names: Sequence[str], size: int, factor: int, told: str, between: int, maps: Maps, screen: Screen
) -> Fit:
    n_rows, n_columns = maps.values.shape[1:]
    frame = 0 if screen.colours else 2
    if frame and told == "nothing":
        between -= 1  # frames tell panels apart
    title_width = size * math.ceil(n_columns / factor) + frame + between - 1
    names_width = _margin(names, told, maps, title_width)
    room = max(screen.width - names_width - bool(names_width) - frame, 1)
    if (needed := math.ceil(n_columns * size / room)) > factor:
        factor = even_factor(needed, n_rows, n_columns)
    named = factor == 1 and _fit_over_columns(size, maps, screen)
    halves = screen.colours and screen.can_show(LOWER_HALF)
    height = size if halves else max(2, size)
    fit = Fit(factor, size, height, frame, between, maps.across, 1, told, tuple(names), names_width, named)
    most = min(maps.across, _most_across(fit, maps, screen))
    return replace(fit, across=math.ceil(maps.across / math.ceil(maps.across / most)))  # rows of equal length


def _fit_over_columns(size: int, maps: Maps, screen: Screen) -> bool:
    """Whether tokens can stand over columns so wide: with a space between them, or all as wide as these."""
    widths = [cell_len(screen.label(column, LONGEST_NAME)) for column in maps.columns]
    return max(widths) < size or min(widths) == max(widths) == size


def _margin(names: Sequence[str], told: str, maps: Maps, title_width: int) -> int:
    """How wide it is to the left of the panels: positions and names, else layers that titles have no room for."""
    if told != "nothing":
        return len(str(maps.last_place(0))) + bool(any(names)) + max(map(cell_len, names))
    if all(cell_len(short(title)) <= title_width for title in maps.titles):
        return 0
    return max(cell_len(short(title.partition(" · ")[0])) if " · " in title else 0 for title in maps.titles)
