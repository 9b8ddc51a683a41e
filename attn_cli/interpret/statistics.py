"""What a head does, in figures: one function per column of `attn stats`, with its formula and paper.

Most columns are numbers of single rows, whose mean over the queries is shown: such a function takes a block of
`Rows` and gives a number for each, NaN for a row that does not count. A function `of_keys` takes what each key
receives from all queries; one `of_figures` takes the columns before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry import Registry
from .roles import ROLES

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from .rows import Rows

    OfRows = Float[np.ndarray, "*maps row"]
    OfHeads = Float[np.ndarray, "*maps"]
    Figures = Mapping[str, np.ndarray]

Statistic = Callable[..., Any]

STATISTICS: Registry[Statistic] = Registry("column")


@dataclass(frozen=True, eq=False)
class Received:
    """What each key receives: the sum of its weights, and how many of the queries are permitted it."""

    total: Float[np.ndarray, "*maps key"]
    seen: Int[np.ndarray, "*#maps key"]
    n_query: int

    @property
    def mean(self) -> Float[np.ndarray, "*maps key"]:
        """The mean weight over the queries that are permitted the key; NaN where none is."""
        return self.total / np.where(self.seen == 0, np.nan, self.seen)


def of_keys(statistic: Statistic) -> Statistic:
    """Say that a statistic looks at what each key receives, not at rows."""
    statistic.of = "keys"  # type: ignore[attr-defined]
    return statistic


def of_figures(statistic: Statistic) -> Statistic:
    """Say that a statistic looks at the other columns, not at rows."""
    statistic.of = "figures"  # type: ignore[attr-defined]
    return statistic


def kind(name: str) -> str:
    """What a column is computed from: rows, keys, or figures.

    >>> kind("entropy"), kind("sink"), kind("role")
    ('rows', 'keys', 'figures')
    """
    return getattr(STATISTICS[name], "of", "rows")


@STATISTICS.register
def entropy(rows: Rows) -> OfRows:
    """Mean entropy of a query's weights in nats; queries that may attend to nothing are left out.

    −Σ w ln w, with 0 · ln 0 = 0. Clark et al. 2019, arXiv:1906.04341, §3.3, who smooth the weights first.

    >>> from attn_cli.interpret.rows import Rows
    >>> entropy(Rows(np.array([[[[0.5, 0.5], [0, 1]]]]), np.arange(2), np.arange(2), 2, 2)).tolist()
    [[[0.6931471805599453, 0.0]]]
    """
    return np.where(rows.n_permitted == 0, np.nan, rows.entropy)


@STATISTICS.register
def entropy_share(rows: Rows) -> OfRows:
    """Mean of entropy / ln(number of permitted keys), over queries with at least two permitted keys.

    1 where a head attends to all that it may alike, whatever the length and the mask.

    >>> from attn_cli.interpret.rows import Rows
    >>> entropy_share(Rows(np.array([[[[0.5, 0.5], [0, 1]]]]), np.arange(2), np.arange(2), 2, 2)).tolist()
    [[[1.0, 0.0]]]
    """
    most = np.log(np.where(rows.n_permitted < 2, np.nan, rows.n_permitted))
    return rows.entropy / most


@STATISTICS.register
def distance(rows: Rows) -> OfRows:
    """Mean distance of what a query attends to, in tokens: Σ w · |query − key|.

    Vig & Belinkov 2019, arXiv:1906.04284, §3.

    >>> from attn_cli.interpret.rows import Rows
    >>> distance(Rows(np.array([[[[0.5, 0.5], [1, 0]]]]), np.arange(2), np.arange(2), 2, 2)).tolist()
    [[[0.5, 1.0]]]
    """
    return np.einsum("...rk,rk->...r", rows.weights, abs(rows.distance).astype(np.float64))


@STATISTICS.register
def offset(rows: Rows) -> OfRows:
    """Mean signed distance, in tokens: Σ w · (key − query), below 0 where a head looks back.

    >>> from attn_cli.interpret.rows import Rows
    >>> offset(Rows(np.array([[[[0.5, 0.5], [1, 0]]]]), np.arange(2), np.arange(2), 2, 2)).tolist()
    [[[0.5, -1.0]]]
    """
    return np.einsum("...rk,rk->...r", rows.weights, rows.distance.astype(np.float64))


@STATISTICS.register
def self_(rows: Rows) -> OfRows:
    """Mean weight of a query's own position: w[q, q].

    >>> from attn_cli.interpret.rows import Rows
    >>> self_(Rows(np.array([[[[0.5, 0.5], [1, 0]]]]), np.arange(2), np.arange(2), 2, 2)).tolist()
    [[[0.5, 0.0]]]
    """
    return rows.at(rows.query)


@STATISTICS.register
def previous(rows: Rows) -> OfRows:
    """Mean weight of the key before: w[q, q − 1], over the queries that have one, permitted or not.

    Clark et al. 2019, arXiv:1906.04341, §3.1; the legend of their notebook calls it the next one.

    >>> from attn_cli.interpret.rows import Rows
    >>> previous(Rows(np.array([[[[0.5, 0.5], [1, 0]]]]), np.arange(2), np.arange(2), 2, 2)).tolist()
    [[[nan, 1.0]]]
    """
    return rows.at(rows.query - 1)


@STATISTICS.register
def next_(rows: Rows) -> OfRows:
    """Mean weight of the key after: w[q, q + 1], over the queries that have one, permitted or not.

    Clark et al. 2019, arXiv:1906.04341, §3.1.

    >>> from attn_cli.interpret.rows import Rows
    >>> next_(Rows(np.array([[[[0.5, 0.5], [1, 0]]]]), np.arange(2), np.arange(2), 2, 2)).tolist()
    [[[0.5, nan]]]
    """
    return rows.at(rows.query + 1)


@STATISTICS.register
def first(rows: Rows) -> OfRows:
    """Mean weight of the first key: w[q, 0].

    Xiao et al. 2023, arXiv:2309.17453 (StreamingLLM), §3.1.

    >>> from attn_cli.interpret.rows import Rows
    >>> first(Rows(np.array([[[[0.5, 0.5], [1, 0]]]]), np.arange(2), np.arange(2), 2, 2)).tolist()
    [[[0.5, 1.0]]]
    """
    return rows.at(np.zeros_like(rows.query))


@STATISTICS.register
@of_keys
def sink(received: Received) -> OfHeads:
    """Highest mean weight of a key, over the queries that are permitted it (at least a quarter of all).

    max_k α_k with α_k the mean of w[q, k]. Gu et al. 2025, arXiv:2410.10781, §3.1, who take the first key.

    >>> sink(Received(np.array([[[1.5, 0.5]]]), np.array([[[2, 1]]]), 2)).tolist()  # α = 1.5 / 2, 0.5 / 1
    [[0.75]]
    """
    highest = _alpha(received).max(axis=-1)
    return np.where(np.isfinite(highest), highest, np.nan)


@STATISTICS.register
@of_keys
def sink_key(received: Received) -> OfHeads:
    """Position of the key with the highest mean weight, counted from 0; see sink.

    >>> sink_key(Received(np.array([[[0.5, 1.5]]]), np.array([[[2, 2]]]), 2)).tolist()
    [[1.0]]
    """
    alpha = _alpha(received)
    return np.where(np.isfinite(alpha.max(axis=-1)), alpha.argmax(axis=-1), np.nan)


def _alpha(received: Received) -> Float[np.ndarray, "*maps key"]:
    """The mean weights; below all others for a key that less than a quarter of the queries are permitted."""
    few = 4 * received.seen < received.n_query
    return np.where(few | (received.seen == 0), -np.inf, received.mean)


@STATISTICS.register
def special(rows: Rows) -> OfRows:
    """Mean weight of the model's special tokens together; empty where they are unknown.

    Clark et al. 2019, arXiv:1906.04341, §3.2.

    >>> from attn_cli.interpret.rows import Rows
    >>> marks = np.array([True, False])
    >>> rows = Rows(np.array([[[[0.25, 0.75]]]]), np.arange(1), np.arange(2), 1, 2, special=marks)
    >>> special(rows).tolist()
    [[[0.25]]]
    """
    if rows.special is None:
        return np.full(rows.weights.shape[:-1], np.nan)
    return rows.share(rows.special[..., None, rows.key])


@STATISTICS.register
def duplicate(rows: Rows) -> OfRows:
    """Mean weight of earlier tokens equal to the query's own, over queries that have one.

    Wang et al. 2022, arXiv:2211.00593, §3 (duplicate token heads).

    >>> from attn_cli.interpret.rows import Rows
    >>> weights = np.array([[[[1.0, 0, 0], [0.5, 0.5, 0], [0.7, 0.2, 0.1]]]])
    >>> duplicate(Rows(weights, np.arange(3), np.arange(3), 3, 3, tokens=np.array([0, 1, 0]))).tolist()
    [[[nan, nan, 0.7]]]
    """
    return _on_repeats(rows, rows.repeats)


@STATISTICS.register
def induction(rows: Rows) -> OfRows:
    """Mean weight of tokens right after an earlier one equal to the query's, over queries that have one.

    w summed over the keys k ≤ q whose neighbour k − 1 < q has the query's token. Olsson et al. 2022,
    arXiv:2209.11895, “Induction heads”.

    >>> from attn_cli.interpret.rows import Rows
    >>> weights = np.array([[[[1.0, 0, 0], [0.5, 0.5, 0], [0.7, 0.2, 0.1]]]])
    >>> induction(Rows(weights, np.arange(3), np.arange(3), 3, 3, tokens=np.array([0, 1, 0]))).tolist()
    [[[nan, nan, 0.2]]]
    """
    if (after := rows.repeats) is not None:
        after = np.roll(after, 1, axis=-1)
        after[..., 0] = False
    return _on_repeats(rows, after)


def _on_repeats(rows: Rows, chosen: np.ndarray | None) -> OfRows:
    """The weight on the chosen keys, in the rows of queries whose token was there before."""
    if chosen is None or rows.repeats is None:
        return np.full(rows.weights.shape[:-1], np.nan)
    return np.where(rows.repeats.any(axis=-1), rows.share(chosen[..., rows.key]), np.nan)


@STATISTICS.register
def keys_90(rows: Rows) -> OfRows:
    """Mean number of keys, heaviest first, that hold 90 % of a query's weight.

    A sum that misses it by less than a millionth counts: 9 of 10 equal weights are 90 %, whatever rounding says.

    >>> from attn_cli.interpret.rows import Rows
    >>> keys_90(Rows(np.array([[[[0.5, 0.3, 0.2], [0.9, 0.1, 0]]]]), np.arange(2), np.arange(3), 2, 3)).tolist()
    [[[3.0, 1.0]]]
    """
    heaviest_first = -np.sort(-rows.weights, axis=-1)
    held = np.cumsum(heaviest_first, axis=-1)
    enough = 0.9 * (1 - 1e-6) * held[..., -1:]
    return np.where(held[..., -1] > 0, (held < enough).sum(axis=-1) + 1, 0).astype(np.float64)


@STATISTICS.register
def max_(rows: Rows) -> OfRows:
    """Mean of the heaviest weight of a query.

    Voita et al. 2019, arXiv:1905.09418, §4 (the confidence of a head).

    >>> from attn_cli.interpret.rows import Rows
    >>> max_(Rows(np.array([[[[0.5, 0.3, 0.2]]]]), np.arange(1), np.arange(3), 1, 3)).tolist()
    [[[0.5]]]
    """
    return rows.weights.max(axis=-1)


@STATISTICS.register
@of_figures
def role(figures: Figures) -> np.ndarray:
    """What a head does in words, by the first threshold it passes; see --roles. Empty where none fits.

    >>> role({"previous": np.array([[0.9, 0.1]]), "entropy_share": np.array([[0.2, 0.9]])}).tolist()
    [['previous token', 'broad']]
    """
    found = np.full(next(iter(figures.values())).shape, "", dtype=object)
    for a_role in reversed(ROLES):
        if a_role.column in figures:
            found[figures[a_role.column] > a_role.above] = a_role.name
    return found
