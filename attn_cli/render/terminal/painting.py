"""A map as lines of styled text: two pixels to a character where there are colours, else shades of text."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from ..colour import MASKED, Scale, scale_of
from .screen import PLAIN, Screen, ground, ink

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8
    from rich.style import Style

    from ..look import Look
    from .panels import Fit

    Part = tuple[str, Style]

LOWER_HALF, UPPER_HALF = "▄", "▀"
SHADES, ASCII_SHADES = " ░▒▓█", " .:-=+*#%@"


def scaled(
    values: Float[np.ndarray, "*panel place"], hidden: Bool[np.ndarray, "*panel place"], look: Look
) -> tuple[Float[np.ndarray, "*panel place"], Scale]:
    """The values as they are shaded, of each panel as parts of its peak if the look wants that, and their scale."""
    if look.color_scale == "panel":
        axes = tuple(range(1, values.ndim))
        peaks = np.abs(np.where(hidden, 0, values)).max(axis=axes, keepdims=True)
        values = values / np.where(peaks > 0, peaks, 1)
    return values, scale_of(values[~hidden], look)


def paint(
    values: Float[np.ndarray, "row column"],
    hidden: Bool[np.ndarray, "row column"],
    scale: Scale,
    fit: Fit,
    screen: Screen,
) -> list[list[Part]]:
    """A panel as lines of styled text."""
    if not screen.colours:
        return _in_shades(values, hidden, scale, fit, screen)
    colours = scale.colours(values)
    colours[hidden] = MASKED["night"]
    pixels = colours.repeat(fit.height, axis=0).repeat(fit.width, axis=1)
    pairs = [_in_halves(upper, lower) for upper, lower in zip(pixels[:-1:2], pixels[1::2], strict=True)]
    return [*pairs, _last_half(pixels[-1], screen)] if len(pixels) % 2 else pairs


def _in_halves(upper: UInt8[np.ndarray, "column 3"], lower: UInt8[np.ndarray, "column 3"]) -> list[Part]:
    """Two rows of pixels in one line of text, alike neighbours together."""
    parts: list[Part] = []
    for (above, below), run in itertools.groupby(zip(map(tuple, upper), map(tuple, lower), strict=True)):
        n = len(list(run))
        parts.append((" " * n, ground(above)) if above == below else (LOWER_HALF * n, ground(above, below)))
    return parts


def _last_half(pixels: UInt8[np.ndarray, "column 3"], screen: Screen) -> list[Part]:
    """A row of pixels with nothing below it."""
    if not screen.can_show(UPPER_HALF):
        return [(" ", ground(pixel)) for pixel in pixels]
    return [(UPPER_HALF, ink(pixel)) for pixel in pixels]


def _in_shades(
    values: Float[np.ndarray, "row column"],
    hidden: Bool[np.ndarray, "row column"],
    scale: Scale,
    fit: Fit,
    screen: Screen,
) -> list[list[Part]]:
    blank = "·" if screen.can_show("·") else " "
    rows = [
        "".join((blank if hide else shade) * fit.width for shade, hide in zip(*row, strict=True))
        for row in zip(shades(values, scale, screen), hidden, strict=True)
    ]
    return [[("|" + row + "|", PLAIN)] for row in rows for _ in range(fit.height // 2)]


def shades(values: Float[np.ndarray, "*n"], scale: Scale, screen: Screen) -> np.ndarray:
    """A character for each value, the darker the farther it is from zero: without colours there is no sign."""
    known = np.array(list(shades_of(screen)))
    strength = scale.part(values).clip(0, 1) if scale.log else np.abs(values) / scale.high
    return known[np.rint(strength.clip(0, 1) * (len(known) - 1)).astype(int)]


def shades_of(screen: Screen) -> str:
    """The characters from the weakest to the strongest."""
    return SHADES if screen.can_show(SHADES) else ASCII_SHADES
