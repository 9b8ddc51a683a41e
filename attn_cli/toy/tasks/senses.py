"""Other senses: pictures cut into patches, as a ViT sees them, and sound cut into frames."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ..examples import TASKS, TOTAL, Example, Recipe, learns, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float

SIDE, PATCH = 20, 5  # pixels
LOUDEST = 100  # noise, where what is drawn or sounds is 1


@TASKS.register
@learns(Recipe(steps=450, lr=0.003, patch=PATCH, seconds=15))
def shapes(rng: np.random.Generator, *, noise: float = 0.2) -> Example:
    """Noisy pictures: a drawn circle → circle; the whole should look at the patches it is drawn in.

    Lines, crosses, squares, circles and triangles of any size in any place, on 20 × 20 pixels, cut into
    patches of 5 × 5. `noise` is the standard deviation of what is added to each pixel, where a stroke is 1.
    Raises InputError when it is not between 0 and 100.

    >>> example = shapes(np.random.default_rng(0))
    >>> example.image.shape, example.written
    ((1, 20, 20), ['triangle'])
    """
    within("noise", noise, 0, LOUDEST)
    name, outline = list(_SHAPES.items())[int(rng.integers(len(_SHAPES)))]
    size = rng.uniform(7, 9)
    middle = rng.uniform(size, SIDE - 1 - size, size=2)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    y, x = (rows - middle[0]) / size, (columns - middle[1]) / size  # from −1 to 1 within the shape
    drawn = np.abs(outline(x, y)) * size < 0.8  # strokes are about a pixel and a half wide
    image = drawn + noise * rng.standard_normal(drawn.shape)
    per_side = SIDE // PATCH
    touched = drawn.reshape(per_side, PATCH, per_side, PATCH).any(axis=(1, 3))
    source = (TOTAL, *(f"{row},{column}" for row in range(per_side) for column in range(per_side)))
    expected = np.zeros((len(source), len(source)), dtype=bool)
    expected[0, 1:] = touched.ravel()
    target = (name, *[None] * per_side**2)
    return Example(source, target, expected, image[None].astype(np.float32))


def _max(*distances: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "row column"]:
    return np.maximum.reduce(distances)


def _arms(*arms: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "row column"]:
    return np.minimum.reduce(arms)


# How far a point is from the outline of each shape; (0, 0) is its middle, y grows downwards.
_SHAPES: dict[str, Callable[..., Float[np.ndarray, "row column"]]] = {
    "line": lambda x, y: _max(abs(y), abs(x) - 1),
    "cross": lambda x, y: _max(_arms(abs(x), abs(y)), abs(x) - 1, abs(y) - 1),
    "square": lambda x, y: _max(abs(x), abs(y)) - 0.85,
    "circle": lambda x, y: np.hypot(x, y) - 0.95,
    "triangle": lambda x, y: _max((2 * abs(x) - 1 - y) / 5**0.5, y - 0.85),
}


# ---- sound ----

NOTES = {"C": 262, "D": 294, "E": 330, "F": 349, "G": 392, "A": 440, "B": 494}  # hertz
RATE, HOP, WINDOW = 1000, 32, 64  # samples a second; from frame to frame; of a frame
FRAMES = 24
_TIMES = np.arange((FRAMES - 1) * HOP + WINDOW) / RATE  # seconds
_SAMPLES = HOP * np.arange(FRAMES)[:, None] + np.arange(WINDOW)  # which of them are in each frame
_TAPER = np.hanning(WINDOW)  # a frame fades in and out, so that its edges do not sound


@TASKS.register
@learns(Recipe(stack="both", attends="cross", steps=290, layers=2, lr=0.005, patch=1, seconds=20))
def tones(rng: np.random.Generator, *, notes: int = 4, noise: float = 0.2) -> Example:
    """Sound: notes held for a while → their names; each name should look at the frames of its note.

        frames    silence C C C C E E G G G G G silence
        target    C E G
        look at   one block after the other, downwards to the right: a monotone alignment

    Short-time spectra, 24 frames of 33 frequencies; `noise` is the standard deviation of what is added to
    each sample, where a note has amplitude 1. Raises InputError when `notes` is not between 1 and 4, or
    `noise` not between 0 and 100.

    >>> example = tones(np.random.default_rng(0))
    >>> example.image.shape, example.written
    ((33, 1, 24), ['G', 'D', 'F', 'A'])
    """
    within("notes", notes, 1, 4)
    within("noise", noise, 0, LOUDEST)
    n = int(rng.integers(1, notes + 1))
    # Steps of 1 to 6 notes up the scale and around: no note follows itself, as nobody could tell the two apart.
    steps = np.cumsum([rng.integers(len(NOTES)), *rng.integers(1, len(NOTES), size=n - 1)])
    names = [list(NOTES)[step % len(NOTES)] for step in steps]
    durations = rng.integers(3, 6, size=n)  # frames
    begins = int(rng.integers(1, FRAMES - durations.sum())) + np.cumsum([0, *durations])
    sound = noise * rng.standard_normal(_TIMES.size)
    for name, begin, end in zip(names, begins, begins[1:], strict=False):
        held = slice(begin * HOP + HOP // 2, end * HOP + HOP // 2)
        sound[held] += np.sin(2 * np.pi * NOTES[name] * _TIMES[held] + rng.uniform(0, 2 * np.pi))
    expected = np.zeros((n, FRAMES + 1), dtype=bool)
    for row, (begin, end) in enumerate(pairwise(begins)):
        expected[row, 1 + begin : 1 + end] = True
    source = (TOTAL, *map(str, range(FRAMES)))
    return Example(source, tuple(names), expected, _spectrogram(sound)[:, None, :])


def _spectrogram(sound: Float[np.ndarray, " sample"]) -> Float[np.ndarray, "frequency frame"]:
    """How loud each frequency is in each frame."""
    return np.log1p(np.abs(np.fft.rfft(sound[_SAMPLES] * _TAPER)).T).astype(np.float32)
