"""Attention flow: how much of one unit can pass from a token of the last layer to a token of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .preflow import greatest_flows
from .rollout import with_residual

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Bool, Float, Int

    Index = Int[np.ndarray, " pair"]

MOST = 2**18  # edges of the graphs that are followed at once: about as many as a cache holds


def flow(
    maps: Float[np.ndarray, "layer head token token"], *, residual: float = 0.5
) -> Float[np.ndarray, "query key"]:
    """Maximum flow from each query after the last layer to each key before the first.

    Every token of every layer is a node. Its edge to a token of the layer below has the capacity
    (1 − residual) · A + residual · I, A the mean of the heads. Each pair of query and key is a problem of its
    own, so rows do not sum to 1; the authors' figures divide each by its sum. Exact to rounding. Abnar & Zuidema
    2020, arXiv:2005.00928, §4.2.

    >>> look_back = np.array([[1.0, 0.0], [1.0, 0.0]])
    >>> flow(np.stack([look_back, look_back])[:, None]).tolist()  # 1 → 1 → 0 and 1 → 0 → 0
    [[1.0, 0.0], [1.0, 0.5]]
    """
    return flow_from(range(maps.shape[2]), maps, residual=residual)


def flow_from(
    queries: Sequence[int], maps: Float[np.ndarray, "layer head token token"], *, residual: float = 0.5
) -> Float[np.ndarray, "query key"]:
    """The rows of `flow` that are asked for.

    >>> look_back = np.array([[1.0, 0.0], [1.0, 0.0]])
    >>> flow_from([1], np.stack([look_back, look_back])[:, None]).tolist()
    [[1.0, 0.5]]
    """
    return flow_through(queries, with_residual(maps, residual))


def flow_through(
    queries: Sequence[int], capacities: Float[np.ndarray, "layer token token"]
) -> Float[np.ndarray, "query key"]:
    """The same where each layer is known as the capacities of its edges.

    >>> flow_through([0], np.array([[[0.25, 0.75], [0.0, 1.0]]])).tolist()
    [[0.25, 0.75]]
    """
    if len(capacities) == 1:  # each edge is its own flow
        return capacities[0][list(queries)]
    below = np.array([_reached(capacities[::-1], query) for query in queries])
    above = np.array([_reached(capacities.transpose(0, 2, 1), key) for key in range(capacities.shape[1])])
    between = below[:, None] & above  # the tokens that the paths of a pair come through
    flows = np.zeros(between.shape[:2])
    for rows, keys in _alike(between, len(capacities)):
        tokens = np.nonzero(between[rows, keys])[1].reshape(len(rows), -1)  # [pair, token]
        flows[rows, keys] = greatest_flows(
            capacities[1:-1][:, tokens[:, :, None], tokens[:, None, :]],
            capacities[-1][np.asarray(queries)[rows, None], tokens],
            capacities[0][tokens, keys[:, None]],
        )
    return flows


def _alike(between: Bool[np.ndarray, "query key token"], n_layers: int) -> Iterator[tuple[Index, Index]]:
    """Rows and keys of pairs whose paths come through equally many tokens, no more at once than `MOST` edges."""
    size = between.sum(axis=2)
    for n in np.unique(size[size > 0]):
        rows, keys = np.nonzero(size == n)
        room = max(1, MOST // (n_layers * n**2))
        for first in range(0, len(rows), room):
            yield rows[first : first + room], keys[first : first + room]


def _reached(edges: Float[np.ndarray, "layer token token"], start: int) -> Bool[np.ndarray, " token"]:
    """The tokens that any path from the start comes through."""
    here = np.zeros(edges.shape[1])
    here[start] = 1
    reached = here > 0
    for layer in edges:
        here = (here @ layer > 0).astype(np.float64)
        reached |= here > 0
    return reached
