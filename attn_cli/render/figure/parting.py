"""Lines between what a model was given and what it wrote itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .sheet import Stroke

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .cells import Corner

PARTING = "#d55e00"
SAID = "lines: where the model's own text begins"


def lines(
    began: tuple[float | None, float | None],
    n: tuple[int, int],
    corners: Sequence[Corner],
    width: float,
    height: float,
    thick: float,
) -> Iterator[Stroke]:
    """A line across and one down each panel: it has n rows and columns, and so many stand before the writing."""
    row, column = began
    for x, y in corners:
        if row:
            at = y + height * row / n[0]
            yield Stroke(((x, at), (x + width, at)), PARTING, thick)
        if column:
            at = x + width * column / n[1]
            yield Stroke(((at, y), (at, y + height)), PARTING, thick)
