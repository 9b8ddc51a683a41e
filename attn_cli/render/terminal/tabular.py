"""A `Table` in a terminal: each column of numbers shaded by itself, and what does not fit named."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from ...text.escaping import escape
from ..colour import Scale, ink, scale_for
from ..numbers import written
from .screen import PLAIN, QUIET, STRONG, Screen, ground, line, padded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.style import Style

    from ...records.table import Table

MOST_ROWS = 200
LONGEST = 40  # cells of a text


@dataclass(frozen=True, eq=False)
class Tabular:
    """A table that fits itself to the screen on which it is printed."""

    table: Table
    digits: int | None = None  # of a number (None: 3 decimals); 0: all that it has

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table as it looks on this console."""
        yield from lines(self.table, Screen.of(console, options), self.digits)


@dataclass(frozen=True, eq=False)
class Column:
    """The texts of a column, how wide they are, and how they are shaded."""

    name: str
    texts: Sequence[str]
    width: int
    numbers: np.ndarray | None = None  # None: nothing to shade
    scale: Scale | None = None
    side: Literal["left", "right"] = "right"


def lines(table: Table, screen: Screen, digits: int | None = None) -> Iterator[Text]:
    """Header, rows, and a word on what is left out and where the numbers come from."""
    toward = table.about == "explain"  # above zero is for the output in every column
    every = [
        _column(name, values[:MOST_ROWS], screen, digits, toward) for name, values in table.columns.items()
    ]
    shown = _fitting(every, screen.width)
    *before, last = shown
    indent = sum(column.width + 1 for column in before)
    sentences = _sentences(table.columns[last.name], last, screen, screen.width - indent)
    if sentences is not None:
        shown = [*before, replace(last, width=0)]  # its lines end where they end
    yield _line((padded(column.name, column.width, column.side), STRONG) for column in shown)
    for i in range(min(len(table), MOST_ROWS)):
        if sentences is None:
            yield _line(_cell(column, i, screen) for column in shown)
            continue
        yield _line([*(_cell(column, i, screen) for column in before), (sentences[i][0], PLAIN)])
        yield from (line((" " * indent + more, PLAIN)) for more in sentences[i][1:])
    if len(table) > MOST_ROWS:
        yield line((screen.spelled(f"… {len(table) - MOST_ROWS:,} more rows"), QUIET))
    if left_out := [column.name for column in every if column not in (*before, last)]:
        said = f"{', '.join(left_out)} left out to fit; a pipe or -o FILE gets everything"
        yield Text(screen.spelled(said), style=QUIET)
    if table.provenance:
        yield Text(screen.spelled(escape(table.provenance)), style=QUIET)


def _column(name: str, values: np.ndarray, screen: Screen, digits: int | None, toward: bool) -> Column:
    if values.dtype.kind == "f":
        texts = written(values, digits)
        width = max(map(len, (name, *texts)))
        scale = scale_for(values[np.isfinite(values)], night=True, toward=toward)
        return Column(name, texts, width, values, scale)
    texts = [screen.label(str(value), LONGEST) if value != "" else "" for value in values.tolist()]
    side: Literal["left", "right"] = "right" if values.dtype.kind in "iu" else "left"
    return Column(name, texts, max(map(cell_len, (name, *texts))), side=side)


def _sentences(values: np.ndarray, column: Column, screen: Screen, width: int) -> list[list[str]] | None:
    """The lines of each text of the last column, where some are long and all can be broken between words."""
    if values.dtype.kind not in "OU" or column.side == "right" or width < LONGEST // 2:
        return None
    texts = [screen.spelled(escape(str(value))) for value in values[:MOST_ROWS].tolist()]
    long = [text for text in texts if cell_len(text) > LONGEST]
    if not long or any(" " not in text or cell_len(text) > len(text) for text in long):
        return None
    return [textwrap.wrap(text, width) or [""] for text in texts]


def _fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """As many columns as there is room for: numbers are left out before texts, the last of them first."""
    shown = list(columns)
    while sum(column.width + 1 for column in shown) - 1 > width:
        numbers = [column for column in shown if column.numbers is not None]
        if not numbers:
            break
        shown.remove(numbers[-1])
    return shown


def _cell(column: Column, row: int, screen: Screen) -> tuple[str, Style]:
    text = padded(column.texts[row], column.width, column.side)
    if column.numbers is None or column.scale is None or not text.strip() or not screen.colours:
        return text, PLAIN
    shade = column.scale.colours(column.numbers[row])
    return text, ground(shade, ink(shade))


def _line(parts: Iterable[tuple[str, Style]]) -> Text:
    """The cells of a row with a space between them."""
    spaced = [part for cell in parts for part in ((" ", PLAIN), cell)]
    return line(*spaced[1:])
