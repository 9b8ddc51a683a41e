"""Maps in a terminal, as many side by side as there is room for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from ...text.escaping import escape
from ..pooling import pooled
from . import parting
from .captions import column_labels, notes, row_label, row_of_titles, scale_line
from .fitting import fit_of
from .painting import paint, scaled
from .panels import Maps
from .screen import PLAIN, QUIET, STRONG, Screen, line, padded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from .painting import Part
    from .panels import Fit


@dataclass(frozen=True, eq=False)
class BlockMaps(Maps):
    """Maps that fit themselves to the screen on which they are printed."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The maps as they look on this console."""
        yield from lines(self, Screen.of(console, options))


def lines(maps: Maps, screen: Screen) -> Iterator[Text]:
    """The maps and what their shades mean."""
    fit = fit_of(maps, screen)
    values, hidden = pooled(maps.values, maps.hidden, fit.factor, maps.look.pool)
    values, scale = scaled(values, hidden, maps.look)
    if maps.look.title:
        yield line((screen.spelled(escape(maps.look.title)), STRONG))
    for i, row in enumerate(fit.rows_of_panels(maps)):
        panels = zip(values[row], hidden[row], strict=True)
        painted = [paint(*panel, scale, fit, screen) for panel in panels]
        yield from _side_by_side(painted, maps.titles[row], maps, fit, screen, first=i == 0)
        if not fit.tight:
            yield line()
    unit = "of its peak" if maps.look.color_scale == "panel" else maps.unit
    yield scale_line(unit, scale, screen, masked=bool(hidden.any()), after=maps.axes)
    if any(maps.began) and fit.numbered:
        yield line((screen.spelled(parting.SAID), parting.PARTED))
    for note in notes(maps, fit, screen):
        yield Text(note, style=QUIET)


def _side_by_side(
    panels: Sequence[list[list[Part]]],
    titles: Sequence[str],
    maps: Maps,
    fit: Fit,
    screen: Screen,
    *,
    first: bool,
) -> Iterator[Text]:
    """A row of panels: titles, column labels, and row labels to the left."""
    margin = fit.names_width + bool(fit.names_width)
    between, side = " " * fit.between, fit.side(maps)
    if any(titles):
        yield line((row_of_titles(titles, margin, fit.title_width(maps), screen), STRONG))
    if fit.numbered and (first or not fit.tight):
        labels = " " * (fit.frame // 2) + column_labels(maps, fit, screen)
        yield line((" " * margin + between.join([padded(labels, side)] * len(panels)).rstrip(), QUIET))
        if over := parting.over(maps, fit, screen):
            rule = padded(" " * (fit.frame // 2) + over, side)
            yield line((" " * margin + between.join([rule] * len(panels)).rstrip(), parting.PARTED))
    for i, (leftmost, *others) in enumerate(zip(*panels, strict=True)):
        rest = (part for panel in others for part in ((between, PLAIN), *panel))
        before = [parting.beside(i, maps, fit, screen)] if margin else []
        yield line((padded(row_label(i, maps, fit), fit.names_width), QUIET), *before, *leftmost, *rest)
