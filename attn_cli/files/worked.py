"""Worked attention in files, a function to bytes for each format. What is for people is in `worksheet` and `worksheet_tex`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ..text.escaping import escape, json_text
from .worksheet import md
from .worksheet_tex import tex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ..records.worked import Arithmetic, Step, Worked

HEADER = ("step", "layer", "head", "row_pos", "row", "column_pos", "column", "value")


def tsv(worked: Sequence[Worked]) -> Iterator[bytes]:
    """A row for each number of each step; head, row and column are empty where a step has no such names."""
    yield _line(HEADER)
    for layer in worked:
        for step in layer.steps:
            heads = map(str, layer.heads) if step.axes[0] == "head" else [""]
            for head, matrix in zip(heads, step.matrices, strict=True):
                yield from _rows((step.name, str(layer.layer), head), step, matrix)


def _rows(start: tuple[str, ...], step: Step, matrix: np.ndarray) -> Iterator[bytes]:
    rows, columns = (
        [(str(i), escape(names[i]) if names else "") for i in range(n)]
        for names, n in zip((step.rows, step.columns), matrix.shape, strict=True)
    )
    for row, numbers in zip(rows, matrix.astype(np.float64).tolist(), strict=True):
        for column, number in zip(columns, numbers, strict=True):
            yield _line((*start, *row, *column, repr(number)))


def _line(cells: Iterable[str]) -> bytes:
    return ("\t".join(cells) + "\n").encode()


def json_(worked: Sequence[Worked]) -> Iterator[bytes]:
    """All steps as JSON on one line; a score of −∞ (masked) is null."""
    layers = [
        {
            "layer": layer.layer,
            "heads": layer.heads,
            "steps": list(map(_step, layer.steps)),
            "arithmetic": _arithmetic(layer.arithmetic),
        }
        for layer in worked
    ]
    yield f"{json_text({'schema_version': 1, 'type': 'steps', 'provenance': worked[0].provenance, 'layers': layers})}\n".encode()


def _step(step: Step) -> dict[str, Any]:
    texts = {"name": step.name, "formula": step.formula, "meaning": step.meaning}
    names = {"axes": step.axes, "shape": step.values.shape, "rows": step.rows, "columns": step.columns}
    values = step.values.astype(np.float64).astype(object)
    values[~np.isfinite(step.values)] = None
    return {name: value for name, value in {**texts, **names}.items() if value} | {"values": values.tolist()}


def _arithmetic(arithmetic: Arithmetic | None) -> dict[str, Any] | None:
    if arithmetic is None:
        return None
    found = asdict(arithmetic)
    for line in found["lines"]:
        line["value"] = line["value"] if np.isfinite(line["value"]) else None
    return found


WORKED: Mapping[str, Callable[[Sequence[Worked]], Iterator[bytes]]] = {
    "tsv": tsv, "json": json_, "md": md, "tex": tex
}  # fmt: skip
