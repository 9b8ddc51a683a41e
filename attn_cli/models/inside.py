"""The files of a model directory that may be read: those in it, of a sane size, and nothing they point to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import InputError

MIB = 2**20
_AGAIN = "download or save it again"


def find(directory: Path, name: str) -> Path | None:
    """A file of a directory by its bare name, None when there is none.

    A symbolic link may lead only to another file of the directory, or into the `blobs/` of the same model in
    a Hugging Face cache, which keeps every file there: `models--ORG--NAME/snapshots/REVISION/FILE` →
    `models--ORG--NAME/blobs/HASH`. Raises InputError for any other name, link or kind of file.
    """
    if name != Path(name).name or not name.isprintable() or "\\" in name:
        raise InputError(f"file name {name[:80]!r}", hint="only files of the directory itself are read")
    path = directory / name
    if not path.exists() and not path.is_symlink():
        return None
    home = directory.resolve()
    allowed = [home]
    if home.parent.name == "snapshots":
        allowed.append(home.parent.parent / "blobs")
    if not any(path.resolve().is_relative_to(place) for place in allowed):
        raise InputError("a link to a file outside the directory", hint="copy the file here", where=str(path))
    if not path.is_file():
        kind = "a broken link" if path.is_symlink() else "not a file"
        raise InputError(kind, hint=_AGAIN, where=str(path))
    return path


def read(path: Path, most: int) -> bytes:
    """All bytes of a file that is at most so long.

    Raises InputError when it is longer, before anything is read.
    """
    if (size := path.stat().st_size) > most:
        raise InputError(f"{size:,} bytes long, at most {most:,} are read", where=str(path))
    return path.read_bytes()


def read_object(path: Path, most: int) -> dict[str, Any]:
    """The JSON object that a file holds.

    Raises InputError when it holds none, or is longer than `most` bytes.
    """
    try:
        content = json.loads(read(path, most))
    except (ValueError, RecursionError) as problem:
        raise InputError(f"not JSON ({problem})", hint=_AGAIN, where=str(path)) from None
    if not isinstance(content, dict):
        raise InputError("not a JSON object", hint=_AGAIN, where=str(path))
    return content
