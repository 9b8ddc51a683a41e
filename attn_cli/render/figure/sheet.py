"""A sheet of paper with marks on it, each in its place, and the one function that lets matplotlib draw it.

Places are in points from the upper left corner, x to the right, y down. Everything is settled here before
anything is drawn, so that a test can read a picture without looking at it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ..fonts import texts as fonts
from .backend import DPI, Figure, IdentityTransform, LineCollection, PathCollection, house_style
from .pixels import add_pixels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from jaxtyping import UInt8
    from matplotlib.axes import Axes

INK, QUIET, FAINT = "#222222", "#777777", "#a0a0a0"
PAPER, NIGHT = "#ffffff", "#141414"
_BY_NIGHT = {INK: "#eeeeee", QUIET: "#a0a0a0", FAINT: "#5c5c5c"}
PIXEL = 72 / DPI  # in points
LEADING = 1.25  # from one line of text to the next, for a type size of 1
BASELINE = 0.36  # from the middle of a line of text down to its baseline


@dataclass(frozen=True)
class Words:
    """One line of text; y is where its baseline lies. `turned` text reads upwards."""

    text: str
    x: float
    y: float
    size: float
    align: Literal["left", "center", "right"] = "left"
    colour: str = INK
    turned: bool = False


@dataclass(frozen=True)
class Number:
    """A number in a cell, centred on x; many are drawn at once, as outlines."""

    text: str
    x: float
    y: float
    size: float
    colour: str = INK


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels from their upper left corner."""

    rgb: UInt8[np.ndarray, "height width 3"]
    x: float
    y: float
    pixel: float = PIXEL  # the width of one


@dataclass(frozen=True)
class Stroke:
    """A thin line through points."""

    points: tuple[tuple[float, float], ...]
    colour: str = FAINT
    width: float = 0.5


Mark = Words | Number | Picture | Stroke


@dataclass(frozen=True)
class Sheet:
    """What a picture consists of, and how large it is in points."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    night: bool = False  # light marks on a dark ground

    def words(self) -> list[str]:
        """All that is written, in the order of the marks."""
        return [mark.text for mark in self.marks if isinstance(mark, Words)]


def box(x: float, y: float, width: float, height: float, colour: str = FAINT) -> Stroke:
    """A thin frame."""
    right, bottom = x + width, y + height
    return Stroke(((x, y), (right, y), (right, bottom), (x, bottom), (x, y)), colour)


def fitted(sheet: Sheet, width: float, height: float) -> Sheet:
    """The sheet on another of this size, as large as it can be there, and in the middle.

    >>> fitted(Sheet(10, 10, (Words("a", 0, 10, 8),)), 40, 20).marks
    (Words(text='a', x=10.0, y=20.0, size=16.0, align='left', colour='#222222', turned=False),)
    """
    factor = min(width / sheet.width, height / sheet.height)
    aside, down = (width - factor * sheet.width) / 2, (height - factor * sheet.height) / 2
    marks = tuple(moved(mark, aside, down, factor) for mark in sheet.marks)
    return replace(sheet, width=width, height=height, marks=marks)


def moved(mark: Mark, aside: float, down: float, factor: float = 1.0) -> Mark:
    """A mark made larger by a factor, then moved to the right and down.

    >>> moved(Words("a", 0, 10, 8), 5, 1)
    Words(text='a', x=5.0, y=11.0, size=8.0, align='left', colour='#222222', turned=False)
    """
    if isinstance(mark, Stroke):
        points = tuple((aside + factor * x, down + factor * y) for x, y in mark.points)
        return replace(mark, points=points, width=factor * mark.width)
    x, y = aside + factor * mark.x, down + factor * mark.y
    if isinstance(mark, Picture):
        return replace(mark, x=x, y=y, pixel=factor * mark.pixel)
    return replace(mark, x=x, y=y, size=factor * mark.size)


def draw(sheet: Sheet, dpi: float = DPI) -> Figure:
    """The sheet as a matplotlib figure."""
    sheet = _by_night(sheet) if sheet.night else sheet
    fonts.warn_of_missing(sheet.words())
    with house_style({"font.family": fonts.families_for(sheet.words())}):
        figure = Figure(figsize=(sheet.width / 72, sheet.height / 72), dpi=dpi)
        figure.set_facecolor(NIGHT if sheet.night else PAPER)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, sheet.width), ylim=(sheet.height, 0))
        axes.set_axis_off()
        for mark in sheet.marks:
            if isinstance(mark, Picture):
                _add_picture(axes, mark)
            elif isinstance(mark, Words):
                _add_words(axes, mark)
        _add_strokes(axes, [mark for mark in sheet.marks if isinstance(mark, Stroke)])
        _add_numbers(axes, [mark for mark in sheet.marks if isinstance(mark, Number)])
    return figure


def _by_night(sheet: Sheet) -> Sheet:
    """What is written and drawn in dark colours in light ones; numbers in cells have theirs from the cells."""
    return replace(
        sheet,
        marks=tuple(
            replace(mark, colour=_BY_NIGHT.get(mark.colour, mark.colour))
            if isinstance(mark, Words | Stroke)
            else mark
            for mark in sheet.marks
        ),
    )


def _add_picture(axes: Axes, picture: Picture) -> None:
    height, width = (pixels * picture.pixel for pixels in picture.rgb.shape[:2])
    extent = (picture.x, picture.x + width, picture.y + height, picture.y)
    add_pixels(axes, picture.rgb, extent)


def _add_words(axes: Axes, words: Words) -> None:
    axes.text(
        words.x,
        words.y,
        fonts.drawable(words.text),
        size=words.size,
        color=words.colour,
        horizontalalignment=words.align,
        verticalalignment="baseline",
        rotation=90 if words.turned else 0,
        rotation_mode="anchor",
        parse_math=False,  # a token is never a formula
    )


def _add_strokes(axes: Axes, strokes: Sequence[Stroke]) -> None:
    lines = LineCollection(
        [stroke.points for stroke in strokes],
        colors=[stroke.colour for stroke in strokes],
        linewidths=[stroke.width for stroke in strokes],
    )
    axes.add_collection(lines, autolim=False)


def _add_numbers(axes: Axes, numbers: Sequence[Number]) -> None:
    """All numbers together, as one collection for each digit: a text each would cost a millisecond."""
    for kind, places in sorted(_digits(numbers).items()):
        digit, size = kind
        glyphs = PathCollection(
            [fonts.outline(digit)[0]],
            sizes=[size**2],
            offsets=[(x, y) for x, y, _ in places],
            offset_transform=axes.transData,
            facecolors=[colour for _, _, colour in places],
            linewidths=0,
            transform=IdentityTransform(),  # sized in points, whatever the axes
        )
        axes.add_collection(glyphs, autolim=False)


def _digits(numbers: Iterable[Number]) -> dict[tuple[str, float], list[tuple[float, float, str]]]:
    """Where each digit of each size stands, and its colour."""
    places: dict[tuple[str, float], list[tuple[float, float, str]]] = {}
    for number in numbers:
        widths = [fonts.outline(digit)[1] * number.size for digit in number.text]
        x = number.x - sum(widths) / 2
        for digit, width in zip(number.text, widths, strict=True):
            places.setdefault((digit, number.size), []).append((x, number.y, number.colour))
            x += width
    return places
