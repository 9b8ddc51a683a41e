"""Zip archives, of which `.npz` and `.pt` are made: opened so that nothing in them can grow beyond its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from ..errors import InputError
from ..text.escaping import escape
from .memory import allow
from .source import size

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Collection

# What inflates to more than this is refused when it inflates more than a hundredfold: numbers do not.
MOST_INFLATED = 256 * 2**20
MOST_TIMES = 100
# The others inflate whole blocks at once, whatever their members declare.
_STORED_OR_DEFLATED = (0, 8)


def names(file: BinaryIO) -> list[str]:
    """The names of the members; none of an archive that is damaged, whose reader will say so."""
    import zipfile

    try:
        return zipfile.ZipFile(file).namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return []
    finally:
        file.seek(0)


def opened(file: BinaryIO, wanted: Collection[str] | None = None) -> zipfile.ZipFile:
    """The archive in a file, once what is to be read of it, all or the wanted members, is known to fit into memory.

    Members are read no further than they declare, so that a header that lies gains nothing. Raises
    InputError for a damaged archive, for one that inflates like no numbers do, and for what is too large.
    """
    import zipfile

    file.seek(0)
    n_bytes = size(file)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as problem:
        raise damaged(problem) from None
    for info in archive.infolist():
        if info.compress_type not in _STORED_OR_DEFLATED:
            what = f"its member {escape(info.filename)} is compressed by another method than deflate"
            raise InputError(what, hint="write it with numpy.savez")
    inflated = sum(info.file_size for info in archive.infolist())
    if inflated > max(MOST_INFLATED, MOST_TIMES * n_bytes):
        raise InputError(
            f"inflates to {inflated:,} bytes from {n_bytes:,}, more than {MOST_TIMES} times its size",
            hint="save it with numpy.savez, not compressed",
        )
    allow(sum(info.file_size for info in archive.infolist() if wanted is None or info.filename in wanted))
    return archive


def damaged(problem: Exception) -> InputError:
    """The error of an archive that cannot be read to its end."""
    return InputError(f"its zip archive is damaged ({problem})", hint="write it again")


def listed(names: list[str]) -> str:
    """The first few names, for messages.

    >>> listed(["a.xml", "b.xml", "c", "d"])
    'a.xml, b.xml, c …'
    """
    shown = ", ".join(escape(name) for name in names[:3])
    return f"{shown} …" if len(names) > 3 else shown or "nothing"
