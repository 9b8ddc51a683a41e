"""How a figure looks: its title, colours and size. Everything has a default that is fit for print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InputError
from ..registry import nearest

if TYPE_CHECKING:
    from ..records.attention import Attention

STYLES = {  # the size in inches, pixels to an inch
    "paper": (None, 216),
    "slide": ((13 + 1 / 3, 7.5), 144),
    "dark": (None, 216),
}
VIEWS = ("map", "lines", "tokens", "grid", "image")
_OF_ONE_QUERY = ("tokens", "image")
COLOUR_SCALES = ("shared", "panel", "log")
# From zero up; the first three are our own, the others are matplotlib's, as even in lightness as these.
CMAPS = ("paper", "ember", "night", "viridis", "magma", "inferno", "plasma", "cividis", "gray", "gray_r")
LARGEST, SMALLEST = 100.0, 0.5  # of a side, in inches
MOST_PIXELS = 100_000_000


@dataclass(frozen=True)
class Look:
    """What may be chosen about a figure.

    `cmap` is a ramp of `CMAPS`; `color_scale` says whether all panels share one scale that starts at zero,
    each has its own, or the shared one is logarithmic. `size` is in inches. Raises InputError for a name
    that is not known.

    >>> Look(style="slide").inches
    (13.333333333333334, 7.5)
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

    def __post_init__(self) -> None:
        if self.view is not None:
            _check("view", self.view, VIEWS)
        if self.view == "lines" and (self.cmap or self.color_scale != "shared"):
            raise InputError("--cmap or --color-scale with --view lines", hint="draw a map")
        if self.query_token is not None and self.view not in (None, *_OF_ONE_QUERY):
            hint = f"give --view {' or '.join(_OF_ONE_QUERY)}, or --query-range FROM:TO"
            raise InputError(f"--query-token with --view {self.view}", hint=hint)
        _check("style", self.style, tuple(STYLES))
        _check("color-scale", self.color_scale, COLOUR_SCALES)
        if self.cmap is not None:
            _check("cmap", self.cmap, CMAPS)
        if self.inches and self.inches[0] * self.inches[1] * self.pixels**2 > MOST_PIXELS:
            raise InputError(
                "a picture of more than 100 million pixels", hint="give a smaller --size or --dpi"
            )

    @property
    def night(self) -> bool:
        """Whether the ground is dark."""
        return self.style == "dark"

    @property
    def inches(self) -> tuple[float, float] | None:
        """Width and height, or None for what the content takes."""
        return self.size or STYLES[self.style][0]

    @property
    def pixels(self) -> int:
        """Pixels to an inch."""
        return self.dpi or STYLES[self.style][1]


def parse_size(text: str) -> tuple[float, float]:
    """Width and height in inches.

    >>> parse_size("3.3x2.5")
    (3.3, 2.5)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)[x×](\d+(?:\.\d+)?)", text.strip())
    sides = [float(side) for side in match.groups()] if match else []
    if not sides or min(sides) < SMALLEST or max(sides) > LARGEST:
        hint = f"give WIDTHxHEIGHT in inches, {SMALLEST:g} to {LARGEST:g} each, as 6x4"
        raise InputError(f"--size {text!r}", hint=hint)
    return sides[0], sides[1]


def usual_view(attention: Attention, look: Look) -> str:
    """The view where none is named: over the image where there is one, the text of a chosen query, else a map."""
    if attention.image is not None and not attention.are_scores:
        return "image"
    return "map" if look.query_token is None else "tokens"


def _check(option: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        hint = f"known are {', '.join(known)}{nearest(name, list(known))}"
        raise InputError(f"unknown --{option} {name!r}", hint=hint)


PLAIN = Look()
