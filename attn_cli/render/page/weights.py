"""Weights made small enough to travel inside a page: exact where they are few, in steps where they are many.

A step is counted on a square-root scale, so that small weights are told apart as well as large ones:
|weight| = peak · (step / steps)². The number of steps is the largest whose packed bytes fit.
"""

from __future__ import annotations

import bisect
import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...records.pooled import pooled_by
from ..pooling import pooled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float, UInt16

    from ...records.attention import Attention

EXACT_BYTES = 2**20  # weights that take no more than this travel as they are
MOST_STEPS = 2**15 - 2  # step, sign and the code of a masked cell fit in 16 bits
THUMBNAILS = ((24, 128), (10**9, 64))  # up to so many heads: rows and columns of each at a glance
_SAMPLE = 2**17  # cells that are packed on trial


@dataclass(frozen=True, eq=False)
class Shown:
    """The weights that a page shows, and the positions that each row and column is the mean of."""

    weights: Float[np.ndarray, "head row column"]
    hidden: Bool[np.ndarray, "head row column"]  # where a mask forbids a weight
    rows: list[range]
    columns: list[range]

    @property
    def block(self) -> tuple[int, int]:
        """How many queries and keys the largest cell stands for."""
        return max(map(len, self.rows)), max(map(len, self.columns))


@dataclass(frozen=True)
class Packed:
    """The bytes, compressed, and what a reader must know about them."""

    header: dict[str, Any]
    data: bytes


def shown(attention: Attention, most_cells: int, pool: str = "mean") -> Shown:
    """All weights of all heads, or means of square blocks of them so that there are about `most_cells` at most.

    With `pool` "max" it is the largest of each block.

    >>> from attn_cli.records.attention import Attention
    >>> small = shown(Attention(tuple("abc"), tuple("abc"), np.eye(3)[None, None]), 4)
    >>> small.weights.tolist(), small.rows
    ([[[0.5, 0.0], [0.0, 1.0]]], [range(0, 2), range(2, 3)])
    """
    weights = attention.shown.reshape(-1, *attention.shown.shape[2:])
    factor = max(1, math.ceil(math.sqrt(weights.size / most_cells)))
    cells, hidden = pooled(weights, _hidden(attention), factor, pool)
    rows, columns = (_joined(each, factor) for each in (attention.query_cells, attention.key_cells))
    return Shown(cells, hidden, rows, columns)


