"""Which of ours belongs to which of theirs, so that the whole costs least: the Hungarian method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int


def assignment(cost: Float[np.ndarray, "row column"]) -> Int[np.ndarray, " row"]:
    """The column for each row so that no column is taken twice and the sum of costs is least.

    Needs at least as many columns as rows. Row after row, along the shortest path over reduced costs, in O(n³). Kuhn 1955, doi:10.1002/nav.3800020109;
    Jonker & Volgenant 1987, doi:10.1007/BF02278710.

    >>> assignment(np.array([[1.0, 2.0], [1.0, 5.0]])).tolist()  # 2 + 1, not 1 + 5
    [1, 0]
    """
    n_rows, n_columns = cost.shape
    assert n_rows <= n_columns, "more rows than columns"
    of_row, of_column = np.zeros(n_rows), np.zeros(n_columns)  # what is taken off the costs
    row_at = np.full(n_columns, -1)  # the row that has a column
    for row in range(n_rows):
        _give_a_column(row, cost, of_row, of_column, row_at)
    columns = np.empty(n_rows, dtype=np.int64)
    taken = np.flatnonzero(row_at >= 0)
    columns[row_at[taken]] = taken
    return columns


def _give_a_column(
    row: int,
    cost: Float[np.ndarray, "row column"],
    of_row: Float[np.ndarray, " row"],
    of_column: Float[np.ndarray, " column"],
    row_at: Int[np.ndarray, " column"],
) -> None:
    """Find the shortest path from this row to a free column, and let each row on it take the next column."""
    shortest, before = np.full(cost.shape[1], np.inf), np.full(cost.shape[1], -1)
    done = np.zeros(cost.shape[1], dtype=bool)
    at, length, column = row, 0.0, -1
    while True:
        reduced = length + cost[at] - of_row[at] - of_column
        better = ~done & (reduced < shortest)
        shortest[better], before[better] = reduced[better], column
        column = int(np.where(done, np.inf, shortest).argmin())
        length = shortest[column]
        if row_at[column] < 0:
            break
        done[column] = True
        at = int(row_at[column])
    of_row[row_at[done]] += length - shortest[done]
    of_row[row] += length
    of_column[done] -= length - shortest[done]
    while column >= 0:
        previous = int(before[column])
        row_at[column] = row if previous < 0 else row_at[previous]
        column = previous
