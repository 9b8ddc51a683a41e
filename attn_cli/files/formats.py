"""The names of the formats. Each module beside this one adds its own: a function from a record to bytes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..errors import InputError
from ..records.attention import Record
from ..registry import Registry, nearest
from .rounding import check_digits
from .source import suffix
from .writing import is_stream

if TYPE_CHECKING:
    from collections.abc import Collection

# A record in pieces, so that a big table is never held whole.
Format = Callable[[Record], Iterator[bytes]]

Writer = TypeVar("Writer", bound=Callable[..., Any])

FORMATS: Registry[Format] = Registry("format")


def with_digits(writer: Writer, digits: int | None, name: str) -> Writer:
    """A format that writes numbers with so many significant digits; None is its own default, 0 writes all.

    Raises InputError for a format whose numbers are for machines.
    """
    if digits is None:
        return writer
    check_digits(digits)
    if "digits" not in inspect.signature(writer).parameters:
        raise InputError(f"--digits does not apply to {name}", hint="write tsv, csv, tidy, md or tex")
    return cast("Writer", functools.partial(writer, digits=digits))


def format_of(
    path: str | None,
    chosen: str | None = None,
    *,
    formats: Collection[str] = FORMATS,
    pictures: Collection[str] = (),
) -> str:
    """The format to write: the chosen one, else the one that the path's suffix names, else TSV for a pipe.

    `formats` are those of what is written, a record unless told; `pictures` are what the caller can draw.
    Raises InputError with the names that are known.

    >>> format_of("w.JSON"), format_of("w.txt", "csv"), format_of(None)
    ('json', 'csv', 'tsv')
    """
    known = [*formats, *pictures]
    name = chosen or suffix(path or "-").removeprefix(".")
    if name in known:
        return name
    if not name and (path in (None, "-") or is_stream(path)):
        return "tsv"
    what = "the file name has no suffix, so its format is unknown"
    if name:
        what = f"{name} is not written here" if name in FORMATS else f"unknown format {name!r}"
    raise InputError(
        what,
        hint=f"known are {', '.join(known)}{nearest(name, known)}",
        where="" if chosen else path or "",
    )
