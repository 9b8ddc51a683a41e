"""Figures of single queries and keys, for maps a cell of which stands for many: bars beside and over or under them.

A query has the entropy of its row and its heaviest weight, a key the total weight that it receives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

    from ..records.attention import Attention

LOWEST = 1e-2  # total weight of a key at which a bar begins


@dataclass(frozen=True, eq=False)
class SingleTokens:
    """The figures as parts of the longest bar, and what that stands for."""

    entropy: Float[np.ndarray, "panel query"]
    heaviest: Float[np.ndarray, "panel query"]
    mass: Float[np.ndarray, "panel key"]
    most: float  # nats: the entropy of a row that is everywhere alike
    highest: float  # total weight; bars are logarithmic


def single_tokens(attention: Attention) -> SingleTokens | None:
    """The figures that a pooled map was computed with, or those of weights that are there; None where neither is.

    >>> from attn_cli.records.attention import Attention
    >>> found = single_tokens(Attention(("a", "b"), ("a", "b"), [[[[1.0, 0.0], [0.5, 0.5]]]]))
    >>> found.entropy.tolist(), found.heaviest.tolist(), found.highest
    ([[0.0, 1.0]], [[1.0, 0.5]], 1.5)
    """
    n_query, n_key = len(attention.query_tokens), len(attention.key_tokens)
    if attention.pooled:
        entropy, mass, top = attention.entropy, attention.mass, attention.top_weights
        if entropy is None or mass is None or top is None:
            return None
        heaviest = top[..., 0]
    elif attention.show == "weights" and attention.weights.min() >= 0:
        weights = attention.weights
        entropy, heaviest, mass = _entropy(weights), weights.max(axis=-1), weights.sum(axis=-2)
    else:
        return None
    most, highest = math.log(max(n_key, 2)), max(float(mass.max()), 10 * LOWEST)
    return SingleTokens(
        (entropy / most).reshape(-1, n_query),
        heaviest.reshape(-1, n_query),
        (np.log(mass.clip(LOWEST) / LOWEST) / math.log(highest / LOWEST)).reshape(-1, n_key),
        most,
        highest,
    )


def _entropy(weights: Float[np.ndarray, "layer head query key"]) -> Float[np.ndarray, "layer head query"]:
    """−Σ w ln w of each row, a head at a time."""
    found = np.empty(weights.shape[:3])
    for place in np.ndindex(weights.shape[:2]):
        head = weights[place].astype(np.float64)
        found[place] = 0 - (head * np.log(head, where=head > 0, out=np.zeros_like(head))).sum(axis=-1)
    return found
