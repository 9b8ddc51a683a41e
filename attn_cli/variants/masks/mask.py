"""What a mask is: a function in a registry, the keys it may reach at all, and the same written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...records.checks import shape
from ...registry import Registry, bound
from ..intervals import Interval, union

if TYPE_CHECKING:
    from jaxtyping import Bool, Int

    Positions = Int[np.ndarray, "*#qk"]  # or a torch tensor of whole numbers
    Allowed = Bool[np.ndarray, "*qk"]

Mask = Callable[..., Any]

MASKS: Registry[Mask] = Registry("mask")


def reaches(keys: Callable[..., list[Interval]]) -> Callable[[Mask], Mask]:
    """Say which keys queries at positions lo … hi − 1 may attend to at all, given lo, hi and the mask's options.

    A mask without it may reach every key, and streamed attention can skip nothing.
    """

    def say(mask: Mask) -> Mask:
        mask.reach = keys  # type: ignore[attr-defined]
        return mask

    return say


def of_vectors(mask: Mask) -> Mask:
    """Say that a mask looks at the vectors of query and key, not at their positions."""
    mask.of_vectors = True  # type: ignore[attr-defined]
    return mask


def is_of_vectors(mask: Mask) -> bool:
    """Whether a mask looks at the vectors of query and key."""
    return getattr(mask, "of_vectors", False)


def reach(mask: Mask, query_lo: int, query_hi: int, n_key: int) -> list[Interval]:
    """Disjoint intervals that hold every key which queries at positions query_lo … query_hi − 1 may attend to.

    >>> reach(MASKS.parse("window:size=3"), 4, 6, 10)
    [(2, 6)]
    """
    known = getattr(mask, "reach", None)
    if known is None:
        return [(0, n_key)]
    keys = known(query_lo, query_hi, **bound(mask))
    return union([(max(lo, 0), min(hi, n_key)) for lo, hi in keys])


def as_matrix(mask: Mask, n_query: int, n_key: int) -> Bool[np.ndarray, "query key"]:
    """A mask of positions written out: the last query stands at the last key."""
    if is_of_vectors(mask):
        raise InputError("this mask depends on the vectors", hint="give a text or vectors as INPUT")
    query, key = np.arange(n_key - n_query, n_key)[:, None], np.arange(n_key)[None, :]
    return np.broadcast_to(np.asarray(mask(query, key)), (n_query, n_key))


def from_matrix(matrix: np.ndarray) -> Bool[np.ndarray, "query key"]:
    """A mask written out as numbers, read as what `manner` finds it to be; axes of length 1 may stand in front.

    >>> from_matrix(np.array([[0.0, -np.inf], [0.0, 0.0]])).tolist()
    [[True, False], [True, True]]
    """
    while matrix.ndim > 2 and len(matrix) == 1:
        matrix = matrix[0]
    if matrix.ndim != 2:
        raise InputError(f"a mask {shape(matrix)}, expected [query, key]")
    return matrix == 0 if manner(matrix) == ADDITIVE else matrix.astype(bool)


TRUTHS, NUMBERS, ADDITIVE = (
    "True where a query may attend",
    "1 where a query may attend",
    "additive, 0 and −∞",
)
_NEVER = -1e4  # what is added where a query may not attend is −∞, or as low as this


def manner(matrix: np.ndarray) -> str:
    """How a mask is written: True/False, 1/0, or additive, 0 where a query may attend and −∞, or −10⁴ and below.

    Raises InputError for a number that stands in none of them.

    >>> manner(np.array([[True]])), manner(np.array([[0, 1]])), manner(np.array([[0, -1e9]]))
    ('True where a query may attend', '1 where a query may attend', 'additive, 0 and −∞')
    """
    if matrix.dtype == bool:
        return TRUTHS
    additive = bool((matrix < 0).any() and not (matrix > 0).any())
    wrong = ~((matrix == 0) | (matrix <= _NEVER if additive else matrix == 1))
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0][-2:])
        raise InputError(
            f"a mask holds {matrix[wrong][0]} at row {row}, column {column} (counted from 0)",
            hint="write 1 where a query may attend and 0 where not, or True and False, or 0 and -inf",
        )
    return ADDITIVE if additive else NUMBERS
