"""Worked attention as a Markdown document: a section for each step, then the arithmetic of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..records.worked import ROUNDING, TITLE, printed, sentences
from .typeset import markdown_row, markdown_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..records.worked import Arithmetic, Step, Worked


def md(worked: Sequence[Worked]) -> Iterator[bytes]:
    """Markdown, its formulas in plain characters."""
    yield f"# {TITLE}\n\n{markdown_text(sentences(worked[0].provenance, ROUNDING))}\n".encode()
    for layer in worked:
        if len(worked) > 1:
            yield f"\n# Layer {layer.layer}\n".encode()
        for step in layer.steps:
            yield from _markdown_step(step, layer.heads)
        if layer.arithmetic:
            yield from _markdown_arithmetic(layer.arithmetic)


def _markdown_step(step: Step, heads: Sequence[int | str]) -> Iterator[bytes]:
    formula = f"{markdown_text(step.formula)}\n\n" if step.formula else ""
    about = markdown_text(sentences(f"Shape {step.shape}", step.meaning))
    yield f"\n## {markdown_text(step.name)}\n\n{formula}{about}\n".encode()
    for head, matrix in zip(heads, step.matrices, strict=False):
        named = f"\nHead {head}\n" if len(step.matrices) > 1 else ""
        yield f"{named}\n".encode()
        yield markdown_row([step.corner, *map(markdown_text, step.column_names)])
        yield markdown_row(["---", *("--:" for _ in step.column_names)])
        for row, numbers in zip(step.row_names, printed(matrix), strict=True):
            yield markdown_row([markdown_text(row), *numbers])


def _markdown_arithmetic(arithmetic: Arithmetic) -> Iterator[bytes]:
    yield f"\n## {markdown_text(arithmetic.heading)}\n\n".encode()
    yield markdown_row(["", "", ""])
    yield markdown_row(["---", "---", "---"])
    for line in arithmetic.lines:
        yield markdown_row(map(markdown_text, (line.name, line.text, line.remark)))
