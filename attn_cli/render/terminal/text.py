"""A shaded text in a terminal: the tokens where they stand, on the colour of the attention that they get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from ..colour import MASKED, ink
from .captions import brief, scale_line
from .painting import shades
from .screen import PLAIN, QUIET, STRONG, Screen, ground, line, padded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from jaxtyping import Float
    from rich.console import Console, ConsoleOptions, RenderResult

    from ..colour import Scale
    from ..text import Piece, Shading

    Part = tuple[str, Style]

OWN = Style(bold=True, underline=True)  # the query itself
LONGEST = 30  # cells of a token
MOST_BESIDE = 24  # cells of a title that stands beside its text, not above it


@dataclass(frozen=True, eq=False)
class TextShades:
    """A shaded text that fits itself to the screen on which it is printed."""

    view: Shading
    shown: Float[np.ndarray, "panel key"]  # the weights, or their parts of the peak of a panel
    scale: Scale
    unit: str
    title: str
    footer: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The text as it looks on this console."""
        yield from lines(self, Screen.of(console, options))


def lines(text: TextShades, screen: Screen) -> Iterator[Text]:
    """What the query is, the text once for each panel, and what the shades mean."""
    view = text.view
    titles = [brief(title, MOST_BESIDE, screen) for title in view.titles]
    if text.title:
        yield line((screen.spelled(text.title), STRONG))
    if view.queries:
        yield line(("query: ", QUIET), *_plain(view, screen))
    aside = max(map(cell_len, titles)) + 2 * any(titles)
    room = max(screen.width - aside, 20)
    for title, weights, hidden in zip(titles, text.shown, view.hidden, strict=True):
        start = padded(title, aside)
        for i, parts in enumerate(_wrapped(view, weights, hidden, text.scale, room, screen)):
            yield line((start if i == 0 else " " * aside, STRONG), *parts)
    yield line()
    yield scale_line(text.unit, text.scale, screen, masked=bool(view.hidden.any()), after=view.said)
    yield Text(screen.spelled(text.footer), style=QUIET)


def _plain(view: Shading, screen: Screen) -> Iterator[Part]:
    """The text that the query is in, without shades."""
    for i, piece in enumerate(view.queries):
        yield " " * (piece.before == "space"), PLAIN
        yield screen.label(piece.text, LONGEST), OWN if i == view.query else QUIET


def _wrapped(
    view: Shading,
    weights: Float[np.ndarray, " key"],
    hidden: np.ndarray,
    scale: Scale,
    room: int,
    screen: Screen,
) -> Iterator[list[Part]]:
    """The text of a panel in lines; without colours a line of shades stands below each."""
    names = [screen.label(piece.text, min(LONGEST, room)) for piece in view.pieces]
    styles = _styles(weights, hidden, scale) if screen.colours else [PLAIN] * len(names)
    marks = shades(weights, scale, screen)
    for places in _lines_of(view.pieces, names, room):
        parts: list[Part] = []
        below: list[Part] = []
        for at, i in enumerate(places):
            gap = " " * (at > 0 and view.pieces[i].before == "space")
            parts += [(gap, PLAIN), (names[i], styles[i] + OWN if i == view.own else styles[i])]
            mark = screen.spelled("·") if hidden[i] else marks[i]
            below.append((gap + mark * cell_len(names[i]), PLAIN))
        yield parts
        if not screen.colours:
            yield below


def _styles(weights: Float[np.ndarray, " key"], hidden: np.ndarray, scale: Scale) -> list[Style]:
    colours = scale.colours(weights)
    colours[hidden] = MASKED["night"]
    return [ground(colour, written) for colour, written in zip(colours, ink(colours), strict=True)]


def _lines_of(pieces: Sequence[Piece], names: Sequence[str], room: int) -> Iterator[list[int]]:
    """Which tokens stand in each line: it ends at spaces or between ideographs, within a word only if it must."""
    places: list[int] = []
    used = 0
    for group in _groups(pieces):
        space = pieces[group[0]].before == "space"
        width = sum(cell_len(names[i]) for i in group)
        if places and used + space + width > room:
            yield places
            places, used, space = [], 0, False
        for i in group:
            if places and used + cell_len(names[i]) + space > room:
                yield places
                places, used, space = [], 0, False
            places.append(i)
            used += cell_len(names[i]) + space
            space = False
    yield places


def _groups(pieces: Sequence[Piece]) -> Iterator[list[int]]:
    """The tokens that stand together."""
    group: list[int] = []
    for i, piece in enumerate(pieces):
        if group and piece.before != "nothing":
            yield group
            group = []
        group.append(i)
    yield group
