"""What is kept of the weights: sums over cells of a map, and a few figures of each row and each key."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...records.attention import cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from jaxtyping import Bool, Float, Int, Shaped

    from ...variants.intervals import Interval
    from .blocking import Block
    from .rows import Rows

    Part = tuple[int, slice]  # a layer, and heads of it

MOST_CELLS = 1024  # along each axis of a map: a picture has no more pixels for one
MOST_MAPS = 16  # with so many cells; where there are more maps, each has fewer
TOP = 5  # heaviest keys of each row


@dataclass(frozen=True, eq=False)
class Streamed:
    """What is kept of the weights of every layer and head."""

    weights: Float[np.ndarray, "layer head row column"]  # means over `records.cells` of queries and keys
    output: Float[Tensor, "layer head query d_value"]
    entropy: Float[np.ndarray, "layer head query"]  # −Σ w ln w
    mass: Float[np.ndarray, "layer head key"]  # Σ w over the queries
    top_keys: Int[np.ndarray, "layer head query top"]  # heaviest first; −1 where no weight is left
    top_weights: Float[np.ndarray, "layer head query top"]
    seeing: Bool[Tensor, " query"]  # False where no key is permitted
    norms: Float[np.ndarray, "layer head row column"] | None = None  # means of weight · length of the key
    maxima: Float[np.ndarray, "layer head row column"] | None = None  # None where a cell is a single weight
    mask: Bool[np.ndarray, "layer head row column"] | None = None  # whether any under a cell is permitted


class Addition(NamedTuple):
    """Numbers for a part of an array: to be added to it, or to replace what is smaller there."""

    to: np.ndarray
    place: tuple[Any, ...]
    numbers: np.ndarray
    by: np.ufunc = np.add


class Kept:
    """The sums over all blocks so far, and what is known of the rows so far."""

    def __init__(
        self,
        query: Tensor,
        value: Tensor,
        n_maps: int | None = None,
        lengths: Tensor | None = None,
        columns: Sequence[int] | None = None,
    ) -> None:
        *maps, n_query, _ = query.shape
        n_key, d_value = value.shape[-2:]
        self.columns = None if columns is None else np.array(columns)
        n_columns = n_key if columns is None else len(columns)
        most = min(MOST_CELLS, math.isqrt(MOST_MAPS * MOST_CELLS**2 // (n_maps or math.prod(maps))))
        self.row_edges, self.column_edges = (_edges(n, min(n, most)) for n in (n_query, n_columns))
        self.sums = np.zeros((*maps, len(self.row_edges) - 1, len(self.column_edges) - 1))
        self.maxima = None  # no weight is below 0
        if self.sums.shape[-2:] != (n_query, n_columns):
            self.maxima = np.zeros_like(self.sums, np.float64 if value.dtype == torch.float64 else np.float32)
        self.mask = np.zeros(self.sums.shape, bool)
        self.lengths = None if lengths is None else self._chosen(lengths.cpu().double().numpy()[..., None, :])
        self.norms = None if lengths is None else np.zeros_like(self.sums)
        self.mass = np.zeros((*maps, n_columns))
        self.output = value.new_zeros(*maps, n_query, d_value)
        self.entropy = value.new_zeros(*maps, n_query)
        self.top_weights = value.new_zeros(*maps, n_query, min(TOP, n_key))
        self.top_keys = torch.full_like(self.top_weights, -1, dtype=torch.long)
        self.seeing = torch.ones(n_query, dtype=torch.bool, device=value.device)

    def fill(self, part: Part, block: Block, keys: Int[Tensor, " reached"], rows: Rows) -> None:
        """Keep what is known of a block's rows."""
        values, places = rows.heaviest(min(self.top_keys.shape[-1], len(keys)))
        n = values.shape[-1]
        self.top_weights[part][..., block.rows, :n] = values
        self.top_keys[part][..., block.rows, :n] = keys[places.clamp_max(len(keys) - 1)].masked_fill(
            values == 0, -1
        )
        self.entropy[part][..., block.rows] = rows.entropy
        self.output[part][..., block.rows, :] = rows.output

    def additions(self, part: Part, block: Block, rows: Rows) -> Iterator[Addition]:
        """What a block's weights add to the cells and to the mass of the keys."""
        crossed, starts = _crossed(self.row_edges, block.rows.start, block.rows.stop)
        sums, peaks = self._under_cells(rows, starts)
        at = 0
        for lo, hi in block.reach:
            there = self._columns(lo, hi, at)
            at += hi - lo
            if there is None:
                continue
            piece, (lo, hi) = sums[..., there[0]], there[1]
            yield Addition(self.mass, (*part, slice(lo, hi)), piece.sum(axis=-2))
            columns, starts = _crossed(self.column_edges, lo, hi)
            place = (*part, crossed, columns)
            yield Addition(self.sums, place, np.add.reduceat(piece, starts, axis=-1))
            if self.norms is not None and self.lengths is not None:
                piece = piece * self.lengths[part][..., lo:hi]
                yield Addition(self.norms, place, np.add.reduceat(piece, starts, axis=-1))
            if self.maxima is not None:
                highest = np.maximum.reduceat(peaks[..., there[0]], starts, axis=-1)
                yield Addition(self.maxima, place, highest, np.maximum)

    def _under_cells(
        self, rows: Rows, starts: Int[np.ndarray, " cell"]
    ) -> tuple[Float[np.ndarray, "head cell key"], Float[np.ndarray, "head cell key"]]:
        """Sums and maxima of the weights of each row of cells, key by key; each tile is read once."""
        sums, peaks = [], []
        for weights in rows.tiles():
            sums.append(_by_cell(torch.sum, weights, starts))
            peaks.append(sums[-1] if self.maxima is None else _by_cell(torch.amax, weights, starts))
        return torch.cat(sums, dim=-1).cpu().double().numpy(), torch.cat(peaks, dim=-1).cpu().numpy()

    def permitted(
        self, block: Block, allowed: Bool[Tensor, "*maps row reached"] | None
    ) -> Iterator[Addition]:
        """The cells in which a block has a weight that is permitted; without a mask all that it reaches."""
        rows, starts = _crossed(self.row_edges, block.rows.start, block.rows.stop)
        seen = None if allowed is None else _by_cell(torch.amax, allowed, starts).cpu().numpy()
        at = 0
        for lo, hi in block.reach:
            there = self._columns(lo, hi, at)
            at += hi - lo
            if there is None:
                continue
            columns, starts = _crossed(self.column_edges, *there[1])
            cells = np.array(True)
            if seen is not None:
                cells = np.logical_or.reduceat(seen[..., there[0]], starts, axis=-1)
            yield Addition(self.mask, (..., rows, columns), cells, np.logical_or)

    def _columns(self, lo: int, hi: int, at: int) -> tuple[slice | np.ndarray, Interval] | None:
        """Which of the keys lo … hi − 1 count, and where they stand in the block, in which the first is at `at`."""
        if self.columns is None:
            return slice(at, at + hi - lo), (lo, hi)
        first, last = np.searchsorted(self.columns, (lo, hi)).tolist()
        return None if first == last else (at + self.columns[first:last] - lo, (first, last))

    def _chosen(self, x: Float[np.ndarray, "*axes key"]) -> Float[np.ndarray, "*axes column"]:
        return x if self.columns is None else x[..., self.columns]

    def sum_up(self, additions: Iterable[Addition]) -> None:
        """Add them: by one thread and in the order of the rows, so that the sums are always the same."""
        for to, place, numbers, by in additions:
            by(to[place], numbers, out=to[place])

    def finish(self, dtype: torch.dtype) -> Streamed:
        """What the blocks were read for."""
        sizes = np.diff(self.row_edges)[:, None] * np.diff(self.column_edges)
        self.sums /= sizes
        entropy = self.entropy.cpu().numpy()
        return Streamed(
            self.sums.astype(entropy.dtype),
            self.output.to(dtype),
            entropy,
            self.mass.astype(entropy.dtype),
            self.top_keys.cpu().numpy(),
            self.top_weights.cpu().numpy(),
            self.seeing,
            None if self.norms is None else (self.norms / sizes).astype(entropy.dtype),
            self.maxima,
            self.mask,
        )


