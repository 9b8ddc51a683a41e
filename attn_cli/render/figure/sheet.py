"""A sheet of paper with marks on it, each in its place, and the one function that lets matplotlib draw it.

Places are in points from the upper left corner, x to the right, y down. Everything is settled here before
anything is drawn, so that a test can read a picture without looking at it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ..fonts import texts as fonts
from .artists import Outlines, Shades, Writing, add_pixels
from .backend import DPI, Drawn, IdentityTransform, LineCollection, house_style

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from jaxtyping import UInt8
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, FAINT = "#222222", "#777777", "#a0a0a0"
PAPER, NIGHT = "#ffffff", "#141414"
RULE = "#e4e4e4"  # behind curves
_BY_NIGHT = {INK: "#eeeeee", QUIET: "#a0a0a0", FAINT: "#5c5c5c", RULE: "#303030"}
# Okabe and Ito's colours, told apart by eyes that confuse red and green.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
PALE = "#9ecae8"  # of the first of them
_BY_NIGHT |= {
    "#c8c8c8": "#444444",
    "#0072b2": "#3d9fe0",
    "#d55e00": "#f0803c",
    "#009e73": "#20c997",
    PALE: "#2b567a",
}
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


@dataclass(frozen=True, eq=False)
class Cells:
    """The coloured cells of panels, each `width` × `height`, from the upper left corner of each panel."""

    rgb: UInt8[np.ndarray, "panel row column 3"]
    corners: tuple[tuple[float, float], ...]
    width: float
    height: float


@dataclass(frozen=True)
class Stroke:
    """A thin line through points."""

    points: tuple[tuple[float, float], ...]
    colour: str = FAINT
    width: float = 0.5


Mark = Words | Number | Picture | Cells | Stroke


@dataclass(frozen=True)
class Sheet:
    """What a picture consists of, and how large it is in points."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    night: bool = False  # light marks on a dark ground
    title: str = ""  # what the file is called within
    text_as: str = "text"  # or outlines, in an SVG

    def words(self) -> list[str]:
        """All that is written, in the order of the marks."""
        return [mark.text for mark in self.marks if isinstance(mark, Words)]


def box(x: float, y: float, width: float, height: float, colour: str = FAINT) -> Stroke:
    """A thin frame."""
    right, bottom = x + width, y + height
    return Stroke(((x, y), (right, y), (right, bottom), (x, bottom), (x, y)), colour)


def draw(sheet: Sheet, dpi: float = DPI) -> Figure:
    """The sheet as a matplotlib figure."""
    sheet = _by_night(sheet) if sheet.night else sheet
    fonts.warn_of_missing(sheet.words())
    families = fonts.families_for(sheet.words())
    with house_style({"font.family": families}):
        figure = Drawn(figsize=(sheet.width / 72, sheet.height / 72), dpi=dpi)
        figure.said, figure.text_as, figure.families = sheet.title, sheet.text_as, tuple(families)
        ground = NIGHT if sheet.night else PAPER
        figure.set_facecolor(ground)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, sheet.width), ylim=(sheet.height, 0))
        axes.set_axis_off()
        for mark in sheet.marks:
            if isinstance(mark, Picture):
                _add_picture(axes, mark)
            elif isinstance(mark, Cells):
                _add_cells(axes, mark, ground)
            elif isinstance(mark, Words):
                _add_words(axes, mark)
        _add_strokes(axes, [mark for mark in sheet.marks if isinstance(mark, Stroke)])
        numbers = [mark for mark in sheet.marks if isinstance(mark, Number)]
        _add_numbers(axes, numbers, as_text=sheet.text_as == "text")
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


def _add_cells(axes: Axes, cells: Cells, ground: str) -> None:
    red, green, blue = bytes.fromhex(ground[1:])
    axes.add_artist(Shades(cells.rgb, cells.corners, (cells.width, cells.height), (red, green, blue)))


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


def _add_numbers(axes: Axes, numbers: Sequence[Number], *, as_text: bool) -> None:
    """All numbers together, as one collection for each digit: a text each would cost a millisecond."""
    for kind, places in sorted(_digits(numbers).items()):
        digit, size = kind
        glyphs = Outlines(
            [fonts.outline(digit)[0]],
            sizes=[size**2],
            offsets=[(x, y) for x, y, _ in places],
            offset_transform=axes.transData,
            facecolors=[colour for _, _, colour in places],
            linewidths=0,
            transform=IdentityTransform(),  # sized in points, whatever the axes
        )
        glyphs.as_text = as_text
        axes.add_collection(glyphs, autolim=False)
    if as_text and numbers:
        texts = ((n.text, n.x - _width(n) / 2, n.y, n.size, n.colour) for n in numbers)
        axes.add_artist(Writing(texts, fonts.families_for("0")[0]))


def _width(number: Number) -> float:
    return sum(fonts.outline(digit)[1] for digit in number.text) * number.size


def _digits(numbers: Iterable[Number]) -> dict[tuple[str, float], list[tuple[float, float, str]]]:
    """Where each digit of each size stands, and its colour."""
    places: dict[tuple[str, float], list[tuple[float, float, str]]] = {}
    for number in numbers:
        x = number.x - _width(number) / 2
        for digit in number.text:
            places.setdefault((digit, number.size), []).append((x, number.y, number.colour))
            x += fonts.outline(digit)[1] * number.size
    return places
