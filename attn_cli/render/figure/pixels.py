"""Pixels as matplotlib shows them, each as it is: matplotlib itself would make floats of all, four times over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .backend import AxesImage, IdentityTransform

if TYPE_CHECKING:
    from jaxtyping import UInt8
    from matplotlib.axes import Axes


class Pixels(AxesImage):
    """An image whose pixels are repeated or left out, never mixed, to fill its place."""

    def make_image(self, renderer: Any, magnification: float = 1.0, unsampled: bool = False) -> Any:
        """The pixels on the device, from the lowest row up, and where they begin; `unsampled` as they are."""
        if unsampled:
            return super().make_image(renderer, magnification, unsampled)
        ends = np.reshape(self.get_extent(), (2, 2)).T  # left and bottom, right and top
        (left, low), (right, high) = np.rint(self.axes.transData.transform(ends) * magnification).astype(int)
        data: Any = self.get_array()
        rows = _nearest(high - low, data.shape[0])[::-1]
        columns = _nearest(right - left, data.shape[1])
        pixels = np.full((len(rows), len(columns), 4), 255, np.uint8)
        pixels[..., :3] = data[rows][:, columns]
        return pixels, left / magnification, low / magnification, IdentityTransform()


def _nearest(room: int, n: int) -> np.ndarray:
    """Which of n pixels each pixel of the device shows.

    >>> _nearest(4, 2).tolist()
    [0, 0, 1, 1]
    """
    room = max(room, 1)
    return (np.arange(room) * 2 + 1) * n // (2 * room)


def add_pixels(
    axes: Axes, rgb: UInt8[np.ndarray, "height width 3"], extent: tuple[float, float, float, float]
) -> None:
    """Put pixels into a place, its left, right, bottom and top."""
    image = Pixels(axes, extent=extent, origin="upper", interpolation="nearest")
    image.set_data(rgb)
    axes.add_image(image)
