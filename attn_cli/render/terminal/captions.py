"""What stands around maps in a terminal: titles, tokens and positions, what the shades mean."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len

from ..colour import MASKED, ramp
from ..pooling import SAID
from .painting import shades_of
from .panels import counted
from .screen import PLAIN, QUIET, Screen, ground, line, padded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from ..colour import Scale
    from .panels import Fit, Maps

LONGEST_NAME = 14
MOST_NAMES = 100  # of tokens, in a list below the maps
MOST_LINES_OF_NAMES = 3  # of a list, in a window


def brief(title: str, room: int, screen: Screen) -> str:
    """A panel's title, in short where there is little room."""
    return next((text for text in map(screen.spelled, (title, short(title))) if cell_len(text) <= room), "")


def short(title: str) -> str:
    """A title in as few characters as it takes.

    >>> short("layer 2 · head 11")
    'L2 H11'
    """
    return title.replace("layer ", "L").replace("head ", "H").replace(" · ", " ")


def row_of_titles(titles: Sequence[str], margin: int, room: int, screen: Screen) -> str:
    """The titles over panels that stand side by side; where they have no room, the layer stands in the margin."""
    full = [brief(title, room, screen) for title in titles]
    layers = {title.partition(" · ")[0] for title in titles}
    beside = ""
    if not all(full) and len(layers) == 1 and all(" · " in title for title in titles):
        beside = screen.spelled(short(layers.pop()))
        full = [brief(title.partition(" · ")[2], room, screen) for title in titles]
    start = padded(beside if cell_len(beside) < margin else "", margin)
    return start + "".join(padded(title, room + 1) for title in full).rstrip()


def row_label(i: int, maps: Maps, fit: Fit) -> str:
    """What stands beside the i-th line of text: position and token, once for each cell or pair of cells."""
    lines_per_cell = max(1, fit.height // 2)
    row = i * 2 // fit.height * fit.factor
    if fit.told == "nothing" or i % lines_per_cell != (lines_per_cell - 1) // 2 or row >= len(fit.names):
        return " " * fit.names_width
    position = str(maps.place(0, row)).rjust(len(str(maps.last_place(0))))
    return padded(f"{position} {fit.names[row]}".rstrip(), fit.names_width)


def column_labels(maps: Maps, fit: Fit, screen: Screen) -> str:
    """Tokens where each fits over its column, else positions, as many as leave a space between them."""
    if fit.named:
        return "".join(padded(screen.label(column, fit.width), fit.width) for column in maps.columns)
    n = len(maps.columns)
    steps = (lead * 10**power for power in range(9) for lead in (1, 2, 5))
    longest = len(str(maps.last_place(1)))
    step = next(s for s in steps if s >= n or s // fit.factor * fit.width > longest)
    labels = ""
    for column in range(0, n, step):
        labels = labels.ljust(column // fit.factor * fit.width) + str(maps.place(1, column))
    return labels


def notes(maps: Maps, fit: Fit, screen: Screen) -> list[str]:
    """What is said below the maps, beside what the shades mean."""
    said = list(_lists(maps, fit, screen))
    down, across = maps.sharing(fit.factor)
    if max(down, across) > 1:
        said.append(f"each cell is {SAID[maps.look.pool or 'mean']} of {down} × {across} {maps.unit}s")
    if fit.shown is not None and fit.shown < len(maps.values):
        last = f", up to {maps.titles[fit.shown - 1]}" if any(maps.titles) else ""
        said.append(
            f"{fit.shown} of {len(maps.values)} maps shown{last}; choose others with --layer and --head"
        )
    return [screen.spelled(text) for text in (*said, maps.footer)]


def _lists(maps: Maps, fit: Fit, screen: Screen) -> Iterator[str]:
    """The tokens of rows and columns that do not stand beside them."""
    same = tuple(maps.rows) == tuple(maps.columns)
    if fit.told == "positions" and fit.factor == 1 and not counted(maps.rows):
        yield from _list("tokens" if same else "queries", 0, maps, screen)
    if not fit.named and fit.told != "nothing" and not same and not counted(maps.columns):
        yield from _list("keys", 1, maps, screen)


def _list(called: str, axis: int, maps: Maps, screen: Screen) -> list[str]:
    """Positions and tokens of rows or columns in lines, as far as a few lines of a window have room."""
    tokens = (maps.rows, maps.columns)[axis]
    lines = [f"{called}:"]
    for i, token in enumerate(itertools.islice(tokens, MOST_NAMES)):
        name = f"{maps.place(axis, i)} {screen.label(token, LONGEST_NAME)}"
        gap = " " if lines == [f"{called}:"] else "  "
        if cell_len(lines[-1] + gap + name) <= screen.width:
            lines[-1] += gap + name
        else:
            lines.append(name)
    most = MOST_LINES_OF_NAMES if screen.is_window else len(lines)
    if len(tokens) > MOST_NAMES or len(lines) > most:
        lines[most:] = ["…"]
    return lines


def scale_line(unit: str, scale: Scale, screen: Screen, *, masked: bool, after: str) -> Text:
    """The shades from the lowest value to the highest, and what else there is to say, as far as it fits."""
    if screen.colours:
        bar = [(" ", ground(shade)) for shade in ramp(scale.ramp)[np.linspace(0, 255, 16).astype(int)]]
        grey = [("  ", PLAIN), ("  ", ground(MASKED["night"])), (" masked", QUIET)] if masked else []
    else:
        bar = [(shades_of(screen), PLAIN)]
        grey = [(screen.spelled("  · masked"), QUIET)] if masked and screen.can_show("·") else []
    low = scale.low if screen.colours or scale.log else 0.0
    number = "{:.2f}" if max(abs(low), abs(scale.high)) >= 0.05 else "{:.2g}"
    lowest = "{:.0e}" if scale.log else number
    parts = [
        (f"{unit} {lowest.format(low)} ", QUIET), *bar, (f" {number.format(scale.high)}", QUIET), *grey
    ]  # fmt: skip
    used = sum(cell_len(text) for text, _ in parts)
    said = screen.spelled(after)
    if used + 3 + cell_len(said) <= screen.width:
        parts.append((f"   {said}", QUIET))
    return line(*parts)
