"""An explanation as one HTML file: the text shaded by each method, each method's tests beside chance, all numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...records.explanation import CHANCE
from ...records.table import Table
from ..explained import better
from ..text import running
from .document import wording
from .running import Running
from .table import table_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...records.explanation import Explanation


def explained_page(found: Explanation, *, title: str = "", lang: str = "en") -> bytes:
    """One self-contained HTML file.

    >>> from attn_cli.records.explanation import Explanation
    >>> import numpy as np
    >>> tests = Table({"method": ["flow"], "deletion": [0.5]})
    >>> found = Explanation(("a",), (0,), ("b",), (0,), 0.5, {"flow": np.ones(1)}, tests)
    >>> explained_page(found)[:15]
    b'<!doctype html>'
    """
    words = wording(lang)
    methods = {name: numbers for name, numbers in found.methods.items() if name not in CHANCE}
    counts = better(found)
    text = Running(
        words["explain_tokens"],
        running(found.tokens, None),
        methods or found.methods,
        {
            name: words["explain_better"].format(n=counts[name][0], all=counts[name][1])
            for name in methods
            if name in counts
        },
    )
    errors_last = sorted(found.tests.columns, key=lambda name: name.endswith("_se"))
    tests = Table(found.tests.only(errors_last).columns, "faithfulness", words["explain_chance"])
    numbers = Table(found.by_token().columns, "explain", found.provenance)
    return table_page(
        tests, numbers, title=title, lang=lang, said=tuple(said(found, words)), text=text, about="explain"
    )


def said(found: Explanation, words: Mapping[str, str]) -> Iterator[str]:
    """What is explained, what takes the place of a token, and that attention is not by itself an explanation."""
    yield words["explain_toward"].format(output=" ".join(found.output), p=f"{found.probability:.3g}")
    if found.instead:
        yield words["explain_instead"].format(instead=words.get(f"instead_{found.instead}", found.instead))
    yield words["explain_warning"]
