"""Tokens to vectors: one function per embedding."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..registry import Registry

if TYPE_CHECKING:
    from jaxtyping import Float


# (tokens, dim, seed) → vectors; a dim of None asks for the embedding's own
Embedding = Callable[[Sequence[str], int | None, int], "Float[np.ndarray, 'seq_len dim']"]


EMBEDDINGS: Registry[Embedding] = Registry("embedding")


@EMBEDDINGS.register
def hash_(tokens: Sequence[str], dim: int | None = None, seed: int = 0) -> Float[np.ndarray, "seq_len dim"]:
    """A vector made from token, dim (64) and seed alone, the same on every machine; mean 0, variance 1.

    Each number is the sum of four 16-bit words of SHAKE-256(seed, dim, token), centred and scaled: nearly
    normal, and exact integer arithmetic but for one division, so that no maths library can differ.

    >>> bool((hash_(["a"], 4) == hash_(["b", "a"], 4)[1]).all())
    True
    """
    dim = 64 if dim is None else dim
    if dim < 1:
        raise InputError(f"dim {dim} is too small", hint="give at least 1")
    spread = math.sqrt((65536**2 - 1) / 3)  # standard deviation of the sum of four uniform 16-bit words
    rows = {}
    for token in dict.fromkeys(tokens):
        name = f"{seed}\0{dim}\0{token}".encode("utf-8", "surrogatepass")
        words = np.frombuffer(hashlib.shake_256(name).digest(8 * dim), dtype="<u2").reshape(dim, 4)
        rows[token] = (words.sum(axis=1, dtype=np.int64) - 2 * 65535) / spread
    return np.stack([rows[token] for token in tokens])


@EMBEDDINGS.register
def onehot(tokens: Sequence[str], dim: int | None = None, seed: int = 0) -> Float[np.ndarray, "seq_len dim"]:
    """A one at the token's place among the text's distinct tokens, zeros elsewhere; the seed is not used.

    >>> onehot(["a", "b", "a"]).tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    """
    place = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    dim = len(place) if dim is None else dim
    if dim < len(place):
        raise InputError(
            f"{len(place)} distinct tokens do not fit in dim {dim}", hint=f"give --dim {len(place)}"
        )
    return np.eye(len(place), dim)[[place[token] for token in tokens]]
