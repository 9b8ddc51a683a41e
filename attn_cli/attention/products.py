"""How the scores of a record follow from the queries and keys that it holds, found from its numbers alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Products:
    """scores = scale · query · keyᵀ + bias[head, key − query + n_query − 1]; a bias of None is none."""

    scale: float
    bias: Float[np.ndarray, "head distance"] | None = None


def products(
    query: Float[np.ndarray, "head query d_head"],
    key: Float[np.ndarray, "head key d_head"],
    scores: Float[np.ndarray, "head query key"],
) -> Products | None:
    """The scale of the dot products, and the bias that depends on distance alone; None where scores are others.

    A scale of 1/√d_head or 1, or else the one that fits best; scores that are not finite are not looked at.

    >>> x = np.array([[[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]])
    >>> distance = abs(np.arange(3) - np.arange(3)[:, None])
    >>> products(x, x, 3 * x @ x.mT).scale
    3.0
    >>> products(x, x, x @ x.mT - distance).bias.tolist()
    [[-2.0, -1.0, 0.0, -1.0, -2.0]]
    >>> products(x, x, np.cos(x @ x.mT)) is None
    True
    """
    dots = query @ key.mT
    seen = np.isfinite(scores)
    known = np.where(seen, scores, 0)
    for scale in _scales(dots, known, seen, query.shape[-1]):
        if agree(np.where(seen, scale * dots, 0), known):
            return Products(scale)
    if min(scores.shape[1:]) < 3:  # too few to tell a bias of distances from anything else
        return None
    place = _distances(*scores.shape[1:])
    apart = _centred(dots, place, seen), _centred(known, place, seen)
    for scale in _scales(*apart, seen, query.shape[-1]):
        bias = _means(known - scale * dots, place, seen)
        if agree(np.where(seen, scale * dots + bias[:, place], 0), known):
            return Products(scale, bias)
    return None


def agree(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Whether two computations of the same numbers differ by rounding alone; those of some heads are others.

    >>> agree(np.array([1.0, 2.0]), np.array([1.0, 2.000001])), agree(np.array([1.0]), np.array([1.1]))
    (True, False)
    """
    if ours.shape != theirs.shape:
        return False
    return bool(np.allclose(ours, theirs, rtol=1e-4, atol=1e-5 * np.abs(ours).max()))


def _scales(dots: np.ndarray, scores: np.ndarray, seen: np.ndarray, d_head: int) -> Iterator[float]:
    yield 1 / math.sqrt(d_head)
    yield 1.0
    dots = np.where(seen, dots, 0).astype(np.float64)
    if square := (dots * dots).sum():
        yield float(f"{(dots * scores).sum() / square:.9g}")


def _distances(n_query: int, n_key: int) -> np.ndarray:
    return np.arange(n_key) - np.arange(n_query)[:, None] + n_query - 1


def _means(numbers: np.ndarray, place: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The mean of each head over all pairs that are so far apart."""
    size = int(place.max()) + 1
    sums = [
        np.bincount(place.ravel(), np.where(each, head, 0).ravel(), size)
        for head, each in zip(numbers, seen, strict=True)
    ]
    counts = [np.bincount(place.ravel(), each.ravel(), size) for each in seen]
    return np.array(sums) / np.maximum(counts, 1)


def _centred(numbers: np.ndarray, place: np.ndarray, seen: np.ndarray) -> np.ndarray:
    return np.where(seen, numbers - _means(numbers, place, seen)[:, place], 0)
