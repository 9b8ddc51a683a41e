"""Strips beside the map of a long text: figures of its queries to the right, of its keys above.

A cell of such a map stands for many tokens. The strips show what is known of each: how spread its row is, how heavy
its heaviest weight, how much a key receives from all queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..single_tokens import LOWEST, single_tokens
from .sheet import COLOURS, NIGHT, PAPER, QUIET, Cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float, UInt8

    from ...records.attention import Attention
    from .cells import Corner, Grain
    from .paper import Paper

THICK, APART = 13.0, 3.0  # of a strip, and from the map or the next, for letters of 8
LEAST = 5.0  # the side of a map, for the strips beside it of 1: they take a fifth at most


@dataclass(frozen=True, eq=False)
class Strips:
    """The figures, as parts of the longest bar, and what is said of them."""

    rows: tuple[Float[np.ndarray, "panel query"], ...]
    columns: Float[np.ndarray, "panel key"]
    said: str

    def beside(self, paper: Paper) -> float:
        """The room that they take to the right of a map."""
        return paper.whole(len(self.rows) * paper.of(THICK + APART))

    def above(self, paper: Paper) -> float:
        """The room that they take above it."""
        return paper.whole(paper.of(THICK + APART))

    def fit(self, width: float, height: float, paper: Paper) -> bool:
        """Whether they leave a map of this size most of the room."""
        return width >= LEAST * self.beside(paper) and height >= LEAST * self.above(paper)

    def marks(self, corners: Sequence[Corner], grain: Grain, paper: Paper) -> Iterator[Cells]:
        """The strips of panels whose upper left corners these are; bars begin at the map."""
        pixel, thick = paper.pixel, round(paper.of(THICK) / paper.pixel)
        height, width = (max(1, round(side / pixel)) for side in (grain.panel_height, grain.panel_width))
        for i, values in enumerate(self.rows):
            x = grain.panel_width + paper.whole(i * paper.of(THICK + APART) + paper.of(APART))
            bars = _bars(_binned(values, height, np.add), thick, (QUIET, COLOURS[0])[i], paper)
            yield from _apart(bars, [(left + x, top) for left, top in corners], pixel)
        bars = _bars(_binned(self.columns, width, np.maximum), thick, QUIET, paper)
        y = paper.whole(paper.of(THICK + APART))
        upright = np.ascontiguousarray(bars.transpose(0, 2, 1, 3)[:, ::-1])
        yield from _apart(upright, [(left, top - y) for left, top in corners], pixel)


def strips_of(attention: Attention) -> Strips | None:
    """The strips of a map that was pooled while it was computed; None where figures of single tokens are not known.

    >>> from attn_cli.records.attention import Attention
    >>> strips_of(Attention(("a",), ("a",), [[[[1.0]]]])) is None
    True
    """
    found = single_tokens(attention) if attention.pooled else None
    if found is None:
        return None
    return Strips(
        (found.entropy, found.heaviest),
        found.mass,
        f"right of the map, for each query: entropy (grey, 0 to {found.most:.1f} nats), heaviest weight (blue, 0 to 1); "
        f"above it, for each key: total weight ({LOWEST:g} to {found.highest:,.3g}, logarithmic)",
    )


def _apart(
    bars: UInt8[np.ndarray, "panel row column 3"], corners: Sequence[Corner], pixel: float
) -> Iterator[Cells]:
    """A mark for each panel: one for all would lie over what is between them."""
    for panel, corner in zip(bars, corners, strict=True):
        yield Cells(panel[None], (corner,), pixel, pixel)


def _binned(
    values: Float[np.ndarray, "panel token"], n: int, how: np.ufunc
) -> Float[np.ndarray, "panel bin"]:
    """The mean of the tokens at each of n places along a side, or the largest; fewer tokens stand at several.

    >>> _binned(np.array([[1.0, 2.0, 6.0, 4.0]]), 2, np.add).tolist(), _binned(np.array([[1.0, 2.0]]), 4, np.maximum).tolist()
    ([[1.5, 5.0]], [[1.0, 1.0, 2.0, 2.0]])
    """
    starts = np.arange(n) * values.shape[1] // n
    found: np.ndarray = how.reduceat(values, starts, axis=1)
    if how is np.add:
        found = found / np.maximum(np.diff(starts, append=values.shape[1]), 1)
    return found


def _bars(
    parts: Float[np.ndarray, "panel bin"], thick: int, colour: str, paper: Paper
) -> UInt8[np.ndarray, "panel bin thick 3"]:
    """A bar for each part of 1, in pixels; whatever is above 0 has one."""
    lengths = np.where(parts > 0, np.maximum(np.rint(parts.clip(0, 1) * thick), 1), 0)
    ground, ink = (
        np.frombuffer(bytes.fromhex(c[1:]), np.uint8) for c in (NIGHT if paper.look.night else PAPER, colour)
    )
    filled = np.arange(thick) < lengths[..., None]
    return np.where(filled[..., None], ink, ground).astype(np.uint8)