def _edges(n: int, n_cells: int) -> Int[np.ndarray, " edge"]:
    return np.array([*(cell.start for cell in cells(n, n_cells)), n])


def _crossed(edges: Int[np.ndarray, " edge"], lo: int, hi: int) -> tuple[slice, Int[np.ndarray, " cell"]]:
    """The cells in which lo … hi − 1 lie, and where each of them begins, counted from lo.

    >>> _crossed(np.array([0, 3, 6, 9]), 4, 8)
    (slice(1, 3, None), array([0, 2]))
    """
    first, last = np.searchsorted(edges, lo, side="right") - 1, np.searchsorted(edges, hi, side="left")
    return slice(int(first), int(last)), np.maximum(edges[first:last], lo) - lo


def _by_cell(
    how: Callable[..., Tensor], weights: Shaped[Tensor, "*maps row key"], starts: Int[np.ndarray, " cell"]
) -> Shaped[Tensor, "*maps cell key"]:
    """One row for each cell: the sum of its rows, or their maximum, column by column.

    >>> _by_cell(torch.amax, torch.tensor([[[1.0, 2.0], [3.0, 0.0], [4.0, 5.0]]]), np.array([0, 2])).tolist()
    [[[3.0, 2.0], [4.0, 5.0]]]
    """
    sizes = np.diff(starts, append=weights.shape[-2]).tolist()
    if len(set(sizes)) == 1:
        return how(torch.unflatten(weights, -2, (-1, sizes[0])), dim=-2)
    return torch.stack([how(cell, dim=-2) for cell in torch.split(weights, sizes, dim=-2)], dim=-2)
