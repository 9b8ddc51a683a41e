"""What an explanation says for people: its text shaded by each method, and how each method stands beside chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..records.explanation import CHANCE, HIGHER
from .text import Shading, running

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

    from ..records.explanation import Explanation


def shares(found: Explanation) -> Mapping[str, Float[np.ndarray, " token"]]:
    """What each method says of each token, as a share of what it says of the token it puts first.

    >>> from attn_cli.records.explanation import Explanation
    >>> from attn_cli.records.table import Table
    >>> two = {"flow": np.array([0.5, 0.25]), "norms": np.zeros(2)}
    >>> found = Explanation(("a", "b"), (0, 1), ("c",), (0,), 0.5, two, Table({"method": ["flow"]}))
    >>> {name: share.tolist() for name, share in shares(found).items()}
    {'flow': [1.0, 0.5], 'norms': [0.0, 0.0]}
    """
    return {name: numbers / (abs(numbers).max() or 1) for name, numbers in found.methods.items()}


def shading(found: Explanation, said: str) -> Shading:
    """The tokens as they run, a panel for each method, without the orders that know nothing of the model."""
    told = {name: share for name, share in shares(found).items() if name not in CHANCE}
    told = told or dict(shares(found))
    weights = np.array(list(told.values()))
    return Shading(
        pieces=running(found.tokens, None),
        weights=weights,
        hidden=np.zeros(weights.shape, bool),
        titles=tuple(told),
        query=None,
        name="",
        queries=(),
        said=said,
    )


def better(found: Explanation) -> dict[str, tuple[int, int]]:
    """In how many of how many tests each method does better than the mean of random orders.

    >>> from attn_cli.records.explanation import Explanation
    >>> from attn_cli.records.table import Table
    >>> tests = Table({"method": ["flow", "random"], "comprehensiveness": [0.5, 0.25], "deletion": [0.5, 0.25]})
    >>> better(Explanation(("a",), (0,), ("b",), (0,), 0.5, {"flow": np.ones(1)}, tests))
    {'flow': (1, 2)}
    """
    tests = [name for name in found.tests.columns if name != "method" and not name.endswith("_se")]
    rows = {row["method"]: row for row in found.tests.rows()}
    chance = rows.get("random", {})
    counts = {}
    for method, row in rows.items():
        if method not in CHANCE:
            ahead = [
                (_number(row, name) - _number(chance, name)) * (1 if name in HIGHER else -1) for name in tests
            ]
            counts[str(method)] = (sum(by > 0 for by in ahead), len(tests))
    return counts


def _number(row: Mapping[str, object], name: str) -> float:
    value = row.get(name)
    return float(value) if isinstance(value, float) else np.nan
