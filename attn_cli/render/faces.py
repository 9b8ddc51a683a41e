"""Fonts as files: which there are, in which order they are asked for a character, what matplotlib calls them.

Latin is DejaVu Sans, which matplotlib brings along. What it lacks is looked for in an installed font for
Chinese, then in the bundled subset of Noto Sans SC, then in everything else that is installed. The files
are looked for anew each time: matplotlib's own list is not told of fonts installed after it was made.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
import re
import struct
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from .backend import FT2Font, font_manager, get_data_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LATIN = pathlib.Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
BUNDLED = pathlib.Path(__file__).parent / "data" / "NotoSansSC.ttf"
# Families with the Chinese forms of characters, best first, and how their files are named.
INSTALLED = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei"),
)
_INSTALLED_FILES = re.compile(r"notosans(cjk|sc)|sourcehansans|wqy|pingfang|hiraginosansgb|msyh")
_REGULAR = ("Regular", "Normal", "Book", "Roman", "W3")


class Face(NamedTuple):
    """A font: how late it is asked, and where it is. Faces sort by the order in which they are asked."""

    turn: int
    family: str
    path: str
    number: int  # in a collection

    @property
    def name(self) -> str:
        """What matplotlib is told it is called: a name that no other font has."""
        return f"{self.path}#{self.number}"


@functools.cache
def face_of(character: str) -> Face | None:
    """The first font that has the character, if there is any."""
    if character.isascii():
        return latin()
    return next((face for face in _all_faces() if font_of(face).get_char_index(ord(character))), None)


def _all_faces() -> Iterator[Face]:
    yield latin()
    yield from _installed_for_chinese()
    yield Face(2, BUNDLED.stem, str(BUNDLED), 0)
    yield from _all_installed()


def latin() -> Face:
    """The font of Latin, which is there wherever matplotlib is."""
    return Face(0, LATIN.stem, str(LATIN), 0)


@functools.cache
def _installed_for_chinese() -> tuple[Face, ...]:
    """The best of the installed fonts that were made for Chinese."""
    files = [path for path in _font_files() if _INSTALLED_FILES.match(_plain_name(path))]
    faces = [face for face in _faces_in(files, turn=1) if face.family in INSTALLED]
    return tuple(sorted(faces, key=lambda face: (INSTALLED.index(face.family), face.path))[:1])


def _plain_name(path: str) -> str:
    return re.sub(r"[\s_-]", "", os.path.basename(path)).lower()


@functools.cache
def _all_installed() -> tuple[Face, ...]:
    """Every installed font but those that draw a box for each character."""
    return tuple(
        sorted(face for face in _faces_in(_font_files(), turn=3) if "Last Resort" not in face.family)
    )


def _faces_in(files: Iterable[str], turn: int) -> Iterator[Face]:
    """The upright faces of normal weight in font files, as far as they can be read."""
    for path in files:
        try:
            first = FT2Font(path)
            others = range(1, first.num_faces if _READS_COLLECTIONS else 1)
            fonts = [first, *(FT2Font(path, face_index=i) for i in others)]
        except (OSError, RuntimeError, ValueError):
            continue  # not every file in a font folder is a font
        for index, font in enumerate(fonts):
            if font.scalable and font.style_name in _REGULAR:
                yield Face(turn, font.family_name, path, index)


_READS_COLLECTIONS = "index" in font_manager.FontEntry.__dataclass_fields__  # matplotlib 3.11 can


@functools.cache
def _font_files() -> tuple[str, ...]:
    if sys.platform == "win32":
        folders = [font_manager.win32FontDirectory()]
    else:
        folders = [*font_manager.X11FontDirectories, *font_manager.OSXFontDirectories]
    return tuple(sorted(font_manager.findSystemFonts(folders)))


@functools.cache
def registered(face: Face) -> str:
    """The name by which matplotlib finds this very file.

    Among files of one name it takes the one it came upon first; a name of its own gives the same picture
    every time.
    """
    entry = font_manager.FontEntry(fname=face.path, name=face.name, weight=400, size="scalable")
    if _READS_COLLECTIONS:
        entry = dataclasses.replace(entry, index=face.number)
    font_manager.fontManager.ttflist.append(entry)
    return face.name


def found(name: str) -> Any:
    """What matplotlib finds under a name: a path, and perhaps a place in a collection."""
    return font_manager.findfont(font_manager.FontProperties(family=[name]), fallback_to_default=False)


@functools.cache
def font_of(face: Face) -> Any:
    """The font itself, at a size of 100 points of one pixel each."""
    font = font_manager.get_font(found(registered(face)))
    font.set_size(100, 72)
    return font


@functools.cache
def is_cff(path: str) -> bool:
    """Whether a font has cubic outlines, which a PDF cannot embed as they are."""
    with open(path, "rb") as file:
        head = file.read(16)
        if head.startswith(b"ttcf"):  # a collection: see its first face
            file.seek(struct.unpack(">I", head[12:16])[0])
            head = file.read(4)
    return head.startswith(b"OTTO")
