"""Characters as a reader counts them, and a text on one line."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def clusters(text: str) -> Iterator[str]:
    """Characters as a reader counts them: a base with its accents, a joined emoji, a flag.

    >>> [len(c) for c in clusters("e\u0301a")]
    [2, 1]
    """
    if text.isascii():
        yield from text
        return
    cluster = ""
    for c in text:
        flag = len(cluster) == 1 and _is_flag_letter(cluster) and _is_flag_letter(c)
        if cluster and (flag or cluster[-1] == _JOINER or _extends(c)):
            cluster += c
            continue
        if cluster:
            yield cluster
        cluster = c
    if cluster:
        yield cluster


def one_line(text: str) -> str:
    """Line breaks become spaces.

    >>> one_line("a\\nb")
    'a b'
    """
    return " ".join(text.splitlines())


_JOINER = "\u200d"


def _extends(c: str) -> bool:
    skin_tone = "\U0001f3fb" <= c <= "\U0001f3ff"
    return c == _JOINER or skin_tone or unicodedata.category(c)[0] == "M"


def _is_flag_letter(c: str) -> bool:
    return "\U0001f1e6" <= c <= "\U0001f1ff"


def beginning(text: str, most: int = 60) -> str:
    """The beginning of a text in one line, by which a person knows it among others.

    >>> beginning("The  cat sat.", 7)
    'The cat …'
    """
    said = " ".join(text.split())
    return said if len(said) <= most else f"{said[:most]} …"
