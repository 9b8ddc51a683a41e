"""Views of positional encodings in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from ...text.escaping import escape
from ..colour import scale_for
from .screen import QUIET
from .tables import NumberTable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...records.series import Series


def series_table(series: Series, digits: int | None = None) -> RenderableType:
    """A row for each position, distance or dimension, a column for each name."""
    table = NumberTable(
        series.values,
        scale_for(series.values, night=True),
        columns=tuple(series.columns),
        called=({"pos": "position", "dim": "dimension"}.get(series.index, series.index), "column"),
        counted=series.index,
        digits=digits,
    )
    return Group(table, Text(escape(series.about), style=QUIET))
