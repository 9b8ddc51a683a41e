"""Figures of a text that is streamed: counted while its rows pass, as its weights are never all there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .rows import Rows, numbered, scaled
from .statistics import STATISTICS
from .tally import Tally

if TYPE_CHECKING:
    from collections.abc import Collection

    from .tally import Figures


class Counting:
    """Counts the rows of every layer and head, each once: a `Watch` of `attention/streamed_rows.py`.

    `show` names what is counted: weights, or norms, each row of which is scaled to sum to 1.
    """

    def __init__(self, columns: Collection[str] = STATISTICS, *, show: str = "weights") -> None:
        self.columns, self.show = columns, show
        self._tallies: dict[tuple[int, int], Tally] = {}  # by layer and first head
        self._n_query = self._n_key = self._first = 0
        self._tokens: np.ndarray | None = None
        self._special: np.ndarray | None = None

    def begin(self, sides: Any, wanted: Any) -> None:
        """Before the first row: whose rows they are."""
        self._tallies.clear()
        queries, keys = sides.tokens(wanted)
        one_text = queries == keys if sides.kind == "unknown" else sides.kind != "cross"
        self._n_query, self._n_key = len(queries), len(keys)
        self._first = self._n_key - self._n_query if one_text else 0
        self._tokens = numbered(keys) if one_text else None
        if sides.special is not None:
            marks = np.array(sides.special, dtype=bool)
            self._special = marks if wanted.keys is None else marks[list(wanted.keys)]

    def see(self, rows: Any) -> tuple[tuple[int, int], Tally]:
        """The sums of some rows of some heads of a layer."""
        weights = rows.weights if self.show == "weights" else rows.weights * rows.lengths[:, None]
        tally = Tally(self.columns)
        tally.add(
            Rows(
                scaled(weights, self.show)[None],
                rows.query + self._first,
                rows.key,
                self._n_query,
                self._n_key,
                None if rows.allowed is None else rows.allowed[None],
                self._tokens,
                self._special,
            )
        )
        return (rows.layer, rows.head), tally

    def take(self, made: tuple[tuple[int, int], Tally]) -> None:
        """Add them to those of other rows."""
        place, tally = made
        if place in self._tallies:
            self._tallies[place].merge(tally)
        else:
            self._tallies[place] = tally

    def __bool__(self) -> bool:
        """Whether any row has passed: a short text is not streamed."""
        return bool(self._tallies)

    def figures(self) -> Figures:
        """Each column: a number for each layer and head."""
        layers = sorted({layer for layer, _ in self._tallies})
        found = []
        for layer in layers:
            heads = [self._tallies[place].figures() for place in sorted(self._tallies) if place[0] == layer]
            found.append({name: np.concatenate([each[name] for each in heads], axis=1) for name in heads[0]})
        return {name: np.concatenate([each[name] for each in found], axis=0) for name in found[0]}
