"""Rows and columns of a pooled map as labels in a table, and back: `0-31:The…` is the mean of positions 0 to 31.

Of its tokens only the first is written; the others come back as `…`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import InputError
from ..records.attention import cells
from ..text.escaping import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

UNKNOWN = "…"
_PLACE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)
_MOST = 2**24  # positions: a label of a few letters could ask for any number of tokens


def labels(tokens: Sequence[str], places: Sequence[range]) -> list[tuple[str, str]]:
    """The position and the token of each row or column.

    >>> labels(("The", "cat", "sat"), [range(0, 1), range(1, 3)])
    [('0', 'The'), ('1-2', 'cat…')]
    """
    return [
        (str(place[0]), escape(tokens[place[0]]))
        if len(place) == 1
        else (f"{place[0]}-{place[-1]}", escape(tokens[place[0]]) + UNKNOWN)
        for place in places
    ]


def numbered(names: Sequence[str]) -> tuple[list[str], list[range] | None]:
    """The positions of rows or columns with cells numbered from 0 in their place, and these cells.

    None if every position stands for itself. Raises InputError for cells that no map of ours has.

    >>> numbered(["0-1", "2-4", "0-1"])
    (['0', '1', '0'], [range(0, 2), range(2, 5)])
    """
    if not any("-" in name[1:] for name in names):
        return list(names), None
    found = {name: _place(name) for name in dict.fromkeys(names)}
    ordered = sorted(found.values(), key=lambda place: (place.start, place.stop))
    if (n := max(place.stop for place in ordered)) > _MOST:
        raise InputError(f"{n:,} positions are too many", hint=f"give at most {_MOST:,}")
    for place, wanted in zip(ordered, cells(n, len(ordered)), strict=True):
        if place != wanted:
            there, expected = (f"{p.start}-{p.stop - 1}" for p in (place, wanted))
            raise InputError(f"position {there}, expected {expected}", hint="write the table again")
    number = {name: str(ordered.index(place)) for name, place in found.items()}
    return [number[name] for name in names], ordered


def spread(tokens: Sequence[str], places: list[range] | None) -> tuple[str, ...]:
    """A token for each position, from those of the cells.

    >>> spread(["The", "cat…"], [range(0, 1), range(1, 3)])
    ('The', 'cat', '…')
    """
    if places is None:
        return tuple(tokens)
    every = [UNKNOWN] * places[-1].stop
    for token, place in zip(tokens, places, strict=True):
        every[place[0]] = token if len(place) == 1 else token.removesuffix(UNKNOWN)
    return tuple(every)


def _place(name: str) -> range:
    match = _PLACE.fullmatch(name)
    first, last = (int(n) for n in (match[1], match[2] or match[1])) if match else (0, -1)
    if last < first:
        raise InputError(f"position {name[:40]!r}", hint="write 5, or 0-31 for the mean of several")
    return range(first, last + 1)
