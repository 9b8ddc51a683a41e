"""What a positional encoding looks like: one function per view, from a kind and a size to numbers to draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...records.encoding import PositionTable
from ...records.series import Series
from ...registry import Registry
from .formulas import check_base, rope_frequencies
from .tables import POSENCS

if TYPE_CHECKING:
    from jaxtyping import Float

    from .tables import PositionEncoding


# (the spec of a kind, the kind itself, positions, numbers per position) → what to draw
View = Callable[..., PositionTable | Series]

VIEWS: Registry[View] = Registry("view")


@VIEWS.register
def heatmap(kind: str, encode: PositionEncoding, seq_len: int, dim: int) -> PositionTable:
    """The whole table, positions down and dimensions across, or distances, heads, queries, keys.

    >>> from attn_cli.variants.posenc import POSENCS
    >>> heatmap("sinusoidal", POSENCS.parse("sinusoidal"), 1, 2).values.tolist()
    [[0.0, 1.0]]
    """
    return PositionTable(kind, encode(seq_len, dim), *map(spelt, axes(encode)))


@VIEWS.register
def curves(
    kind: str, encode: PositionEncoding, seq_len: int, dim: int, *, dims: tuple[int, ...] | None = None
) -> Series:
    """The values of some dimensions by position, a+b+c (default: four pairs of neighbours).

    The pairs are spread evenly. Of sinusoids a pair is the sine and the cosine of one wavelength.

    >>> from attn_cli.variants.posenc import POSENCS
    >>> curves("sinusoidal", POSENCS.parse("sinusoidal"), 2, 64, dims=(0, 1)).values.round(2).tolist()
    [[0.0, 1.0], [0.84, 0.54]]
    """
    table = encode(seq_len, dim)
    width = table.shape[1]
    pairs = dict.fromkeys(i * ((width + 1) // 2) // 4 for i in range(4))
    chosen = dims or tuple(i for pair in pairs for i in (2 * pair, 2 * pair + 1) if i < width)
    for i in chosen:
        if not 0 <= i < width:
            raise InputError(f"no dimension {i}", hint=f"give 0 to {width - 1}")
    row, column = axes(encode)
    return Series("curves", row, {str(i): table[:, i] for i in chosen}, column, kind, seq_len, dim)


@VIEWS.register
def similarity(
    kind: str,
    encode: PositionEncoding,
    seq_len: int,
    dim: int,
    *,
    map: bool = False,  # noqa: A002
) -> Series | PositionTable:
    """Dot products of positions by distance, their mean and ends; with map=true, of every pair.

    For sinusoids of an even dimension all pairs agree: Σ_i cos(θ_i · distance).

    >>> from attn_cli.variants.posenc import POSENCS
    >>> similarity("sinusoidal", POSENCS.parse("sinusoidal"), 3, 2).columns["dot"].round(4).tolist()  # cos 0, 1, 2
    [1.0, 0.5403, -0.4161]
    """
    if axes(encode) != _USUAL:
        raise InputError(f"{kind} has no vector for a position", hint="similarity compares such vectors")
    x = encode(seq_len, dim)
    if map:
        return PositionTable(f"{kind}, {dim} dimensions", x @ x.T, columns="position", unit="dot product")
    products = [np.einsum("pd,pd->p", x[: seq_len - k], x[k:]) for k in range(seq_len)]
    reductions: dict[str, Callable[..., Any]] = {"dot": np.mean, "lowest": np.min, "highest": np.max}
    columns = {name: np.array([reduce(p) for p in products]) for name, reduce in reductions.items()}
    return Series("similarity", "distance", columns, "", kind, seq_len, dim)


@VIEWS.register
def wavelengths(kind: str, encode: PositionEncoding, seq_len: int, dim: int) -> Series:
    """How many positions each dimension takes for one turn: 2π · base^(2i/d).

    >>> from attn_cli.variants.posenc import POSENCS
    >>> wavelengths("sinusoidal", POSENCS.parse("sinusoidal"), 1, 4).columns["wavelength"].round(2).tolist()
    [6.28, 6.28, 628.32, 628.32]
    """
    name, options = (chosen := POSENCS.of(encode)).name, chosen.options
    if name not in _FREQUENCIES:
        raise InputError(f"{kind} has no wavelengths", hint=f"{', '.join(_FREQUENCIES)} have")
    turns = 2 * np.pi / _FREQUENCIES[name](dim, **options)
    return Series("wavelengths", "dim", {"wavelength": turns}, "", kind, seq_len, dim)


# ---- what kinds differ in ---------------------------------------------------------------------------

_USUAL = ("pos", "dim")
_AXES = {
    "alibi": ("distance", "head"),
    "xl": ("distance", "dim"),
    "t5": ("query", "key"),
    "clipped": ("query", "key"),
}


def spelt(axis: str) -> str:
    """What an axis is called in a picture, by what it is called in a table.

    >>> spelt("dim"), spelt("head")
    ('dimension', 'head')
    """
    return {"pos": "position", "dim": "dimension"}.get(axis, axis)


def axes(encode: PositionEncoding) -> tuple[str, str]:
    """What the rows and the columns of a kind's table count.

    >>> from attn_cli.variants.posenc import POSENCS
    >>> axes(POSENCS["alibi"])
    ('distance', 'head')
    """
    return _AXES.get(POSENCS.of(encode).name, _USUAL)


def _of_sinusoids(dim: int, base: float, layout: str = "interleaved") -> Float[np.ndarray, " dim"]:
    check_base(base)
    pairs = base ** -(np.arange(0, dim, 2) / dim)
    if layout == "concatenated":
        return np.concatenate([pairs, pairs[: dim // 2]])
    return pairs.repeat(2)[:dim]


def _of_rope(dim: int, values: str, **scaling: Any) -> Float[np.ndarray, " n"]:
    pairs, _ = rope_frequencies(dim, **scaling)
    return pairs if values == "angles" else pairs.repeat(2)


# Radians per position of each dimension, from the options of a kind.
_FREQUENCIES: dict[str, Callable[..., Float[np.ndarray, " n"]]] = {
    "sinusoidal": _of_sinusoids,
    "rope": _of_rope,
    "xl": lambda dim, base: _of_sinusoids(dim, base, "concatenated"),
}
