"""The formulas of positional encodings, each once: arrays of positions or distances in, NumPy arrays out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError

if TYPE_CHECKING:
    from typing import Literal

    from jaxtyping import Float, Int


def sinusoids(
    positions: Float[np.ndarray, " n"], dim: int, *, base: float = 10000.0, concatenated: bool = False
) -> Float[np.ndarray, "n dim"]:
    """sin(pos / base^(2i/d)) in column 2i, cos of the same in column 2i+1; or all sines before all cosines.

    With an odd d the last sine has no cosine. Angles are in radians. Vaswani et al. 2017,
    arXiv:1706.03762, §3.5; concatenated as in tensor2tensor and Transformer-XL.

    >>> sinusoids(np.array([0, 1]), 3).round(4).tolist()
    [[0.0, 1.0, 0.0], [0.8415, 0.5403, 0.0022]]
    """
    check_base(base)
    angles = positions[:, None] / base ** (np.arange(0, dim, 2) / dim)  # [n, ceil(dim / 2)]
    sines, cosines = np.sin(angles), np.cos(angles[:, : dim // 2])
    if concatenated:
        return np.concatenate([sines, cosines], axis=1)
    table = np.empty((len(positions), dim))
    table[:, 0::2], table[:, 1::2] = sines, cosines
    return table


def rope_frequencies(
    dim: int,
    *,
    base: float = 10000.0,
    scaling: Literal["none", "linear", "ntk", "yarn", "llama3"] = "none",
    factor: float = 1.0,
    original: int = 2048,
) -> tuple[Float[np.ndarray, " pairs"], float]:
    """Radians per position of each rotated pair, θ_i = base^(−2i/d), and what the rotated vectors are multiplied by.

    RoPE, Su et al. 2021, arXiv:2104.09864. To reach `factor` times further than the `original` length:
    linear divides every θ (Chen et al. 2023, arXiv:2306.15595); ntk takes base · factor^(d/(d−2)), which
    does so for the slowest pair alone (bloc97 2023); yarn divides the pairs that turn less than once in the
    original length, keeps those that turn more than 32 times, goes over between, and multiplies query and
    key by 0.1 ln(factor) + 1 (Peng et al. 2023, arXiv:2309.00071); llama3 does so between one turn and four,
    in proportion to the turns, and multiplies nothing (Grattafiori et al. 2024, arXiv:2407.21783).

    >>> rope_frequencies(4)[0].tolist()
    [1.0, 0.01]
    """
    check_base(base)
    if not factor >= 1:
        raise InputError(f"factor {factor}", hint="give at least 1")
    if dim < 2 or dim % 2:
        raise InputError(f"rope turns pairs of numbers, and {dim} are not pairs", hint="give an even number")
    if scaling == "ntk":
        if dim == 2:
            return np.ones(1), 1.0
        base *= factor ** (dim / (dim - 2))
    theta = base ** -(np.arange(0, dim, 2) / dim)
    if scaling == "linear":
        return theta / factor, 1.0
    if scaling == "yarn":
        kept = _kept_by_yarn(dim, base, original)
        return theta * kept + theta / factor * (1 - kept), 0.1 * math.log(factor) + 1
    if scaling == "llama3":
        turns = original * theta / (2 * math.pi)
        kept = ((turns - 1) / (4 - 1)).clip(0, 1)
        return theta * kept + theta / factor * (1 - kept), 1.0
    return theta, 1.0


def _kept_by_yarn(dim: int, base: float, original: int) -> Float[np.ndarray, " pairs"]:
    """1 for the pairs that turn more than 32 times in the original length, 0 below one turn, a ramp between."""
    if original < 1 or base <= 1:
        raise InputError(
            f"yarn from a length of {original} with base {base}", hint="give at least 1, and a base above 1"
        )
    fast, slow = (
        dim * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base)) for turns in (32, 1)
    )
    first, last = max(math.floor(fast), 0), min(math.ceil(slow), dim - 1)
    width = last - first or 0.001  # as in the authors' code
    return 1 - ((np.arange(dim // 2) - first) / width).clip(0, 1)


def alibi_slopes(n_heads: int) -> Float[np.ndarray, " head"]:
    """How fast attention falls with distance in each head: 2^(−8/n), 2^(−16/n), …, 2^(−8) for n a power of two.

    For other n: the slopes of the next smaller power, then every second one of the next larger. Press et al.
    2021, arXiv:2108.12409.

    >>> alibi_slopes(3).tolist()
    [0.0625, 0.00390625, 0.25]
    """
    power = 2 ** int(math.log2(n_heads))
    whole = 2.0 ** (-8 * np.arange(1, power + 1) / power)
    between = 2.0 ** (-4 * np.arange(1, 2 * (n_heads - power), 2) / power)
    return np.concatenate([whole, between])


def t5_bucket(
    distance: Int[np.ndarray, "*n"], *, buckets: int = 32, farthest: int = 128, bidirectional: bool = True
) -> Int[np.ndarray, "*n"]:
    """The number of the bucket for each distance key − query: one each when near, growing like a logarithm.

    Half of the buckets are for keys after the query; not bidirectional, those share bucket 0. The last one
    holds everything from `farthest` on. Raffel et al. 2019, arXiv:1910.10683, §2.1.

    >>> t5_bucket(np.array([-200, -9, -8, -1, 0, 1])).tolist()
    [15, 8, 8, 1, 0, 17]
    """
    sides = 2 if bidirectional else 1
    exact = buckets // sides // 2
    if exact < 1 or buckets % sides or farthest <= exact:
        raise InputError(
            f"{buckets} buckets up to a distance of {farthest}",
            hint=f"give an even number of at least {2 * sides}, and a distance above {exact}",
        )
    offset = (buckets // 2) * (distance > 0) if bidirectional else 0
    far = np.abs(distance) if bidirectional else np.maximum(-distance, 0)
    per_side = buckets // sides
    octaves = np.log(np.maximum(far, 1) / exact) / math.log(farthest / exact)
    # The small number makes up for a logarithm that falls short of a whole one.
    log_bucket = exact + (octaves * (per_side - exact) + 1e-9).astype(int)
    return offset + np.where(far < exact, far, np.minimum(log_bucket, per_side - 1))


def clipped_distance(distance: Int[np.ndarray, "*n"], *, clip: int = 16) -> Int[np.ndarray, "*n"]:
    """max(−clip, min(clip, key − query)). Shaw et al. 2018, arXiv:1803.02155, §3.2.

    >>> clipped_distance(np.array([-5, 1, 5]), clip=2).tolist()
    [-2, 1, 2]
    """
    if clip < 0:
        raise InputError(f"clip {clip}", hint="give at least 0")
    return np.clip(distance, -clip, clip)


def check_base(base: float) -> None:
    """Raise InputError for a base that has no powers to speak of."""
    if not 0 < base < math.inf:
        raise InputError(f"base {base}", hint="give a number above 0")
