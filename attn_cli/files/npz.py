"""`.npz`: a whole record, one `.npy` member for each field. Texts are escaped, so that none ends in NUL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ..errors import InputError
from ..text.escaping import escape, unescape
from . import npy
from .contents import pickled
from .fields import is_record, to_fields
from .formats import FORMATS
from .source import size

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Collection, Iterator

    from ..records.attention import Record
    from .fields import Field

# What the members may unpack to, unless the file itself is bigger: a zip of 2 MB can declare 2 GB of zeros.
MOST_UNPACKED = 2 * 1024**3


@FORMATS.register
def npz(record: Record) -> Iterator[bytes]:
    """The whole record as NumPy arrays by name: numpy.load reads it.

    >>> import io
    >>> from attn_cli.records.encoding import PositionTable
    >>> np.load(io.BytesIO(b"".join(npz(PositionTable("any", [[0.0, 1.0]])))))["values"]
    array([[0., 1.]])
    """
    import zipfile

    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name, field in to_fields(record).items():
            array = _as_array(field)
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980: the same record gives the same bytes
            with archive.open(member, "w", force_zip64=array.nbytes > 2**31) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
            yield pieces.taken()
    yield pieces.taken()


class _Pieces:
    """A file to write to that hands over what it got: the archive is never held whole."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep some bytes."""
        self._chunks.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back; zipfile asks all the same."""

    def taken(self) -> bytes:
        """What was kept since the last time."""
        taken, self._chunks = b"".join(self._chunks), []
        return taken


def _as_array(field: Field) -> np.ndarray:
    if isinstance(field, str):
        return _texts(escape(field))
    if isinstance(field, tuple) and isinstance(field[0], str):
        return _texts([escape(str(text)) for text in field])
    return np.asarray(field, order="C")


def _texts(texts: str | list[str]) -> np.ndarray:
    return np.asarray(texts, dtype=np.str_)


def names(file: BinaryIO) -> list[str]:
    """The names of the arrays, none of them read."""
    with _archive(file) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def load(file: BinaryIO, wanted: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays by name, all or only the wanted."""
    with _archive(file) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        chosen = members if wanted is None else [name for name in members if name in wanted]
        return {name: _member(archive, members[name]) for name in chosen}


def load_fields(file: BinaryIO) -> dict[str, Any]:
    """Arrays as the fields of a record, where they say that they are one; else as they are."""
    arrays = load(file)
    fields = {name: _as_field(array) for name, array in arrays.items()}
    return fields if is_record(fields) else dict(arrays)


def _as_field(array: np.ndarray) -> Any:
    if array.dtype.kind == "U" and array.ndim < 2:
        return unescape(str(array)) if array.ndim == 0 else [unescape(text) for text in array.tolist()]
    is_plain = array.dtype.kind in "iub" and array.ndim < 2
    return array.tolist() if is_plain else array


def _archive(file: BinaryIO) -> zipfile.ZipFile:
    import zipfile

    n_bytes = size(file)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as problem:
        raise _damaged(problem) from None
    inside = archive.namelist()
    if any(name.endswith("data.pkl") for name in inside):
        raise pickled()
    if not inside or not all(name.endswith(".npy") for name in inside):
        raise InputError(
            f"is a zip archive of {_listed(inside)}, expected .npy members",
            hint="give .npz, or what is inside the archive",
        )
    declared = sum(info.file_size for info in archive.infolist())
    if declared > max(MOST_UNPACKED, n_bytes):
        raise InputError(
            f"unpacks to {declared:,} bytes from {n_bytes:,}, more than {MOST_UNPACKED:,}",
            hint="save it with numpy.savez, not compressed",
        )
    return archive


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    import zipfile
    import zlib

    try:
        with archive.open(info) as file:
            return npy.load(file, info.file_size)  # type: ignore[arg-type]
    except InputError as problem:
        raise InputError(f"{info.filename} {problem.what}", hint=problem.hint) from None
    # RuntimeError is zipfile's word for a password, NotImplementedError for a compression it lacks.
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as problem:
        raise _damaged(problem) from None


def _damaged(problem: Exception) -> InputError:
    return InputError(f"its zip archive is damaged ({problem})", hint="write it again")


def _listed(names: list[str]) -> str:
    shown = ", ".join(escape(name) for name in names[:3])
    return f"{shown} …" if len(names) > 3 else shown or "nothing"
