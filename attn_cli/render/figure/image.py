"""Attention over an image: what one query, as a rule the token of the whole, attends to among the patches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow

from ...records.attention import axis_name
from ...text.escaping import escape
from ..colour import ramp, scale_of
from ..fonts import texts as fonts
from ..labels import label
from ..patches import maps_of, patch_of
from ..text import place_of
from .maps import GAP, HEADING, MARGIN, NOTE, TITLE, colour_bar
from .sheet import INK, LEADING, PIXEL, QUIET, Picture, Sheet, Stroke, Words, box, fitted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float, UInt8

    from ...records.attention import Attention
    from ..colour import Scale
    from ..look import Look
    from .sheet import Mark

PAGE, WIDE, LARGEST = 504.0, 864.0, 200.0  # the width of a sheet, at most; the longest side of a panel
WANTED = 80.0  # of a panel, where there are many
BAR, ROW = 46.0, GAP + TITLE  # beside the panels; between those of two rows
FAINT, STRONG = 0.5, 0.85  # how much contrast is left to an image under weights; how much these cover at most
FRAME = (("#ffffff", 2.4), ("#d01c1f", 1.2))  # a line within a wider one shows on any image
LUMA = np.array([0.299, 0.587, 0.114])  # how light red, green and blue are


@dataclass(frozen=True, eq=False)
class Panel:
    """One copy of the image, and the weights over it; without weights the image itself."""

    title: str
    weights: Float[np.ndarray, "row column"] | None = None


@dataclass(frozen=True)
class Grid:
    """Where the panels stand."""

    n: int
    across: int
    left: float
    top: float
    width: float  # of a panel
    height: float

    @property
    def corners(self) -> list[tuple[float, float]]:
        """The upper left corner of each panel."""
        places = (divmod(i, self.across) for i in range(self.n))
        return [(self.left + x * (self.width + GAP), self.top + y * (self.height + ROW)) for y, x in places]

    @property
    def right(self) -> float:
        """Where the panels end."""
        return self.left + self.across * (self.width + GAP) - GAP

    @property
    def bottom(self) -> float:
        """Where the panels end."""
        return self.corners[-1][1] + self.height


def lay_out(attention: Attention, look: Look, subheading: str = "") -> Sheet:
    """The image, the mean of the heads, and each head; of several layers, a row for each."""
    query = place_of(look.query_token or "0", attention.query_tokens)
    panels = _panels(attention, maps_of(attention, query), each=look.color_scale == "panel")
    picture = _picture(attention)
    sides = [axis_name("layer", layer) for layer in attention.layers] if len(attention.layers) > 1 else []
    heading = list(_heading(attention, look, subheading, query))
    top = max((mark.y for mark in heading), default=MARGIN) + TITLE + 10
    grid = _grid(len(panels), picture.shape[0] / picture.shape[1], top, len(sides))
    scale = scale_of(np.stack([panel.weights for panel in panels if panel.weights is not None]), look)
    marks: list[Mark] = [*heading, *_beside(sides, grid)]
    for panel, corner, pixels in zip(panels, grid.corners, _lit(panels, picture, grid, scale), strict=True):
        marks += [Picture(pixels, *corner), box(*corner, grid.width, grid.height)]
        marks += [Words(panel.title, corner[0], corner[1] - 4, TITLE)] if panel.title else []
        marks += _frame_of_query(attention, query, grid, *corner)
    unit = "of its peak" if look.color_scale == "panel" else attention.unit
    marks += colour_bar(unit, scale, grid.right + 1.4 * GAP, grid.top, grid.bottom)
    footer = list(_footer(attention, query, grid.bottom + 3 * NOTE, max(grid.right + BAR, PAGE / 2)))
    ends = [
        mark.x + fonts.width(mark.text, mark.size)
        for mark in (*marks, *footer)
        if isinstance(mark, Words) and not mark.turned
    ]
    width = max(grid.right, *ends) + MARGIN
    sheet = Sheet(math.ceil(width), math.ceil(footer[-1].y + MARGIN), (*marks, *footer), look.night)
    return fitted(sheet, look.inches[0] * 72, look.inches[1] * 72) if look.inches else sheet


def _panels(
    attention: Attention, maps: Float[np.ndarray, "layer head row column"], *, each: bool
) -> list[Panel]:
    """Of one layer also the image; the mean of the heads where there are several; with `each`, parts of its peak."""
    panels = [Panel("image")] if len(maps) == 1 else []
    names: list[int | str] = ["mean"] if len(attention.heads) > 1 else []
    titles = [axis_name("head", name) for name in [*names, *attention.heads]]
    for layer, heads in enumerate(maps):
        shown = np.concatenate([heads.mean(axis=0, keepdims=True), heads]) if names else heads
        if each:
            shown = shown / np.maximum(shown.max(axis=(1, 2), keepdims=True), np.finfo(shown.dtype).tiny)
        named = titles if layer == 0 else [""] * len(titles)
        panels += map(Panel, named, shown)
    return panels


def _picture(attention: Attention) -> UInt8[np.ndarray, "height width 3"]:
    """The image; where it was not saved, white paper of the shape of its patches."""
    if attention.image is not None:
        return attention.image
    assert attention.patches is not None
    return np.full((*attention.patches, 3), 255, np.uint8)


def _grid(n: int, aspect: float, top: float, n_layers: int) -> Grid:
    """As many panels side by side as leave no gap; of several layers all of a layer."""
    left = MARGIN + (TITLE + 6) * (n_layers > 0)
    most = max(2, int((PAGE - left - BAR + GAP) // (WANTED + GAP)))
    across = n // n_layers if n_layers else math.ceil(n / math.ceil(n / most))
    room = PAGE if across <= most else min(WIDE, across * (WANTED + GAP) + BAR + left)
    width = min(LARGEST, (room - left - BAR + GAP) / across - GAP)
    width, height = (width, width * aspect) if width * aspect <= LARGEST else (LARGEST / aspect, LARGEST)
    return Grid(n, across, left, top, _whole_pixels(width), _whole_pixels(height))


def _whole_pixels(length: float) -> float:
    return max(1, round(length / PIXEL)) * PIXEL


def _lit(
    panels: Sequence[Panel], picture: UInt8[np.ndarray, "h w 3"], grid: Grid, scale: Scale
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """The image as it is; in grey and faint under weights, the fainter the more weight there is."""
    size = round(grid.width / PIXEL), round(grid.height / PIXEL)
    ground = np.array(Pillow.fromarray(picture).resize(size, Pillow.Resampling.LANCZOS))
    grey = (ground @ LUMA)[..., None]
    dark = ramp(scale.ramp)[0].mean() < 128  # whatever has no weight recedes to where the colours begin
    faint = FAINT * grey if dark else 255 - FAINT * (255 - grey)
    for panel in panels:
        if panel.weights is None:
            yield ground
            continue
        y, x = (np.arange(m) * n // m for m, n in zip(ground.shape, panel.weights.shape, strict=False))
        cover = STRONG * scale.part(panel.weights).clip(0, 1)[y][:, x, None] ** 0.7
        colours = scale.colours(panel.weights)[y][:, x]
        yield np.rint(faint * (1 - cover) + colours * cover).astype(np.uint8)


def _frame_of_query(attention: Attention, query: int, grid: Grid, x: float, y: float) -> Iterator[Stroke]:
    """A frame around the patch that the query is, if it is one."""
    if (place := patch_of(attention, query)) is None:
        return
    assert attention.patches is not None
    high, wide = (side / n for side, n in zip((grid.height, grid.width), attention.patches, strict=True))
    around = box(x + place[1] * wide, y + place[0] * high, wide, high)
    for colour, width in FRAME:
        yield Stroke(around.points, colour, width)


def _beside(titles: list[str], grid: Grid) -> Iterator[Words]:
    for i, title in enumerate(titles):
        middle = grid.top + i * (grid.height + ROW) + grid.height / 2
        yield Words(title, MARGIN + TITLE, middle, TITLE, "center", turned=True)


def _heading(attention: Attention, look: Look, subheading: str, query: int) -> Iterator[Words]:
    name = label(attention.query_tokens[query])
    said = (
        f"attention of {name}" if patch_of(attention, query) is None else f"attention of patch {name}, framed"
    )
    y = MARGIN
    for text, size, colour in (
        (escape(look.title), HEADING, INK),
        (" · ".join(filter(None, [subheading, said])), TITLE, QUIET),
    ):
        for line in fonts.lines(text, size, PAGE - 2 * MARGIN):
            yield Words(line, MARGIN, y + size, size, colour=colour)
            y += size * LEADING + 3


def _footer(attention: Attention, query: int, y: float, room: float) -> Iterator[Words]:
    """Where the numbers come from, and what of the weights no patch has."""
    texts = [escape(attention.provenance.strip()) or "origin not recorded"]
    assert attention.patches is not None
    n_patches = math.prod(attention.patches)
    if others := attention.key_tokens[:-n_patches]:
        kept = attention.weights[:, :, query, :-n_patches].sum(axis=-1)
        names = ", ".join(map(label, others))
        share = " to ".join(dict.fromkeys(f"{x:.2g}" for x in (kept.min(), kept.max())))
        of = "" if attention.are_norms else " of each head's 1"
        texts.append(f"not drawn: the {attention.unit} on {names}, {share}{of}")
    for text in texts:
        for line in fonts.lines(text, NOTE, room - 2 * MARGIN):
            yield Words(line, MARGIN, y, NOTE, colour=QUIET)
            y += NOTE * LEADING
