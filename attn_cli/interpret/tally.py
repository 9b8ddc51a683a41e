"""Sums over blocks of rows, and the figures made of them: per layer and head, per query, or per key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from . import statistics
from .rows import blocks, permitted
from .statistics import STATISTICS, Received

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from jaxtyping import Float, Int

    from ..records.attention import Attention
    from .rows import Rows

    Figures = dict[str, np.ndarray]  # by column


class Tally:
    """What the blocks of one attention add up to, in memory that does not grow with the number of queries.

    >>> from attn_cli.interpret.rows import Rows
    >>> tally = Tally(["self", "sink"])
    >>> tally.add(Rows(np.array([[[[1.0, 0.0]]]]), np.arange(1), np.arange(2), 2, 2))
    >>> tally.add(Rows(np.array([[[[0.5, 0.5]]]]), np.arange(1, 2), np.arange(2), 2, 2))
    >>> {name: numbers.tolist() for name, numbers in tally.figures().items()}
    {'self': [[0.75]], 'sink': [[0.75]]}
    """

    def __init__(self, columns: Collection[str] = STATISTICS) -> None:
        self.columns = [name for name in STATISTICS if name in columns]
        self._of_rows = [name for name in self.columns if statistics.kind(name) == "rows"]
        self._sums: dict[str, Float[np.ndarray, "*maps"]] = {}
        self._counts: dict[str, Int[np.ndarray, "*maps"]] = {}
        self._received: Received | None = None

    def add(self, rows: Rows) -> None:
        """Count these rows, each once."""
        for name in self._of_rows:
            numbers = STATISTICS[name](rows)
            counted = ~np.isnan(numbers)
            self._sums[name] = self._sums.get(name, 0) + np.where(counted, numbers, 0).sum(axis=-1)
            self._counts[name] = self._counts.get(name, 0) + counted.sum(axis=-1)
        self._receive(rows)

    def _receive(self, rows: Rows) -> None:
        if self._received is None:
            maps = rows.weights.shape[:-2]
            seen = (1,) * len(maps) if rows.permitted is None else rows.permitted.shape[:-2]
            self._received = Received(
                np.zeros((*maps, rows.n_key)), np.zeros((*seen, rows.n_key), dtype=np.int64), rows.n_query
            )
        seeing = len(rows.query) if rows.permitted is None else rows.permitted.sum(axis=-2)
        self._received.total[..., rows.key] += rows.weights.sum(axis=-2)
        self._received.seen[..., rows.key] += seeing

    def merge(self, other: Tally) -> None:
        """Count the rows of another tally too, which has other rows of the same attention."""
        if self._received is None:
            self._sums, self._counts, self._received = other._sums, other._counts, other._received
            return
        for name in self._of_rows:
            self._sums[name] = self._sums[name] + other._sums[name]
            self._counts[name] = self._counts[name] + other._counts[name]
        self.received.total[...] += other.received.total
        self.received.seen[...] += other.received.seen

    @property
    def received(self) -> Received:
        """What each key has received so far."""
        assert self._received is not None, "no rows were added"
        return self._received

    def figures(self) -> Figures:
        """Each column: a number for each layer and head, NaN where nothing counts."""
        figures: Figures = {}
        for name in self.columns:
            of = statistics.kind(name)
            if of == "rows":
                count = self._counts[name]
                figures[name] = self._sums[name] / np.where(count == 0, np.nan, count)
            else:
                figures[name] = STATISTICS[name](self.received if of == "keys" else figures)
        return figures


def figures(
    attention: Attention,
    columns: Collection[str] = STATISTICS,
    *,
    show: str = "weights",
    special: Sequence[int] | None = None,
) -> Figures:
    """The columns of one attention: an array [layer, head] each.

    >>> from attn_cli.records.attention import Attention
    >>> copies = Attention(("a", "b"), ("a", "b"), np.eye(2)[None, None])
    >>> {name: numbers.tolist() for name, numbers in figures(copies, ["entropy", "self", "role"]).items()}
    {'entropy': [[0.0]], 'self': [[1.0]], 'role': [['same token']]}
    """
    tally = Tally(columns)
    for rows in blocks(attention, show=show, special=special, permitted=permitted(attention)):
        tally.add(rows)
    return tally.figures()


def regrouped(figures: Figures, by: Literal["layer", "head"]) -> Figures:
    """The mean over the heads of each layer, or over the layers of each head; what has no mean is left out.

    >>> regrouped({"max": np.array([[0.5, 1.0], [0.25, 0.25]])}, "layer")["max"].tolist()
    [[0.75], [0.25]]
    """
    axis = 1 if by == "layer" else 0
    kept = {name: numbers for name, numbers in figures.items() if has_mean(name)}
    return {name: _mean(numbers, axis) for name, numbers in kept.items()}


def has_mean(name: str) -> bool:
    """Whether a column has a mean: a position of a key and a role have none.

    >>> has_mean("sink"), has_mean("sink_key")
    (True, False)
    """
    return name != "sink_key" and statistics.kind(name) != "figures"


def per_query(
    attention: Attention,
    columns: Iterable[str] = STATISTICS,
    *,
    show: str = "weights",
    special: Sequence[int] | None = None,
) -> Figures:
    """The columns that are numbers of rows: the mean over all layers and heads for each query.

    >>> from attn_cli.records.attention import Attention
    >>> copies = Attention(("a", "b"), ("a", "b"), np.eye(2)[None, None])
    >>> per_query(copies, ["previous"])["previous"].tolist()
    [nan, 0.0]
    """
    names = [name for name in columns if statistics.kind(name) == "rows"]
    parts = [
        {name: _mean(STATISTICS[name](rows), (0, 1)).ravel() for name in names}
        for rows in blocks(attention, show=show, special=special, permitted=permitted(attention))
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def per_key(attention: Attention, *, show: str = "weights") -> Figures:
    """What each key receives: the mean over the queries permitted it, and the sum over all; over all heads.

    >>> from attn_cli.records.attention import Attention
    >>> weights = np.array([[[[0.75, 0.25], [0.5, 0.5]]]])
    >>> {name: numbers.tolist() for name, numbers in per_key(Attention(("a", "b"), ("a", "b"), weights)).items()}
    {'received': [0.625, 0.375], 'mass': [1.25, 0.75]}
    """
    tally = Tally([])
    for rows in blocks(attention, show=show, permitted=permitted(attention)):
        tally.add(rows)
    total = np.broadcast_to(
        tally.received.total, attention.weights.shape[:2] + tally.received.total.shape[2:]
    )
    return {"received": _mean(tally.received.mean, (0, 1)).ravel(), "mass": total.mean(axis=(0, 1))}


def _mean(numbers: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """The mean of what is not NaN; NaN where nothing is."""
    counted = ~np.isnan(numbers)
    n = counted.sum(axis=axis, keepdims=True)
    return np.where(counted, numbers, 0).sum(axis=axis, keepdims=True) / np.where(n == 0, np.nan, n)