def by_pool(attention: Attention, most_cells: int, first: str | None = None) -> dict[str, Shown]:
    """What cells show, by how they came to be: their mean and the largest, where they stand for several weights.

    What is to be shown `first` comes first.

    >>> from attn_cli.records.attention import Attention
    >>> small = Attention(tuple("abc"), tuple("abc"), np.eye(3)[None, None])
    >>> {pool: view.weights.max().item() for pool, view in by_pool(small, 4).items()}, list(by_pool(small, 9))
    ({'mean': 0.3333333333333333, 'max': 1.0}, ['mean'])
    """
    if attention.show == "maxima" and "weights" not in vars(attention):  # of a table, which holds one map
        return {"max": shown(attention, most_cells, "max")}
    first = first or ("max" if attention.show == "maxima" else "mean")
    means = shown(pooled_by(attention, "mean"), most_cells)
    if max(means.block) == 1:
        return {"mean": means}
    if attention.pooled and (attention.maxima is None or attention.show not in ("weights", "maxima")):
        return {"mean": means}
    both = {
        "mean": shown(pooled_by(attention, "mean"), most_cells // 2),
        "max": shown(pooled_by(attention, "max"), most_cells // 2, "max"),
    }
    return {pool: both[pool] for pool in sorted(both, key=lambda pool: pool != first)}


def in_a_row(views: Sequence[Shown]) -> Shown:
    """The heads of several views of one size, one view after the other."""
    first, *others = views
    if not others:
        return first
    weights, hidden = (
        np.concatenate([getattr(view, name) for view in views]) for name in ("weights", "hidden")
    )
    return Shown(weights, hidden, first.rows, first.columns)


def pack(view: Shown, room: int) -> Packed:
    """Exact floats if they are few and fit in `room` bytes, else codes that do."""
    if view.weights.nbytes <= EXACT_BYTES:
        exact = _exact(view)
        if len(exact.data) <= room:
            return exact
    return _stepped(view, room)


def _hidden(attention: Attention) -> Bool[np.ndarray, "head query key"] | None:
    """Cells that a mask forbids; one that has a weight all the same is shown with it."""
    if attention.mask is None:
        return None
    return (~attention.mask & (attention.shown == 0)).reshape(-1, *attention.shown.shape[2:])


def _joined(cells: list[range], factor: int) -> list[range]:
    groups = (cells[i : i + factor] for i in range(0, len(cells), factor))
    return [range(group[0].start, group[-1].stop) for group in groups]


def _exact(view: Shown) -> Packed:
    store = "f8" if view.weights.dtype.itemsize > 4 else "f4"
    floats = np.where(view.hidden, np.nan, view.weights).astype(f"<{store}")
    return Packed({"store": store, **_range(view.weights)}, zlib.compress(floats.tobytes()))


def _stepped(view: Shown, room: int) -> Packed:
    ends = _range(view.weights)
    rows = view.weights.size // view.weights.shape[-1]
    stride = math.ceil(view.weights.size / _SAMPLE)
    sample, hidden = (array.reshape(1, rows, -1)[:, ::stride] for array in (view.weights, view.hidden))
    shape = _overview(*view.weights.shape)
    n_cells = view.weights.size + len(view.weights) * math.prod(shape or (0,))

    def expected(steps: int) -> float:
        return len(_compress(_codes(sample, hidden, steps, **ends))) * n_cells / sample.size

    wanted = 0.99 * room  # as a sample may be easier to pack than the whole
    while True:
        steps = max(1, bisect.bisect(range(1, MOST_STEPS + 1), wanted, key=expected))
        parts = _parts(_codes(view.weights, view.hidden, steps, **ends), shape)
        size = sum(map(len, parts))
        if size <= room or steps == 1:
            told = {"store": "steps", "steps": steps, "overview": shape, "sizes": list(map(len, parts))}
            return Packed({**told, **ends}, b"".join(parts))
        wanted *= 0.99 * room / size


def _overview(n_heads: int, n_rows: int, n_columns: int) -> tuple[int, int] | None:
    """Rows and columns of thumbnails; None where maps are no larger than those.

    >>> _overview(12, 512, 100), _overview(12, 100, 100)
    ((128, 100), None)
    """
    side = next(side for most, side in THUMBNAILS if n_heads <= most)
    return None if max(n_rows, n_columns) <= side else (min(side, n_rows), min(side, n_columns))


def _parts(codes: UInt16[np.ndarray, "head row column"], shape: tuple[int, int] | None) -> list[bytes]:
    """Each head by itself, so that it is inflated when it is opened; before them, of large maps, their thumbnails."""
    heads = [_compress(head[None]) for head in codes]
    return heads if shape is None else [_compress(largest(codes, *shape)), *heads]


def largest(
    codes: UInt16[np.ndarray, "head row column"], rows: int, columns: int
) -> UInt16[np.ndarray, "head row column"]:
    """The largest code of each block of a smaller map, so that a thin line stays visible.

    >>> largest(np.eye(4, dtype=np.uint16)[None], 2, 2).tolist()
    [[[1, 0], [0, 1]]]
    """
    for axis, n in ((1, rows), (2, columns)):
        begins = np.arange(n) * codes.shape[axis] // n
        codes = np.maximum.reduceat(codes, begins, axis=axis)
    return codes


def _range(weights: np.ndarray) -> dict[str, Any]:
    low, high = float(weights.min()), float(weights.max())
    return {"peak": max(-low, high) or 1.0, "signed": low < 0}


def _codes(
    maps: Float[np.ndarray, "map row column"],
    hidden: Bool[np.ndarray, "map row column"],
    steps: int,
    *,
    peak: float,
    signed: bool,
) -> UInt16[np.ndarray, "map row column"]:
    """0 for a masked cell, else 1 + step; with signed weights 1 + 2 · step, and 1 more below zero."""
    codes = np.empty(maps.shape, dtype=np.uint16)
    for code, weights, masked in zip(codes, maps, hidden, strict=True):
        step = np.abs(weights, dtype=np.float64)
        step /= peak
        np.sqrt(step, out=step)
        step *= steps
        code[...] = np.rint(step, out=step)
        if signed:
            code *= 2
            code += weights < 0
        code += 1
        code[masked] = 0
    return codes


def _compress(codes: UInt16[np.ndarray, "map row column"]) -> bytes:
    """All low bytes, after all high ones if there are any: planes of one kind pack better."""
    planes = [codes & 255] if codes.max() < 256 else [codes >> 8, codes & 255]
    # Weights hardly repeat but in runs: looking for more makes nothing smaller, and takes five times as long.
    packer = zlib.compressobj(strategy=zlib.Z_RLE)
    return packer.compress(b"".join(plane.astype(np.uint8).tobytes() for plane in planes)) + packer.flush()
