"""An explanation as one HTML file: the text shaded by each method, each method's tests beside chance, all numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...records.explanation import CHANCE
from ...records.table import Table
from ..explained import beside_chance, chance, said
from ..text import running
from .document import wording
from .running import Running
from .table import table_page

if TYPE_CHECKING:
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

    def called(name: str) -> str:
        return words.get(f"heading_explain_{name}") or words.get(f"heading_faithfulness_{name}", name)

    methods = {name: numbers for name, numbers in found.methods.items() if name not in CHANCE}
    below = any((numbers < 0).any() for numbers in methods.values())
    ends = {-1.0: words["explain_against"]} if below else {}
    text = Running(
        words["explain_tokens"],
        running(found.tokens, None),
        {called(name): numbers for name, numbers in (methods or found.methods).items()},
        {called(name): stood for name, stood in beside_chance(found, words).items()},
        {**ends, 1.0: words["explain_for"]},
    )
    errors_last = sorted(found.tests.columns, key=lambda name: name.endswith("_se"))
    tests = Table(found.tests.only(errors_last).columns, "faithfulness", chance(found, words, called))
    numbers = Table(found.by_token().columns, "explain", found.provenance)
    return table_page(
        tests,
        numbers,
        title=title,
        lang=lang,
        said=(*said(found, words), words["explain_warning"]),
        text=text,
        about="explain",
    )
