"""More numbers than pixels: means of square blocks, exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float


def pooled(
    values: Float[np.ndarray, "panel row column"],
    hidden: Bool[np.ndarray, "#panel row column"] | None,
    factor: int,
) -> tuple[Float[np.ndarray, "panel r c"], Bool[np.ndarray, "panel r c"]]:
    """The mean of each block of `factor` × `factor` values, and which blocks are hidden altogether."""
    means = values if factor == 1 else np.stack([_block_means(panel, factor) for panel in values])
    if hidden is None:
        return means, np.zeros(means.shape, bool)
    if factor > 1:
        hidden = np.stack([_block_means(panel.astype(np.float32), factor) == 1 for panel in hidden])
    return means, np.broadcast_to(hidden, means.shape)


def _block_means(panel: Float[np.ndarray, "row column"], factor: int) -> Float[np.ndarray, "r c"]:
    """The mean of each block; blocks at the far edges may be smaller.

    >>> _block_means(np.arange(6.0).reshape(2, 3), 2).tolist()
    [[2.0, 3.5]]
    """
    starts = [np.arange(0, n, factor) for n in panel.shape]
    sizes = [np.diff([*start, n]) for start, n in zip(starts, panel.shape, strict=True)]
    sums = np.add.reduceat(np.add.reduceat(panel, starts[1], axis=1), starts[0], axis=0)
    return sums / np.outer(*sizes)
