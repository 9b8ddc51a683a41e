"""Attention flow: how much of one unit can pass from a token of the last layer to a token of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .rollout import with_residual

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float, Int

    Nodes = Bool[np.ndarray, "layer token"]

_TINY = 1e-14  # of the one unit that flows: less is nothing
_FAR = 2**30  # no way to the sink
_WORTHWHILE = (
    0.03  # of what waits: going down the layers again pays while it brings so much of it to the sink
)


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
    below = [_reached(capacities[::-1], query) for query in queries]
    above = [_reached(capacities.transpose(0, 2, 1), key) for key in range(capacities.shape[1])]
    return np.array(
        [
            [_flow_of_pair(capacities, query, key, np.flatnonzero(b & a)) for key, a in enumerate(above)]
            for query, b in zip(queries, below, strict=True)
        ]
    )


def _reached(edges: Float[np.ndarray, "layer token token"], start: int) -> Bool[np.ndarray, " token"]:
    """The tokens that any path from the start comes through."""
    here = np.zeros(edges.shape[1])
    here[start] = 1
    reached = here > 0
    for layer in edges:
        here = (here @ layer > 0).astype(np.float64)
        reached |= here > 0
    return reached


def _flow_of_pair(
    capacities: Float[np.ndarray, "layer token token"],
    query: int,
    key: int,
    tokens: Int[np.ndarray, " reached"],
) -> float:
    """The maximum flow of one pair, through these tokens, which its paths come through."""
    if key not in tokens or query not in tokens:
        return 0.0
    inner = capacities[1:-1][:, tokens[:, None], tokens]
    return _Preflow(inner, capacities[-1][query, tokens], capacities[0][tokens, key]).value()


class _Preflow:
    """A flow that may leave more at a node than goes on: the excess.

    All paths are equally long, so that most of the flow is found by going down the layers a few times. The rest
    is pushed towards the sink along shortest residual paths, all nodes of a distance at once, until no excess has
    a way left (Goldberg & Tarjan 1988, doi:10.1145/48014.61051). Only the value is wanted, so what has no way
    stays where it is.
    """

    def __init__(
        self,
        edges: Float[np.ndarray, "layer token token"],  # [i, j]: from i, a layer up, down to j; lowest first
        source: Float[np.ndarray, " token"],  # what flows into the highest nodes
        room: Float[np.ndarray, " token"],  # what the lowest nodes can send to the sink
    ) -> None:
        self.left, self.used, self.room = edges, np.zeros_like(edges), room.copy()
        self.excess = np.zeros((len(edges) + 1, len(room)))  # of each node, from the lowest layer up
        self.excess[-1] = source

    def value(self) -> float:
        """The greatest flow into the sink."""
        top = len(self.left)
        self._descend(top)
        arrived = self._arrive()
        height = min(2, top)  # from which the layers are gone down again, to find other ways
        while (waiting := float(self.excess.sum())) > _TINY:
            self._ascend(height)
            self._descend(height)
            arrived += (sent := self._arrive())
            if sent < _WORTHWHILE * waiting:
                if height == top:
                    break
                height = min(2 * height, top)
        return arrived + self._push_the_rest()

    def _descend(self, height: int) -> None:
        """Send what waits there down, to each node no more than its edges could pass on if it were alone."""
        wide = [self.room]
        for layer in self.left[:height]:
            # A rounding below 0 would grow by the number of tokens in each layer.
            wide.append(np.minimum(layer, wide[-1]).sum(axis=1).clip(min=0))
        source = self.excess[height].copy()
        for i in range(height - 1, -1, -1):
            share = np.minimum(source, wide[i + 1]) / np.maximum(wide[i + 1], _TINY)
            sent = np.minimum(self.left[i], wide[i]) * share[:, None]
            self.left[i] -= sent
            self.used[i] += sent
            self.excess[i + 1] = source - sent.sum(axis=1)
            source = self.excess[i] + sent.sum(axis=0)
        self.excess[0] = source

    def _ascend(self, height: int) -> None:
        """Give the excess below back to where it has come from."""
        for i in range(height):
            share = np.minimum(self.excess[i] / np.maximum(self.used[i].sum(axis=0), _TINY), 1)
            returned = self.used[i] * share
            self.used[i] -= returned
            self.left[i] += returned
            self.excess[i + 1] += returned.sum(axis=1)
            self.excess[i] -= returned.sum(axis=0)

    def _arrive(self) -> float:
        """What the lowest nodes hold goes into the sink, as far as there is room."""
        sent = np.minimum(self.excess[0], self.room)
        self.excess[0] -= sent
        self.room -= sent
        return float(sent.sum())

    def _push_the_rest(self) -> float:
        """The same by the shortest ways that are left, until there is none."""
        arrived = 0.0
        cut_off = np.zeros(self.excess.shape, dtype=bool)  # without a way to the sink, now and ever after
        while (self.room > _TINY).any():
            waiting = (self.excess > _TINY) & ~cut_off
            distances = self._distances(waiting)
            there = distances[waiting]
            if there.max(initial=0) == _FAR:
                cut_off = distances == _FAR
                there = there[there < _FAR]
            if not len(there):
                break
            for distance in range(there.max(), 1, -1):
                for layer in np.flatnonzero((at := distances == distance).any(axis=1)):
                    self._push(int(layer), np.flatnonzero(at[layer]), distances)
            arrived += self._arrive()
        return arrived

    def _distances(self, waiting: Nodes) -> Int[np.ndarray, "layer token"]:
        """How many edges it is from each node to the sink, as far as those that wait are; else `_FAR`."""
        distances = np.full(self.excess.shape, _FAR)
        distances[0][self.room > _TINY] = 1
        front, distance = {0: (self.room > _TINY).astype(np.float64)}, 1
        while front and (distances[waiting] == _FAR).any():
            distance += 1
            found: dict[int, np.ndarray] = {}
            for layer, nodes in front.items():
                if layer < len(self.left):  # from above, down an edge that has room
                    found[layer + 1] = found.get(layer + 1, 0) + self.left[layer] @ nodes
                if layer > 0:  # from below, up an edge that is used and may be given back
                    found[layer - 1] = found.get(layer - 1, 0) + nodes @ self.used[layer - 1]
            front = {}
            for layer, room in found.items():
                new = (room > _TINY) & (distances[layer] == _FAR)
                if new.any():
                    distances[layer][new] = distance
                    front[layer] = new.astype(np.float64)
        return distances

    def _push(
        self, layer: int, nodes: Int[np.ndarray, " node"], distances: Int[np.ndarray, "layer token"]
    ) -> None:
        """What these nodes hold goes to neighbours that are nearer, in proportion to the room on the way."""
        nodes = nodes[self.excess[layer, nodes] > _TINY]
        if not len(nodes):
            return
        nearer = distances[layer, nodes[0]] - 1
        none = np.zeros((len(nodes), 0))
        down = self.left[layer - 1][nodes] * (distances[layer - 1] == nearer) if layer else none
        up = none
        if layer < len(self.used):
            up = self.used[layer].T[nodes] * (distances[layer + 1] == nearer)
        room = down.sum(axis=1) + up.sum(axis=1)
        share = np.minimum(self.excess[layer, nodes] / np.maximum(room, _TINY), 1)[:, None]
        self.excess[layer, nodes] -= share[:, 0] * room
        if layer:
            down *= share
            self.left[layer - 1][nodes] -= down
            self.used[layer - 1][nodes] += down
            self.excess[layer - 1] += down.sum(axis=0)
        if layer < len(self.used):
            up *= share
            self.used[layer].T[nodes] -= up
            self.left[layer].T[nodes] += up
            self.excess[layer + 1] += up.sum(axis=0)
