"""Texts and their fonts: which are needed, what they cannot draw, how wide a text comes out."""

from __future__ import annotations

import ast
import bisect
import functools
import html
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from ...errors import warn
from ...text.characters import clusters
from ..figure.backend import Path, TextPath, font_manager
from .faces import face_of, is_invisible, latin
from .fontfiles import family_of, font_of, found, is_cff, registered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .fontfiles import Face


def families_for(texts: Iterable[str]) -> list[str]:
    """The names of the fonts that draw these texts, in the order in which each character is looked for."""
    faces = {face for text in texts for cluster in clusters(drawable(text)) if (face := face_of(cluster))}
    return [registered(face) for face in sorted({latin(), *faces})]


def drawable(text: str) -> str:
    r"""The text with what no font has spelled as its code; matplotlib shapes it, joins and orders it.

    An accent that stands alone gets a dotted circle to stand on. What has no look of its own, as joiners
    have none, is spelled too where nothing else is there.

    >>> drawable("注意 \u0301"), drawable("\u200d")
    ('注意 ́', '\\u200d')
    """
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", text)
    if all(map(is_invisible, text)):
        return "".join(map(_code, text))
    text = text.replace(_BYTE_ORDER_MARK, "")  # has no look, and matplotlib makes no PDF of it
    alone = unicodedata.category(text[0])[0] == "M" and not is_invisible(text[0])
    return "".join(map(_shown, clusters(_CIRCLE + text if alone else text)))


def warn_of_missing(texts: Iterable[str]) -> None:
    """Name the characters that no font draws, once for all texts of a picture."""
    characters = {c for text in texts if not text.isascii() for c in unicodedata.normalize("NFC", text)}
    missing = sorted(c for c in characters if face_of(c) is None)
    if missing:
        named = ", ".join(f"U+{ord(c):04X} ({unicodedata.name(c, 'no name')})" for c in missing[:5])
        more = f" and {len(missing) - 5} more characters" if len(missing) > 5 else ""
        warn(f"no installed font has {named}{more}; give one with --font FILE")


def width(text: str, size: float) -> float:
    """How far a line of text reaches, in points, at a type size in points."""
    return _reach(tuple(families_for([text])), drawable(text)) * size / 100


@functools.lru_cache(maxsize=8192)  # a sheet is laid out several times with the same labels
def _reach(families: tuple[str, ...], text: str) -> float:
    """How far a text reaches at 100 points."""
    font = _measuring_font(families)
    font.set_size(100, 72)
    font.set_text(text)
    reach: float = font.get_width_height()[0] / 64
    return reach


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


def outline(character: str) -> tuple[Path, float]:
    """The outline of a Latin character and how far it reaches, at a type size of 1."""
    return _outline(character, face_of(character) or latin())


@functools.cache
def _outline(character: str, face: Face) -> tuple[Path, float]:
    prop = font_manager.FontProperties(family=[registered(face)])
    glyph = font_of(face).load_char(ord(character))
    return TextPath((0, 0), character, size=1, prop=prop), glyph.linearHoriAdvance / 65536 / 100


def embeds_as_text(families: Iterable[str]) -> bool:
    """Whether a PDF can embed these fonts whole, which takes quadratic outlines, not CFF."""
    return not any(is_cff(found(name)) for name in families)


def named_for_people(svg: bytes) -> bytes:
    """An SVG whose fonts are called what people call them, not by the files of this machine."""

    def families(match: re.Match[bytes]) -> bytes:
        names = re.findall(r"'([^']*)'", html.unescape(match[0].decode()))
        known = dict.fromkeys(family_of(ast.literal_eval(f"'{name}'")) for name in names)
        quoted = [f"'{html.escape(name)}'" for name in known]
        return f"font-family: {', '.join([*quoted, 'sans-serif'])}".encode()

    return re.sub(rb"font-family: '[^'\"]*#\d+'(?:, '[^'\"]*#\d+')*", families, svg)


_CIRCLE, _APART, _BYTE_ORDER_MARK = "\u25cc", "\u200b", "\ufeff"


def _shown(cluster: str) -> str:
    """A character with its accents; these apart from it where no font has both, still over one another."""
    if face_of(cluster):
        return cluster
    return _APART.join(c if face_of(c) else _code(c) for c in cluster)


def _code(character: str) -> str:
    code = ord(character)
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"


@functools.cache
def _measuring_font(names: tuple[str, ...]) -> Any:
    return font_manager.get_font([found(name) for name in names])
