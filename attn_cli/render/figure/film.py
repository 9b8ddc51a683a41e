"""Attention filmed while a model learned: an animated GIF of all heads, and one head side by side."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow

from ...records.attention import axis_name
from ..colour import MASKED, ramp
from ..look import PLAIN
from ..pooling import pooled
from .backend import MAKER
from .figure import save
from .maps import attention_maps, lay_out, plan_for
from .sheet import FAINT, INK, QUIET, Number, Sheet, Stroke, Words, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float, UInt8
    from matplotlib.figure import Figure

    from ...records.attention import Attention
    from ..look import Look
    from .panels import Maps, Plan

DPI = 144
MARGIN, TITLE, NAME = 12.0, 7.5, 7.0
STRIP = 26.0  # over the maps, in points: which step it is
ANSWER = 12.0  # what the answer in words takes of it
PICTURE = 90.0  # how high the picture under the maps is
LINE = MARGIN + 70  # where the line begins on which the steps lie
PACE, REST = 140, 3000  # milliseconds that a frame stays, and the last one
SIDE_BY_SIDE = 8  # frames of the strip
GREYS = 127  # of the 256 colours of a GIF, for what is written; the others are every second of the ramp


@dataclass(frozen=True, eq=False)
class Film:
    """What one attention was after each of some steps; `attention` says what it became, and of what it is."""

    attention: Attention
    steps: Sequence[int]
    weights: Float[np.ndarray, "frame layer head query key"]
    look: Look = PLAIN
    answers: Sequence[str] = ()  # what the model said in each frame, in words
    picture: UInt8[np.ndarray, "height width"] | None = None  # what it looks at, as ink on paper

    @property
    def strip(self) -> float:
        """How high the strip over the maps is, in points."""
        return STRIP + (ANSWER if self.answers else 0)

    def maps(self) -> Maps:
        """The maps that have room for every frame: of each weight the highest."""
        return attention_maps(replace(self.attention, weights=self.weights.max(axis=0)), self.look)

    @property
    def dpi(self) -> int:
        """Pixels to an inch."""
        return self.look.dpi or DPI


def gif(film: Film) -> bytes:
    """All heads, a frame for each step that was filmed, on one scale of colours; the same film, the same bytes."""
    maps = _under_strip(film.maps(), film.strip)
    plan, sheet = plan_for(maps), lay_out(maps)
    palette = _palette(plan.cells.scale.ramp, night=film.look.night)
    unnumbered = replace(sheet, marks=tuple(m for m in sheet.marks if not isinstance(m, Number)))
    ground = _indexed(_still(unnumbered, film.dpi), palette)
    below = _indexed(_below(film, ground.shape[1]), palette)
    strips = (_still(_strip(film, i, sheet.width), film.dpi) for i in range(len(film.steps)))
    panels = film.weights.reshape(len(film.steps), -1, *film.weights.shape[3:])
    frames = [
        np.concatenate([_indexed(strip, palette), _with_panels(ground, plan, weights, film.dpi), below])
        for strip, weights in zip(strips, panels, strict=True)
    ]
    images = [Pillow.fromarray(frame, "P") for frame in frames]
    for image in images:
        image.putpalette(palette.tobytes())
    out = io.BytesIO()
    pace = [PACE] * (len(images) - 1) + [REST]
    images[0].save(
        out,
        "GIF",
        save_all=True,
        append_images=images[1:],
        duration=pace,
        loop=0,
        optimize=False,
        comment=MAKER,
    )
    return out.getvalue()


def strip(film: Film, layer: int, head: int) -> Figure:
    """One head after some of the steps, side by side."""
    chosen = np.unique(np.rint(np.linspace(0, len(film.steps) - 1, SIDE_BY_SIDE)).astype(int))
    maps = film.maps()
    axes = (("layer", film.attention.layers, layer), ("head", film.attention.heads, head))
    which = [axis_name(name, numbers[place]) for name, numbers, place in axes if len(numbers) > 1]
    shown = replace(
        maps,
        values=film.weights[chosen, layer, head],
        hidden=None if maps.hidden is None else maps.hidden[:1],
        titles=tuple(f"step {film.steps[i]}" for i in chosen),
        side_titles=(),
        across=math.ceil(len(chosen) / 2) if len(chosen) > 4 else len(chosen),
        subheading=" · ".join(filter(None, [maps.subheading, *which])),
    )
    return draw(lay_out(shown), film.look.pixels)


# ---- frames -----------------------------------------------------------------------------------------


def _under_strip(maps: Maps, strip: float) -> Maps:
    """The maps on paper of a given size that is so much less high as the strip takes."""
    if maps.look.inches is None:
        return maps
    width, height = maps.look.inches
    return replace(maps, look=replace(maps.look, size=(width, height - strip / 72)))


def _strip(film: Film, i: int, width: float) -> Sheet:
    """Which step it is, in words and on a line on which each step lies where its share of the logarithm is."""
    steps, end = film.steps, width - MARGIN
    places = [LINE + (end - LINE) * math.log1p(step) / math.log1p(max(steps[-1], 1)) for step in steps]
    y = MARGIN + TITLE / 2
    ticks = [Stroke(((x, y - 2), (x, y + 2)), FAINT) for x in places]
    answer = [Words(said, MARGIN, STRIP + NAME, NAME + 1, colour=INK) for said in film.answers[i : i + 1]]
    return Sheet(
        width,
        film.strip,
        (
            *answer,
            Words(f"step {steps[i]}", MARGIN, MARGIN + TITLE, TITLE + 1, colour=INK),
            Words("0", LINE, y + 10, NAME - 1, "center", QUIET),
            Words(str(steps[-1]), end, y + 10, NAME - 1, "right", QUIET),
            Stroke(((LINE, y), (end, y)), FAINT),
            *ticks,
            Stroke(((LINE, y), (places[i], y)), INK, 2.0),
        ),
        film.look.night,
    )


def _below(film: Film, width: int) -> UInt8[np.ndarray, "height width 3"]:
    """Under the maps what the model looks at, each pixel a square or, of a broad one, a rectangle."""
    if film.picture is None:
        return np.zeros((0, width, 3), np.uint8)
    margin, high = round(MARGIN * film.dpi / 72), round(PICTURE * film.dpi / 72)
    sides = [max(1, high // film.picture.shape[0]), max(1, high // min(film.picture.shape))]
    drawn = film.picture.repeat(sides[0], axis=0).repeat(sides[1], axis=1)[:, : width - 2 * margin]
    ground = 255 - drawn if film.look.night else drawn
    room = np.full((drawn.shape[0] + margin, width), 0 if film.look.night else 255, np.uint8)
    room[: drawn.shape[0], margin : margin + drawn.shape[1]] = ground
    return np.stack([room] * 3, axis=-1)


def _still(sheet: Sheet, dpi: int) -> UInt8[np.ndarray, "height width 3"]:
    """A sheet as pixels."""
    return np.array(Pillow.open(io.BytesIO(save(draw(sheet, dpi), "png"))).convert("RGB"))


def _with_panels(
    ground: UInt8[np.ndarray, "height width"],
    plan: Plan,
    weights: Float[np.ndarray, "panel query key"],
    dpi: int,
) -> UInt8[np.ndarray, "height width"]:
    """The ground with other weights in its panels."""
    cells, frame = plan.cells, ground.copy()
    means, _ = pooled(weights, None, (cells.grain.down, cells.grain.across), plan.maps.look.pool)
    shown = means if cells.peaks is None else means / cells.peaks
    indices = (cells.scale.shades(shown) // 2).astype(np.uint8)
    indices[cells.hidden] = 128
    for (x, y), panel in zip(plan.corners, indices, strict=True):
        _fill(frame[_span(y, cells.panel_height, dpi), _span(x, cells.panel_width, dpi)], panel)
    return frame


def _span(start: float, length: float, dpi: int) -> slice:
    """The pixels of a panel within its frame."""
    return slice(round(start * dpi / 72) + 1, round((start + length) * dpi / 72))


def _fill(room: UInt8[np.ndarray, "height width"], panel: UInt8[np.ndarray, "r c"]) -> None:
    rows, columns = (np.arange(m) * n // m for m, n in zip(room.shape, panel.shape, strict=True))
    room[:] = panel[rows][:, columns]


def _palette(colours: str, *, night: bool) -> UInt8[np.ndarray, "256 3"]:
    """Every second colour of the ramp, the colour of what is masked, and greys."""
    greys = np.rint(np.linspace(0, 255, GREYS)).astype(np.uint8)
    masked = MASKED["night" if night else "paper"]
    return np.concatenate([ramp(colours)[::2], [masked], np.stack([greys] * 3, axis=1)]).astype(np.uint8)


def _indexed(
    pixels: UInt8[np.ndarray, "height width 3"], colours: UInt8[np.ndarray, "256 3"]
) -> UInt8[np.ndarray, "height width"]:
    """For each pixel the nearest colour of the palette."""
    palette = colours.astype(np.int32)
    coded = pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32)
    codes, places = np.unique(coded, return_inverse=True)
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1)
    distances = ((colours[:, None] - palette[None]) ** 2).sum(axis=-1)
    return distances.argmin(axis=1).astype(np.uint8)[places].reshape(pixels.shape[:2])
