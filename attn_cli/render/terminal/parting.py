"""Lines in a terminal beside what a model wrote itself: over its columns and along its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .screen import QUIET, ink

if TYPE_CHECKING:
    from .painting import Part
    from .panels import Fit, Maps
    from .screen import Screen

PARTED = ink((213, 94, 0))
SAID = "beside the lines: what the model wrote itself"


def over(maps: Maps, fit: Fit, screen: Screen) -> str:
    """A line over the columns of a panel that were written; nothing where none were."""
    if not (began := maps.began[1]):
        return ""
    start, end = round(began / fit.factor * fit.width), fit.side(maps) - fit.frame
    return " " * start + ("─" if screen.can_show("─") else "-") * (end - start)


def beside(i: int, maps: Maps, fit: Fit, screen: Screen) -> Part:
    """What stands before the i-th line of the panels; the line may begin halfway down it."""
    start = round((maps.began[0] or 0) / fit.factor * fit.height)
    if start == 0 or 2 * i + 1 < start:
        return " ", QUIET
    return (("╷" if 2 * i < start else "│") if screen.can_show("╷│") else "|"), PARTED
