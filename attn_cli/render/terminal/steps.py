"""Worked attention in the terminal: a table for each step, then the arithmetic of a cell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table
from rich.text import Text

from ...text.escaping import escape
from ..colour import scale_for
from .screen import PLAIN, QUIET, STRONG, Screen, line
from .tables import NumberTable, lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.style import Style

    from ...records.worked import Arithmetic, Step, Words, Worked

_PLAIN = {"·": "*", "√": "sqrt ", "≈": "~", "Σ": "sum", "∞": "inf", "ᵀ": "^T", "≤": "<="}
_BETWEEN = 3  # cells from one head's table to the next


@dataclass(frozen=True)
class StepTables:
    """Every step of every layer, fitted to the screen on which it is printed."""

    worked: Sequence[Worked]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The steps as they look on this console."""
        screen = Screen.of(console, options)
        words = self.worked[0].words
        about = words.sentences(escape(self.worked[0].provenance), words.rounding)
        yield _words(about, screen, QUIET)
        for layer in self.worked:
            if len(self.worked) > 1:
                yield _words(f"\n{words.layer.format(n=layer.layer)}", screen, STRONG)
            for step in layer.steps:
                yield from _step(step, layer.heads, screen, words)
            if layer.arithmetic:
                yield from _arithmetic(layer.arithmetic, screen, words)


def _step(step: Step, heads: Sequence[int | str], screen: Screen, words: Words) -> Iterator[RenderableType]:
    yield Text.assemble((f"\n{words.term(step.name)}", STRONG), (f"  {words.shape_of(step)}", QUIET))
    if step.formula:
        yield _words(step.formula, screen, PLAIN)
    masked = words.hidden.format(mark=screen.spelled("·")) if np.isinf(step.values).any() else ""
    if step.meaning or masked:
        yield _words(words.space.join(filter(None, [escape(step.meaning), masked])), screen, QUIET)
    several = len(step.matrices) > 1
    tables = [
        _table(step, matrix, words.head.format(n=head) if several else "", words)
        for head, matrix in zip(heads, step.matrices, strict=False)
    ]
    yield from _side_by_side([list(lines(table, screen)) for table in tables], screen.width)


def _table(step: Step, matrix: np.ndarray, title: str, words: Words) -> NumberTable:
    hidden = np.isinf(matrix)
    numbers = np.where(hidden, 0, matrix)
    called = _called(step.corner, words), _called(step.axes[-1], words)
    return NumberTable(
        numbers, scale_for(numbers, night=True), step.column_names, called, step.rows, hidden, title
    )


def _called(axis: str, words: Words) -> str:
    return words.dimension if axis.startswith("d_") else words.term(axis)


def _side_by_side(blocks: list[list[Text]], width: int) -> Iterator[Text]:
    """Blocks of lines, as many beside one another as the width holds."""
    widest = max(text.cell_len for block in blocks for text in block)
    across = max(1, (width + _BETWEEN) // (widest + _BETWEEN))
    for start in range(0, len(blocks), across):
        for row in zip_longest(*blocks[start : start + across], fillvalue=Text()):
            together = line()
            for i, text in enumerate(row):
                together.append(" " * (i * (widest + _BETWEEN) - together.cell_len))
                together.append_text(text)
            yield together


def _arithmetic(arithmetic: Arithmetic, screen: Screen, words: Words) -> Iterator[RenderableType]:
    yield _words(f"\n{escape(words.heading(arithmetic))}", screen, STRONG)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    for step in arithmetic.lines:
        text = Text(_spelled(step.text, screen))
        if step.remark:
            text.append(_spelled(f"   ({step.remark})", screen), QUIET)
        table.add_row(Text(step.name, STRONG), text)
    yield table


def _words(text: str, screen: Screen, style: Style) -> Text:
    """Running text, which may take several lines."""
    return Text(_spelled(text, screen), style)


def _spelled(formula: str, screen: Screen) -> str:
    """A formula in the characters that the screen has."""
    known = (_PLAIN.get(c, c) if not screen.can_show(c) else c for c in formula)
    return screen.spelled("".join(known))
