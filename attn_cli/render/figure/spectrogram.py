"""The sound that a model has heard, over a map whose keys are moments of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .sheet import NIGHT, PAPER, QUIET, Cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float, UInt8

    from ...records.attention import Attention
    from .cells import Corner, Grain
    from .paper import Paper

THICK, APART = 30.0, 2.0  # of the spectrogram, and from the map, for letters of 8


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """How loud each band of frequencies is while each key lasts, the lowest first, from 0 to 255."""

    loud: UInt8[np.ndarray, "band key"]
    said: str = "above the map: the spectrogram of the sound, low frequencies at the bottom"

    def beside(self, paper: Paper) -> float:
        """The room to the right of a map, of which it takes none."""
        return 0.0

    def above(self, paper: Paper) -> float:
        """The room that it takes above a map."""
        return paper.whole(paper.of(THICK + APART))

    def fit(self, width: float, height: float, paper: Paper) -> bool:
        """Whether a map of this size is larger than what would stand over it."""
        return height >= self.above(paper)

    def marks(self, corners: Sequence[Corner], grain: Grain, paper: Paper) -> Iterator[Cells]:
        """It, over each of the panels whose upper left corners these are, each key over its column."""
        pixel, up = paper.pixel, self.above(paper)
        high, wide = (max(1, round(side / pixel)) for side in (paper.of(THICK), grain.panel_width))
        rows = self.loud[np.arange(high)[::-1] * len(self.loud) // high]
        shares = _binned(rows, wide) / 255
        ground, ink = (
            np.frombuffer(bytes.fromhex(c[1:]), np.uint8).astype(float)
            for c in (NIGHT if paper.look.night else PAPER, QUIET)
        )
        rgb = np.rint(ground + shares[..., None] * (ink - ground)).astype(np.uint8)
        for left, top in corners:
            yield Cells(rgb[None], ((left, top - up),), pixel, pixel)


def spectrogram_of(attention: Attention) -> Spectrogram | None:
    """The spectrogram of what was heard; None where nothing was.

    >>> from attn_cli.records.attention import Attention
    >>> spectrogram_of(Attention(("a",), ("0.00s",), [[[[1.0]]]], spectrogram=np.zeros((2, 1), int))).loud.shape
    (2, 1)
    """
    if attention.spectrogram is None:
        return None
    if attention.frequencies is None:
        return Spectrogram(attention.spectrogram)
    low, high = (f"{hertz:,.0f}" for hertz in attention.frequencies[[0, -1]])
    said = f"above the map: the spectrogram of the sound, from the bottom {low} to {high} Hz"
    return Spectrogram(attention.spectrogram, said)


def _binned(rows: UInt8[np.ndarray, "row key"], n: int) -> Float[np.ndarray, "row column"]:
    """The mean of the keys at each of n places from left to right; fewer keys stand at several.

    >>> _binned(np.array([[0, 2, 4, 6]]), 2).tolist(), _binned(np.array([[0, 2]]), 4).tolist()
    ([[1.0, 5.0]], [[0.0, 0.0, 2.0, 2.0]])
    """
    edges = np.arange(n) * rows.shape[1] // n
    sums = np.add.reduceat(rows.astype(np.float64), edges, axis=1)
    found: np.ndarray = sums / np.maximum(np.diff(edges, append=rows.shape[1]), 1)
    return found
