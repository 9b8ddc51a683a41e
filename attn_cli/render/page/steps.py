"""Worked attention as one page to read: no script, nothing from outside, light or dark as the reader has it.

All that comes from tokens is escaped text. The content-security policy admits the page's one style, by its
hash, and nothing else.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from ...records.worked import printed
from ...text.escaping import escape
from .document import still

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from ...records.worked import Arithmetic, Step, Words, Worked


def steps_page(worked: Sequence[Worked]) -> bytes:
    """The steps of every layer, a section each, as one self-contained HTML file."""
    words = worked[0].words
    about = _text(words.sentences(worked[0].provenance, words.rounding))
    heading = f'<h1>{words.title}</h1>\n<p class="quiet">{about}</p>\n'
    return still(words.title, heading + "".join(_sections(worked)), "steps.css", words.language)


def _sections(worked: Sequence[Worked]) -> Iterator[str]:
    for layer in worked:
        if len(worked) > 1:
            yield f"<h1>{layer.words.begun(layer.words.layer, layer.layer)}</h1>\n"
        for step in layer.steps:
            yield "<section>\n"
            yield from _step(step, layer)
            yield "</section>\n"
        if layer.arithmetic:
            yield from _arithmetic(layer.arithmetic, layer.words)


def _step(step: Step, layer: Worked) -> Iterator[str]:
    words = layer.words
    shape = f'<span class="shape">{_formula(words.shape_of(step))}</span>'
    yield f"<h2>{_formula(words.term(step.name))}{shape}</h2>\n"
    if step.formula:
        yield f'<p class="formula">{_formula(step.formula)}</p>\n'
    if step.meaning:
        yield f'<p class="quiet">{_formula(step.meaning)}</p>\n'
    yield '<div class="heads">\n'
    for head, matrix in zip(layer.heads, step.matrices, strict=False):
        of_head = words.head.format(n=head)
        caption = f"<figcaption>{of_head}</figcaption>" if len(step.matrices) > 1 else ""
        chosen = _chosen(step, head, layer.arithmetic)
        yield f'<figure tabindex="0">{caption}{"".join(_table(step, matrix, chosen, words))}</figure>\n'
    yield "</div>\n"


def _chosen(step: Step, head: int | str, arithmetic: Arithmetic | None) -> tuple[int, int] | None:
    """The cell that is worked out by hand, where it is in this table."""
    if arithmetic is None or step.axes != ("head", "query", "key") or head != arithmetic.head:
        return None
    return arithmetic.query, arithmetic.key


def _table(step: Step, matrix: np.ndarray, chosen: tuple[int, int] | None, words: Words) -> Iterator[str]:
    heads = "".join(
        f'<th scope="col">{_text(name)}</th>' for name in (words.corner(step), *step.column_names)
    )
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for i, (name, numbers) in enumerate(zip(step.row_names, printed(matrix), strict=True)):
        cells = (
            f'<td class="chosen">{_minus(number)}</td>' if (i, j) == chosen else f"<td>{_minus(number)}</td>"
            for j, number in enumerate(numbers)
        )
        yield f'<tr><th scope="row">{_text(name)}</th>{"".join(cells)}</tr>'
    yield "</tbody></table>"


def _arithmetic(arithmetic: Arithmetic, words: Words) -> Iterator[str]:
    yield f'<section>\n<h2>{_text(words.heading(arithmetic))}</h2>\n<table class="arithmetic"><tbody>\n'
    for line in arithmetic.lines:
        remark = f'<br><span class="quiet">{_formula(line.remark)}</span>' if line.remark else ""
        yield f'<tr><th scope="row">{line.name}</th><td>{_formula(line.text)}{remark}</td></tr>\n'
    yield "</tbody></table>\n</section>\n"


def _text(text: str) -> str:
    return html.escape(escape(text))


def _formula(text: str) -> str:
    """A formula in plain characters with its indices and powers set as such.

    >>> _formula("Q = X · W_q"), _formula("e^-0.5")
    ('Q = X · W<sub>q</sub>', 'e<sup>−0.5</sup>')
    """
    raised = re.sub(r"\be\^(-?[^\s,]+)", r"e<sup>\1</sup>", html.escape(text))
    return _minus(re.sub(r"\b([A-Za-z])_([a-z]+)", r"\1<sub>\2</sub>", raised))


def _minus(text: str) -> str:
    return re.sub(r"-(?=[\d∞])", "−", text)
