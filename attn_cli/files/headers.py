"""The first line of a table in text: which record it heads, and which of its columns somebody has cut off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import cells, delimited

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBER = re.compile(r"(\d+)(?:-\d+)?(:.*)?", re.DOTALL)  # of a key or dimension: 3, 3:cat, 0-31:The…


def delimiter_of(text: str) -> str | None:
    """What separates the columns of a table of ours: a tab or comma, or blanks that awk put there; "" if it is none.

    >>> delimiter_of("query\\t0:a\\na\\t1.0"), delimiter_of("query 0:a\\na 1.0"), delimiter_of("query 0:a")
    ('\\t', None, '')
    """
    first, _, rest = text.partition("\n")
    for mark in (mark for mark in "\t," if mark in first):
        if (
            wide(cells.split(first, mark)) is not None
            or tidy(cells.split(first, mark))
            or _is_bare(first, mark, rest)
        ):
            return mark
    # Blanks stand in any sentence, so the numbers must be there too.
    header, row = first.split(), rest.partition("\n")[0].split()
    if (
        len(row) == len(header) > 1
        and cells.is_float(row[-1])
        and (wide(header) or _is_bare(first, None, rest))
    ):
        return None
    return ""


def wide(header: Sequence[str]) -> tuple[str, ...] | None:
    """The columns of labels before the numbered ones, None if this heads no table with a row for each token.

    >>> wide(["layer", "head", "query_pos", "query", "0:The"]), wide(["query", "0:The"]), wide(["token", "0"])
    (('layer', 'head', 'query_pos', 'query'), ('query',), ('token',))
    """
    n = next((i for i, cell in enumerate(header) if _NUMBER.fullmatch(cell)), 0)
    labels = tuple(header[:n])
    known = (*delimited.OF_MAP.values(), delimited.ENCODING)
    return labels if n and any(_is_part(labels, of) for of in known) else None


def is_encoding(labels: Sequence[str]) -> bool:
    """Whether rows with these labels are tokens, or positions, and no queries."""
    return set(labels) <= set(delimited.ENCODING)


def tidy(header: Sequence[str]) -> bool:
    """Whether this heads a table with a row for each number."""
    return tuple(header) in TIDY


TIDY = (
    *delimited.TIDY_OF_MAP.values(),
    (*delimited.TIDY_ATTENTION, "score"),
    delimited.TIDY_ENCODING,
    delimited.TIDY_POSITIONS,
)


def _is_part(labels: tuple[str, ...], of: tuple[str, ...]) -> bool:
    """Whether these are some of those, in their order."""
    return labels == tuple(name for name in of if name in labels)


def _is_bare(first: str, mark: str | None, rest: str) -> bool:
    """Whether nothing but keys is left of the head of an attention, each `pos:token`, and numbers follow."""
    header, row = cells.split(first, mark), cells.split(rest.partition("\n")[0], mark)
    keys = [match and match[2] for match in map(_NUMBER.fullmatch, header)]
    return all(keys) and len(row) == len(header) and all(map(cells.is_float, row))
