"""All layers × heads at a glance: a small map for each, without labels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...errors import note
from ...records.pooled import pooled_by
from ..colour import MANY, MASKED, scale_of
from ..fonts import texts as fonts
from ..pooling import SAID, no_effect, pooled, pooled_unit
from . import parting
from .bar import Bar
from .cells import beyond, tops
from .maps import which
from .paper import PAGE, Frame, Paper
from .paper import lay_out as on_paper
from .sheet import BASELINE, QUIET, Cells, Sheet, Words, box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Bool, Float

    from ...records.attention import Attention
    from ..colour import Scale
    from ..look import Look
    from .paper import Room
    from .sheet import Mark, Stroke

WIDE, BAR = 864.0, 46.0  # the width of a sheet, at most; the panels, for letters of 8
LARGEST, SMALLEST = 84.0, 10.0  # the longest side of a panel
GAP = 0.06  # between panels, of their side
FRAME = 0.3  # the width of its line
PARTS = 0.6  # that of one between what a model was given and what it wrote, for letters of 8
LONGEST = 3.0  # side of a panel, for a shorter one of 1


@dataclass(frozen=True, eq=False)
class Shown:
    """What the cells show: of each block of weights the largest, as parts of the panel's peak or as it is."""

    values: Float[np.ndarray, "layer head row column"]
    hidden: Bool[np.ndarray, "layer head row column"]
    scale: Scale
    beyond: str  # what is said of cells beyond the scale


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """The small maps and where they stand."""

    attention: Attention
    paper: Paper
    panel: tuple[float, float]  # width and height
    block: int  # each cell is the largest of block × block weights, or their mean

    @cached_property
    def shown(self) -> Shown:
        """What is drawn."""
        look = self.paper.look
        n_layers, n_heads, *size = self.attention.shown.shape
        hidden = _hidden(self.attention)
        values = self.attention.shown.reshape(-1, *size)
        cells, covered = pooled(
            values, None if hidden is None else hidden.reshape(-1, *size), self.block, self.pool
        )
        peaks, hidden = (x.reshape(n_layers, n_heads, *x.shape[1:]) for x in (cells, covered))
        many = max(size) >= MANY
        if look.color_scale != "panel":
            scale = scale_of(peaks if self.attention.mask is None else peaks[~hidden], look, many=many)
            return Shown(peaks, hidden, scale, beyond(peaks, hidden, scale))
        parts = peaks / (ends := tops(peaks, hidden, many=many))
        scale = scale_of(parts.clip(-1, 1)[~hidden], look)
        return Shown(parts, hidden, scale, beyond(peaks, hidden, scale, ends))

    @property
    def pool(self) -> str:
        """What a pixel shows of several weights."""
        return self.paper.look.pool or "max"

    @property
    def gap(self) -> float:
        """Between panels."""
        return self.paper.whole(max(2 * self.paper.pixel, GAP * max(self.panel)))

    @property
    def frame(self) -> Frame:
        """Where the panels lie."""
        left, top = _before(self.attention, self.paper)
        n_layers, n_heads = self.attention.shown.shape[:2]
        width, height = self.panel
        return Frame(
            left,
            top,
            left + n_heads * (width + self.gap) - self.gap,
            top + n_layers * (height + self.gap) - self.gap,
        )

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
        if not look.shows("colorbar"):
            return None
        unit = "of its peak" if look.color_scale == "panel" else pooled_unit(self.attention)
        hidden = "masked" if self.shown.hidden.any() else ""
        return Bar(unit, self.shown.scale, hidden, clipped=bool(self.shown.beyond))

    @property
    def notes(self) -> list[str]:
        """What the maps leave out."""
        n_query, n_key = len(self.attention.query_tokens), len(self.attention.key_tokens)
        notes = [f"in each map {n_query} queries down, {n_key} keys across"]
        if self.block > 1:
            notes.insert(
                0,
                f"each pixel is {SAID[self.pool]} of {self.block} × {self.block} {pooled_unit(self.attention)}s",
            )
        parted = parting.SAID if any(self.attention.began) else None
        return [*notes, *filter(None, [self.shown.beyond, parted])]

    def corners(self, x: float, y: float) -> tuple[tuple[float, float], ...]:
        """The upper left corner of each panel, layer by layer."""
        n_layers, n_heads = self.attention.shown.shape[:2]
        (width, height), frame = self.panel, self.frame
        return tuple(
            (x + frame.left + head * (width + self.gap), y + frame.top + layer * (height + self.gap))
            for layer, head in np.ndindex(n_layers, n_heads)
        )

    def marks(self, x: float, y: float) -> Iterator[Mark]:
        """Everything, from this corner."""
        colours = self.shown.scale.colours(self.shown.values)
        colours[self.shown.hidden] = MASKED["night" if self.paper.look.night else "paper"]
        colours = colours.reshape(-1, *colours.shape[2:])
        width, height = self.panel
        corners = self.corners(x, y)
        yield Cells(colours, corners, width / colours.shape[2], height / colours.shape[1])
        yield from (_frame(*corner, width, height) for corner in corners)
        n = len(self.attention.query_tokens), len(self.attention.key_tokens)
        yield from parting.lines(self.attention.began, n, corners, width, height, self.paper.of(PARTS))
        yield from self._names(x, y)

    def _names(self, x: float, y: float) -> Iterator[Words]:
        """The numbers of heads above, of layers beside, as many as can be read, and what they count."""
        size, frame, (width, height) = self.paper.letters, self.frame, self.panel
        heads = list(map(str, self.attention.heads))
        step = math.ceil((max(fonts.width(head, size) for head in heads) + 0.3 * size) / (width + self.gap))
        for i in range(0, len(heads), step):
            middle = x + frame.left + i * (width + self.gap) + width / 2
            yield Words(heads[i], middle, y + frame.top - 0.5 * size, size, "center")
        step = math.ceil(1.05 * size / (height + self.gap))
        for i in range(0, len(self.attention.layers), step):
            middle = y + frame.top + i * (height + self.gap) + height / 2 + BASELINE * size
            name = str(self.attention.layers[i])
            yield Words(name, x + frame.left - 0.6 * size, middle, size, "right")
        across, down = x + (frame.left + frame.right) / 2, y + (frame.top + frame.bottom) / 2
        yield Words("head", across, y + frame.top - 1.8 * size, size, "center", QUIET)
        yield Words("layer", x + 0.9 * size, down, size, "center", QUIET, turned=True)


