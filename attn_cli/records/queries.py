"""One query of an attention, by the position or the token that a person types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InputError
from ..text.escaping import unescape
from ..text.pieces import SPACES

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTINUES = "##"  # before a piece that goes on a word, as BERT's tokenizer writes it


def place_of(query: str, tokens: Sequence[str]) -> int:
    """The position that is meant by a number from 0, or by a token that occurs once.

    >>> place_of("1", ("The", "cat")), place_of("cat", ("The", "cat"))
    (1, 1)
    """
    if query.isdecimal() and int(query) < len(tokens):
        return int(query)
    wanted = unescape(query).strip()
    there = [i for i, token in enumerate(tokens) if query == token or wanted == bare(token)]
    if len(there) == 1:
        return there[0]
    if there:
        hint = f"give one of the positions {', '.join(map(str, there[:10]))}"
        raise InputError(f"--query-token {query!r} occurs {len(there)} times", hint=hint)
    hint = f"give a position, 0 to {len(tokens) - 1}, or a token"
    if tokens and all("," in token for token in tokens[-2:]):
        hint = f"give a patch as ROW,COLUMN, to {tokens[-1]}"
    raise InputError(f"no query {query!r} (--query-token)", hint=hint)


def bare(token: str) -> str:
    """A token without the marks that tell where words begin.

    >>> bare("##ing"), bare("Ġcat")
    ('ing', 'cat')
    """
    return token.removeprefix(CONTINUES).strip(f" {SPACES}")
