"""Attention in plain NumPy: the right formula of every step, written for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..variants.posenc.formulas import alibi_slopes

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

    from .exercise import Rope
    from .pipeline import Work

    Heads = Float[np.ndarray, "*batch head seq d_head"]
    Pairs = Float[np.ndarray, "*batch head query key"]


# ---- from vectors to heads -----------------------------------------------------------------------------


def inputs(work: Work) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The vectors that query, key and value are made of, positions added if the exercise adds any."""
    x = work.exercise
    if x.positions is None:
        return x.inputs
    query, key, value = (
        vectors + work.steps.table(work, x.positions, vectors.shape[-2], vectors.shape[-1])
        for vectors in x.inputs
    )
    return query, key, value


def linear(
    vectors: Float[np.ndarray, "*batch seq d_in"], part: str, work: Work
) -> Float[np.ndarray, "*batch seq d_out"]:
    """x · W + b, of the part q, k, v or o."""
    W, b = (getattr(work.exercise.projection, f"{letter}_{part}") for letter in "Wb")
    return (vectors if W is None else vectors @ W) + (0 if b is None else b)


def split(vectors: Float[np.ndarray, "*batch seq d_model"], n_heads: int) -> Heads:
    """Cut each vector into pieces, one for each head."""
    return vectors.reshape(*vectors.shape[:-1], n_heads, -1).swapaxes(-2, -3)


