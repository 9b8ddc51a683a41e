"""Positional encodings as tables, a row of numbers per position: one function per kind. Pure NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...errors import InputError
from ...records.checks import shape
from ...registry import Registry
from . import formulas

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from ..parameters import Arrays

PositionEncoding = Callable[..., "Float[np.ndarray, 'seq_len dim']"]

MOST = 2**28  # numbers in a table, 2 GiB

POSENCS: Registry[PositionEncoding] = Registry("posenc")


@POSENCS.register
def sinusoidal(
    seq_len: int,
    dim: int,
    *,
    base: float = 10000.0,
    layout: Literal["interleaved", "concatenated"] = "interleaved",
) -> Float[np.ndarray, "seq_len dim"]:
    """Sines and cosines in turn: PE(pos, 2i) = sin(pos / base^(2i/d)), PE(pos, 2i+1) = cos of the same.

    Concatenated: all sines, then all cosines. Vaswani et al. 2017, arXiv:1706.03762, §3.5.

    >>> sinusoidal(2, 3).round(4).tolist()
    [[0.0, 1.0, 0.0], [0.8415, 0.5403, 0.0022]]
    """
    positions = _positions(seq_len, dim)
    return formulas.sinusoids(positions, dim, base=base, concatenated=layout == "concatenated")


@POSENCS.register
def sinusoidal2d(
    seq_len: int, dim: int, *, columns: int | None = None, base: float = 10000.0
) -> Float[np.ndarray, "seq_len dim"]:
    """For the patches of an image, row by row: half of the numbers encode the row, half the column.

    Position p is in row ⌊p / columns⌋ and column p mod columns; the grid is square unless told. Wang & Liu
    2019, arXiv:1908.11415, §3.2; as in DETR, arXiv:2005.12872.

    >>> sinusoidal2d(4, 4, columns=2).round(2).tolist()[2]  # row 1, column 0
    [0.84, 0.54, 0.0, 1.0]
    """
    positions = _positions(seq_len, dim)
    columns = math.isqrt(seq_len - 1) + 1 if columns is None else columns
    if columns < 1:
        raise InputError(f"a grid of {columns} columns", hint="give at least 1")
    row, column = np.divmod(positions, columns)
    halves = ((row, dim - dim // 2), (column, dim // 2))
    return np.concatenate([formulas.sinusoids(at, d, base=base) for at, d in halves], axis=1)


@POSENCS.register
def rope(
    seq_len: int,
    dim: int,
    *,
    base: float = 10000.0,
    scaling: Literal["none", "linear", "ntk", "yarn", "llama3"] = "none",
    factor: float = 1.0,
    original: int = 2048,
    values: Literal["rotation", "angles"] = "rotation",
) -> Float[np.ndarray, "seq_len dim"]:
    """Rotary: cosine and sine of pos · θ_i in turn, by which pair i of query and key is turned.

    values=angles gives pos · θ_i itself, in radians, dim / 2 columns. θ_i = base^(−2i/d), scaled as
    `formulas.rope_frequencies` says. Su et al. 2021, arXiv:2104.09864.

    >>> rope(2, 2).round(4).tolist()  # cos 0, sin 0; cos 1, sin 1
    [[1.0, 0.0], [0.5403, 0.8415]]
    """
    positions = _positions(seq_len, dim)
    theta, stretch = formulas.rope_frequencies(
        dim, base=base, scaling=scaling, factor=factor, original=original
    )
    angles = positions[:, None] * theta
    if values == "angles":
        return angles
    return stretch * np.stack([np.cos(angles), np.sin(angles)], axis=-1).reshape(seq_len, dim)


@POSENCS.register
def alibi(seq_len: int, dim: int) -> Float[np.ndarray, "seq_len dim"]:
    """Linear biases: a row for each distance from query to key, a column for each of `dim` heads.

    −slope · distance, which is added to the scores. Press et al. 2021, arXiv:2108.12409.

    >>> alibi(3, 2).tolist()
    [[0.0, 0.0], [-0.0625, -0.00390625], [-0.125, -0.0078125]]
    """
    return -_positions(seq_len, dim)[:, None] * formulas.alibi_slopes(dim) + 0.0  # no −0


@POSENCS.register
def t5(
    seq_len: int, dim: int, *, buckets: int = 32, farthest: int = 128, bidirectional: bool = True
) -> Float[np.ndarray, "seq_len dim"]:
    """Buckets of distance: a row for each query, a column for each of `dim` keys, the bucket's number.

    A learned number for each bucket and head is added to the scores. Raffel et al. 2019, arXiv:1910.10683.

    >>> t5(3, 3).tolist()
    [[0.0, 17.0, 18.0], [1.0, 0.0, 17.0], [2.0, 1.0, 0.0]]
    """
    distance = _distances(seq_len, dim)
    bucket = formulas.t5_bucket(distance, buckets=buckets, farthest=farthest, bidirectional=bidirectional)
    return bucket.astype(np.float64)


@POSENCS.register
def xl(seq_len: int, dim: int, *, base: float = 10000.0) -> Float[np.ndarray, "seq_len dim"]:
    """Transformer-XL: a row for each distance from query back to key, all sines, then all cosines.

    A learned matrix turns them into something like keys. Dai et al. 2019, arXiv:1901.02860, §3.3.

    >>> xl(2, 2).round(4).tolist()
    [[0.0, 1.0], [0.8415, 0.5403]]
    """
    return formulas.sinusoids(_positions(seq_len, dim), dim, base=base, concatenated=True)


@POSENCS.register
def clipped(seq_len: int, dim: int, *, clip: int = 16) -> Float[np.ndarray, "seq_len dim"]:
    """Clipped distance: a row for each query, a column for each of `dim` keys: key − query within ±clip.

    A learned vector for each of these numbers is added to the keys. Shaw et al. 2018, arXiv:1803.02155.

    >>> clipped(3, 3, clip=1).tolist()
    [[0.0, 1.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, -1.0, 0.0]]
    """
    return formulas.clipped_distance(_distances(seq_len, dim), clip=clip).astype(np.float64)


@POSENCS.register
def learned(seq_len: int, dim: int, *, file: Arrays | None = None) -> Float[np.ndarray, "seq_len dim"]:
    """What a model has learned, a row of numbers for each position: of --model DIR, or of a file.

    The file's only array, or the one called position. Gehring et al. 2017, arXiv:1705.03122, §3.1.

    >>> learned(1, 2, file={"position": np.eye(2)}).tolist()
    [[1.0, 0.0]]
    """
    _positions(seq_len, dim)
    n, width = (table := _learned(file)).shape
    if seq_len > n or dim != width:
        raise InputError(
            f"{seq_len} positions × {dim} numbers of a learned table {[n, width]}",
            hint=f"give at most {n} × {width}" if dim == width else f"give {width} numbers per position",
        )
    return table[:seq_len]


def usual_size(encode: PositionEncoding) -> tuple[int, int]:
    """How many positions and numbers there are unless told: 128 × 64, or as many as were learned."""
    if (kind := POSENCS.of(encode)).function is not learned:
        return 128, 64
    n, width = _learned(kind.options.get("file")).shape
    return n, width


def _learned(file: Arrays | None) -> np.ndarray:
    """The position table among the arrays of a file."""
    if file is None:
        raise InputError("'learned' needs a model", hint="attn posenc learned --model DIR")
    table = next(iter(file.values())) if len(file) == 1 else file.get("position")
    if table is None:
        raise InputError(f"a file of {len(file)} arrays, none called position", hint="name one so")
    if table.ndim != 2:
        raise InputError(f"learned positions {shape(table)}", hint="give a row of numbers per position")
    return table


def _positions(seq_len: int, dim: int) -> Float[np.ndarray, " seq_len"]:
    if seq_len < 1 or dim < 1:
        raise InputError(f"a table of {seq_len} positions × {dim} numbers", hint="give at least 1 of each")
    if seq_len * dim > MOST:
        raise InputError(f"a table of {seq_len:,} × {dim:,} numbers", hint=f"give at most {MOST:,} in all")
    return np.arange(seq_len, dtype=np.float64)


def _distances(n_query: int, n_key: int) -> Int[np.ndarray, "query key"]:
    query = _positions(n_query, n_key)
    return (np.arange(n_key) - query[:, None]).astype(int)
