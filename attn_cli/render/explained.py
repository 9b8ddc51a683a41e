"""What an explanation says for people: its text shaded by each method, and how each method stands beside chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..records.explanation import CHANCE, HIGHER
from .text import Shading, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jaxtyping import Float

    from ..records.explanation import Explanation

ERRORS = 2.0  # standard errors of random orders: what is no farther from their mean is within chance


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


def unit(found: Explanation, words: Mapping[str, str]) -> str:
    """What the colours say, and what those below zero do where there are any."""
    against = any((numbers < 0).any() for numbers in found.methods.values())
    return words["explain_share"] + words["explain_below"] * against


def chance(found: Explanation, words: Mapping[str, str], called: Callable[[str], str] = str) -> str:
    """Which way each test is better, the standard errors of `random`, and what is not better than it, in words.

    `called` gives the name by which a test or a method goes where this is read.
    """
    names = _tests(found)
    ways = {"higher": [name for name in names if name in HIGHER]}
    ways["lower"] = [name for name in names if name not in HIGHER]
    said = [
        words[f"explain_{way}"].format(names=", ".join(map(called, those)))
        for way, those in ways.items()
        if those
    ]
    row = next((row for row in found.tests.rows() if row["method"] == "random"), None)
    if row is not None:
        errors = ", ".join(f"{called(name)} {_number(row, f'{name}_se'):.3f}" for name in names)
        said.append(words["explain_errors"].format(random=called("random"), errors=errors))
    stood = standings(found)
    for way, word in (("within", "explain_alike"), ("worse", "explain_beaten")):
        those = {name: [method for method, by in stood.items() if by[name] == way] for name in names}
        told = ", ".join(
            f"{called(name)} ({', '.join(map(called, methods))})"
            for name, methods in those.items()
            if methods
        )
        if told:
            said.append(words[word].format(n=f"{ERRORS:g}", tests=told))
    return "; ".join(said)


def ranking(found: Explanation, words: Mapping[str, str]) -> Iterator[str]:
    """How methods stand beside chance, a line for all that stand alike, the best first: what a figure says."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for method, by in standings(found).items():
        alike.setdefault(tuple(by.values()), []).append(method)
    names = _tests(found)
    for ways, methods in sorted(alike.items(), key=lambda item: -item[0].count("better")):
        told = []
        for way in ("better", "within", "worse"):
            those = [name for name, stood in zip(names, ways, strict=True) if stood == way]
            if those:
                every = words["explain_every"].format(n=len(names))
                listed = every if 1 < len(those) == len(names) else ", ".join(those)
                told.append(words[f"explain_is_{way}"].format(tests=listed))
        yield f"{', '.join(methods)}{words['explain_colon']}{words['explain_comma'].join(told)}"
    if any("within" in ways for ways in alike):
        yield words["explain_means"].format(n=f"{ERRORS:g}")


def beside_chance(found: Explanation, words: Mapping[str, str]) -> dict[str, str]:
    """How each method stands beside chance over all tests, in the words of a language."""
    said = {}
    for method, by in standings(found).items():
        n = {way: [*by.values()].count(way) for way in ("better", "within", "worse")}
        parts = [words["explain_better"].format(n=n["better"], all=len(by))]
        parts += [words[f"explain_{way}"].format(n=n[way]) for way in ("within", "worse") if n[way]]
        said[method] = words["explain_comma"].join(parts)
    return said


def said(found: Explanation, words: Mapping[str, str]) -> list[str]:
    """What is explained, and what takes the place of a token, in the words of a language."""
    told = [words["explain_toward"].format(output=" ".join(found.output), p=f"{found.probability:.3g}")]
    if found.instead:
        instead = words.get(f"instead_{found.instead}", found.instead)
        told.append(words["explain_instead"].format(instead=instead))
    return told


def standings(found: Explanation) -> dict[str, dict[str, str]]:
    """Whether each method is better or worse than random orders in each test, or within chance.

    Better and worse are by more than 2 standard errors of the mean of random orders.

    >>> from attn_cli.records.explanation import Explanation
    >>> from attn_cli.records.table import Table
    >>> columns = {"comprehensiveness": [0.5, 0.25], "comprehensiveness_se": [np.nan, 0.1], "deletion": [0.3, 0.25]}
    >>> tests = Table({"method": ["flow", "random"], **columns, "deletion_se": [np.nan, 0.05]})
    >>> standings(Explanation(("a",), (0,), ("b",), (0,), 0.5, {"flow": np.ones(1)}, tests))
    {'flow': {'comprehensiveness': 'better', 'deletion': 'within'}}
    """
    rows = {str(row["method"]): row for row in found.tests.rows()}
    random = rows.get("random", {})
    return {
        method: {name: _standing(row, random, name) for name in _tests(found)}
        for method, row in rows.items()
        if method not in CHANCE
    }


def _standing(row: Mapping[str, object], random: Mapping[str, object], name: str) -> str:
    """`better` or `worse` where the difference is beyond chance; a single order has no standard error."""
    ahead = (_number(row, name) - _number(random, name)) * (1 if name in HIGHER else -1)
    error = _number(random, f"{name}_se")
    if not abs(ahead) > ERRORS * (0 if np.isnan(error) else error):
        return "within"
    return "better" if ahead > 0 else "worse"


def _tests(found: Explanation) -> list[str]:
    return [name for name in found.tests.columns if name != "method" and not name.endswith("_se")]


def _number(row: Mapping[str, object], name: str) -> float:
    value = row.get(name)
    return float(value) if isinstance(value, float) else np.nan