def lay_out(attention: Attention, look: Look) -> Sheet:
    """A row of small maps for each layer, a column for each head, all on one picture."""
    if look.pool != "mean" and attention.show == "weights" and attention.maxima is not None:
        attention = pooled_by(attention, "max")

    def fit(paper: Paper, room: Room) -> Thumbnails:
        return _thumbnails(attention, paper, room)

    laid = on_paper(look, fit, subheading=which(attention), origin=attention.provenance)
    if look.pool is not None and not attention.pooled and getattr(laid.block, "block", 0) == 1:
        note(no_effect(look.pool, pooled_unit(attention)))
    return laid.sheet()


def _thumbnails(attention: Attention, paper: Paper, room: Room) -> Thumbnails:
    n_query, n_key = attention.shown.shape[2:]
    side = _filling(attention, paper, room) if paper.fixed else _natural(attention, paper)
    panel = tuple(
        max(paper.pixel, int(side * part / paper.pixel + 1e-6) * paper.pixel) for part in _flat(attention)
    )
    block = max(
        math.ceil(n * paper.pixel / length - 1e-9) for n, length in zip((n_key, n_query), panel, strict=True)
    )
    return Thumbnails(attention, paper, (panel[0], panel[1]), block)


def _flat(attention: Attention) -> tuple[float, float]:
    """Width and height of a panel, the longer one 1."""
    n_query, n_key = attention.shown.shape[2:]
    flat = max(1 / LONGEST, min(LONGEST, n_query / n_key))
    return min(1, 1 / flat), min(1, flat)


def _natural(attention: Attention, paper: Paper) -> float:
    """The longest side of a panel with which all fit on a page, or else on a wide one."""
    n_layers, n_heads = attention.shown.shape[:2]
    left, _ = _before(attention, paper)
    around = 2 * paper.margin + left + paper.of(BAR)
    sides = ((paper.of(page) - around) / n_heads / (1 + GAP) for page in (PAGE, WIDE))
    usual = (paper.of(WIDE) - around) / n_heads / (1 + GAP)
    wanted = next((side for side in sides if side >= paper.of(2.5 * SMALLEST)), usual)
    return max(paper.of(SMALLEST), min(paper.of(LARGEST), wanted, 1.4 * paper.of(WIDE) / n_layers))


def _filling(attention: Attention, paper: Paper, room: Room) -> float:
    """The longest side of a panel with which all fill the room."""
    n_layers, n_heads = attention.shown.shape[:2]
    left, top = _before(attention, paper)
    width, height = _flat(attention)
    gap = 2 * paper.pixel  # at least
    across = (room.width - left) / n_heads
    down = (room.height - top) / n_layers
    return min(
        max((length - gap) / part, 0) if GAP * length < gap else length / (part + GAP)
        for length, part in ((across, width), (down, height))
    )


def _before(attention: Attention, paper: Paper) -> tuple[float, float]:
    """What stands to the left of the panels and over them."""
    size = paper.letters
    names = max(fonts.width(str(layer), size) for layer in attention.layers)
    return paper.whole(1.9 * size + names), paper.whole(2.8 * size)


def _frame(x: float, y: float, width: float, height: float) -> Stroke:
    return replace(box(x, y, width, height), width=FRAME)


def _hidden(attention: Attention) -> Bool[np.ndarray, "layer head query key"] | None:
    return None if attention.mask is None else np.broadcast_to(~attention.mask, attention.shown.shape)
