"""Positions inside the scores: one function per scheme, each with its formula and paper.

A scheme wraps a score: it takes the score, query [..., head, query, d_head], key [..., head, key, d_head]
and their positions, and gives scores [..., head, query, key]. What depends on the distance alone is computed
once for each distance in the block. What a scheme would learn comes from `file`, else from `seed` and is
untrained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...registry import Registry
from ..parameters import parameter
from . import formulas

if TYPE_CHECKING:
    from typing import Literal

    from jaxtyping import Float, Int
    from torch import Tensor

    from ..parameters import Arrays

Position = Callable[..., Any]
Score = Callable[..., Any]

POSITIONS: Registry[Position] = Registry("position")


def of_heads(position: Position) -> Position:
    """Say that a scheme treats heads by their number, so that it must be given all of them together."""
    position.of_heads = True  # type: ignore[attr-defined]
    return position


@POSITIONS.register
def rope(
    score: Score,
    query: Float[Tensor, "... query d_head"],
    key: Float[Tensor, "... key d_head"],
    query_pos: Int[Tensor, " query"],
    key_pos: Int[Tensor, " key"],
    *,
    base: float = 10000.0,
    partial: float = 1.0,
    pairing: Literal["half", "interleaved"] = "half",
    scaling: Literal["none", "linear", "ntk", "yarn", "llama3"] = "none",
    factor: float = 1.0,
    original: int = 2048,
) -> Float[Tensor, "... query key"]:
    """Rotary: turns pair i of query and key by pos · base^(−2i/d), so that q·k depends on their distance.

    `partial` is the part of each vector that turns, from its beginning. Pairs are (i, i + d/2), as in Llama
    and Hugging Face; interleaved: (2i, 2i + 1), as in the paper. For `scaling` see
    `formulas.rope_frequencies`. Su et al. 2021, arXiv:2104.09864.

    >>> import torch
    >>> x, here = torch.tensor([[1.0, 0.0]]), torch.tensor([0])
    >>> rope(torch.inner, x, x, here, here + 1)  # turned by 1 radian: cos 1
    tensor([[0.5403]])
    """
    if not 0 < partial <= 1:
        raise InputError(f"partial {partial}", hint="give a number above 0, at most 1")
    dim = int(query.shape[-1] * partial)
    theta, stretch = formulas.rope_frequencies(
        dim, base=base, scaling=scaling, factor=factor, original=original
    )

    def turn(x: Tensor, positions: Tensor) -> Tensor:
        angles = positions.cpu().numpy()[:, None] * theta  # in float64: far positions are large angles
        cos, sin = x.new_tensor(stretch * np.cos(angles)), x.new_tensor(stretch * np.sin(angles))
        return _turn_pairs(x, cos, sin, interleaved=pairing == "interleaved")

    return score(turn(query, query_pos), turn(key, key_pos))


@POSITIONS.register
@of_heads
def alibi(
    score: Score,
    query: Float[Tensor, "... query d_head"],
    key: Float[Tensor, "... key d_head"],
    query_pos: Int[Tensor, " query"],
    key_pos: Int[Tensor, " key"],
) -> Float[Tensor, "... query key"]:
    """Linear biases: score − slope · |key − query|, a slope for each head.

    Press et al. 2021, arXiv:2108.12409.

    >>> import torch
    >>> zero, at = torch.zeros(1, 3, 1), torch.arange(3)
    >>> alibi(torch.matmul, zero, zero.mT, at, at)[0, 0] * 256  # one head: slope 2⁻⁸
    tensor([ 0., -1., -2.])
    """
    slopes = query.new_tensor(formulas.alibi_slopes(_n_heads(query)))
    if query.ndim > 2:
        slopes = slopes[:, None, None]
    return score(query, key) - slopes * (key_pos - query_pos[:, None]).abs()


@POSITIONS.register
@of_heads
def t5(
    score: Score,
    query: Float[Tensor, "... query d_head"],
    key: Float[Tensor, "... key d_head"],
    query_pos: Int[Tensor, " query"],
    key_pos: Int[Tensor, " key"],
    *,
    buckets: int = 32,
    farthest: int = 128,
    bidirectional: bool = True,
    seed: int = 0,
    file: Arrays | None = None,
) -> Float[Tensor, "... query key"]:
    """Buckets of distance: score + bias[bucket(key − query), head]; a file holds bias [buckets, heads].

    T5 itself does not divide by √d_head: `--score dot`. Raffel et al. 2019, arXiv:1910.10683, §2.1.

    >>> import torch
    >>> zero, at = torch.zeros(1, 2, 1), torch.arange(2)
    >>> bias = {"bias": np.arange(4.0).reshape(4, 1)}
    >>> t5(torch.matmul, zero, zero.mT, at, at, buckets=4, file=bias).tolist()
    [[[0.0, 3.0], [1.0, 0.0]]]
    """
    bias = parameter("bias", (buckets, _n_heads(query)), spread=1, seed=seed, file=file, like=query)
    distances, index = _distances(query_pos, key_pos)
    bucket = formulas.t5_bucket(distances, buckets=buckets, farthest=farthest, bidirectional=bidirectional)
    by_distance = bias[bucket].mT  # [head, distance]
    if query.ndim == 2:
        by_distance = by_distance[0]
    return score(query, key) + by_distance[..., index]


@POSITIONS.register
def xl(
    score: Score,
    query: Float[Tensor, "... query d_head"],
    key: Float[Tensor, "... key d_head"],
    query_pos: Int[Tensor, " query"],
    key_pos: Int[Tensor, " key"],
    *,
    base: float = 10000.0,
    seed: int = 0,
    file: Arrays | None = None,
) -> Float[Tensor, "... query key"]:
    """Transformer-XL: score(q + u, k) + score(q + v, R·W_R), R the sinusoids of query − key.

    For u, v [d_head] and W_R [d_head, d_head]. Dai et al. 2019, arXiv:1901.02860, §3.3.

    >>> import torch
    >>> zero, at = torch.zeros(2, 2), torch.arange(2)
    >>> parts = {"u": np.zeros(2), "v": np.array([1.0, 0.0]), "W_R": np.eye(2)}
    >>> xl(torch.inner, zero, zero, at, at, file=parts)[1]  # sin 1, sin 0
    tensor([0.8415, 0.0000])
    """
    d = query.shape[-1]
    u, v = (parameter(name, (d,), spread=1, seed=seed, file=file, like=query) for name in "uv")
    W_R = parameter("W_R", (d, d), spread=d**-0.5, seed=seed, file=file, like=query)
    distances, index = _distances(query_pos, key_pos)
    R = query.new_tensor(formulas.sinusoids(-distances, d, base=base, concatenated=True)) @ W_R
    return score(query + u, key) + _pick(score(query + v, R), index)


@POSITIONS.register
def clipped(
    score: Score,
    query: Float[Tensor, "... query d_head"],
    key: Float[Tensor, "... key d_head"],
    query_pos: Int[Tensor, " query"],
    key_pos: Int[Tensor, " key"],
    *,
    clip: int = 16,
    seed: int = 0,
    file: Arrays | None = None,
) -> Float[Tensor, "... query key"]:
    """Relative keys: score(q, k) + score(q, a[key − query within ±clip]), with a [2 clip + 1, d_head].

    With a dot product that is the score of q and k + a. The vectors that the paper may also add to
    the values (eq. 3) are left out. Shaw et al. 2018, arXiv:1803.02155, eq. 4.

    >>> import torch
    >>> one, at = torch.ones(2, 1), torch.arange(2)
    >>> a = {"a": np.array([[-1.0], [0.0], [1.0]])}
    >>> clipped(torch.inner, one, one, at, at, clip=1, file=a)
    tensor([[1., 2.],
            [0., 1.]])
    """
    distances, index = _distances(query_pos, key_pos)
    places = formulas.clipped_distance(distances, clip=clip) + clip
    a = parameter("a", (2 * clip + 1, query.shape[-1]), spread=1, seed=seed, file=file, like=query)
    index = index.new_tensor(places)[index]
    return score(query, key) + _pick(score(query, a), index)


def _turn_pairs(
    x: Float[Tensor, "... seq d"],
    cos: Float[Tensor, "seq pairs"],
    sin: Float[Tensor, "seq pairs"],
    *,
    interleaved: bool,
) -> Float[Tensor, "... seq d"]:
    """Each pair (a, b) becomes (a cos − b sin, b cos + a sin); what is beyond the pairs stays."""
    import torch

    n = cos.shape[-1]
    turned, rest = x[..., : 2 * n], x[..., 2 * n :]
    if interleaved:
        a, b = turned[..., 0::2], turned[..., 1::2]
        turned = torch.stack([a * cos - b * sin, b * cos + a * sin], dim=-1).flatten(-2)
    else:
        a, b = turned[..., :n], turned[..., n:]
        turned = torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)
    return torch.cat([turned, rest], dim=-1)


def _distances(
    query_pos: Int[Tensor, " query"], key_pos: Int[Tensor, " key"]
) -> tuple[Int[np.ndarray, " distance"], Int[Tensor, "query key"]]:
    """Every distance key − query that occurs between two blocks, and where each pair's stands among them."""
    index = key_pos - query_pos[:, None]
    lowest, highest = int(index.min()), int(index.max())
    return np.arange(lowest, highest + 1), index - lowest


def _pick(
    by_distance: Float[Tensor, "... query distance"], index: Int[Tensor, "query key"]
) -> Float[Tensor, "... query key"]:
    return by_distance.gather(-1, index.expand(*by_distance.shape[:-2], *index.shape))


def _n_heads(x: Tensor) -> int:
    return x.shape[-3] if x.ndim > 2 else 1
