"""Texts and their fonts: which are needed, what they cannot draw, how wide a text comes out."""

from __future__ import annotations

import bisect
import functools
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from ..errors import warn
from .backend import Path, TextPath, font_manager
from .faces import Face, face_of, font_of, found, is_cff, latin, registered

if TYPE_CHECKING:
    from collections.abc import Iterable


def families_for(texts: Iterable[str]) -> list[str]:
    """The names of the fonts that draw these texts, in the order in which each character is looked for."""
    return [registered(face) for face in _faces_for(texts)]


def drawable(text: str) -> str:
    r"""The text with what no font has spelled as its code.

    Joiners and variation selectors, which only tell other characters how to look, are left out.

    >>> drawable("注意 a\ufe0f\U000e0041")
    '注意 a'
    """
    return text if text.isascii() else "".join(map(_shown, unicodedata.normalize("NFC", text)))


def warn_of_missing(texts: Iterable[str]) -> None:
    """Name the characters that no font draws, once for all texts of a picture."""
    characters = {c for text in texts if not text.isascii() for c in unicodedata.normalize("NFC", text)}
    missing = sorted(c for c in characters if not _is_invisible(c) and face_of(c) is None)
    if missing:
        named = ", ".join(f"U+{ord(c):04X} ({unicodedata.name(c, 'no name')})" for c in missing[:5])
        more = f" and {len(missing) - 5} more characters" if len(missing) > 5 else ""
        warn(f"no font here draws {named}{more}; install one that does")


def width(text: str, size: float) -> float:
    """How far a line of text reaches, in points, at a type size in points."""
    text = drawable(text)
    font = _measuring_font(tuple(families_for([text])))
    font.set_size(100, 72)
    font.set_text(text)
    return font.get_width_height()[0] / 64 * size / 100


def lines(text: str, size: float, room: float) -> list[str]:
    """The text in lines that fit the room, broken at spaces, and within a word only where it must be."""
    broken: list[str] = []
    line = ""
    for word in re.findall(r"\s*\S+", text):
        if width(line + word, size) <= room:
            line += word
            continue
        broken.append(line)
        line = word.lstrip()
        while width(line, size) > room and len(line) > 1:
            fitting = bisect.bisect(range(1, len(line)), room, key=lambda n: width(line[:n], size))
            broken.append(line[: max(1, fitting)])
            line = line[max(1, fitting) :]
    return [line for line in (*broken, line) if line]


@functools.cache
def outline(character: str) -> tuple[Path, float]:
    """The outline of a Latin character and how far it reaches, at a type size of 1."""
    prop = font_manager.FontProperties(family=families_for([character]))
    glyph = font_of(latin()).load_char(ord(character))
    return TextPath((0, 0), character, size=1, prop=prop), glyph.linearHoriAdvance / 65536 / 100


def embeds_as_text(texts: Iterable[str]) -> bool:
    """Whether a PDF can embed the fonts of these texts whole, which takes quadratic outlines, not CFF."""
    return not any(is_cff(face.path) for face in _faces_for(texts))


def _shown(character: str) -> str:
    if _is_invisible(character):
        return ""
    code = ord(character)
    return character if face_of(character) else f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"


def _is_invisible(character: str) -> bool:
    selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    return selector or unicodedata.category(character) == "Cf"


def _faces_for(texts: Iterable[str]) -> list[Face]:
    return sorted({latin(), *(face for text in texts for c in text if (face := face_of(c)))})


@functools.cache
def _measuring_font(names: tuple[str, ...]) -> Any:
    return font_manager.get_font([found(name) for name in names])
