"""Mistakes with positions: tables of sinusoids, RoPE and ALiBi."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...variants.posenc.formulas import alibi_slopes
from ..exercise import Rope
from ..right import arrange, exponents, turn
from .catalogue import MISTAKES, in_place_of

if TYPE_CHECKING:
    from ..pipeline import Work
    from ..right import Heads

Exponents = tuple[np.ndarray, np.ndarray]


@MISTAKES.register
@in_place_of("exponents")
def pe_exponent(dim: int) -> Exponents:
    """The exponent is 2c/d for column c, where it should be 2i/d for pair i.

    >>> [e.tolist() for e in pe_exponent(4)]  # right: 0 and 0.5, for both
    [[0.0, 1.0], [0.5, 1.5]]
    """
    sine, cosine = np.arange(0, dim, 2), np.arange(1, dim + 1, 2)
    return 2 * sine / dim, 2 * cosine / dim


@MISTAKES.register
@in_place_of("exponents", tried=("next=column", "next=pair"))
def pe_cos_next(dim: int, *, next: Literal["pair", "column"] = "column") -> Exponents:  # noqa: A002
    """The cosine of a pair has its column's or the next pair's exponent, not the sine's.

    >>> [e.tolist() for e in pe_cos_next(4)]
    [[0.0, 0.5], [0.25, 0.75]]
    """
    sine, _ = exponents(dim)
    return sine, sine + (2 if next == "pair" else 1) / dim


@MISTAKES.register
@in_place_of("base", tried=("base=1000", "base=100", "base=10000", "base=100000", "base=500000"))
def pe_base(base_asked: float, *, base: float = 1000.0) -> float:
    """The wavelengths grow from another base than asked for, such as 1000 instead of 10000.

    >>> pe_base(10000.0)
    1000.0
    """
    return base


@MISTAKES.register
@in_place_of("exponents")
def pe_constant(dim: int) -> Exponents:
    """Every exponent is 0, as with whole-number division: all waves have the length 2π.

    >>> [e.tolist() for e in pe_constant(4)]
    [[0.0, 0.0], [0.0, 0.0]]
    """
    zero = np.zeros((dim + 1) // 2)
    return zero, zero


@MISTAKES.register
@in_place_of("arrange")
def pe_halves(sine: np.ndarray, cosine: np.ndarray, dim: int, concatenated: bool) -> np.ndarray:
    """All sines stand before all cosines where they should alternate, or the other way round.

    >>> pe_halves(np.zeros((1, 2)), np.zeros((1, 2)), 4, False).tolist()
    [[0.0, 0.0, 1.0, 1.0]]
    """
    return arrange(sine, cosine, dim, not concatenated)


@MISTAKES.register
@in_place_of("arrange")
def pe_cos_first(sine: np.ndarray, cosine: np.ndarray, dim: int, concatenated: bool) -> np.ndarray:
    """Cosines stand where sines should: the cosine of a pair comes first.

    >>> pe_cos_first(np.zeros((1, 2)), np.zeros((1, 2)), 4, False).tolist()
    [[1.0, 0.0, 1.0, 0.0]]
    """
    quarter = np.pi / 2  # sin(x + π/2) = cos x, cos(x − π/2) = sin x
    return arrange(cosine + quarter, sine - quarter, dim, concatenated).round(15)


@MISTAKES.register
@in_place_of("first_position")
def pe_from_one() -> int:
    """Positions are counted from 1 where they should be from 0.

    >>> pe_from_one()
    1
    """
    return 1


@MISTAKES.register
@in_place_of("table")
def pe_without_waves(work: Work, kind: Any, seq_len: int, dim: int) -> np.ndarray:
    """Powers of the base with alternating signs stand where sine and cosine should.

    >>> pe_without_waves(None, Rope(base=100.0), 2, 2).round(4).tolist()
    [[1.0, -100.0], [100.0, -10000.0]]
    """
    column = np.arange(dim)
    return (-1.0) ** column * kind.base ** (2 * np.arange(seq_len)[:, None] / dim + column % 2)


# ---- RoPE and ALiBi ------------------------------------------------------------------------------------


@MISTAKES.register
@in_place_of("turn")
def rope_halves(heads: Heads, angles: np.ndarray, rope: Rope) -> Heads:
    """Other pairs are turned: (i, i + d/2) where (2i, 2i + 1) is asked for, or the other way round.

    >>> rope_halves(np.arange(4.0)[None], np.zeros((1, 2)), Rope()).tolist()  # nothing turns at position 0
    [[0.0, 1.0, 2.0, 3.0]]
    """
    return turn(heads, angles, Rope(rope.base, not rope.interleaved))


@MISTAKES.register
@in_place_of("turn")
def rope_mixed(heads: Heads, angles: np.ndarray, rope: Rope) -> Heads:
    """Angles are laid out for neighbouring pairs, numbers exchanged by halves: it is no rotation.

    >>> rope_mixed(np.array([[1.0, 0.0]]), np.array([[np.pi / 2]]), Rope()).round(4).tolist()
    [[0.0, 1.0]]
    """
    repeated, half = np.repeat(angles, 2, axis=-1), heads.shape[-1] // 2
    rotated = np.concatenate([-heads[..., half:], heads[..., :half]], axis=-1)
    return heads * np.cos(repeated) + rotated * np.sin(repeated)


@MISTAKES.register
@in_place_of("direction")
def rope_sign(angles: np.ndarray) -> np.ndarray:
    """Query and key are turned the wrong way round: by −pos · θ.

    >>> rope_sign(np.array([0.5])).tolist()
    [-0.5]
    """
    return -angles


@MISTAKES.register
@in_place_of("slopes")
def alibi_slope_first(n_heads: int) -> np.ndarray:
    """The first head has slope 1: exponents begin at 0 where they should begin at 8/n.

    >>> alibi_slope_first(2).tolist()  # right: 1/16, 1/256
    [1.0, 0.0625]
    """
    power = 2 ** int(np.log2(n_heads))
    return alibi_slopes(n_heads) * 2.0 ** (8 / power)


@MISTAKES.register
@in_place_of("penalty")
def alibi_sign(slopes: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """The biases are added with the wrong sign: far keys are favoured.

    >>> alibi_sign(np.array([0.5]), np.array([2.0])).tolist()
    [1.0]
    """
    return slopes * distance
