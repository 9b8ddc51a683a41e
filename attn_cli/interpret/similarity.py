"""Which heads do the same: divergences between heads, clusters of them, and a plane to draw them on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from . import divergence
from .rows import blocks, permitted

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

    from ..records.attention import Attention


def divergences(attention: Attention, *, show: str = "weights") -> Float[np.ndarray, "head head"]:
    """Jensen–Shannon divergence between any two heads of any layers in nats: the mean over the queries.

    From 0 to ln 2. Heads are numbered layer after layer. A row whose weights sum to something else than 1 is
    scaled; a query to which either head gives nothing is left out, and where none is left two heads are ln 2
    apart. Clark et al. 2019, arXiv:1906.04341, §6, who sum over the queries, so that long texts count for more.

    >>> from attn_cli.records.attention import Attention
    >>> weights = np.array([[[[1.0, 0.0]], [[0.0, 1.0]], [[1.0, 0.0]]]])
    >>> divergences(Attention(("a",), ("a", "b"), weights)).round(4).tolist()
    [[0.0, 0.6931, 0.0], [0.6931, 0.0, 0.6931], [0.0, 0.6931, 0.0]]
    """
    n = attention.weights.shape[0] * attention.weights.shape[1]
    total, count = np.zeros((n, n)), np.zeros((n, n))
    for rows in blocks(attention, show=show, permitted=permitted(attention)):
        _add(rows.weights.reshape(n, *rows.weights.shape[2:]), total, count)
    apart = np.where(count > 0, total / np.maximum(count, 1), np.log(2))
    np.fill_diagonal(apart, 0)
    return apart


def _add(
    heads: Float[np.ndarray, "head row key"],
    total: Float[np.ndarray, "head head"],
    count: Float[np.ndarray, "head head"],
) -> None:
    """Add the divergences in these rows, each head against those after it."""
    sums = heads.sum(axis=2, keepdims=True)
    seeing = sums[..., 0] > 0
    shares = heads / np.where(sums > 0, sums, 1)
    own = divergence.entropy(shares)  # once for each head, not for each pair
    for i in range(len(heads) - 1):
        both = seeing[i] & seeing[i + 1 :]
        mixed = divergence.entropy((shares[i] + shares[i + 1 :]) / 2)
        apart = np.where(both, np.maximum(mixed - (own[i] + own[i + 1 :]) / 2, 0), 0).sum(axis=1)
        for place in ((i, slice(i + 1, None)), (slice(i + 1, None), i)):
            total[place] += apart
            count[place] += both.sum(axis=1)


@dataclass(frozen=True)
class Merge:
    """Two clusters that become one, and how far apart they were. Clusters are named by their lowest member."""

    first: int
    second: int
    distance: float


def tree(distances: Float[np.ndarray, "item item"]) -> list[Merge]:
    """Average linkage: again and again the two nearest clusters become one, until a single one is left.

    The distance of two clusters is the mean over all pairs of their members. Sokal & Michener 1958 (UPGMA).

    >>> [(merge.first, merge.second, merge.distance) for merge in tree(np.array([[0, 1, 4], [1, 0, 2], [4, 2, 0]]))]
    [(0, 1, 1.0), (0, 2, 3.0)]
    """
    apart = np.array(distances, dtype=np.float64)
    np.fill_diagonal(apart, np.inf)
    sizes, merges = np.ones(len(apart)), []
    for _ in range(len(apart) - 1):
        first, second = sorted(divmod(int(apart.argmin()), len(apart)))
        merges.append(Merge(first, second, float(apart[first, second])))
        a, b = sizes[first], sizes[second]
        joined = (a * apart[first] + b * apart[second]) / (a + b)
        apart[first], apart[:, first], sizes[first] = joined, joined, a + b
        apart[second] = apart[:, second] = np.inf
        apart[first, first] = np.inf
    return merges


def clusters(merges: list[Merge], number: int) -> Int[np.ndarray, " item"]:
    """The clusters that are there when so many are left, numbered from 0 in the order of their first members.

    >>> clusters([Merge(0, 2, 1.0), Merge(0, 1, 3.0)], 2).tolist()
    [0, 1, 0]
    """
    n = len(merges) + 1
    if not 1 <= number <= n:
        raise InputError(f"{number} clusters of {n} heads", hint=f"give 1 to {n}")
    of = np.arange(n)
    for merge in merges[: n - number]:
        of[of == merge.second] = merge.first
    return np.unique(of, return_inverse=True)[1]


def order(merges: list[Merge]) -> Int[np.ndarray, " item"]:
    """The items so that those of every cluster stand side by side.

    >>> order([Merge(0, 2, 1.0), Merge(0, 1, 3.0)]).tolist()
    [0, 2, 1]
    """
    members = {i: [i] for i in range(len(merges) + 1)}
    for merge in merges:
        members[merge.first] += members.pop(merge.second)
    return np.array(members[0])


def plane(divergences: Float[np.ndarray, "item item"]) -> Float[np.ndarray, "item 2"]:
    """Points whose distances are as near as they can be to the square roots of the divergences.

    √JS is a distance, and points in some space have it exactly; these are their two widest directions (classical
    scaling, Torgerson 1952). The sign of an axis is chosen so that its largest coordinate is positive.

    >>> abs(np.diff(plane(np.array([[0.0, 0.25], [0.25, 0.0]]))[:, 0])).tolist()
    [0.5]
    """
    centred = divergences - divergences.mean(axis=0)
    inner = -(centred - centred.mean(axis=1, keepdims=True)) / 2
    values, vectors = np.linalg.eigh((inner + inner.T) / 2)
    widest = np.zeros((len(values), 2))
    widest[:, : len(values)] = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, :2]
    largest = np.take_along_axis(widest, abs(widest).argmax(axis=0)[None], axis=0)
    return widest * np.where(largest < 0, -1, 1)


def nearest(apart: Float[np.ndarray, "item item"]) -> Int[np.ndarray, " item"]:
    """The other item nearest to each; of a single item, itself.

    >>> nearest(np.array([[0.0, 2.0, 1.0], [2.0, 0.0, 3.0], [1.0, 3.0, 0.0]])).tolist()
    [2, 0, 0]
    """
    itself: Bool[np.ndarray, "item item"] = np.eye(len(apart), dtype=bool)
    return np.where(itself, np.inf, apart).argmin(axis=1)
