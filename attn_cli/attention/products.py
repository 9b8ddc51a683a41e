"""How the scores of a record follow from the queries and keys that it holds, found from its numbers alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ..variants.posenc.formulas import rope_frequencies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Float

BASES = (10_000.0, 500_000.0, 1_000_000.0)  # of Llama and GPT-NeoX, of Llama 3, of Qwen and Mistral
PARTS = (1.0, 0.5, 0.25)  # of a vector that turn: of most, of Phi, of Pythia


@dataclass(frozen=True, eq=False)
class Products:
    """scores = scale · query · keyᵀ + bias[head, key − query + n_query − 1]; a bias of None is none.

    Where positions turn vectors first, `query` and `key` are the turned ones.
    """

    scale: float
    query: Float[np.ndarray, "head query d_head"]
    key: Float[np.ndarray, "head key d_head"]
    bias: Float[np.ndarray, "head distance"] | None = None
    turned: bool = False


def products(
    query: Float[np.ndarray, "head query d_head"],
    key: Float[np.ndarray, "head key d_head"],
    scores: Float[np.ndarray, "head query key"],
) -> Products | None:
    """The scale of the dot products, and the bias that depends on distance alone; None where scores are others.

    A scale of 1/√d_head or 1, or else the one that fits best; scores that are not finite are not looked at. Vectors
    are turned by rotary positions where that gives the scores, for the bases and parts that models have (BASES, PARTS).

    >>> x = np.array([[[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]])
    >>> distance = abs(np.arange(3) - np.arange(3)[:, None])
    >>> products(x, x, 3 * x @ x.mT).scale
    3.0
    >>> products(x, x, x @ x.mT - distance).bias.tolist()
    [[-2.0, -1.0, 0.0, -1.0, -2.0]]
    >>> products(x, x, np.cos(x @ x.mT)) is None
    True
    """
    found = _scaled(query, key, scores) or _biased(query, key, scores)
    if found:
        return found
    few = slice(0, 1)  # one head tells which, and all must agree
    for turn in _turns(query.shape[-1]):
        if _scaled(*_turned(query[few], key[few], turn), scores[few]):
            found = _scaled(*_turned(query, key, turn), scores)
            return replace(found, turned=True) if found else None
    return None


def _scaled(query: np.ndarray, key: np.ndarray, scores: np.ndarray) -> Products | None:
    dots, seen = query @ key.mT, np.isfinite(scores)
    known = np.where(seen, scores, 0)
    for scale in _scales(dots, known, seen, query.shape[-1]):
        if agree(np.where(seen, scale * dots, 0), known):
            return Products(scale, query, key)
    return None


def _biased(query: np.ndarray, key: np.ndarray, scores: np.ndarray) -> Products | None:
    if min(scores.shape[1:]) < 3:  # too few to tell a bias of distances from anything else
        return None
    dots, seen = query @ key.mT, np.isfinite(scores)
    known = np.where(seen, scores, 0)
    place = _distances(*scores.shape[1:])
    apart = _centred(dots, place, seen), _centred(known, place, seen)
    for scale in _scales(*apart, seen, query.shape[-1]):
        bias = _means(known - scale * dots, place, seen)
        if agree(np.where(seen, scale * dots + bias[:, place], 0), known):
            return Products(scale, query, key, bias)
    return None


def _turns(d_head: int) -> Iterator[tuple[float, int, bool]]:
    """Base, how many numbers of a vector turn, and whether those of a pair stand beside each other."""
    sizes = dict.fromkeys(int(d_head * part) for part in PARTS)
    yield from product(BASES, (size for size in sizes if size >= 2 and size % 2 == 0), (False, True))


def _turned(
    query: np.ndarray, key: np.ndarray, turn: tuple[float, int, bool]
) -> tuple[np.ndarray, np.ndarray]:
    """As `variants.posenc.inside.rope` does, whose paper is there; the last query stands where the last key does."""
    base, size, beside = turn
    theta, _ = rope_frequencies(size, base=base)
    places = (
        (slice(0, size, 2), slice(1, size, 2)) if beside else (slice(0, size // 2), slice(size // 2, size))
    )
    turned = []
    for vectors in (query, key):
        n, n_key = vectors.shape[-2], key.shape[-2]
        whole = np.exp(1j * np.arange(n_key - n, n_key)[:, None] * theta)
        pairs = (vectors[..., places[0]] + 1j * vectors[..., places[1]]) * whole
        made = vectors.astype(np.float64)
        made[..., places[0]], made[..., places[1]] = pairs.real, pairs.imag
        turned.append(made)
    return turned[0], turned[1]


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