def share(heads: Heads, n_heads: int) -> Heads:
    """Neighbouring heads share a key and a value when there are fewer of them: 0 0 1 1."""
    return np.repeat(heads, n_heads // heads.shape[-3], axis=-3)


def value(vectors: Float[np.ndarray, "*batch key d_model"], work: Work) -> Heads:
    """The value of every head."""
    return work.steps.share(
        work.steps.split(work.steps.linear(vectors, "v", work), work.n_kv_heads), work.n_heads
    )


# ---- positions -----------------------------------------------------------------------------------------


def query_positions(n_query: int, n_key: int) -> Int[np.ndarray, " query"]:
    """The last query stands at the last key."""
    return np.arange(n_key - n_query, n_key)


def first_position() -> int:
    """Positions of a table count from 0."""
    return 0


def base(base: float) -> float:
    """The base of the wavelengths, as the exercise gives it."""
    return base


def exponents(dim: int) -> tuple[Float[np.ndarray, " pairs"], Float[np.ndarray, " pairs"]]:
    """2i/d for sine and cosine of pair i: both of a pair have the same."""
    pairs = np.arange(0, dim, 2) / dim
    return pairs, pairs


def arrange(
    sine: Float[np.ndarray, "seq pairs"], cosine: Float[np.ndarray, "seq pairs"], dim: int, concatenated: bool
) -> Float[np.ndarray, "seq dim"]:
    """Sines of these angles and cosines of those in turn, or all sines first; an odd width lacks the last cosine."""
    sines, cosines = np.sin(sine), np.cos(cosine[:, : dim // 2])
    if concatenated:
        return np.concatenate([sines, cosines], axis=1)
    out = np.empty((len(sines), dim))
    out[:, 0::2], out[:, 1::2] = sines, cosines
    return out


def table(work: Work, kind: Any, seq_len: int, dim: int) -> Float[np.ndarray, "seq dim"]:
    """A table of positions: sinusoids, cosine and sine of RoPE in turn, or the biases of ALiBi."""
    steps = work.steps
    at = np.arange(seq_len) + steps.first_position()
    if kind.kind == "alibi":
        return steps.penalty(steps.slopes(dim), at[:, None].astype(float)) + 0.0
    sine, cosine = (at[:, None] * steps.base(kind.base) ** -e for e in steps.exponents(dim))
    if kind.kind == "rope":
        sine, cosine = steps.direction(sine), steps.direction(cosine)
        return np.stack([np.cos(cosine), np.sin(sine)], axis=-1).reshape(seq_len, -1)
    return steps.arrange(sine, cosine, dim, kind.concatenated)


def direction(angles: np.ndarray) -> np.ndarray:
    """RoPE turns by +pos · θ."""
    return angles


def turn(heads: Heads, angles: Float[np.ndarray, "seq pairs"], rope: Rope) -> Heads:
    """Turn each pair of numbers by its angle: the paper's pairs (2i, 2i + 1), or Llama's (i, i + d/2)."""
    half = heads.shape[-1] // 2
    first, second = (
        (slice(0, None, 2), slice(1, None, 2)) if rope.interleaved else (slice(half), slice(half, None))
    )
    a, b, out = heads[..., first], heads[..., second], np.empty_like(heads)
    out[..., first] = a * np.cos(angles) - b * np.sin(angles)
    out[..., second] = a * np.sin(angles) + b * np.cos(angles)
    return out


def slopes(n_heads: int) -> Float[np.ndarray, " head"]:
    """How fast ALiBi lets attention fall in each head."""
    return alibi_slopes(n_heads)


def penalty(slopes: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """What ALiBi adds to a score."""
    return -slopes * distance


# ---- from heads to scores ------------------------------------------------------------------------------


def dots(query: Heads, key: Heads) -> Pairs:
    """Q · Kᵀ."""
    return query @ key.mT


def scale(dots: Pairs, work: Work) -> Pairs:
    """Divide by √d_head, or multiply by what the exercise gives."""
    given = work.exercise.scale
    return dots / np.sqrt(work.d_head) if given is None else dots * given


def bias(scores: Pairs, work: Work) -> Pairs:
    """What positions add to the scores: −slope · distance with ALiBi."""
    if not work.exercise.alibi:
        return scores
    query = work.steps.query_positions(*scores.shape[-2:])
    distance = np.abs(query[:, None] - np.arange(scores.shape[-1])).astype(float)
    return scores + work.steps.penalty(work.steps.slopes(scores.shape[-3])[:, None, None], distance)


# ---- from scores to output -----------------------------------------------------------------------------


def allowed(mask: Any, query: np.ndarray, key: np.ndarray) -> Bool[np.ndarray, "query key"]:
    """Where one mask lets a query attend."""
    return mask(query, key)


def visible(work: Work) -> Bool[np.ndarray, "*batch query key"]:
    """Where every mask lets a query attend."""
    x = work.exercise
    query, key = work.steps.query_positions(x.n_query, x.n_key)[:, None], np.arange(x.n_key)
    seen = np.ones((x.n_query, x.n_key), bool)
    for mask in x.masks:
        seen = seen & (mask if isinstance(mask, np.ndarray) else work.steps.allowed(mask, query, key))
    return seen


def mask(scores: Pairs, work: Work) -> Pairs:
    """−∞ where a query may not attend."""
    return np.where(work["mask"], scores, -np.inf)


def normalise(masked: Pairs, work: Work) -> Pairs:
    """Softmax over the keys of each row."""
    return softmax(masked)


def softmax(scores: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    """exp(s) / Σ exp(s); NaN where there are only −∞.

    >>> softmax(np.array([0.0, np.log(3)])).round(4).tolist()
    [0.25, 0.75]
    """
    with np.errstate(invalid="ignore"):
        parts = np.exp(scores - scores.max(axis=axis, keepdims=True))
        return parts / parts.sum(axis=axis, keepdims=True)


def blind(weights: Pairs, work: Work) -> Pairs:
    """A row that no key is permitted for is 0."""
    rows = np.isneginf(work["masked"]).all(axis=-1, keepdims=True)
    return np.where(rows, 0.0, weights)


def finish(weights: Pairs, work: Work) -> Pairs:
    """Nothing happens to the weights after the softmax."""
    return weights


def show(weights: Pairs) -> np.ndarray:
    """Every head's weights are handed in as they are."""
    return weights


def weigh(weights: Pairs, value: Heads, work: Work) -> Heads:
    """weights · V."""
    with np.errstate(invalid="ignore", over="ignore"):
        return weights @ value


def merge(heads: Heads) -> Float[np.ndarray, "*batch query d_model"]:
    """The heads' outputs side by side."""
    rows = heads.swapaxes(-2, -3)
    return rows.reshape(*rows.shape[:-2], -1)


def out(
    merged: Float[np.ndarray, "*batch query d_out"], work: Work
) -> Float[np.ndarray, "*batch query d_out"]:
    """Through the output matrix."""
    with np.errstate(invalid="ignore", over="ignore"):
        return work.steps.linear(merged, "o", work)
