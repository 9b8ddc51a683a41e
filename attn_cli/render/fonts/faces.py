"""In which order fonts are asked for a character.

First comes the font that was asked for, if any. Then DejaVu Sans, which matplotlib brings along and which has
Latin, Arabic and Hebrew. What it lacks is looked for in an installed font for Chinese, then in the bundled
subset of Noto Sans SC; in an installed font for emoji, then in the bundled Noto Emoji; then in everything else
that is installed.
"""

from __future__ import annotations

import contextlib
import contextvars
import difflib
import functools
import os
import pathlib
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from ..figure.backend import get_data_path
from .fontfiles import Face, faces_in, font_files, font_of

if TYPE_CHECKING:
    from collections.abc import Iterator

LATIN = pathlib.Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
BUNDLED = pathlib.Path(__file__).parent / "data" / "NotoSansSC.ttf"
EMOJI = BUNDLED.with_name("NotoEmoji.ttf")
# Families with the Chinese forms of characters, best first, and how their files are named.
INSTALLED = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei"),
)
_INSTALLED_FILES = re.compile(r"notosans(cjk|sc)|sourcehansans|wqy|pingfang|hiraginosansgb|msyh")
# The same for emoji in outlines, which take the colour of the text; those in colours cannot be drawn.
INSTALLED_EMOJI = ("Noto Emoji", "Symbola", "Segoe UI Emoji", "OpenMoji Black")
_EMOJI_FILES = re.compile(r"notoemoji|symbola|seguiemj|openmojiblack")
_preferred: contextvars.ContextVar[Face | None] = contextvars.ContextVar("font", default=None)


@contextlib.contextmanager
def preferring(font: str | None) -> Iterator[None]:
    """Within it, a font by its file or its name is asked before all others for what it has.

    Raises InputError, which names the nearest, where no such font is installed.
    """
    token = _preferred.set(None if font is None else _asked_for(font))
    try:
        yield
    finally:
        _preferred.reset(token)


def _asked_for(font: str) -> Face:
    if os.path.isfile(font):
        if face := next(faces_in([font], turn=-1, upright=False), None):
            return face
        raise InputError("is not a font that can be drawn", hint="give a .ttf, .otf or .ttc file", where=font)
    faces = sorted(faces_in([str(LATIN), *font_files()], turn=-1), reverse=True)
    families = {face.family.lower(): face for face in faces}
    if face := families.get(font.lower()):
        return face
    close = difflib.get_close_matches(font.lower(), families, n=3, cutoff=0.4) or sorted(families)[:3]
    near = ", ".join(families[name].family for name in close)
    raise InputError(f"--font {font!r} is neither a file nor installed", hint=f"nearest are {near}")


def face_of(cluster: str) -> Face | None:
    """The first font that has a character and whatever is joined with it, if there is any.

    What has no look of its own, as joiners have none, needs no font.
    """
    preferred = _preferred.get()
    if preferred is not None and _draws(preferred, cluster):
        return preferred
    return _usual_face_of(cluster)


@functools.cache
def _usual_face_of(cluster: str) -> Face | None:
    if cluster.isascii():
        return latin()
    return next((face for face in _all_faces() if _draws(face, cluster)), None)


def _draws(face: Face, cluster: str) -> bool:
    font = font_of(face)
    return all(_has(font, character) for character in cluster if not is_invisible(character))


def _has(font: Any, character: str) -> bool:
    """Whether a font has the outline of a character; of one in colours it has the number and no outline."""
    code = ord(character)
    if not font.get_char_index(code):
        return False
    if character < "\u2190" or character.isspace():  # no emoji
        return True
    glyph = font.load_char(code)
    return bool(glyph.width and glyph.height)


def is_invisible(character: str) -> bool:
    """Whether a character only tells others how to look: joiners, variation selectors, tags."""
    selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    return selector or unicodedata.category(character) == "Cf"


def _all_faces() -> Iterator[Face]:
    yield latin()
    yield from _installed_for_chinese()
    yield Face(2, BUNDLED.stem, str(BUNDLED), 0)
    yield from _installed_for_emoji()
    yield Face(4, EMOJI.stem, str(EMOJI), 0)
    yield from _all_installed()


def latin() -> Face:
    """The font of Latin, which is there wherever matplotlib is."""
    return Face(0, LATIN.stem, str(LATIN), 0)


@functools.cache
def _installed_for_chinese() -> tuple[Face, ...]:
    """The best of the installed fonts that were made for Chinese."""
    return _best(INSTALLED, _INSTALLED_FILES, turn=1)


@functools.cache
def _installed_for_emoji() -> tuple[Face, ...]:
    """The best of the installed fonts that were made for emoji."""
    return _best(INSTALLED_EMOJI, _EMOJI_FILES, turn=3)


def _best(families: tuple[str, ...], files_like: re.Pattern[str], turn: int) -> tuple[Face, ...]:
    files = [path for path in font_files() if files_like.match(_plain_name(path))]
    faces = [face for face in faces_in(files, turn) if face.family in families]
    return tuple(sorted(faces, key=lambda face: (families.index(face.family), face.path))[:1])


def _plain_name(path: str) -> str:
    return re.sub(r"[\s_-]", "", os.path.basename(path)).lower()


@functools.cache
def _all_installed() -> tuple[Face, ...]:
    """Every installed font but those that draw a box for each character."""
    return tuple(sorted(face for face in faces_in(font_files(), turn=5) if "Last Resort" not in face.family))
