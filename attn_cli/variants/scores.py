"""How strongly a query matches a key: one function per score, each with its formula and paper.

A score takes query [..., query, d_head] and key [..., key, d_head] and gives scores [..., query, key].
What a score would learn comes from `file`, else from `seed` and is untrained.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..registry import Registry
from .parameters import parameter

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from .parameters import Arrays

Score = Callable[..., Any]

SCORES: Registry[Score] = Registry("score")


@SCORES.register
def scaled_dot(
    query: Float[Tensor, "... query d_head"], key: Float[Tensor, "... key d_head"]
) -> Float[Tensor, "... query key"]:
    """Dot product over √d_head: q·kᵀ / √d_head.

    The division keeps the variance of a score at 1 when the entries of q and k have variance 1. It is the
    width of one head that counts, not d_model. Vaswani et al. 2017, arXiv:1706.03762.

    >>> import numpy as np
    >>> scaled_dot(np.array([[2.0, 0, 0, 0]]), np.array([[3.0, 0, 0, 0]])).tolist()
    [[3.0]]
    """
    return dot(query / math.sqrt(query.shape[-1]), key)  # which has fewer numbers than the scores


@SCORES.register
def dot(
    query: Float[Tensor, "... query d_head"], key: Float[Tensor, "... key d_head"]
) -> Float[Tensor, "... query key"]:
    """Dot product, not scaled: q·kᵀ.

    Luong et al. 2015, arXiv:1508.04025.

    >>> import numpy as np
    >>> dot(np.array([[2.0, 0, 0, 0]]), np.array([[3.0, 0, 0, 0]])).tolist()
    [[6.0]]
    """
    return query @ key.mT


@SCORES.register
def cosine(
    query: Float[Tensor, "... query d_head"], key: Float[Tensor, "... key d_head"]
) -> Float[Tensor, "... query key"]:
    """Cosine of the angle between query and key: q·kᵀ / (‖q‖ ‖k‖); 0 when either is zero.

    Between −1 and 1, so a temperature below 1 is usual. Graves et al. 2014, arXiv:1410.5401, eq. 6.

    >>> import torch
    >>> cosine(torch.tensor([[3.0, 4.0]]), torch.tensor([[5.0, 0.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.0]]
    """
    return dot(_unit(query), _unit(key))


@SCORES.register
def euclidean(
    query: Float[Tensor, "... query d_head"], key: Float[Tensor, "... key d_head"]
) -> Float[Tensor, "... query key"]:
    """Negative distance: −‖q − k‖.

    From the differences themselves: ‖q‖² + ‖k‖² − 2 q·k would lose small distances. Compare Kim et al. 2020,
    arXiv:2006.04710, who square it (see gaussian).

    >>> import torch
    >>> euclidean(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]])).tolist()
    [[-5.0]]
    """
    return -_distance(query, key)


@SCORES.register
def gaussian(
    query: Float[Tensor, "... query d_head"], key: Float[Tensor, "... key d_head"], *, sigma: float = 1.0
) -> Float[Tensor, "... query key"]:
    """Exponent of a Gaussian around the query: −‖q − k‖² / 2σ².

    Its softmax is the Nadaraya–Watson estimate with that kernel. Tsai et al. 2019, arXiv:1908.11775.

    >>> import torch
    >>> gaussian(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]])).tolist()
    [[-12.5]]
    """
    if not sigma > 0:
        raise InputError(f"sigma {sigma}", hint="give a number above 0")
    return -(_distance(query, key) ** 2) / (2 * sigma**2)


@SCORES.register
def general(
    query: Float[Tensor, "... query d_head"],
    key: Float[Tensor, "... key d_head"],
    *,
    seed: int = 0,
    file: Arrays | None = None,
) -> Float[Tensor, "... query key"]:
    """Bilinear: q·W·kᵀ, one W [d_head, d_head] for all heads.

    W from the seed has variance 1/d_head², which keeps the variance of a score at 1. Luong et al. 2015,
    arXiv:1508.04025, eq. 8.

    >>> import numpy as np, torch
    >>> swap = {"W": np.array([[0.0, 1.0], [1.0, 0.0]])}
    >>> general(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 3.0]]), file=swap).tolist()
    [[6.0]]
    """
    d = query.shape[-1]
    W = parameter("W", (d, d), spread=1 / d, seed=seed, file=file, like=query)
    return dot(query @ W, key)


@SCORES.register
def additive(
    query: Float[Tensor, "... query d_head"],
    key: Float[Tensor, "... key d_head"],
    *,
    seed: int = 0,
    file: Arrays | None = None,
) -> Float[Tensor, "... query key"]:
    """A layer of tanh units: v·tanh(q·W_q + k·W_k), W_q and W_k [d_head, units], v [units].

    From the seed there are d_head units. Bahdanau et al. 2014, arXiv:1409.0473, §A.1.2.

    >>> import numpy as np, torch
    >>> one = {"W_q": np.ones((1, 1)), "W_k": np.ones((1, 1)), "v": np.array([2.0])}
    >>> additive(torch.tensor([[0.25]]), torch.tensor([[0.25]]), file=one).tolist()  # 2 tanh ½
    [[0.9242343306541443]]
    """
    d = query.shape[-1]
    units = len(file["v"]) if file and "v" in file else d
    W_q = parameter("W_q", (d, units), spread=d**-0.5, seed=seed, file=file, like=query)
    W_k = parameter("W_k", (d, units), spread=d**-0.5, seed=seed, file=file, like=query)
    v = parameter("v", (units,), spread=units**-0.5, seed=seed, file=file, like=query)
    q, k = (query @ W_q).unsqueeze(-2), (key @ W_k).unsqueeze(-3)
    scores = query.new_zeros(())
    for u in range(units):  # all at once would need memory for queries × keys × units
        scores = scores + v[u] * (q[..., u] + k[..., u]).tanh()
    return scores


@SCORES.register
def linear(
    query: Float[Tensor, "... query d_head"], key: Float[Tensor, "... key d_head"]
) -> Float[Tensor, "... query key"]:
    """Linear attention: log(φ(q)·φ(k)ᵀ) with φ(x) = elu(x) + 1; its softmax approximates scaled_dot's.

    softmax(log s) = s / Σ s, and Σ φ(q)·φ(k)ᵀ v can be summed over the keys before the query is known, in
    time linear in their number. The weights here are the ones which that sum implies. Katharopoulos et al.
    2020, arXiv:2006.16236.

    >>> import torch
    >>> linear(torch.tensor([[0.0]]), torch.tensor([[0.0], [1.0]])).softmax(-1)  # φ = 1, 2: weights 1/3, 2/3
    tensor([[0.3333, 0.6667]])
    """
    import torch

    features = dot(_elu_plus_1(query), _elu_plus_1(key))
    return features.clamp_min(torch.finfo(features.dtype).tiny).log()


def _unit(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    length = x.norm(dim=-1, keepdim=True)
    return x / length.where(length != 0, 1)


def _distance(
    query: Float[Tensor, "... query d"], key: Float[Tensor, "... key d"]
) -> Float[Tensor, "... query key"]:
    import torch

    return torch.cdist(query, key, compute_mode="donot_use_mm_for_euclid_dist")


def _elu_plus_1(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    return (x + 1).where(x > 0, x.clamp_max(0).exp())
