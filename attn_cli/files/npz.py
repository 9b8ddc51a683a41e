"""`.npz`: a whole record, one `.npy` member for each field. Texts are escaped, so that none ends in NUL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ..errors import InputError
from ..text.escaping import escape, unescape
from . import archive, npy
from .fields import is_record, to_fields
from .formats import FORMATS

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from ..records.attention import Record
    from .fields import Field


@FORMATS.register
def npz(record: Record) -> Iterator[bytes]:
    """The whole record as NumPy arrays by name: numpy.load reads it.

    >>> import io
    >>> from attn_cli.records.encoding import PositionTable
    >>> np.load(io.BytesIO(b"".join(npz(PositionTable("any", [[0.0, 1.0]])))))["values"]
    array([[0., 1.]])
    """
    return packed(to_fields(record).items())


def packed(fields: Iterable[tuple[str, Field]]) -> Iterator[bytes]:
    """An archive of these, each held no longer than it takes to write it."""
    import zipfile

    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as written:  # type: ignore[call-overload]
        for name, field in fields:
            array = _as_array(field)
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980: the same record gives the same bytes
            with written.open(member, "w", force_zip64=array.nbytes > 2**31) as file:
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
    """The names of the arrays, none of them read; the file is left at its beginning."""
    with _archive(file, ()) as inside:
        found = [name.removesuffix(".npy") for name in inside.namelist()]
    file.seek(0)
    return found


def load(file: BinaryIO, wanted: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays by name, all or only the wanted."""
    with _archive(file, wanted) as inside:
        members = {info.filename.removesuffix(".npy"): info for info in inside.infolist()}
        chosen = members if wanted is None else [name for name in members if name in wanted]
        return {name: _member(inside, members[name]) for name in chosen}


def load_fields(file: BinaryIO) -> dict[str, Any]:
    """Arrays as the fields of a record, where they say that they are one; else as they are."""
    arrays = load(file)
    fields = as_fields(arrays)
    return fields if is_record(fields) else dict(arrays)


def as_fields(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Texts and single numbers as what they are, arrays as they are."""
    return {name: _as_field(array) for name, array in arrays.items()}


def _as_field(array: np.ndarray) -> Any:
    if array.dtype.kind == "U" and array.ndim < 2:
        return unescape(str(array)) if array.ndim == 0 else [unescape(text) for text in array.tolist()]
    is_plain = array.dtype.kind in "iub" and array.ndim < 2
    return array.tolist() if is_plain else array


def _archive(file: BinaryIO, wanted: Collection[str] | None = None) -> zipfile.ZipFile:
    opened = archive.opened(file, None if wanted is None else [f"{name}.npy" for name in wanted])
    inside = opened.namelist()
    if not inside or not all(name.endswith(".npy") for name in inside):
        raise InputError(
            f"is a zip archive of {archive.listed(inside)}, expected .npy members",
            hint="give .npz, or what is inside the archive",
        )
    return opened


def _member(inside: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    import zipfile
    import zlib

    try:
        with inside.open(info) as file:
            return npy.load(file, info.file_size)  # type: ignore[arg-type]
    except InputError as problem:
        raise InputError(f"{info.filename} {problem.what}", hint=problem.hint) from None
    # RuntimeError is zipfile's word for a password, NotImplementedError for a compression it lacks.
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as problem:
        raise archive.damaged(problem) from None
