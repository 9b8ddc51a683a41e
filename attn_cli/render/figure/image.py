"""Attention over an image: what one query, as a rule the token of the whole, attends to among the patches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow

from ...records.attention import axis_name
from ...records.queries import place_of
from ..colour import ramp, scale_of
from ..fonts import texts as fonts
from ..labels import label
from ..patches import maps_of, middle_of, patch_of
from .bar import Bar
from .maps import which
from .paper import GAP, PAGE, WIDE, Frame, Paper
from .paper import lay_out as on_paper
from .sheet import Picture, Sheet, Stroke, Words, box

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float, UInt8

    from ...records.attention import Attention
    from ..colour import Scale
    from ..look import Look
    from .paper import Room
    from .sheet import Mark

LARGEST, WANTED = 200.0, 80.0  # the longest side of a panel; of one of many; for letters of 8
BAR = 46.0
SMALLEST = 8.0
FAINT, STRONG = 0.5, 0.85  # how much contrast is left to an image under weights; how much these cover at most
PALEST = 0.35  # where the colours over an image begin, of the ramp
FRAME = (("#ffffff", 2.4), ("#d01c1f", 1.2))  # a line within a wider one shows on any image
LUMA = np.array([0.299, 0.587, 0.114])  # how light red, green and blue are


@dataclass(frozen=True, eq=False)
class Panel:
    """One copy of the image, and the weights over it; without weights the image itself."""

    title: str
    weights: Float[np.ndarray, "row column"] | None = None


@dataclass(frozen=True, eq=False)
class Seen:
    """What is drawn, before anything has a place: the panels, all weights on one scale."""

    attention: Attention
    query: int
    panels: Sequence[Panel]
    picture: UInt8[np.ndarray, "height width 3"]
    sides: tuple[str, ...]  # the layers beside the rows

    @property
    def aspect(self) -> float:
        """Height of a panel for a width of 1."""
        return self.picture.shape[0] / self.picture.shape[1]


@dataclass(frozen=True, eq=False)
class Overlay:
    """The panels and where they stand."""

    seen: Seen
    paper: Paper
    across: int
    panel: tuple[float, float]  # width and height

    @cached_property
    def scale(self) -> Scale:
        """Of all weights that are drawn."""
        shown = [panel.weights for panel in self.seen.panels if panel.weights is not None]
        return scale_of(np.stack(shown), self.paper.look)

    @property
    def frame(self) -> Frame:
        """Where the panels lie."""
        paper, (width, height) = self.paper, self.panel
        left, top = _before(self.seen, paper)
        down = math.ceil(len(self.seen.panels) / self.across)
        gap, row = _gaps(paper)
        return Frame(left, top, left + self.across * (width + gap) - gap, top + down * (height + row) - row)

    @property
    def width(self) -> float:
        """Of everything."""
        return self.frame.right

    @property
    def height(self) -> float:
        """Of everything."""
        return self.frame.bottom

    @property
    def bar(self) -> Bar | None:
        """What the colours mean."""
        look = self.paper.look
        unit = "of its peak" if look.color_scale == "panel" else self.seen.attention.unit
        if not look.shows("colorbar"):
            return None
        dark = ramp(self.scale.ramp)[0].mean() < 128
        colours = _covered(np.full((1, 256, 1), 0 if dark else 255), self.scale, np.linspace(0, 1, 256)[None])
        return Bar(unit, self.scale, colours=tuple(map(tuple, colours[0].tolist())))

    @property
    def notes(self) -> list[str]:
        """What of the weights no patch has."""
        attention, query = self.seen.attention, self.seen.query
        assert attention.patches is not None
        n_patches = math.prod(attention.patches)
        if not (others := attention.key_tokens[:-n_patches]):
            return []
        kept = attention.shown[:, :, query, :-n_patches].sum(axis=-1)
        names = ", ".join(map(label, others))
        share = " to ".join(dict.fromkeys(f"{x:.2g}" for x in (kept.min(), kept.max())))
        of = " of each head's 1" if attention.show == "weights" else ""
        return [f"not drawn: the {attention.unit} on {names}, {share}{of}"]

    def corners(self, x: float, y: float) -> list[tuple[float, float]]:
        """The upper left corner of each panel."""
        frame, (width, height), (gap, row) = self.frame, self.panel, _gaps(self.paper)
        places = (divmod(i, self.across) for i in range(len(self.seen.panels)))
        return [(x + frame.left + j * (width + gap), y + frame.top + i * (height + row)) for i, j in places]

    def marks(self, x: float, y: float) -> Iterator[Mark]:
        """Everything, from this corner."""
        seen, size, (width, height) = self.seen, self.paper.letters, self.panel
        corners, gap = self.corners(x, y), self.paper.of(GAP)
        for i, side in enumerate(seen.sides):
            middle = corners[i * self.across][1] + height / 2
            yield Words(side, x + 0.9 * size, middle, size, "center", turned=True)
        for panel, corner, pixels in zip(seen.panels, corners, self._lit(), strict=True):
            yield Picture(pixels, *corner, self.paper.pixel)
            yield box(*corner, width, height)
            if panel.title:
                yield Words(
                    _brief(panel.title, width + gap / 2, size), corner[0], corner[1] - 0.75 * size, size
                )
            yield from _frame_of_query(seen, self.panel, *corner)

    def _lit(self) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
        """The image as it is; in grey and faint under weights, the fainter the more weight there is."""
        size = round(self.panel[0] / self.paper.pixel), round(self.panel[1] / self.paper.pixel)
        ground = np.array(Pillow.fromarray(self.seen.picture).resize(size, Pillow.Resampling.LANCZOS))
        grey = (ground @ LUMA)[..., None]
        dark = (
            ramp(self.scale.ramp)[0].mean() < 128
        )  # whatever has no weight recedes to where the colours begin
        faint = FAINT * grey if dark else 255 - FAINT * (255 - grey)
        for panel in self.seen.panels:
            if panel.weights is None:
                yield ground
                continue
            y, x = (np.arange(m) * n // m for m, n in zip(ground.shape, panel.weights.shape, strict=False))
            yield _covered(faint, self.scale, self.scale.part(panel.weights).clip(0, 1)[y][:, x])


def _covered(
    ground: Float[np.ndarray, "height width 1"], scale: Scale, part: Float[np.ndarray, "height width"]
) -> UInt8[np.ndarray, "height width 3"]:
    """The ground under colours, the stronger the higher on the scale; none begins as pale as white paper is."""
    cover = STRONG * np.sqrt(part)[..., None]
    shades = np.rint(255 * (PALEST + (1 - PALEST) * part)).astype(np.intp)
    return np.rint(ground * (1 - cover) + ramp(scale.ramp)[shades] * cover).astype(np.uint8)


def lay_out(attention: Attention, look: Look) -> Sheet:
    """The image, the mean of the heads, and each head; of several layers, a row for each."""
    query = place_of(look.query_token or middle_of(attention), attention.query_tokens)
    panels = _panels(attention, maps_of(attention, query), each=look.color_scale == "panel")
    layers = [axis_name("layer", layer) for layer in attention.layers]
    sides = tuple(layers) if len(layers) > 1 else ()
    seen = Seen(attention, query, panels, _picture(attention), sides)

    def fit(paper: Paper, room: Room) -> Overlay:
        return _filling(seen, paper, room) if paper.fixed else _natural(seen, paper)

    name = label(attention.query_tokens[query])
    said = (
        f"attention of {name}" if patch_of(attention, query) is None else f"attention of patch {name}, framed"
    )
    subheading = " · ".join(filter(None, [which(attention), said]))
    return on_paper(look, fit, subheading=subheading, origin=attention.provenance).sheet()


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


# ---- sizes ------------------------------------------------------------------------------------------


def _natural(seen: Seen, paper: Paper) -> Overlay:
    """As many panels side by side as leave no gap; of several layers all of a layer."""
    n, (left, _), gap = len(seen.panels), _before(seen, paper), paper.of(GAP)
    around = 2 * paper.margin + left + paper.of(BAR)
    most = max(2, int((paper.of(PAGE) - around + gap) // (paper.of(WANTED) + gap)))
    across = n // len(seen.sides) if seen.sides else math.ceil(n / math.ceil(n / most))
    across = min(paper.look.columns or across, n)
    page = (
        paper.of(PAGE) if across <= most else min(paper.of(WIDE), across * (paper.of(WANTED) + gap) + around)
    )
    width = min(paper.of(LARGEST), (page - around + gap) / across - gap)
    if width * seen.aspect > paper.of(LARGEST):
        width = paper.of(LARGEST) / seen.aspect
    return Overlay(seen, paper, across, _whole(width, seen, paper))


def _filling(seen: Seen, paper: Paper, room: Room) -> Overlay:
    """Panels as large as they can be in a room."""
    n, (left, top), (gap, row) = len(seen.panels), _before(seen, paper), _gaps(paper)

    def width(across: int) -> float:
        down = math.ceil(n / across)
        high = (room.height - top + row) / down - row
        return min((room.width - left + gap) / across - gap, high / seen.aspect)

    ways = [n // len(seen.sides)] if seen.sides else range(1, n + 1)
    across = min(paper.look.columns, n) if paper.look.columns else max(ways, key=width)
    return Overlay(seen, paper, across, _whole(max(width(across), SMALLEST), seen, paper))


def _whole(width: float, seen: Seen, paper: Paper) -> tuple[float, float]:
    """Width and height in whole pixels."""
    wide = max(1, int(width / paper.pixel + 1e-6)) * paper.pixel
    return wide, max(1, round(wide * seen.aspect / paper.pixel)) * paper.pixel


def _gaps(paper: Paper) -> tuple[float, float]:
    """Between panels side by side, and below one another."""
    return paper.whole(paper.of(GAP)), paper.whole(paper.of(GAP) + paper.letters)


def _before(seen: Seen, paper: Paper) -> tuple[float, float]:
    """What stands to the left of the panels and over them."""
    return paper.whole(1.8 * paper.letters * bool(seen.sides)), paper.whole(1.6 * paper.letters)


def _brief(title: str, room: float, size: float) -> str:
    """A title; shorter, or none, where it would run into the next."""
    ways = (title, title.removesuffix(" of heads"), title.replace("head ", "H"))
    return next((way for way in ways if fonts.width(way, size) <= room), "")


def _frame_of_query(seen: Seen, panel: tuple[float, float], x: float, y: float) -> Iterator[Stroke]:
    """A frame around the patch that the query is, if it is one."""
    if (place := patch_of(seen.attention, seen.query)) is None:
        return
    assert seen.attention.patches is not None
    wide, high = panel[0] / seen.attention.patches[1], panel[1] / seen.attention.patches[0]
    around = box(x + place[1] * wide, y + place[0] * high, wide, high)
    for colour, width in FRAME:
        yield Stroke(around.points, colour, width)
