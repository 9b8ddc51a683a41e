"""One way in for every file: its bytes, then its suffix, say what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..errors import InputError
from ..records.attention import Attention
from ..records.checks import check_finite, shape
from ..records.encoding import Encoding, Image, PositionTable
from . import contents, image, json_, matrix, npy, npz, printed, recording, safetensors, tables
from .decoding import decode
from .fields import from_fields, is_record, to_fields
from .memory import allow_array, allow_text
from .source import called, opened, size, suffix

if TYPE_CHECKING:
    from jaxtyping import Float

    from ..records.attention import Record

Parsed = Encoding | Attention | PositionTable | Image | np.ndarray | dict[str, np.ndarray] | str


def read(path: str, *, encoding: str | None = None, as_text: bool = False) -> Parsed:
    """Whatever a file holds: a record, a matrix, arrays by name, an image, or text; "-" is standard input.

    Bytes go before the suffix: what another command wrote is known by its beginning. Lines of numbers are a
    matrix, by the rule of `matrix.find`; with `as_text` they stay text. A file of one array is that array.
    Raises InputError for what cannot be read, and for pickles, which could run code.
    """
    if recording.is_folder(path):
        return recording.read_recording(path).pick()
    with opened(path) as file:
        held = parse(file, path, encoding)
        if isinstance(held, dict) and len(held) == 1:
            held = next(iter(held.values()))
        if isinstance(held, str) and not as_text and (found := matrix.find(held, path)) is not None:
            return found
        return _numbers(held) if isinstance(held, np.ndarray) else held


def read_matrix(path: str, *, encoding: str | None = None) -> Float[np.ndarray, "row column"]:
    """A matrix of finite numbers: text, .npy, a file of one array, or a record that is one matrix.

    Text gives float64, arrays keep their type. No header and no column of names is guessed: only the
    tables that attn writes have them. Raises InputError naming line and column.
    """
    with opened(path) as file:
        held = parse(file, path, encoding)
        array = matrix.parse(held, path) if isinstance(held, str) else _only_array(held)
        if array.ndim != 2 or 0 in array.shape:
            raise InputError(f"holds numbers {shape(array)}, expected a matrix", hint="give rows and columns")
        if _numbers(array).dtype.kind == "f":
            return array
        allow_array(array.shape, 8)
        return array.astype(np.float64)


def read_arrays(path: str) -> dict[str, np.ndarray]:
    """Arrays by name, from .npz, .safetensors or .json; of a record those that it holds."""
    with opened(path) as file:
        held = parse(file, path, None)
        if isinstance(held, Encoding | Attention | PositionTable):
            return {name: field for name, field in to_fields(held).items() if isinstance(field, np.ndarray)}
        if not isinstance(held, dict):
            raise InputError("holds no arrays by name", hint="give .npz, .safetensors or .json")
        return held


def parse(file: BinaryIO, path: str, encoding: str | None) -> Parsed:
    """What an opened file holds; text that is no record stays text."""
    held = _parse(file, path, encoding)
    arrays = {"numbers": held} if isinstance(held, np.ndarray) else held
    for name, array in arrays.items() if isinstance(arrays, dict) else ():
        if array.dtype.kind == "f":
            check_finite(name, array)
    return held


def _parse(file: BinaryIO, path: str, encoding: str | None) -> Parsed:
    kind = contents.kind(file, path)
    if kind == "text":
        allow_text(size(file))
        return _parse_text(decode(file.read(), encoding, where=called(path)), path)
    if kind == "npy":
        return npy.load(file)
    if kind == "image":
        return image.load(file)
    if kind == "npz":
        fields = (
            recording.fields_within(file, "")
            if recording.is_recording(npz.names(file))
            else npz.load_fields(file)
        )
    else:
        fields = safetensors.load_fields(file)
    return from_fields(fields) if is_record(fields) else fields


def _parse_text(text: str, path: str) -> Parsed:
    if not text.strip():
        raise InputError("holds only blanks", hint="put some text or numbers in it")
    if suffix(path) != ".json" and (array := printed.parse(text)) is not None:
        return array
    for parser in (json_.parse, tables.parse):
        if (held := parser(text, path)) is not None:
            return held
    return text


def _numbers(array: np.ndarray) -> np.ndarray:
    """The array, which must hold numbers, and at least one."""
    if array.dtype.kind not in "fiub":
        raise InputError(f"holds {array.dtype}, expected numbers", hint="save it as float64")
    if 0 in array.shape:
        raise InputError(f"holds numbers {shape(array)}, so none", hint="give at least one row and column")
    return array


def _only_array(held: Record | Image | np.ndarray | dict[str, np.ndarray]) -> np.ndarray:
    if isinstance(held, np.ndarray):
        return held
    if isinstance(held, Image):
        raise InputError("is an image, expected a matrix", hint="give numbers")
    if isinstance(held, Attention):
        if held.weights.shape[:2] != (1, 1):
            raise InputError(
                f"holds weights {shape(held.weights)}, expected one matrix", hint="choose one layer and head"
            )
        return held.weights[0, 0]
    if isinstance(held, Encoding):
        return held.vectors
    if isinstance(held, PositionTable):
        return held.values
    if len(held) != 1:
        raise InputError(
            f"holds {len(held)} arrays ({', '.join(held)}), expected one matrix", hint="save that one alone"
        )
    return next(iter(held.values()))
