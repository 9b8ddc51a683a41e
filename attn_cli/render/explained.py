"""What an explanation says for people: its text shaded by each method, and how each method stands beside chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..records.explanation import CHANCE, HIGHER
from .text import Shading, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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


def tests(found: Explanation) -> Iterator[str]:
    """How each method stood each test, a line per test, beside chance."""
    table = found.by_method()
    for name in list(table.columns)[1:]:
        numbers = zip(table["method"].tolist(), table[name].tolist(), strict=True)
        yield f"{name}: {', '.join(f'{method} {number:z.3f}' for method, number in numbers)}"


def chance(found: Explanation, words: Mapping[str, str]) -> str:
    """Which way each test is better, and the standard errors of `random`, in the words of a language."""
    names = [name for name in found.tests.columns if name != "method" and not name.endswith("_se")]
    ways = {"higher": [name for name in names if name in HIGHER]}
    ways["lower"] = [name for name in names if name not in HIGHER]
    said = [words[f"explain_{way}"].format(names=", ".join(those)) for way, those in ways.items() if those]
    row = next((row for row in found.tests.rows() if row["method"] == "random"), None)
    if row is not None:
        errors = ", ".join(f"{name} {_number(row, f'{name}_se'):.3f}" for name in names)
        said.append(words["explain_errors"].format(errors=errors))
    return "; ".join(said)


def said(found: Explanation, words: Mapping[str, str]) -> list[str]:
    """What is explained, and what takes the place of a token, in the words of a language."""
    told = [words["explain_toward"].format(output=" ".join(found.output), p=f"{found.probability:.3g}")]
    if found.instead:
        instead = words.get(f"instead_{found.instead}", found.instead)
        told.append(words["explain_instead"].format(instead=instead))
    return told


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
