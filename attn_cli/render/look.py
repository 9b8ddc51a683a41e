"""How a figure looks: its title, colours and size. Everything has a default that is fit for print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InputError
from ..registry import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable


class Names(dict[str, str]):
    """The names that an option knows, each with a line of help."""

    def lines(self) -> list[tuple[str, str]]:
        """A row for each name and its help."""
        return list(self.items())


STYLES = Names(
    paper="for print: dark on white, 8-point letters, as large as the content takes",
    slide="for a 16:9 slide: 13⅓ × 7½ inches, 16-point letters",
    dark="as paper, light on a dark ground",
)
COLOUR_SCALES = Names(
    shared="all panels on one scale, which starts at zero",
    panel="each panel on a scale of its own, as parts of its peak",
    log="one logarithmic scale over four powers of ten",
)
# From zero up; the first three are our own, the others are matplotlib's, as even in lightness as these.
CMAPS = Names(
    paper="white to dark blue (the default on a light ground)",
    ember="white to dark red",
    night="dark blue to light green (the default on a dark ground)",
    viridis="matplotlib's: dark blue to yellow",
    magma="matplotlib's: black through purple to pale yellow",
    inferno="matplotlib's: black through red to pale yellow",
    plasma="matplotlib's: blue through red to yellow",
    cividis="matplotlib's: blue to yellow, alike to colour-blind eyes",
    gray="black to white",
    gray_r="white to black",
)
PARTS = Names(
    title="the heading, and which attention it is",
    provenance="where the numbers come from, and other notes at the foot",
    colorbar="what the colours mean",
    numbers="the numbers in the cells",
    strips="figures of single queries and keys beside the map of a long text; the spectrogram of a sound",
)
POOLS = Names(
    mean="the mean of what shares a cell (the default but in the view grid)",
    max="the largest of what shares a cell: a single weight of 1 among thousands is seen",
)
TEXTS = Names(
    text="letters that can be edited and searched, in the fonts of whoever opens the file",
    outlines="shapes, the same on every machine",
)
LARGEST, SMALLEST = 100.0, 0.5  # of a side, in inches
SMALLEST_LETTERS, LARGEST_LETTERS = 3.0, 96.0  # in points
MOST_PIXELS = 100_000_000
_SLIDE = (13 + 1 / 3, 7.5)


@dataclass(frozen=True)
class Look:
    """What may be chosen about a figure.

    `cmap` is a ramp of `CMAPS`; `color_scale` says whether all panels share one scale that starts at zero,
    each has its own, or the shared one is logarithmic. `size` is the paper in inches, `font_size` what letters
    measure on it, in points. Raises InputError for a name that is not known.

    >>> Look(style="slide").inches, Look(style="slide").letters
    ((13.333333333333334, 7.5), 16.0)
    """

    title: str = ""
    cmap: str | None = None
    color_scale: str = "shared"
    size: tuple[float, float] | None = None
    dpi: int | None = None
    style: str = "paper"
    view: str | None = None  # None: over the image where there is one, else a map
    query_token: str | None = None  # whose attention is shown: a position from 0, or a token
    font: str | None = None  # a file or a name; what it lacks comes from the usual ones
    font_size: float | None = None
    columns: int | None = None  # panels side by side; None: as many as make them largest
    pool: str | None = None  # what a cell shows of several numbers, one of POOLS; None: what suits the view
    text_as: str = "text"  # in an SVG
    no: tuple[str, ...] = ()  # which of PARTS are left out
    toward: bool = False  # whether numbers above zero keep their hues where others are below: see `scale_for`

    def __post_init__(self) -> None:
        check("style", self.style, STYLES)
        check("color-scale", self.color_scale, COLOUR_SCALES)
        check("text-as", self.text_as, TEXTS)
        for part in self.no:
            check("no", part, PARTS)
        if self.pool is not None:
            check("pool", self.pool, POOLS)
        if self.cmap is not None:
            check("cmap", self.cmap, CMAPS)
        if not SMALLEST_LETTERS <= self.letters <= LARGEST_LETTERS:
            hint = f"give points, {SMALLEST_LETTERS:g} to {LARGEST_LETTERS:g}"
            raise InputError(f"--font-size {self.letters:g}", hint=hint)
        if self.inches and self.inches[0] * self.inches[1] * self.pixels**2 > MOST_PIXELS:
            raise InputError(
                "the picture would have more than 100 million pixels", hint="give a smaller --size or --dpi"
            )

    @property
    def night(self) -> bool:
        """Whether the ground is dark."""
        return self.style == "dark"

    @property
    def inches(self) -> tuple[float, float] | None:
        """Width and height, or None for what the content takes."""
        return self.size or (_SLIDE if self.style == "slide" else None)

    @property
    def pixels(self) -> int:
        """Pixels to an inch."""
        return self.dpi or (144 if self.style == "slide" else 216)

    @property
    def letters(self) -> float:
        """The size of labels, in points."""
        return self.font_size or (16.0 if self.style == "slide" else 8.0)

    def shows(self, part: str) -> bool:
        """Whether one of PARTS is drawn."""
        return part not in self.no


def parse_size(text: str) -> tuple[float, float]:
    """Width and height in inches.

    >>> parse_size("3.3x2.5")
    (3.3, 2.5)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)[x×](\d+(?:\.\d+)?)", text.strip())
    sides = [float(side) for side in match.groups()] if match else []
    if not sides or not all(SMALLEST <= side <= LARGEST for side in sides):
        hint = f"give WIDTHxHEIGHT in inches, {SMALLEST:g} to {LARGEST:g} each, as 6x4"
        raise InputError(f"--size {text!r}", hint=hint)
    return sides[0], sides[1]


def size_of(given: object) -> tuple[float, float]:
    """Width and height in inches, from a pair of numbers or from what `parse_size` reads.

    >>> size_of((6, 4)), size_of("6x4")
    ((6.0, 4.0), (6.0, 4.0))
    """
    if isinstance(given, str):
        return parse_size(given)
    try:
        width, height = (float(side) for side in given)  # type: ignore[attr-defined]  # caught
    except (TypeError, ValueError):
        width = height = 0.0
    if not (SMALLEST <= width <= LARGEST and SMALLEST <= height <= LARGEST):
        hint = f"give (width, height) in inches, {SMALLEST:g} to {LARGEST:g} each, as (6, 4)"
        raise InputError(f"--size {given!r}", hint=hint)
    return width, height


def parse_no(text: str) -> tuple[str, ...]:
    """Which parts of a picture are left out.

    >>> parse_no("title, numbers")
    ('title', 'numbers')
    """
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def check(option: str, name: str, known: Iterable[str]) -> None:
    """Raise InputError for a name that an option does not know."""
    if name not in (names := list(known)):
        hint = f"known are {', '.join(names)}{nearest(name, names)}"
        raise InputError(f"unknown --{option} {name!r}", hint=hint)


PLAIN = Look()
