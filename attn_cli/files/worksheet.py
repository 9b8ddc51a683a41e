"""Worked attention as a Markdown document: a section for each step, then the arithmetic of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..records.worked import printed
from .typeset import markdown_row, markdown_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..records.worked import Arithmetic, Step, Words, Worked


def md(worked: Sequence[Worked]) -> Iterator[bytes]:
    """Markdown, its formulas in plain characters."""
    words = worked[0].words
    about = markdown_text(words.sentences(worked[0].provenance, words.rounding))
    yield f"# {words.title}\n\n{about}\n".encode()
    for layer in worked:
        if len(worked) > 1:
            yield f"\n# {words.begun(words.layer, layer.layer)}\n".encode()
        for step in layer.steps:
            yield from _markdown_step(step, layer.heads, words)
        if layer.arithmetic:
            yield from _markdown_arithmetic(layer.arithmetic, words)


def _markdown_step(step: Step, heads: Sequence[int | str], words: Words) -> Iterator[bytes]:
    formula = f"{markdown_text(step.formula)}\n\n" if step.formula else ""
    about = markdown_text(words.sentences(words.shape.format(shape=words.shape_of(step)), step.meaning))
    yield f"\n## {markdown_text(words.term(step.name))}\n\n{formula}{about}\n".encode()
    for head, matrix in zip(heads, step.matrices, strict=False):
        named = f"\n{words.begun(words.head, head)}\n" if len(step.matrices) > 1 else ""
        yield f"{named}\n".encode()
        yield markdown_row([words.corner(step), *map(markdown_text, step.column_names)])
        yield markdown_row(["---", *("--:" for _ in step.column_names)])
        for row, numbers in zip(step.row_names, printed(matrix), strict=True):
            yield markdown_row([markdown_text(row), *numbers])


def _markdown_arithmetic(arithmetic: Arithmetic, words: Words) -> Iterator[bytes]:
    yield f"\n## {markdown_text(words.heading(arithmetic))}\n\n".encode()
    yield markdown_row(["", "", ""])
    yield markdown_row(["---", "---", "---"])
    for line in arithmetic.lines:
        yield markdown_row(map(markdown_text, (line.name, line.text, line.remark)))
