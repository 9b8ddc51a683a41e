"""Numbers to colours, the same ones in figures, pages and the terminal.

A ramp is 256 colours at equal steps of perceived difference, made in OKLab (Ottosson 2020,
bottosson.github.io/posts/oklab). Lightness rises or falls throughout, so that a ramp still reads in grey
and to eyes that tell few hues apart.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8

    from .look import Look

# Control points of Bézier curves in OKLab: lightness (0 black, 1 white), chroma, hue in degrees.
_CURVES = {
    "paper": ((1, 0, 0), (0.90, 0.12, 200), (0.70, 0.13, 228), (0.50, 0.19, 262), (0.25, 0.10, 285)),
    "ember": ((1, 0, 0), (0.92, 0.10, 85), (0.74, 0.16, 60), (0.50, 0.20, 35), (0.27, 0.08, 25)),
    "night": ((0.20, 0.04, 285), (0.36, 0.18, 285), (0.60, 0.12, 225), (0.84, 0.24, 160), (0.96, 0.12, 105)),
    "frost": ((0.20, 0, 0), (0.34, 0.12, 265), (0.60, 0.18, 245), (0.80, 0.14, 225), (0.94, 0.05, 210)),
    "rose": ((0.20, 0, 0), (0.34, 0.12, 20), (0.56, 0.22, 18), (0.74, 0.18, 8), (0.88, 0.09, 0)),
    "glow": ((0.20, 0, 0), (0.34, 0.10, 40), (0.60, 0.20, 50), (0.80, 0.16, 65), (0.94, 0.08, 90)),
}
# A ramp is one curve, or two that meet at zero.
_RAMPS = {
    "paper": ("paper",),
    "ember": ("ember",),
    "night": ("night",),
    "signed": ("paper", "ember"),
    "signed night": ("frost", "glow"),
    "toward": ("ember", "paper"),
    "toward night": ("rose", "night"),
}
# A place on the map where nothing can be: neither zero nor any other value.
MASKED = {"paper": (230, 230, 226), "night": (62, 62, 60)}
DECADES = 4  # that a logarithmic scale reaches down
MANY = 48  # numbers along a side of a map, from which on the few largest do not set its scale
# The scale of many ends at this quantile or so many times their mean, unless the largest is not far beyond.
_QUANTILE, _TIMES, _FAR = 0.95, 6.0, 1.5
_SAMPLE = 200_000  # numbers that are enough to know a quantile
_FROM_OKLAB = (
    (1, 0.3963377774, 0.2158037573),
    (1, -0.1055613458, -0.0638541728),
    (1, -0.0894841775, -1.291485548),
)
_TO_LINEAR_RGB = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.707614701),
)


@dataclass(frozen=True)
class Scale:
    """Which number gets which colour: `low` the first of a ramp, `high` the last."""

    low: float
    high: float
    ramp: str
    log: bool = field(
        default=False, repr=False
    )  # colours count factors, not differences, from high down by DECADES

    @property
    def signed(self) -> bool:
        """Whether the scale has two sides, with zero in the middle."""
        return self.low < 0

    def shades(self, values: Float[np.ndarray, "*n"]) -> Int[np.ndarray, "*n"]:
        """Where values stand on the scale, from 0 to 255; what lies outside is brought to the end.

        >>> Scale(0, 2, "paper").shades(np.array([0.0, 1.0, 3.0])).tolist()
        [0, 128, 255]
        """
        return np.rint(self.part(values) * 255).clip(0, 255).astype(np.intp)

    def part(self, values: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
        """How far up the scale values stand, from 0 to 1.

        >>> Scale(0.0001, 1, "paper", log=True).part(np.array([1, 0.01, 0])).tolist()
        [1.0, 0.5, -inf]
        """
        if self.log:
            with np.errstate(divide="ignore"):
                return np.log10(values / self.high) / DECADES + 1
        return (values - self.low) / (self.high - self.low)

    def colours(self, values: Float[np.ndarray, "*n"]) -> UInt8[np.ndarray, "*n 3"]:
        """The colour of each value, red, green and blue."""
        return ramp(self.ramp)[self.shades(values)]


def scale_for(values: Float[np.ndarray, "*n"], *, night: bool = False, toward: bool = False) -> Scale:
    """The scale on which all values have a place: from 0 up, or as far below 0 as above it.

    `night` is for a dark ground: zero is dark there, where on paper it is white. With `toward`, numbers above 0 have
    the hues that they have where there are none below it, so that what speaks for something looks alike throughout.

    >>> scale_for(np.array([0.1, 0.4]))
    Scale(low=0.0, high=0.4, ramp='paper')
    >>> scale_for(np.array([-2.0, 1.0])).high
    2.0
    """
    top = float(np.abs(values).max(initial=0)) or 1.0
    if values.min(initial=0) < 0:
        return Scale(-top, top, ("toward" if toward else "signed") + " night" * night)
    return Scale(0.0, top, "night" if night else "paper")


def scale_of(values: Float[np.ndarray, "*n"], look: Look, *, many: bool = False) -> Scale:
    """The scale on which all values have a place, as the look wants it; of `many`, all but the few largest."""
    scale = scale_for(values, night=look.night, toward=look.toward)
    if many and look.color_scale != "log":
        top = top_of(values) or scale.high
        scale = replace(scale, low=-top if scale.signed else 0.0, high=top)
    if look.cmap:
        scale = replace(scale, ramp=look.cmap)
    if look.color_scale != "log":
        return scale
    if scale.signed:
        raise InputError("--color-scale log needs numbers above zero", hint="give shared or panel")
    return replace(scale, low=scale.high / 10**DECADES, log=True)


def top_of(values: Float[np.ndarray, "*n"]) -> float:
    """Where a scale of many numbers ends, so that most have a colour of their own: the few beyond share the last.

    >>> weights = np.full((60, 60), 0.01)
    >>> weights[:, 0] = 0.5
    >>> top_of(weights)
    0.11
    """
    sizes = np.abs(values).ravel()
    largest = float(sizes.max(initial=0))
    sample = sizes[:: max(1, sizes.size // _SAMPLE)]
    top = max(float(np.quantile(sample, _QUANTILE)), _TIMES * float(sizes.mean())) if sizes.size else 0.0
    if not 0 < top * _FAR < largest:
        return largest
    step = 10.0 ** (math.floor(math.log10(top)) - 1)
    return float(f"{math.ceil(top / step - 1e-9) * step:.2g}")


@functools.cache
def ramp(name: str) -> UInt8[np.ndarray, "256 3"]:
    """The colours of a ramp, from the lowest value to the highest.

    `paper` runs from white to ink and `night` from dark to light, for numbers from zero up; `signed` and
    `signed night` run from blue to orange, through white or black at zero, `toward` and `toward night` from orange
    and from pink to the hues of `paper` and `night`. `ember` is the warm side alone; other names are matplotlib's.

    >>> ramp("paper")[0].tolist()
    [255, 255, 255]
    """
    if name not in _RAMPS:
        return _of_matplotlib(name)
    if len(_RAMPS[name]) == 1:
        return _srgb(_even_steps(_CURVES[name], 256))
    below, above = (_srgb(_even_steps(_CURVES[curve], 128)) for curve in _RAMPS[name])
    return np.concatenate([below[::-1], above])


def _of_matplotlib(name: str) -> UInt8[np.ndarray, "256 3"]:
    from matplotlib import colormaps

    colours: np.ndarray = colormaps[name](np.arange(256), bytes=True)
    return colours[:, :3]


def ink(ground: UInt8[np.ndarray, "*n 3"]) -> UInt8[np.ndarray, "*n 3"]:
    """The colour of text that reads best on each ground: near black or white, by relative luminance.

    >>> ink(np.array([[255, 255, 255], [20, 20, 80]])).tolist()
    [[34, 34, 34], [255, 255, 255]]
    """
    luminance = (ground / 255) ** 2.2 @ np.array([0.2126, 0.7152, 0.0722])
    shade = np.where(luminance > 0.22, 34, 255).astype(np.uint8)
    return np.repeat(shade[..., None], 3, axis=-1)


def _even_steps(points: tuple[tuple[float, float, float], ...], n: int) -> Float[np.ndarray, "n 3"]:
    """`n` places on a Bézier curve, at equal distances along it."""
    light, chroma, hue = np.array(points).T
    angle = np.deg2rad(hue)
    lab = np.stack([light, chroma * np.cos(angle), chroma * np.sin(angle)], axis=1)
    t, degree = np.linspace(0, 1, 2049)[:, None], len(lab) - 1
    curve = sum(math.comb(degree, i) * t**i * (1 - t) ** (degree - i) * point for i, point in enumerate(lab))
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    return np.stack([np.interp(np.linspace(0, way[-1], n), way, axis) for axis in curve.T], axis=1)


def _srgb(lab: Float[np.ndarray, "n 3"]) -> UInt8[np.ndarray, "n 3"]:
    linear = ((lab @ np.array(_FROM_OKLAB).T) ** 3 @ np.array(_TO_LINEAR_RGB).T).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (encoded * 255 + 0.5).astype(np.uint8)
