"""Steps of a program: one call of its outermost module, or a text that it has written token by token."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .kept_numbers import Numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .places import Spot


@dataclass(frozen=True, eq=False)
class Piece:
    """What was kept of one call, and where it stands in the whole of a text that is written."""

    numbers: Numbers
    first_query: int = 0
    first_key: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """How many queries and keys there are up to its end."""
        return self.first_query + self.numbers.n_query, self.first_key + self.numbers.n_key


@dataclass(eq=False)
class Step:
    """What was kept of one step, by where in the program it was computed."""

    number: int
    root: int  # the outermost module
    pieces: dict[Spot, list[Piece]] = field(default_factory=dict)
    n_kept: dict[Spot, int] = field(default_factory=dict)  # calls, also where the pieces were put away
    at: int = 0  # how many attentions of the program there were when the last of it was kept
    n_bytes: int = 0  # how much memory it takes, or where it was put away, how much of a disk


def whole(pieces: Sequence[Piece]) -> tuple[int, int]:
    """How many queries and keys a text has, by its pieces."""
    n_query, n_key = (max(sizes) for sizes in zip(*(piece.shape for piece in pieces), strict=True))
    return n_query, n_key


def put_together(pieces: Sequence[Piece]) -> Numbers:
    """The attention of a whole text from those of its pieces: what a cache has spared is put under each other.

    A key that was not there when a query looked has the weight 0, and is masked.

    >>> first = Piece(Numbers(1, 1, weights=np.ones((1, 1, 1))))
    >>> second = Piece(Numbers(1, 2, weights=np.full((1, 1, 2), 0.5)), first_query=1)
    >>> put_together([first, second]).weights[0].tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    if len(pieces) == 1:
        return pieces[0].numbers
    n_query, n_key = whole(pieces)
    if pieces[0].numbers.weights is None:  # figures: means over the queries
        shares = np.array([piece.numbers.n_query for piece in pieces]) / n_query
        figures = sum(share * piece.numbers.figures for share, piece in zip(shares, pieces, strict=True))
        return Numbers(n_query, n_key, figures=np.asarray(figures))
    n_heads = len(pieces[0].numbers.weights)
    weights = np.zeros((n_heads, n_query, n_key), pieces[0].numbers.weights.dtype)
    mask = np.zeros((max(_mask_heads(piece) for piece in pieces), n_query, n_key), bool)
    for piece in pieces:
        (to_query, to_key), numbers = piece.shape, piece.numbers
        place = (slice(None), slice(piece.first_query, to_query), slice(piece.first_key, to_key))
        weights[place] = numbers.weights
        mask[place] = True if numbers.mask is None else numbers.mask
    together = Numbers(n_query, n_key, weights, None if mask.all() else mask)
    return replace(together, **_vectors(pieces, n_query, n_key))


def _vectors(pieces: Sequence[Piece], n_query: int, n_key: int) -> dict[str, Any]:
    """The scores, −∞ where a key was not there yet, and the vectors of all pieces, as far as they were kept."""
    made: dict[str, Any] = {}
    for name in ("scores", "query", "key", "value"):
        each = [getattr(piece.numbers, name) for piece in pieces]
        if any(array is None for array in each):
            continue
        n_heads, _, width = each[0].shape
        size = {"scores": (n_query, n_key), "query": (n_query, width)}.get(name, (n_key, width))
        made[name] = np.full((n_heads, *size), -np.inf if name == "scores" else 0.0, each[0].dtype)
        for piece, array in zip(pieces, each, strict=True):
            rows = slice(piece.first_query, piece.shape[0]), slice(piece.first_key, piece.shape[1])
            place = {"scores": rows, "query": rows[:1]}.get(name, rows[1:])
            made[name][:, *place] = array
    return made


def _mask_heads(piece: Piece) -> int:
    return 1 if piece.numbers.mask is None else len(piece.numbers.mask)
