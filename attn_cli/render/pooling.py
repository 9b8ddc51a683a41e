"""More numbers than pixels: the mean of each block or its largest number, exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

    from ..records.attention import Attention
    from .look import Look

SAID = {"mean": "the mean", "max": "the largest"}  # of what shares a cell


def pool_of(attention: Attention, look: Look) -> str:
    """What a cell shows of several numbers: what was chosen; the largest where these are the largest of others.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN, Look
    >>> pool_of(Attention(("a",), ("a",), [[[[1.0]]]]), PLAIN), pool_of(Attention(("a",), ("a",), [[[[1.0]]]]), Look(pool="max"))
    ('mean', 'max')
    """
    return "max" if attention.show == "maxima" else look.pool or "mean"


def pooled_unit(attention: Attention) -> str:
    """What the numbers are that share a cell, in a word: maxima are of weights."""
    return "weight" if attention.show == "maxima" else attention.unit


def unit_said(unit: str, pool: str, factor: int) -> str:
    """What the number of a cell is in which so many share one.

    >>> unit_said("weight", "max", 4), unit_said("weight", "max", 1)
    ('largest weight', 'weight')
    """
    return f"largest {unit}" if pool == "max" and factor > 1 else unit


def no_effect(pool: str, unit: str) -> str:
    """What a note says where nothing is pooled.

    >>> no_effect("max", "weight")
    '--pool max has no effect: each weight has a cell of its own'
    """
    return f"--pool {pool} has no effect: each {unit} has a cell of its own"


def pooled(
    values: Float[np.ndarray, "panel row column"],
    hidden: Bool[np.ndarray, "#panel row column"] | None,
    factor: int | tuple[int, int],
    pool: str | None = "mean",
) -> tuple[Float[np.ndarray, "panel r c"], Bool[np.ndarray, "panel r c"]]:
    """The mean of each block of `factor` × `factor` values, and which blocks are hidden altogether.

    Two factors are those of rows and of columns. Where `pool` is `max`, see `block_peaks`.
    """
    factors = (factor, factor) if isinstance(factor, int) else factor
    if pool == "max":
        peaks, covered = block_peaks(values, hidden, factors)
        return peaks, np.broadcast_to(covered, peaks.shape)
    means = values if factors == (1, 1) else np.stack([_block_means(panel, factors) for panel in values])
    if hidden is None:
        return means, np.zeros(means.shape, bool)
    if factors != (1, 1):
        hidden = np.stack([_block_means(panel.astype(np.float32), factors) == 1 for panel in hidden])
    return means, np.broadcast_to(hidden, means.shape)


def smoothed(
    values: Float[np.ndarray, "panel row column"], factors: tuple[int, int]
) -> Float[np.ndarray, "panel r c"]:
    """As many cells as blocks have, each a mean under a Hann window of four blocks: waves that a block cannot show fade.

    Plain means of them would make patterns that are not there.

    >>> wave = np.cos(np.pi * 0.9 * np.arange(400))[None, :, None]
    >>> blocks, _ = pooled(wave, None, (4, 1))
    >>> bool(np.abs(blocks[:, 2:-2]).max() > 0.03), bool(np.abs(smoothed(wave, (4, 1))[:, 2:-2]).max() < 0.003)
    (True, True)
    """
    down, across = factors
    return _windowed(_windowed(values, down, 1), across, 2)


def _windowed(values: Float[np.ndarray, "panel row column"], factor: int, axis: int) -> np.ndarray:
    if factor == 1:
        return values
    n = values.shape[axis]
    cells = []
    for start in range(0, n, factor):
        middle = start + (factor - 1) / 2
        places = np.arange(max(0, start - 2 * factor), min(n, start + 3 * factor))
        window = np.where(
            abs(places - middle) < 2 * factor, 1 + np.cos(np.pi * (places - middle) / (2 * factor)), 0
        )
        part = values.take(places, axis=axis)
        cells.append(np.tensordot(window / window.sum(), part, axes=(0, axis)))
    return np.stack(cells, axis=axis)


def even_factor(factor: int, *sizes: int) -> int:
    """The side of blocks, at least `factor`, of which the last ones are not much smaller than the others.

    The mean over a small block at the edge would stand out.

    >>> even_factor(22, 512), even_factor(4, 512)
    (26, 4)
    """
    return next(
        f
        for f in range(factor, 2 * factor + 1)
        if f > 1.9 * factor or all(2 * (n % f or f) >= f for n in sizes)
    )


def _block_means(
    panel: Float[np.ndarray, "row column"], factors: tuple[int, int]
) -> Float[np.ndarray, "r c"]:
    """The mean of each block; blocks at the far edges may be smaller.

    >>> _block_means(np.arange(6.0).reshape(2, 3), (2, 2)).tolist()
    [[2.0, 3.5]]
    """
    sums = _along(np.add, _along(np.add, panel, factors[0], -2), factors[1], -1)
    sizes = [
        np.minimum(factor, n - np.arange(0, n, factor))
        for n, factor in zip(panel.shape, factors, strict=True)
    ]
    return sums / np.outer(*sizes)


def _along(by: np.ufunc, values: np.ndarray, factor: int, axis: int) -> np.ndarray:
    """Of each `factor` neighbours along an axis one, the last of what is left; a third of the time of `reduceat`.

    >>> _along(np.maximum, np.array([[3, 1, 2, 5, 4]]), 2, -1).tolist()
    [[3, 5, 4]]
    """
    moved = np.moveaxis(values, axis, 0)
    whole = len(moved) // factor * factor
    found = moved[:whole:factor].copy()
    for i in range(1, factor):
        by(found, moved[i:whole:factor], out=found)
    if whole < len(moved):
        found = np.concatenate([found, by.reduce(moved[whole:], axis=0, keepdims=True)])
    return np.moveaxis(found, 0, axis)


def block_peaks(
    values: Float[np.ndarray, "*n row column"],
    hidden: Bool[np.ndarray, "*#n row column"] | None,
    factor: int | tuple[int, int],
) -> tuple[Float[np.ndarray, "*n r c"], Bool[np.ndarray, "*n r c"]]:
    """Of each block of `factor` × `factor` values the one farthest from zero, and which blocks are hidden.

    >>> block_peaks(np.array([[0.1, 0.2], [-0.4, 0.3]]), None, 2)[0].tolist()
    [[-0.4]]
    """
    seen = values if hidden is None else np.where(hidden, 0, values)
    high = _reduced(np.maximum, seen, factor)
    if seen.min() < 0:
        low = _reduced(np.minimum, seen, factor)
        high = np.where(-low > high, low, high)
    covered = np.zeros(high.shape, bool) if hidden is None else _reduced(np.logical_and, hidden, factor)
    return high, covered


def _reduced(by: np.ufunc, values: np.ndarray, factor: int | tuple[int, int]) -> np.ndarray:
    down, across = (factor, factor) if isinstance(factor, int) else factor
    values = values if down == 1 else _along(by, values, down, -2)
    return values if across == 1 else _along(by, values, across, -1)
