"""Fonts as files: which are installed, which faces they hold, what matplotlib calls them."""

from __future__ import annotations

import functools
import struct
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from ..figure.backend import FT2Font, font_manager

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
        return f"{self.path}#{self.number}".replace("'", "’")


def faces_in(files: Iterable[str], turn: int, *, upright: bool = True) -> Iterator[Face]:
    """The faces in font files as far as they can be read: the upright ones of normal weight, or all."""
    for path in files:
        try:
            first = FT2Font(path)
            fonts = [first, *(FT2Font(path, face_index=i) for i in range(1, first.num_faces))]
        except (OSError, RuntimeError, ValueError):
            continue  # not every file in a font folder is a font
        for index, font in enumerate(fonts):
            if font.scalable and (font.style_name in _REGULAR or not upright):
                yield Face(turn, font.family_name, path, index)


@functools.cache
def font_files() -> tuple[str, ...]:
    """Every installed font file. Looked for anew by each process: matplotlib's own list is not told of new fonts."""
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
    entry = font_manager.FontEntry(
        fname=face.path, index=face.number, name=face.name, weight=400, size="scalable"
    )
    font_manager.fontManager.ttflist.append(entry)
    _registered[face.name] = face
    return face.name


_registered: dict[str, Face] = {}


def family_of(name: str) -> str:
    """What people call the font that is registered under this name."""
    family: str = font_of(_registered[name]).family_name
    return family


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
