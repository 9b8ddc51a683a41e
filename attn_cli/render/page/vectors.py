"""Queries and keys made small enough to travel inside a page, where their products give the scores of the record.

Each vector is whole numbers of 16 or 8 bits times a step of its own, largest / (2^(bits − 1) − 1), so that no
number is off by more than half a step. How far the scores are off that come of them is measured, and stated.
"""

from __future__ import annotations

import base64
import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...attention.products import agree, products

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from ...attention.products import Products
    from ...records.attention import Attention

FINE_BYTES = 2**19  # of 16-bit vectors; more of them are rounded to 8 bits
MOST_BYTES = 2**21
COARSE = 0.1  # an error of a score beyond which they are rather left out


@dataclass(frozen=True)
class Vectors:
    """What the header says of them, or why they are not there; and their bytes in base64."""

    header: dict[str, Any]
    text: str = ""


def pack_vectors(attention: Attention, max_bytes: int, *, wanted: bool = True) -> Vectors:
    """Queries and keys in at most a quarter of `max_bytes`; the reason instead where a page could not use them.

    >>> from attn_cli.records.attention import Attention
    >>> x = np.array([[[[1.0, 0.0], [0.0, 2.0]]]])
    >>> weights = np.exp(x @ x.mT) / np.exp(x @ x.mT).sum(-1, keepdims=True)
    >>> record = Attention("ab", "ab", weights, query=x, key=x, scores=x @ x.mT)
    >>> pack_vectors(record, 10**6).header["bits"], pack_vectors(record, 40).header
    (16, {'left_out': 'large'})
    """
    query, key, scores = attention.query, attention.key, attention.scores
    if not wanted or query is None or key is None or scores is None or attention.show != "weights":
        return Vectors({})
    if (bits := _bits(query.size + key.size, max_bytes // 4)) is None or attention.pooled:
        return Vectors({"left_out": "large"})
    found = [products(*layer) for layer in zip(query, key, scores, strict=True)]
    if any(each is None for each in found):
        return Vectors({"left_out": "scores"})
    if not _is_softmax(attention, scores):
        return Vectors({"left_out": "softmax"})
    return _packed(scores, [each for each in found if each], bits)


def _bits(numbers: int, room: int) -> int | None:
    if 2 * numbers <= min(FINE_BYTES, room * 3 // 4):
        return 16
    return 8 if numbers <= min(MOST_BYTES, room * 3 // 4) else None


def _is_softmax(attention: Attention, scores: np.ndarray) -> bool:
    masked = scores if attention.mask is None else np.where(attention.mask, scores, -np.inf)
    highest = masked.max(axis=-1, keepdims=True)
    parts = np.exp(masked - np.where(np.isfinite(highest), highest, 0))
    sums = parts.sum(axis=-1, keepdims=True)
    return agree(parts / np.where(sums == 0, 1, sums), attention.weights)


def _packed(scores: np.ndarray, found: list[Products], bits: int) -> Vectors:
    query, key = np.stack([each.query for each in found]), np.stack([each.key for each in found])
    sides = [_stepped(side, bits) for side in (query, key)]
    whole = [codes * steps[..., None] for codes, steps in sides]
    error = max(_error(q, k, layer, each) for q, k, layer, each in zip(*whole, scores, found, strict=True))
    if error > COARSE:
        return Vectors({"left_out": "large"})
    biased = any(each.bias is not None for each in found)
    steps = [steps.ravel() for _, steps in sides]
    biases = [_bias(each, scores.shape).ravel() for each in found] if biased else []
    floats = np.concatenate([*steps, *biases]).astype("<f4")
    codes = [codes.astype(f"<i{bits // 8}").tobytes() for codes, _ in sides]
    header = {"bits": bits, "width": query.shape[-1], "scales": [each.scale for each in found]}
    header["turned"] = any(each.turned for each in found)
    told = {**header, "biased": biased, "error": _upwards(error)}
    return Vectors(told, base64.b64encode(zlib.compress(b"".join([floats.tobytes(), *codes]))).decode())


def _stepped(
    vectors: Float[np.ndarray, "layer head token d_head"], bits: int
) -> tuple[Int[np.ndarray, "layer head token d_head"], Float[np.ndarray, "layer head token"]]:
    """Whole numbers, and the size of a step of each vector as a page reads it."""
    most = 2 ** (bits - 1) - 1
    steps = (np.abs(vectors).max(axis=-1) / most).astype(np.float32).astype(np.float64)
    wide = np.where(steps == 0, 1, steps)[..., None]
    return np.clip(np.rint(vectors / wide), -most, most).astype(np.int64), steps


def _bias(each: Products, shape: tuple[int, ...]) -> np.ndarray:
    n_heads, n_query, n_key = shape[1:]
    return np.zeros((n_heads, n_query + n_key - 1)) if each.bias is None else each.bias


def _upwards(error: float) -> float:
    """A bound in two digits; rounding alone is never quite 0."""
    error = max(error * (1 + 1e-6), 1e-9)
    digit = math.floor(math.log10(error)) - 1
    return float(f"{math.ceil(error / 10.0**digit) * 10.0**digit:.2g}")


def _error(query: np.ndarray, key: np.ndarray, scores: np.ndarray, each: Products) -> float:
    """By how much a score is off at most, which a page computes of the rounded vectors."""
    n_query, n_key = scores.shape[1:]
    place = np.arange(n_key) - np.arange(n_query)[:, None] + n_query - 1
    made = each.scale * (query @ key.mT)
    if each.bias is not None:
        made = made + each.bias.astype(np.float32)[:, place]
    return float(np.abs(np.where(np.isfinite(scores), made - scores, 0)).max())
