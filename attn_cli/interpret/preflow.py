"""Maximum flow down layers of nodes, for many pairs of source and sink at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    Edges = Float[np.ndarray, "layer pair from to"]
    OfNodes = Float[np.ndarray, "pair node"]
    OfWays = Float[np.ndarray, "pair from to"]
    OfPairs = Float[np.ndarray, " pair"]

_TINY = 1e-14  # of the one unit that flows: less is nothing
_FAR = 2**30  # no way to the sink
_WORTHWHILE = 0.03  # of what waits: going down the layers again pays while it brings so much to the sink


def greatest_flows(edges: Edges, source: OfNodes, sink: OfNodes) -> OfPairs:
    """The maximum flow of each pair: from its source into the highest nodes, and from the lowest ones into its sink.

    `edges[layer, pair, i, j]` is what can pass from node i above the layer down to node j below it, the lowest
    layer first. Exact to rounding. Most of it is found by going down the layers a few times; the rest is pushed
    towards the sink along shortest residual paths, until nothing that waits has a way left (Goldberg & Tarjan
    1988, doi:10.1145/48014.61051). What has no way stays where it is, as only the value is wanted.

    >>> one_layer = np.array([[[[0.5, 0.25], [0.0, 1.0]]]])
    >>> greatest_flows(one_layer, np.array([[1.0, 0.125]]), np.array([[1.0, 1.0]])).tolist()
    [0.875]
    """
    return _Preflow(edges, source, sink).values()


class _Preflow:
    """A flow that may leave more at a node than goes on: the excess."""

    def __init__(self, edges: Edges, source: OfNodes, sink: OfNodes) -> None:
        self.found, self.pairs = np.zeros(len(source)), np.arange(len(source))  # those not done yet
        self.capacity, self.left = edges, edges.copy()  # what is used is the difference
        self.room = sink.copy()  # what the lowest nodes can still send to the sink
        self.excess = np.zeros((len(edges) + 1, *source.shape))  # of each node, from the lowest up
        self.excess[-1] = source
        self.ones = np.ones(source.shape[1])  # a product with it is a sum, and four times as fast

    def values(self) -> OfPairs:
        """The greatest flow into each sink."""
        self._fall()
        while len(self.pairs):
            distances = self._distances()
            self.excess[distances == _FAR] = 0  # without a way to the sink, now and ever after
            while self._push_all(distances):
                pass
            self._arrive()
        return self.found

    def _fall(self) -> None:
        """Go down the layers, at first all, then the lowest few with what waits there, to find other ways."""
        top = len(self.left)
        height = min(2, top)
        self._descend(top)
        self._arrive()
        while len(self.pairs):
            waiting = self._waiting().sum()
            self._ascend(height)
            self._descend(height)
            if self._arrive() < _WORTHWHILE * waiting:
                if height == top:
                    return
                height = min(2 * height, top)

    def _waiting(self) -> OfPairs:
        """How much could still arrive at each sink: no more than waits, or than there is room for."""
        return np.minimum(self.excess.sum(axis=(0, 2)), self.room.sum(axis=1))

    def _arrive(self) -> float:
        """What the lowest nodes hold goes into the sinks, as far as there is room; pairs that are done are dropped."""
        sent = np.minimum(self.excess[0], self.room)
        self.excess[0] -= sent
        self.room -= sent
        self.found[self.pairs] += sent.sum(axis=1)
        more = self._waiting() > _TINY
        if more.mean() <= 0.75:  # it takes a copy
            self.pairs, self.room, self.excess = self.pairs[more], self.room[more], self.excess[:, more]
            self.capacity, self.left = self.capacity[:, more], self.left[:, more]
        return float(sent.sum())

    def _descend(self, height: int) -> None:
        """Send what waits there down, to each node no more than its edges could pass on if it were alone."""
        wide, ways = [self.room], []
        for left in self.left[:height]:
            ways.append(np.minimum(left, wide[-1][:, None]))
            # A rounding below 0 would grow by the number of tokens in each layer.
            wide.append((ways[-1] @ self.ones).clip(min=0))
        source = self.excess[height].copy()
        for i in range(height - 1, -1, -1):
            sent = np.minimum(source, wide[i + 1])
            share = sent / np.maximum(wide[i + 1], _TINY)
            self.excess[i + 1] = source - sent
            source = self.excess[i] + _product(share, ways[i])
            ways[i] *= share[:, :, None]
            self.left[i] -= ways[i]
        self.excess[0] = source

    def _ascend(self, height: int) -> None:
        """Give the excess below back to where it has come from."""
        for i in range(height):
            used = self.capacity[i] - self.left[i]
            came = self.ones @ used
            returned = np.minimum(self.excess[i], came)
            used *= (returned / np.maximum(came, _TINY))[:, None]
            self.left[i] += used
            self.excess[i + 1] += used @ self.ones
            self.excess[i] -= returned

    def _distances(self) -> Int[np.ndarray, "layer pair node"]:
        """How many edges it is from each node to the sink, down where there is room or up where flow can go back."""
        distances = np.full(self.excess.shape, _FAR)
        distances[0][self.room > _TINY] = 1
        down, up = self.left > _TINY, self.capacity - self.left > _TINY
        before = None
        while before is None or (distances != before).any():
            before = distances.copy()
            for i in range(len(down)):
                below = np.where(down[i], distances[i][:, None], _FAR).min(axis=2)
                distances[i + 1] = np.minimum(distances[i + 1], below + 1)
            for i in reversed(range(len(up))):
                above = np.where(up[i], distances[i + 1][:, :, None], _FAR).min(axis=1)
                distances[i] = np.minimum(distances[i], above + 1)
        return distances

    def _push_all(self, distances: Int[np.ndarray, "layer pair node"]) -> bool:
        """What waits goes to nodes that are nearer, down all layers and up again; whether anything did."""
        moved = False
        layers = range(len(self.left))
        for i in reversed(layers):
            if (self.excess[i + 1] > _TINY).any():
                nearer = distances[i][:, None] + 1 == distances[i + 1][:, :, None]
                sent, some = _push(self.left[i] * nearer, self.excess[i + 1], self.excess[i])
                self.left[i] -= sent
                moved |= some
        for i in layers:
            if (self.excess[i] > _TINY).any():
                nearer = distances[i][:, None] == distances[i + 1][:, :, None] + 1
                back = ((self.capacity[i] - self.left[i]) * nearer).swapaxes(1, 2)
                sent, some = _push(back, self.excess[i], self.excess[i + 1])
                self.left[i] += sent.swapaxes(1, 2)
                moved |= some
        return moved


def _push(ways: OfWays, here: OfNodes, there: OfNodes) -> tuple[OfWays, bool]:
    """Move what waits here there, in proportion to the ways; what went each way, and whether that is anything."""
    room = ways.sum(axis=2)
    sent = np.minimum(here, room)
    ways *= (sent / np.maximum(room, _TINY))[:, :, None]
    here -= sent
    there += ways.sum(axis=1)
    return ways, bool((sent > _TINY).any())


def _product(shares: OfNodes, ways: OfWays) -> OfNodes:
    """Σ over the nodes above of share · way."""
    return (shares[:, None] @ ways)[:, 0]
