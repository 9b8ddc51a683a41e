"""From vectors to query, key and value: one function per projection, and the matrices they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..records.checks import shape
from ..registry import Registry

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Projection:
    """The matrices of multi-head attention; vectors are rows, so query = X · W_q + b_q.

    A matrix that is None leaves its vectors as they are. Columns are heads one after the other.
    """

    W_q: Float[np.ndarray, "d_query d_model"] | None = None
    W_k: Float[np.ndarray, "d_key d_model"] | None = None
    W_v: Float[np.ndarray, "d_value d_out"] | None = None
    W_o: Float[np.ndarray, "d_out d_out"] | None = None
    b_q: Float[np.ndarray, " d_model"] | None = None
    b_k: Float[np.ndarray, " d_model"] | None = None
    b_v: Float[np.ndarray, " d_out"] | None = None
    b_o: Float[np.ndarray, " d_out"] | None = None


# (widths of query, key and value vectors, width of the keys and values that heads want, seed) → matrices
Projector = Callable[[int, int, int, int, int], Projection]

PROJECTIONS: Registry[Projector] = Registry("projection")


@PROJECTIONS.register
def identity(d_query: int, d_key: int, d_value: int, d_kv: int, seed: int = 0) -> Projection:
    """The vectors themselves are query, key and value, and the heads' outputs are only concatenated.

    >>> identity(2, 2, 2, 2).W_q is None
    True
    """
    return Projection()


@PROJECTIONS.register
def random(d_query: int, d_key: int, d_value: int, d_kv: int, seed: int = 0) -> Projection:
    """Seeded normal matrices of variance 1/d, which keep the variance of a vector: nothing is trained.

    Queries keep their width; keys and values get the width that their heads want, d_kv.

    >>> random(4, 6, 6, 4).W_k.shape
    (6, 4)
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    shapes = [(d_query, d_query), (d_key, d_kv), (d_value, d_kv), (d_query, d_query)]
    return Projection(*(generator.normal(0, d_in**-0.5, (d_in, d_out)) for d_in, d_out in shapes))


def from_arrays(arrays: Mapping[str, np.ndarray]) -> Projection:
    """A projection from named matrices W_q, W_k, W_v, W_o and vectors b_q, b_k, b_v, b_o; each may be absent.

    Raises InputError for a name that is none of these, or an array of the wrong number of axes.
    """
    known = [f.name for f in fields(Projection)]
    if unknown := sorted(set(arrays) - set(known)):
        raise InputError(
            f"a projection with {', '.join(unknown)}", hint=f"name the arrays {', '.join(known)}"
        )
    for name, array in arrays.items():
        if array.ndim != (2 if name.startswith("W") else 1):
            wanted = "[d_in, d_out]" if name.startswith("W") else "[d_out]"
            raise InputError(f"{name} {shape(array)}, expected {wanted}")
    return Projection(**arrays)
