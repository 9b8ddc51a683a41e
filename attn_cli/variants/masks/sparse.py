"""Masks that leave out most of a long sequence: Sparse Transformer, BigBird, Reformer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from .mask import MASKS, of_vectors, reaches
from .simple import at_least_1

if TYPE_CHECKING:
    from jaxtyping import Bool, Float
    from torch import Tensor

    from .mask import Allowed, Positions


@MASKS.register
@reaches(lambda lo, hi, stride: [(0, hi)])
def strided(query: Positions, key: Positions, *, stride: int = 4) -> Allowed:
    """Causal: the last `stride` keys, and every stride-th before them.

    Both of the paper's two heads at once. Sparse Transformer, Child et al. 2019, arXiv:1904.10509, §4.3.

    >>> from attn_cli.variants.masks import MASKS, as_matrix
    >>> as_matrix(MASKS.parse("strided:stride=2"), 6, 6)[5].astype(int).tolist()
    [0, 1, 0, 1, 1, 1]
    """
    at_least_1("stride", stride)
    back = query - key
    return (back >= 0) & ((back < stride) | (back % stride == 0))


@MASKS.register
@reaches(lambda lo, hi, stride, summary: [(0, hi)])
def fixed(query: Positions, key: Positions, *, stride: int = 4, summary: int = 1) -> Allowed:
    """Causal: the query's block of `stride` keys, and the last `summary` keys of every block before it.

    Both of the paper's two heads at once. Sparse Transformer, Child et al. 2019, arXiv:1904.10509, §4.3.

    >>> from attn_cli.variants.masks import MASKS, as_matrix
    >>> as_matrix(MASKS.parse("fixed:stride=2"), 5, 5)[4].astype(int).tolist()
    [0, 1, 0, 1, 1]
    """
    at_least_1("stride", stride)
    return (key <= query) & ((query // stride == key // stride) | (key % stride >= stride - summary))


@MASKS.register
def random(query: Positions, key: Positions, *, share: float = 0.1, seed: int = 0) -> Allowed:
    """Each pair of positions is permitted with probability `share`, by a hash of the pair and the seed.

    The same pair has the same lot in every sequence, whatever its length.

    >>> from attn_cli.variants.masks import MASKS, as_matrix
    >>> bool(abs(as_matrix(MASKS.parse("random:share=0.25"), 200, 200).mean() - 0.25) < 0.01)
    True
    """
    if not 0 <= share <= 1:
        raise InputError(f"share {share}", hint="give a number from 0 to 1")
    return _hash(query, key, seed) < int(share * 2**53)


@MASKS.register
def bigbird(
    query: Positions,
    key: Positions,
    *,
    block: int = 1,
    window: int = 3,
    first: int = 1,
    share: float = 0.1,
    seed: int = 0,
) -> Allowed:
    """Blocks that see `window` neighbouring blocks, the `first` blocks, which see all, and a random share.

    Zaheer et al. 2020, arXiv:2007.14062, with blocks of 64; there each block draws the same number of
    random blocks, here each pair of blocks has the same chance.

    >>> from attn_cli.variants.masks import MASKS, as_matrix
    >>> as_matrix(MASKS.parse("bigbird:share=0"), 4, 4)[3].astype(int).tolist()
    [1, 0, 1, 1]
    """
    at_least_1("block", block)
    query, key = query // block, key // block
    near = (key - query <= window // 2) & (query - key <= (window - 1) // 2)
    return near | (query < first) | (key < first) | random(query, key, share=share, seed=seed)


@MASKS.register
@of_vectors
def lsh(
    query: Float[Tensor, "... query d"],
    key: Float[Tensor, "... key d"],
    *,
    buckets: int = 4,
    rounds: int = 1,
    seed: int = 0,
) -> Bool[Tensor, "... query key"]:
    """Vectors that a random rotation puts into one bucket, in any of the rounds, see each other.

    The bucket of x is argmax [x·R, −x·R], R [d, buckets / 2] normal. Reformer, Kitaev et al. 2020,
    arXiv:2001.04451, eq. 5, without its cutting of buckets into chunks.

    >>> import torch
    >>> x = torch.tensor([[1.0, 0.0], [2.0, 0.0], [-1.0, 0.0]])
    >>> lsh(x, x).int().tolist()  # opposite vectors never share a bucket
    [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    """
    if buckets < 2 or buckets % 2 or rounds < 1:
        raise InputError(
            f"{buckets} buckets in {rounds} rounds", hint="give an even number and at least 1 round"
        )
    if seed < 0:
        raise InputError(f"seed {seed}", hint="give 0 or more")
    sizes = (rounds, query.shape[-1], buckets // 2)
    R = query.new_tensor(np.random.Generator(np.random.PCG64(seed)).normal(size=sizes))
    q, k = (_bucket(x.unsqueeze(-3) @ R) for x in (query, key))  # [..., round, seq]
    return (q.unsqueeze(-1) == k.unsqueeze(-2)).any(dim=-3)


def _bucket(projected: Tensor) -> Tensor:
    import torch

    return torch.cat([projected, -projected], dim=-1).argmax(dim=-1)


def _hash(query: Any, key: Any, seed: int) -> Any:
    """53 bits from two positions and a seed: splitmix64 (Steele et al. 2014), in wrapping 64-bit integers."""
    h = (
        query * _signed(0x9E3779B97F4A7C15)
        + key * _signed(0xC2B2AE3D27D4EB4F)
        + _signed(seed * 0xD6E8FEB86659FD93)
    )
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        h = (h ^ (h >> shift & (1 << 64 - shift) - 1)) * _signed(factor)
    return (h ^ (h >> 31 & (1 << 33) - 1)) >> 11 & (1 << 53) - 1


def _signed(n: int) -> int:
    return (n + 2**63) % 2**64 - 2**63
