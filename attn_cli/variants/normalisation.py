"""From scores to weights, row by row: one function per normalisation, each with its formula and paper.

A normalisation takes the scores [..., query, key] of whole rows, −∞ where a query may not attend, and
gives weights ≥ 0 of the same shape. What it makes of a row of only −∞ does not matter: `rules.Rule` puts
zeros there. Keys of score −∞ change nothing, so they may as well be left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..registry import Registry

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

Normalisation = Callable[..., Any]

NORMALISATIONS: Registry[Normalisation] = Registry("normalisation")


@NORMALISATIONS.register
def softmax(scores: Float[Tensor, "... query key"]) -> Float[Tensor, "... query key"]:
    """Exponentials that sum to 1 in each row: exp(s) / Σ exp(s).

    Vaswani et al. 2017, arXiv:1706.03762.

    >>> import torch
    >>> softmax(torch.tensor([[0.0, 1.0]]))  # [1, e] / (1 + e)
    tensor([[0.2689, 0.7311]])
    """
    return scores.softmax(dim=-1)


@NORMALISATIONS.register
def softmax1(
    scores: Float[Tensor, "... query key"], *, sink: tuple[float, ...] = (0.0,)
) -> Float[Tensor, "... query key"]:
    """Softmax that may attend to nothing: exp(s) / (exp(sink) + Σ exp(s)).

    A sink of 0 adds 1 to the denominator (Miller 2023, "Attention is off by one"). A learned sink is one
    number for all heads or one for each, a+b+c, as in gpt-oss (OpenAI 2025, arXiv:2508.10925).

    >>> import torch
    >>> softmax1(torch.tensor([[0.0, 0.0]]))  # [1, 1] / (1 + 2)
    tensor([[0.3333, 0.3333]])
    """
    n_heads = scores.shape[-3] if scores.ndim > 2 else 1
    if len(sink) not in (1, n_heads):
        raise InputError(f"{len(sink)} sinks for {n_heads} heads", hint="give one, or one for each head")
    sinks = scores.new_tensor(sink).reshape(-1, 1, 1) if len(sink) > 1 else scores.new_tensor(sink)
    highest = scores.amax(dim=-1, keepdim=True)  # an exponential above 1 could overflow; a sink's may
    parts = (scores - highest).exp()
    return parts / (parts.sum(dim=-1, keepdim=True) + (sinks - highest).exp())


@NORMALISATIONS.register
def sparsemax(scores: Float[Tensor, "... query key"]) -> Float[Tensor, "... query key"]:
    """The nearest point of the simplex, often with zeros: max(s − τ, 0), τ such that each row sums to 1.

    The k highest scores share in the sum, where k is the largest number with 1 + k·s₍ₖ₎ > s₍₁₎ + … + s₍ₖ₎;
    τ = (s₍₁₎ + … + s₍ₖ₎ − 1) / k. Martins & Astudillo 2016, arXiv:1602.02068, algorithm 1.

    >>> import torch
    >>> sparsemax(torch.tensor([[1.0, 0.5, -1.0]]))  # k = 2, τ = ¼
    tensor([[0.7500, 0.2500, 0.0000]])
    """
    scores = scores - scores.amax(dim=-1, keepdim=True)  # nothing changes but the rounding of large scores
    ordered = scores.sort(dim=-1, descending=True).values
    sums = ordered.cumsum(dim=-1)
    ranks = scores.new_ones(scores.shape[-1]).cumsum(dim=0)
    k = (1 + ranks * ordered > sums).sum(dim=-1, keepdim=True).clamp_min(1)  # 0 in a row of only −∞
    tau = (sums.gather(-1, k - 1) - 1) / k
    return (scores - tau).clamp_min(0)


@NORMALISATIONS.register
def sigmoid(
    scores: Float[Tensor, "... query key"], *, bias: float | None = None
) -> Float[Tensor, "... query key"]:
    """Each weight by itself, rows need not sum to 1: 1 / (1 + exp(−s − bias)).

    The bias is −log n unless given, n being the number of keys that the row may attend to: then what a row
    may not see has no part in it. Ramapuram et al. 2024, arXiv:2409.04431, who take the length of the
    sequence for n.

    >>> import torch
    >>> sigmoid(torch.tensor([[0.0, 0.0, -torch.inf]]))  # 1 / (1 + 2)
    tensor([[0.3333, 0.3333, 0.0000]])
    """
    if bias is not None:
        return (scores + bias).sigmoid()
    n = (scores != float("-inf")).sum(dim=-1, keepdim=True)
    return (scores - n.to(scores.dtype).log()).sigmoid()
