"""What the pieces that a tokenizer cuts a text into are called, and the word that some of them make up."""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SPACES = "Ġ▁"  # how tokenizers write the space before a word
_DIGITS, _UPPER, _LOWER = "0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉"
_PART = re.compile(f"(.)(?:([{_UPPER}])⁄([{_LOWER}]{{1,2}})|([{_UPPER}]{{2}})⁄([{_LOWER}]{{2}}))", re.DOTALL)


def labels(text: str, pieces: Sequence[str], spans: Sequence[tuple[int, int]]) -> list[str]:
    """The characters of a text that each piece stands for; of one split over several, which part of it.

    >>> labels("a 你", ["a", "Ġ", "ä", "½ł"], [(0, 1), (1, 2), (2, 3), (2, 3)])
    ['a', ' ', '你¹⁄₂', '你²⁄₂']
    """
    held = [
        range(0) if not piece.strip(SPACES) and text[start:end] != piece else range(start, end)
        for piece, (start, end) in zip(pieces, spans, strict=True)
    ]
    shared, seen = Counter(place for places in held for place in places), Counter[int]()
    names = []
    for piece, places in zip(pieces, held, strict=True):
        seen.update(places)
        name = "".join(text[i] + _part(text[i], seen[i], shared[i]) for i in places)
        names.append(name or spaced(piece))
    return names


def spaced(piece: str) -> str:
    """A piece whose place in the text is not known: the mark of a space alone is a space.

    >>> spaced("▁"), spaced("▁cat")
    (' ', '▁cat')
    """
    return piece if piece.strip(SPACES) else " " * len(piece)


def in_bytes(piece: str, text: str) -> str:
    """A piece of a vocabulary of bytes whose text is no whole character: what it lacks is called by its bytes.

    Such a vocabulary has a letter for each byte (Radford et al. 2019); a piece of any other stays as it is.

    >>> in_bytes("Ġä½", " \N{REPLACEMENT CHARACTER}"), in_bytes("<0xE4>", "\N{REPLACEMENT CHARACTER}")
    (' <0xE4><0xBD>', '<0xE4>')
    """
    of_bytes = _of_bytes()
    if not all(letter in of_bytes for letter in piece):
        return piece
    found = bytes(of_bytes[letter] for letter in piece)
    if found.decode("utf-8", "replace") != text:
        return piece
    return "".join(
        f"<0x{ord(c) - 0xDC00:02X}>" if "\udc80" <= c <= "\udcff" else c
        for c in found.decode("utf-8", "surrogateescape")
    )


@functools.cache
def _of_bytes() -> dict[str, int]:
    """The byte of each letter: its own where that can be seen, of the others in turn from U+0100."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    unseen = sorted({*range(0x100)} - {*seen})
    return {chr(b): b for b in seen} | {chr(0x100 + i): b for i, b in enumerate(unseen)}


def unmarked(pieces: Iterable[str]) -> tuple[str, ...]:
    """Pieces as a reader knows them: without the mark of a space in front.

    >>> unmarked(["▁the", "y", "▁"])
    ('the', 'y', ' ')
    """
    return tuple(piece.removeprefix("▁") or " " for piece in pieces)


def _part(character: str, number: int, of: int) -> str:
    if of == 1 or character.isspace():
        return ""
    above, below = (str.maketrans(_DIGITS, digits) for digits in (_UPPER, _LOWER))
    return f"{number}".translate(above) + "⁄" + f"{of}".translate(below)


def joined(pieces: Sequence[str]) -> str:
    """What some pieces are called together: a character split over several stands once, with its last part.

    >>> joined(["un", "do"]), joined(["好你¹⁄₂", "你²⁄₂"])
    ('undo', '好你')
    """
    return _PART.sub(lambda part: part[1] if _is_last(part) else "", "".join(pieces))


def plain(piece: str) -> str:
    """The characters of a piece, whole or not.

    >>> plain("好你¹⁄₂")
    '好你'
    """
    return _PART.sub(r"\1", piece)


def _is_last(part: re.Match[str]) -> bool:
    number, of = (part[i] or part[i + 2] for i in (2, 3))
    return number == of.translate(str.maketrans(_LOWER, _UPPER))
