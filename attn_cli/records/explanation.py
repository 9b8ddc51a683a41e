"""Which tokens an output rests on, by several methods, and how each of them stood its tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .checks import settle
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

VERSION = 1  # of what `as_dict` gives; its schema is files/schemas/explanation.json
CHANCE = ("uniform", "random")  # orders that know nothing of the model
HIGHER = ("comprehensiveness",)  # tests whose higher result is the better; of all others the lower


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """A number for each token by each method, and the tests of each method; what `attn explain` gives.

    `tests` has a row per method, as `interpret.faithfulness.judged` gives it.

    >>> tests = Table({"method": ["random"], "deletion": [0.5], "deletion_se": [0.1]})
    >>> found = Explanation(("a",), (0,), ("b",), (0,), 0.5, {"random": np.ones(1)}, tests)
    >>> found
    Explanation: 1 token, toward b (p 0.500), by random
    >>> list(found.table().rows())[1]
    {'part': 'test', 'pos': '', 'token': 'deletion', 'random': 0.5, 'random_se': 0.1}
    """

    tokens: tuple[str, ...]
    positions: tuple[int, ...]  # of these tokens in the text
    output: tuple[str, ...]  # the token at each place of the output
    places: tuple[int, ...]
    probability: float  # of the output, in the geometric mean over its places
    methods: Mapping[str, Float[np.ndarray, " token"]]
    tests: Table
    instead: str = ""  # what took the place of a token that was taken away
    provenance: str = ""

    def __post_init__(self) -> None:
        settle(self, "methods", {name: np.asarray(numbers) for name, numbers in self.methods.items()})

    def __repr__(self) -> str:
        n = len(self.tokens)
        said = f"toward {' '.join(self.output)} (p {self.probability:.3f})"
        return f"Explanation: {n} token{'' if n == 1 else 's'}, {said}, by {', '.join(self.methods)}"

    @property
    def said(self) -> str:
        """Where the numbers come from, what they explain, and how tokens were taken away."""
        toward = f'toward "{" ".join(self.output)}", p = {self.probability:.3g}'
        gone = f"a token that is taken away becomes {self.instead}" if self.instead else ""
        return "; ".join(filter(None, (self.provenance, toward, gone)))

    def table(self) -> Table:
        """A row per token, a column per method, and below them a row per test.

        `random_se` is the standard error of the mean of random orders; tokens have none.
        """
        names = [name for name in self.tests.columns if name != "method" and not name.endswith("_se")]
        of_test = {name: dict(zip(self.tests["method"], self.tests[name], strict=True)) for name in names}
        n, m = len(self.tokens), len(names)
        columns: dict[str, Any] = {
            "part": ["token"] * n + ["test"] * m,
            "pos": [*map(str, self.positions), *[""] * m],
            "token": [*self.tokens, *names],
        }
        for method, numbers in self.methods.items():
            columns[method] = [*numbers, *(of_test[name].get(method, np.nan) for name in names)]
        if "random" in self.methods:
            row = list(self.tests["method"]).index("random")
            columns["random_se"] = [*[np.nan] * n, *(self.tests[f"{name}_se"][row] for name in names)]
        return Table(columns, "explain", self.said)

    def by_token(self) -> Table:
        """A row per token, a column per method, without the orders that every method is tested beside."""
        columns: dict[str, Any] = {"pos": list(map(str, self.positions)), "token": list(self.tokens)}
        columns |= {name: numbers for name, numbers in self.methods.items() if name not in CHANCE}
        return Table(columns, "explain", self.said)

    def by_method(self) -> Table:
        """A row per method, a column per test; the standard errors of `random` are said below.

        >>> tests = Table({"method": ["random"], "deletion": [0.5], "deletion_se": [0.125]})
        >>> found = Explanation(("a",), (0,), ("b",), (0,), 0.5, {"random": np.ones(1)}, tests)
        >>> found.by_method().provenance
        'lower is better: deletion; standard error of random: deletion 0.125'
        """
        names = [name for name in self.tests.columns if name != "method" and not name.endswith("_se")]
        columns = {name: self.tests[name] for name in ("method", *names)}
        better = {"higher": [name for name in names if name in HIGHER]}
        better["lower"] = [name for name in names if name not in HIGHER]
        said = [f"{way} is better: {', '.join(those)}" for way, those in better.items() if those]
        methods = self.tests["method"].tolist()
        if "random" in methods:
            errors = (f"{name} {self.tests[f'{name}_se'][methods.index('random')]:.3f}" for name in names)
            said.append(f"standard error of random: {', '.join(errors)}")
        return Table(columns, "faithfulness", "; ".join(said))

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        names = [name for name in self.tests.columns if name != "method"]
        tests = {
            str(method): {name: _plain(self.tests[name][i]) for name in names}
            for i, method in enumerate(self.tests["method"])
        }
        return {
            "schema_version": VERSION,
            "type": "explanation",
            "tokens": list(self.tokens),
            "positions": list(self.positions),
            "toward": {
                "tokens": list(self.output),
                "positions": list(self.places),
                "probability": self.probability,
            },
            "instead": self.instead,
            "provenance": self.provenance,
            "methods": {name: numbers.tolist() for name, numbers in self.methods.items()},
            "tests": tests,
        }


def _plain(number: float) -> float | None:
    return None if number != number else float(number)
