"""A picture of the user's own as a run that has learned pictures takes it: a drawing, however large, on any paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

ENLARGED = 16  # times
_FILLED = 0.8  # of the side
_DUST = 0.4  # of the darkest stroke


def strokes(pixels: UInt8[np.ndarray, "height width 3"], side: int) -> Float[np.ndarray, "side side"]:
    """How far each pixel is from the paper, which is what most of the edge shows: 0 on paper, 1 where it is farthest.

    What is drawn is put into the middle and made as large as those that were learned from: four fifths of
    `side` × `side`.

    >>> white = np.full((40, 70, 3), 255, np.uint8)
    >>> white[10:20, 3:7] = 0  # a black bar
    >>> strokes(white, 5)[:, 1:4].tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]
    """
    from PIL import Image

    grey = pixels.astype(np.float32).mean(axis=-1)
    paper = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    ink = np.abs(grey - paper)
    drawn = ink[_ends(ink.max(axis=1)), _ends(ink.max(axis=0))]
    large = max(drawn.shape)
    room = round(side * _FILLED)
    sizes = [max(1, round(n * room / large)) for n in drawn.shape]
    small = Image.fromarray(drawn).resize((sizes[1], sizes[0]), Image.Resampling.BOX)
    places = [slice((side - n + 1) // 2, (side - n + 1) // 2 + n) for n in sizes]
    placed = np.zeros((side, side), np.float32)
    placed[places[0], places[1]] = np.asarray(small)
    return placed / (placed.max() or 1)


def _ends(line: Float[np.ndarray, " place"]) -> slice:
    """From the first place with ink to the last; dust and the noise of a photo are none."""
    (inked,) = np.nonzero(line > _DUST * line.max())
    return slice(int(inked[0]), int(inked[-1]) + 1) if len(inked) else slice(None)


def shown(image: Float[np.ndarray, "channel height width"]) -> UInt8[np.ndarray, "height width 3"]:
    """Numbers as a picture: the lowest black, the highest white, each pixel a square, as nothing smoother was learned from."""
    darkest, lightest = image.min(), image.max()
    pixels = np.rint(255 * (image - darkest) / ((lightest - darkest) or 1)).astype(np.uint8)
    pixels = np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0)
    return pixels.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
