"""A view of a positional encoding as a table in text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rounding import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..records.series import Series


def series_tsv(series: Series, digits: int = 0) -> Iterator[bytes]:
    """Tab-separated: what the rows count, then a column for each name."""
    yield ("\t".join([series.index, *series.columns]) + "\n").encode()
    for i, numbers in enumerate(series.values.tolist()):
        yield ("\t".join([str(i), *(short(number, digits) for number in numbers)]) + "\n").encode()
