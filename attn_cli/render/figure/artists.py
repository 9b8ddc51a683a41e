"""What matplotlib draws in its own way too slowly, or as pixels where there could be shapes.

Pixels are shown each as it is: matplotlib itself would make floats of all, four times over. Cells are pixels in a
PNG, and up to `MOST_SHAPES` of them rectangles in an SVG or PDF.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .backend import (
    Artist,
    AxesImage,
    FontProperties,
    IdentityTransform,
    PathCollection,
    Rectangle,
    is_vector,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jaxtyping import Int, UInt8, UInt32
    from matplotlib.axes import Axes

MOST_SHAPES = 65_536  # in a picture, and
LONGEST = 64  # along a side of a panel


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


class Shades(Artist):
    """The cells of panels of one size: `colours` of each, from the `corners` on, so wide and high."""

    def __init__(
        self,
        colours: UInt8[np.ndarray, "panel row column 3"],
        corners: Sequence[tuple[float, float]],
        cell: tuple[float, float],
        ground: tuple[int, int, int],
    ) -> None:
        super().__init__()
        self.colours, self.corners, self.cell, self.ground = colours, corners, cell, ground

    def draw(self, renderer: Any) -> None:
        """Draw them as shapes where the device has these and there are not too many, else as one image."""
        if not self.get_visible():
            return
        n_rows, n_columns = self.colours.shape[1:3]
        few = max(n_rows, n_columns) <= LONGEST and self.colours[..., 0].size <= MOST_SHAPES
        if few and is_vector(renderer):
            self._as_shapes(renderer)
        else:
            self._as_pixels(renderer)
        self.stale = False

    def _as_shapes(self, renderer: Any) -> None:
        across, down = self._edges(1.0)
        writer = getattr(renderer, "writer", None)  # of an SVG
        if writer is not None:
            writer.start("g", attrib={"shape-rendering": "crispEdges"})
        for panel, xs, ys in zip(self.colours, across, down, strict=True):
            for i, j in np.ndindex(panel.shape[:2]):
                place = xs[j], ys[i], xs[j + 1], ys[i + 1]
                if writer is not None:
                    _rectangle(writer, renderer.height, place, panel[i, j])
                else:  # each a little under the next: viewers would show the ground between them
                    last = j + 1 == panel.shape[1], i + 1 == panel.shape[0]
                    _filled(renderer, place, panel[i, j], last)
        if writer is not None:
            writer.end("g")

    def _edges(self, magnification: float) -> tuple[np.ndarray, np.ndarray]:
        """Where columns and rows begin and end on the device, for each panel; y from below."""
        corners, (width, height) = np.array(self.corners, dtype=float), self.cell
        n_rows, n_columns = self.colours.shape[1:3]
        x = corners[:, :1] + np.arange(n_columns + 1) * width
        y = corners[:, 1:] + np.arange(n_rows + 1) * height
        transform = self.axes.transData.transform  # type: ignore[union-attr]
        across = transform(np.stack([x.ravel(), np.zeros(x.size)], axis=1))[:, 0].reshape(x.shape)
        down = transform(np.stack([np.zeros(y.size), y.ravel()], axis=1))[:, 1].reshape(y.shape)
        return across * magnification, down * magnification

    def _as_pixels(self, renderer: Any) -> None:
        magnification = renderer.get_image_magnification()
        across, down = (np.rint(edges).astype(int) for edges in self._edges(magnification))
        left, low, right, high = across.min(), down.min(), across.max(), down.max()
        ground = np.array([*self.ground, 255], np.uint8).view(np.uint32)[0]
        pixels = np.full((max(high - low, 1), max(right - left, 1)), ground, np.uint32)
        upside = pixels[::-1]  # the first row lies highest
        for panel, xs, ys in zip(_packed(self.colours), across, down, strict=True):
            columns, rows = _covered(xs - left), _covered(high - ys)
            upside[high - ys[0] : high - ys[-1], xs[0] - left : xs[-1] - left] = panel[:, columns][rows]
        gc = renderer.new_gc()
        shown = pixels.view(np.uint8).reshape(*pixels.shape, 4)
        renderer.draw_image(gc, left / magnification, low / magnification, shown)
        gc.restore()


def _packed(rgb: UInt8[np.ndarray, "panel row column 3"]) -> UInt32[np.ndarray, "panel row column"]:
    """Each colour as one number, opaque: moved about in a third of the time."""
    rgba = np.full((*rgb.shape[:-1], 4), 255, np.uint8)
    rgba[..., :3] = rgb
    return rgba.view(np.uint32)[..., 0]


def _covered(edges: Int[np.ndarray, " n"]) -> Int[np.ndarray, " pixel"]:
    """Which cell each pixel shows, of cells between these edges.

    >>> _covered(np.array([0, 2, 3])).tolist()
    [0, 0, 1]
    """
    return np.repeat(np.arange(len(edges) - 1), np.diff(edges))


Place = tuple[float, float, float, float]  # left, top, right, bottom; y from below


def _rectangle(writer: Any, height: float, place: Place, colour: np.ndarray) -> None:
    left, top, right, bottom = place
    writer.element(
        "rect",
        attrib={
            "x": f"{left:.3f}".rstrip("0").rstrip("."),
            "y": f"{height - top:.3f}".rstrip("0").rstrip("."),
            "width": f"{right - left:.3f}".rstrip("0").rstrip("."),
            "height": f"{top - bottom:.3f}".rstrip("0").rstrip("."),
            "fill": "#{:02x}{:02x}{:02x}".format(*colour),
        },
    )


_UNDER = 0.3  # points


def _filled(renderer: Any, place: Place, colour: np.ndarray, last: tuple[bool, bool]) -> None:
    left, top, right, bottom = place
    right, bottom = right + _UNDER * (not last[0]), bottom - _UNDER * (not last[1])
    shape = Rectangle((left, bottom), right - left, top - bottom)
    gc = renderer.new_gc()
    gc.set_linewidth(0)
    renderer.draw_path(gc, shape.get_path(), shape.get_patch_transform(), tuple(colour / 255))
    gc.restore()


class Outlines(PathCollection):
    """Characters by their outlines; left out where the device writes them as text."""

    as_text = False

    def draw(self, renderer: Any) -> None:
        """Draw them, unless they are text."""
        if not (self.as_text and is_vector(renderer)):
            super().draw(renderer)


class Writing(Artist):
    """Many short texts, for devices that have text: (text, x, y, size, colour) from the left end of each."""

    def __init__(self, texts: Iterable[tuple[str, float, float, float, str]], family: str) -> None:
        super().__init__()
        self.texts, self.family = list(texts), family

    def draw(self, renderer: Any) -> None:
        """Write them where there is text; elsewhere `Outlines` show them."""
        if not is_vector(renderer):
            return
        gc = renderer.new_gc()
        for text, x, y, size, colour in self.texts:
            gc.set_foreground(colour)
            across, up = self.axes.transData.transform((x, y))  # type: ignore[union-attr]
            down = renderer.get_canvas_width_height()[1] - up if renderer.flipy() else up
            font = FontProperties(family=[self.family], size=size)
            renderer.draw_text(gc, across, down, text, font, 0, ismath=False)
        gc.restore()
        self.stale = False
