"""What of a selection is settled before the attention is computed, so that a few rows of a long text are exact."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ..errors import InputError
from ..records.queries import place_of
from ..records.selection import parse_choice, range_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..attention.streamed_rows import Watch
    from .groups import Selection

    Pick = Callable[[Sequence[str]], Sequence[int]]


@dataclasses.dataclass(frozen=True)
class Picks:
    """Heads by their numbers; of the tokens those that are wanted as queries and as keys. None stands for all."""

    heads: tuple[int, ...] | None = None
    queries: Pick | None = None
    keys: Pick | None = None
    watch: Watch | None = None  # who counts something in rows that are streamed


EVERYTHING = Picks()


def picked(select: Selection) -> tuple[Picks, Selection]:
    """What is picked first, and what is left to be selected of the attention.

    Where pieces are merged to words, positions are those of words, which are there only afterwards; and paths
    through the layers come through all queries and keys.
    """
    heads = parse_choice("head", select.head)
    some = heads if isinstance(heads, tuple) else None
    rest = dataclasses.replace(select, head="all") if some is not None else select
    if select.words or select.reduce is not None:
        return Picks(some), rest
    queries = keys = None
    if select.query_token is not None or select.query_range is not None:
        queries = _queries(select)
    if select.key_range is not None:
        keys = _keys(select)
    rest = dataclasses.replace(rest, query_token=None, query_range=None, key_range=None)
    return Picks(some, queries, keys), rest


def places(select: Selection, tokens: Sequence[str]) -> range:
    """The queries of a selection.

    Raises InputError where both a token and a range are named.
    """
    if select.query_token is None:
        return range_of("query", select.query_range, len(tokens))
    if select.query_range is not None:
        raise InputError("--query-token cannot be combined with --query-range", hint="give one of them")
    place = place_of(str(select.query_token), tokens)
    return range(place, place + 1)


def _queries(select: Selection) -> Pick:
    return lambda tokens: places(select, tokens)


def _keys(select: Selection) -> Pick:
    return lambda tokens: range_of("key", select.key_range, len(tokens))
