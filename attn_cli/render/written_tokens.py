"""What a model wrote after a text, token by token: how likely each was, and what else might have stood there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .labels import label

if TYPE_CHECKING:
    from ..records.attention import Attention


@dataclass(frozen=True)
class Step:
    """One token that was written."""

    at: int  # which of the queries it is
    row: int  # from which it was written; −1 where that is not there
    token: str
    probability: float
    likeliest: tuple[tuple[str, float], ...]  # the likeliest first


def steps_of(attention: Attention) -> list[Step]:
    """Every token that a model wrote itself; none of an attention to a text that was given whole.

    >>> from attn_cli.records.attention import Attention
    >>> made = Attention(("a", "b"), ("a", "b"), np.eye(2)[None, None], probabilities=[0.0, 0.25])
    >>> steps_of(made)
    [Step(at=1, row=0, token='b', probability=0.25, likeliest=())]
    """
    if attention.probabilities is None:
        return []
    return [
        Step(
            at,
            row_of(attention, at),
            attention.query_tokens[at],
            float(attention.probabilities[at]),
            _likeliest(attention, at, float(attention.probabilities[at])),
        )
        for at in np.flatnonzero(attention.probabilities).tolist()
    ]


def row_of(attention: Attention, at: int) -> int:
    """The row from which a token was written: that of the token before it; of cross-attention its own."""
    return at if attention.kind == "cross" else at - 1


def _likeliest(attention: Attention, at: int, chance: float) -> tuple[tuple[str, float], ...]:
    """What might have stood there; two that differ by a space alone are told apart by it.

    What was written has its name in the text also where by itself it is known by its bytes alone.
    """
    if attention.top_tokens is None or attention.top_probabilities is None:
        return ()
    known, own = attention.candidates or (), attention.query_tokens[at]
    pairs = zip(attention.top_tokens[at].tolist(), attention.top_probabilities[at].tolist(), strict=True)
    there = [(known[place], p) for place, p in pairs if place >= 0]
    there = [
        (own if "<0x" in name and math.isclose(p, chance, rel_tol=1e-6) else name, p) for name, p in there
    ]
    bare = [name.strip() for name, _ in there]
    return tuple(
        (name if bare.count(name.strip()) > 1 or not name.strip() else name.strip(), p) for name, p in there
    )


def beginning(
    attention: Attention, rows: list[range], columns: list[range]
) -> tuple[float | None, float | None]:
    """How many rows and columns of a map stand before what a model wrote itself; None where it wrote none.

    A fraction, where it begins within a cell of several tokens.

    >>> import numpy as np
    >>> from attn_cli.records.attention import Attention
    >>> made = Attention(tuple("abc"), tuple("abc"), np.eye(3)[None, None], written=(0, 0, 1))
    >>> beginning(made, [range(3)], [range(1), range(1, 3)])
    (None, 1.5)
    """
    row, column = attention.began
    return _before(rows, row), _before(columns, column)


def cell_of(cells: list[range], place: int) -> int:
    """The row or column that a token is in."""
    return next(i for i, cell in enumerate(cells) if place in cell)


def _before(cells: list[range], place: int | None) -> float | None:
    if place is None:
        return None
    cell = cells[at := cell_of(cells, place)]
    return at + (place - cell.start) / len(cell)


def row_title(attention: Attention, at: int) -> str:
    """What the row is called from which a token was written: by the token before it too, if that is whose it is.

    >>> from attn_cli.records.attention import Attention
    >>> row_title(Attention(("cat", "sat"), ("cat", "sat"), np.eye(2)[None, None]), 1)
    'cat → sat'
    """
    named = dict.fromkeys((row_of(attention, at), at))
    return " → ".join(label(attention.query_tokens[place]) for place in named)
