"""Numbers in a terminal: shaded cells with four decimals, and what does not fit visibly left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from ..colour import Scale, ink
from .screen import PLAIN, QUIET, STRONG, Screen, ground, line, padded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from jaxtyping import Bool, Float
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.style import Style

MOST_ROWS, FEWEST_ROWS = 40, 10
AROUND = 6  # lines of a window for the header, the notes, the command and the prompt
LONGEST_HEADER, LONGEST_NAME = 10, 16  # in cells
Places = list[int | None]  # which rows or columns are shown; None where some are left out


@dataclass(frozen=True, eq=False)
class NumberTable:
    """A table of numbers that fits itself to the screen on which it is printed.

    Rows are known by their position, and by a token where `rows` holds some.
    """

    values: Float[np.ndarray, "row column"]
    scale: Scale
    columns: Sequence[str]
    called: tuple[str, str]  # what rows and columns are called: "query", "key"
    rows: Sequence[str] = ()
    hidden: Bool[np.ndarray, "row column"] | None = None
    title: str = ""
    counted: str = "pos"  # what stands over the numbers of the rows
    origin: str = ""  # of the numbers, said below them
    digits: int | None = None  # decimals of the numbers (None: 4); 0: all that there are

    def written(self, number: float) -> str:
        """A number as it stands in its cell."""
        return repr(float(number)) if self.digits == 0 else f"{number:.{self.digits or 4}f}"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table as it looks on this console."""
        yield from lines(self, Screen.of(console, options))


@dataclass(frozen=True)
class Fit:
    """Which rows and columns are shown, and how wide they are in cells."""

    rows: Places
    columns: Places
    position: int
    name: int
    cell: int
    gap: str  # stands over the columns that are left out


def lines(table: NumberTable, screen: Screen) -> Iterator[Text]:
    """Title, header, rows, and a word on what is left out."""
    fit = _fit(table, screen)
    if table.title:
        yield line((screen.spelled(table.title), STRONG))
    yield _header(table, fit, screen)
    for row in fit.rows:
        yield _row(table, row, fit, screen) if row is not None else _gap_row(table, fit, screen)
    if left_out := _left_out(table, fit):
        yield Text(f"{left_out} left out to fit; a pipe or -o FILE gets everything", style=QUIET)
    if table.origin:
        yield Text(screen.spelled(table.origin), style=QUIET)


def _fit(table: NumberTable, screen: Screen) -> Fit:
    n_rows, n_columns = table.values.shape
    in_window = max(FEWEST_ROWS, screen.height - AROUND - bool(table.title))
    rows = _kept(n_rows, n_rows if n_rows <= MOST_ROWS else min(MOST_ROWS, in_window))
    position = max(len(table.counted), len(str(n_rows - 1)))
    names = [
        cell_len(screen.label(table.rows[i], LONGEST_NAME)) for i in rows if i is not None and table.rows
    ]
    name = max([*names, len(table.called[0])]) if table.rows else 0
    told = table.values.ravel() if table.digits == 0 else (table.values.min(), table.values.max())
    number = max(len(table.written(x)) for x in told)
    header = max(cell_len(screen.label(column, LONGEST_HEADER)) for column in table.columns)
    room = screen.width - position - 1 - name
    # Headers are cut rather than columns left out.
    cell = 1 + max(number, min(header, room // n_columns - 1))
    gap = screen.spelled(f" … {n_columns} more")
    shown = n_columns if n_columns * cell <= room else max(2, (room - len(gap)) // cell + 1)
    columns = _kept(n_columns, shown)
    gap = screen.spelled(f" … {n_columns - len(columns) + 1} more")
    return Fit(rows, columns, position, name, cell, gap)


def _kept(n: int, most: int) -> Places:
    """At most so many places of n, from both ends, with None where the middle is left out.

    >>> _kept(3, 3), _kept(9, 4)
    ([0, 1, 2], [0, 1, None, 8])
    """
    if n <= most:
        return list(range(n))
    return [*range(most // 2), None, *range(n - (most - 1 - most // 2), n)]


def _header(table: NumberTable, fit: Fit, screen: Screen) -> Text:
    start = table.counted.rjust(fit.position) + " " + padded(table.called[0] if fit.name else "", fit.name)
    return line(
        (start, QUIET),
        *(
            (fit.gap, QUIET)
            if column is None
            else (padded(screen.label(table.columns[column], fit.cell - 1), fit.cell, "right"), STRONG)
            for column in fit.columns
        ),
    )


def _row(table: NumberTable, row: int, fit: Fit, screen: Screen) -> Text:
    name = screen.label(table.rows[row], LONGEST_NAME) if table.rows else ""
    start = [(f"{row:>{fit.position}} ", QUIET), (padded(name, fit.name), STRONG)]
    return line(*start, *(_cell(table, row, column, fit, screen) for column in fit.columns))


def _cell(table: NumberTable, row: int, column: int | None, fit: Fit, screen: Screen) -> tuple[str, Style]:
    if column is None:
        return padded(screen.spelled("…"), len(fit.gap), "center"), QUIET
    if table.hidden is not None and table.hidden[row, column]:
        return padded(screen.spelled("·"), fit.cell, "right"), QUIET
    number = table.written(table.values[row, column]).rjust(fit.cell)
    if not screen.colours:
        return number, PLAIN
    shade = table.scale.colours(table.values[row, column])
    return number, ground(shade, ink(shade))


def _gap_row(table: NumberTable, fit: Fit, screen: Screen) -> Text:
    return line((screen.spelled(f"… {len(table.values) - len(fit.rows) + 1} more"), QUIET))


def _left_out(table: NumberTable, fit: Fit) -> str:
    sides = zip(table.called, (fit.rows, fit.columns), table.values.shape, strict=True)
    return " and ".join(
        f"{n - len(places) + 1} of {n} {_plural(name)}" for name, places, n in sides if None in places
    )


def _plural(name: str) -> str:
    return "queries" if name == "query" else f"{name}s"
