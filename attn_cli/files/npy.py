"""`.npy`: one array, as NumPy writes it. Objects, which are pickles, are refused unread."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..errors import InputError
from ..records.attention import Attention
from ..records.checks import shape
from ..records.encoding import Encoding
from .contents import pickled
from .formats import FORMATS
from .memory import allow_array
from .source import size, truncated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..records.attention import Record


@FORMATS.register
def npy(record: Record) -> Iterator[bytes]:
    """One matrix as NumPy saves it; for weights of one layer and head.

    >>> import io
    >>> np.load(io.BytesIO(b"".join(npy(Encoding(("a",), [[0.0, 1.0]])))))
    array([[0., 1.]])
    """
    import io

    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(_matrix(record), order="C"), allow_pickle=False)
    yield buffer.getvalue()


def _matrix(record: Record) -> np.ndarray:
    if isinstance(record, Encoding):
        return record.vectors
    if not isinstance(record, Attention):
        return record.values
    if record.shown.shape[:2] != (1, 1):
        raise InputError(
            f".npy holds one matrix, {record.show} are {shape(record.shown)}",
            hint="choose one layer and head, or write .npz",
        )
    return record.shown[0, 0]


def load(file: BinaryIO, n_bytes: int | None = None) -> np.ndarray:
    """The array in a file of `n_bytes`, in this machine's byte order.

    The header is held against the bytes that follow it before anything is allocated.
    """
    n_bytes = size(file) if n_bytes is None else n_bytes
    start = file.tell()
    axes, by_column, dtype = _header(file)
    count = math.prod(axes)
    if min(axes, default=0) < 0 or count * dtype.itemsize > n_bytes - (file.tell() - start):
        raise InputError(
            f"declares {shape_and_type(axes, dtype)}, more than the file holds", hint="write it again"
        )
    allow_array(axes, dtype.itemsize * (1 if _native(dtype) == dtype else 2))
    array = np.empty(count, dtype)
    if file.readinto(array.view(np.uint8)) < array.nbytes:  # type: ignore[attr-defined]
        raise truncated()
    array = array.reshape(axes, order="F" if by_column else "C")
    return array.astype(_native(dtype), copy=False)


def shape_and_type(axes: tuple[int, ...], dtype: object) -> str:
    """A shape and type as messages print them: `[2, 3] of float32`."""
    return f"{list(axes)} of {dtype}"


def _header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        version = np.lib.format.read_magic(file)
        axes, by_column, dtype = readers[version](file)
    except Exception:  # NumPy takes it for a Python literal, which can be wrong in as many ways as Python
        raise InputError("its .npy header is damaged", hint="write it again") from None
    if dtype.hasobject:
        raise pickled()
    if dtype.kind not in "fiubU" or dtype.itemsize == 0:
        raise InputError(f"holds {dtype}, expected numbers", hint="save it as float64")
    return axes, by_column, dtype


def _native(dtype: np.dtype) -> np.dtype:
    return np.dtype(np.float64) if dtype == np.longdouble else dtype.newbyteorder("=")
