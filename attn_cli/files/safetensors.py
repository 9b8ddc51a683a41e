"""`.safetensors`: a whole record, its texts in the metadata. Also whatever tensors others have saved so.

The format is a length in 8 bytes, that much JSON, and the numbers. It is written here because the library
puts the metadata in a new order each time, and read here because it gives NumPy no bfloat16.
https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ..errors import InputError
from ..text.escaping import escape, unescape
from .fields import TEXTS, is_record, to_fields
from .formats import FORMATS
from .memory import allow, allow_array
from .source import read_exactly, size, truncated

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ..records.attention import Record

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1",
}  # fmt: skip
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items() if name != "BF16"}
_LONGEST_HEADER = 100_000_000  # bytes; the library's limit
_JSON_GROWS = 30  # times, as Python's objects: an empty list takes 56 bytes and a place in the next


@FORMATS.register
def safetensors(record: Record) -> Iterator[bytes]:
    """The whole record as tensors by name, its texts in the metadata; the safetensors library reads it.

    >>> from attn_cli.records.encoding import PositionTable
    >>> from safetensors.numpy import load
    >>> load(b"".join(safetensors(PositionTable("any", [[0.0, 1.0]]))))
    {'values': array([[0., 1.]])}
    """
    import json

    fields = to_fields(record)
    arrays = {name: _storable(field) for name, field in fields.items() if isinstance(field, np.ndarray)}
    texts = {name: _as_text(field) for name, field in fields.items() if name not in arrays}
    # Wide numbers first keep every tensor aligned, as the library does it.
    arrays = dict(sorted(arrays.items(), key=lambda item: -item[1].itemsize))
    header: dict[str, Any] = {"__metadata__": texts}
    end = 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        dtype = _NAMES[array.dtype]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for array in arrays.values():
        yield array.tobytes()


def _storable(array: np.ndarray) -> np.ndarray:
    dtype = np.dtype(np.float64) if array.dtype == np.longdouble else array.dtype
    return array.astype(dtype.newbyteorder("<"), copy=False)


def _as_text(field: Any) -> str:
    import json

    return escape(field) if isinstance(field, str) else json.dumps(field)


@dataclass(frozen=True)
class Tensor:
    """Where one tensor lies in the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a file says about itself, checked against its size."""

    texts: dict[str, str]
    tensors: dict[str, Tensor]  # by name


def read_header(file: BinaryIO) -> Header:
    """The names, types and places of the tensors, none of them read.

    Raises InputError for a header that is longer than the file, is no JSON, or describes anything but
    tensors that follow each other up to the end.
    """
    import json

    file.seek(0)
    length = int.from_bytes(read_exactly(file, 8), "little")
    if length > min(size(file), _LONGEST_HEADER):
        raise InputError(f"declares a header of {length:,} bytes, more than the file holds", hint=_AGAIN)
    allow(_JSON_GROWS * length, "its header")
    try:
        entries = json.loads(read_exactly(file, length))
        texts = entries.pop("__metadata__", {})
        tensors = {name: _tensor(entry, 8 + length) for name, entry in entries.items()}
        _check(texts, tensors, 8 + length, 8 + length + size(file))
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError("its header is damaged", hint=_AGAIN) from None
    return Header(texts, tensors)


def load(file: BinaryIO, wanted: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """The tensors by name, all or only the wanted; bfloat16 becomes float32."""
    tensors = {name: t for name, t in read_header(file).tensors.items() if wanted is None or name in wanted}
    allow(sum((t.end - t.start) * (3 if t.dtype == "BF16" else 1) for t in tensors.values()))
    return {name: _read(file, t) for name, t in tensors.items()}


def names(file: BinaryIO) -> list[str]:
    """The names of the tensors, none of them read."""
    return list(read_header(file).tensors)


def load_fields(file: BinaryIO) -> dict[str, Any]:
    """Tensors and texts as the fields of a record, where they say that they are one; else the tensors."""
    texts = read_header(file).texts
    arrays = load(file)
    if not is_record(texts):
        return dict(arrays)
    try:
        return {name: _from_text(name, text) for name, text in texts.items()} | arrays
    except (ValueError, RecursionError):
        raise InputError("its metadata is damaged", hint=_AGAIN) from None


_AGAIN = "copy or write it again"


def _from_text(name: str, text: str) -> Any:
    import json

    return unescape(text) if name in TEXTS else json.loads(text)


def _tensor(entry: dict[str, Any], offset: int) -> Tensor:
    if entry["dtype"] not in _DTYPES:
        raise InputError(f"holds tensors of {entry['dtype']}", hint=f"known are {', '.join(_DTYPES)}")
    start, end = entry["data_offsets"]
    return Tensor(entry["dtype"], tuple(entry["shape"]), offset + start, offset + end)


def _check(texts: Any, tensors: dict[str, Tensor], start: int, end: int) -> None:
    """Every tensor as long as its shape says, one behind the other from the header to the end."""
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError
    for t in sorted(tensors.values(), key=lambda t: (t.start, t.end)):
        if any(type(n) is not int or n < 0 for n in (*t.shape, t.start)):
            raise ValueError
        n_bytes = math.prod(t.shape) * np.dtype(_DTYPES[t.dtype]).itemsize
        if t.start != start or t.end - t.start != n_bytes:
            raise InputError(
                f"declares {list(t.shape)} of {t.dtype} in {t.end - t.start:,} bytes", hint=_AGAIN
            )
        start = t.end
    if start != end:
        raise InputError(f"declares {start:,} bytes, the file has {end:,}", hint=_AGAIN)


def _read(file: BinaryIO, tensor: Tensor) -> np.ndarray:
    dtype = np.dtype(_DTYPES[tensor.dtype])
    array = np.empty(allow_array(tensor.shape, dtype.itemsize), dtype)
    file.seek(tensor.start)
    if file.readinto(array.view(np.uint8)) < array.nbytes:  # type: ignore[attr-defined]
        raise truncated()
    if tensor.dtype == "BF16":  # the upper half of a float32
        array = (array.astype("<u4") << 16).view("<f4")
    return array.reshape(tensor.shape).astype(array.dtype.newbyteorder("="), copy=False)
