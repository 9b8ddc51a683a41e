"""Which formats a record can be saved in, whatever kind of record it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..records.attention import Attention
from ..records.encoding import Encoding, PositionTable
from ..records.explanation import Explanation
from ..records.series import Series
from ..records.table import Table
from . import explained
from .formats import FORMATS, with_digits
from .series import series_tsv
from .tabular import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Writer = Callable[..., Iterable[bytes]]


def writers_of(record: object) -> Mapping[str, Writer]:
    """A function to bytes for each format that holds such a record.

    Raises InputError for what is no record.

    >>> list(writers_of(Series("curves", "pos", {}, "", "sinusoidal", 1, 2)))
    ['tsv']
    """
    if isinstance(record, Table):
        return TABLES
    if isinstance(record, Series):
        return {"tsv": series_tsv}
    if isinstance(record, Explanation):
        return {name: _of_its_table(name, writer) for name, writer in TABLES.items()} | {
            "json": explained.json_
        }
    if not isinstance(record, (Attention, Encoding, PositionTable)):
        hint = "give what attend, encode, posenc, stats, diff or explain gave"
        raise InputError(f"{type(record).__name__} cannot be saved", hint=hint)
    return FORMATS


def _of_its_table(name: str, writer: Any) -> Writer:
    """What writes the table of an explanation."""
    return lambda explanation, digits=None: with_digits(writer, digits, name)(explanation.table())
