"""Dense attention, every step in the open: scores → mask → normalise → weights → output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .outputs import weigh
from .rules import Rule, positions

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

SCALED_DOT = Rule()


@dataclass(frozen=True)
class Steps:
    """What attention computes on the way: scores before the mask, the mask, weights, output."""

    scores: Float[Tensor, "... query key"]
    mask: Bool[Tensor, "*#heads query key"] | None
    weights: Float[Tensor, "... query key"]
    output: Float[Tensor, "... query d_value"]


def attention(
    query: Float[Tensor, "... query d_head"],
    key: Float[Tensor, "... key d_head"],
    value: Float[Tensor, "... key d_value"],
    rule: Rule = SCALED_DOT,
    *,
    mask: Bool[Tensor, "*#heads query key"] | None = None,
    query_pos: Int[Tensor, " query"] | None = None,
) -> Steps:
    """weights = normalise(score(query, key)) over the permitted keys; output = weights · value.

    A query may attend where both the rule and `mask` (True = may attend) permit it. By default softmax of
    scaled dot products: Vaswani et al. 2017, arXiv:1706.03762, eq. 1. Half precision is computed in
    float32; only the output is rounded again. The last query stands at the last key, unless `query_pos` tells
    where each of them does. Vectors of keys that nobody may attend to have no effect,
    even when they are NaN.

    >>> import torch
    >>> q = torch.tensor([[0.0, 2.0**0.5]]); k = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> attention(q, k, k).weights  # [1, e] / (1 + e)
    tensor([[0.2689, 0.7311]])
    """
    where = positions(query.shape[-2], key.shape[-2], key.device)
    if query_pos is not None:
        where = query_pos, where[1]
    raw = rule.scores(query, key, *where)
    allowed = rule.allowed(query, key, *where)
    if mask is not None:
        allowed = mask if allowed is None else allowed & mask
    weights = rule.weights(raw, allowed)
    return Steps(raw, allowed, weights, weigh(weights, value))
