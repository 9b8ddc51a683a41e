"""One way in for every file: its bytes, then its suffix, say what it holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..errors import InputError
from ..records.attention import Attention
from ..records.checks import check_finite, shape
from ..records.encoding import Encoding, Image, PositionTable, Sound
from ..records.recording import Recording, picked_part
from ..registry import nearest
from . import (
    contents,
    documents,
    image,
    json_,
    matrix,
    npy,
    npz,
    printed,
    pt,
    recording,
    safetensors,
    sound,
    tables,
)
from .decoding import decode
from .fields import from_fields, is_record, to_fields
from .memory import allow_array, allow_text
from .naming import says_weights
from .source import called, opened, size, split_name, suffix

if TYPE_CHECKING:
    from jaxtyping import Float

    from ..records.attention import Record

Parsed = (
    Encoding
    | Attention
    | PositionTable
    | Recording
    | Image
    | Sound
    | np.ndarray
    | dict[str, np.ndarray]
    | str
)


def read(path: str, *, encoding: str | None = None, as_text: bool = False, by_name: bool = False) -> Parsed:
    """Whatever a file holds: a record, a matrix, arrays by name, an image, a sound, or text; "-" is standard input.

    Bytes go before the suffix: what another command wrote is known by its beginning. Lines of numbers are a
    matrix, by the rule of `matrix.find`; with `as_text` they stay text. A file of one array is that array,
    unless it is wanted `by_name` or called weights, attn or the like; `FILE:NAME` chooses one of several. Raises InputError for what cannot be read, and for pickles, which could run code.
    """
    path, name = split_name(path)
    if recording.is_folder(path):
        return recording.read_recording(path)
    with opened(path) as file:
        held = chosen(parse(file, path, encoding), name)
        if isinstance(held, dict) and len(held) == 1 and not by_name and not says_weights(*held):
            held = next(iter(held.values()))
        if isinstance(held, str) and not as_text and (found := matrix.find(held, path)) is not None:
            return found
        return _numbers(held) if isinstance(held, np.ndarray) else held


def read_matrix(path: str, *, encoding: str | None = None) -> Float[np.ndarray, "row column"]:
    """A matrix of finite numbers: text, .npy, a file of one array or one by its name, or a record that is one matrix.

    Text gives float64, arrays keep their type. No header and no column of names is guessed: only the
    tables that attn writes have them. Raises InputError naming line and column.
    """
    path, name = split_name(path)
    with opened(path) as file:
        held = chosen(parse(file, path, encoding), name)
        array = matrix.parse(held, path) if isinstance(held, str) else only_array(held)
        if array.ndim != 2 or 0 in array.shape:
            raise InputError(f"holds numbers {shape(array)}, expected a matrix", hint="give rows and columns")
        return _floats(_numbers(array))


def read_arrays(path: str) -> dict[str, np.ndarray]:
    """Arrays by name, from .npz, .safetensors, .pt or .json; of a record those that it holds."""
    path, name = split_name(path)
    with opened(path) as file:
        held = chosen(parse(file, path, None), name)
        if isinstance(held, Encoding | Attention | PositionTable):
            return _fields(held)
        if not isinstance(held, dict):
            raise InputError("holds no arrays by name", hint="give .npz, .safetensors, .pt or .json")
        return held


def chosen(held: Parsed, name: str | None) -> Parsed:
    """What is called so, of arrays by name or of a record's: one array, or those whose names begin so.

    A star stands for any number.

    >>> layers = {"attn.0": np.zeros(1), "attn.1": np.ones(1), "mask": np.ones(2)}
    >>> list(chosen(layers, "mask")), list(chosen(layers, "attn")), list(chosen(layers, "attn.*"))
    (['mask'], ['attn.0', 'attn.1'], ['attn.0', 'attn.1'])
    """
    if name is None:
        return held
    arrays = _fields(held) if isinstance(held, Encoding | Attention | PositionTable) else held
    if not isinstance(arrays, dict):
        raise InputError(f"has no named arrays, so there is no array {name!r}", hint="leave the name out")
    pattern = re.compile(re.escape(name).replace(r"\*", r"\d+"))
    exact = {name: arrays[name]} if name in arrays else {}
    found = exact or {
        key: a for key, a in arrays.items() if pattern.fullmatch(key) or key.startswith(f"{name}.")
    }
    if not found:
        known = ", ".join(arrays)
        raise InputError(f"holds no array {name!r}", hint=f"it holds {known}{nearest(name, list(arrays))}")
    return found


def parse(file: BinaryIO, path: str, encoding: str | None, *, masked: bool = False) -> Parsed:
    """What an opened file holds; text that is no record stays text.

    Numbers are finite, but for the −∞ of scores and masks, or of all that is `masked`; those of .pt, which
    are still on the disk, are looked at when they are used.
    """
    kind = contents.kind(file, path)
    held = parse_as(kind, file, path, encoding)
    arrays = {"numbers": held} if isinstance(held, np.ndarray) else held
    if isinstance(arrays, dict) and kind != "pt":
        for name, array in arrays.items():
            may_be_masked = masked or any(word in name.lower() for word in ("score", "mask", "bias"))
            if array.dtype.kind == "f":
                check_finite(name, np.where(np.isneginf(array), 0, array) if may_be_masked else array)
    return held


def parse_as(kind: contents.Contents, file: BinaryIO, path: str, encoding: str | None = None) -> Parsed:
    """What a file of this kind holds, whatever its numbers are."""
    if kind == "text":
        allow_text(size(file))
        return parse_text(decode(file.read(), encoding, where=called(path)), path)
    if kind == "npy":
        return npy.load(file)
    if kind == "image":
        return image.load(file)
    if kind == "sound":
        return sound.load(file)
    if kind == "pt":
        return pt.load(file)
    if kind == "npz" and recording.is_recording(npz.names(file)):
        if path != "-":
            return recording.read_recording(path)
        fields = recording.fields_within(file, "")  # of a stream that of the last step
    else:
        fields = npz.load_fields(file) if kind == "npz" else safetensors.load_fields(file)
    return from_fields(fields) if is_record(fields) else fields


def parse_text(text: str, path: str) -> Parsed:
    """The record, array or arrays that a text holds, else the text."""
    if not text.strip():
        raise InputError("contains only whitespace", hint="put some text or numbers in it")
    if suffix(path) != ".json" and (array := printed.parse(text)) is not None:
        return array
    for parser in (json_.parse, tables.parse, documents.parse):
        if (held := parser(text, path)) is not None:
            return held
    return text


def _numbers(array: np.ndarray) -> np.ndarray:
    """The array, which must hold numbers, and at least one."""
    if array.dtype.kind not in "fiub":
        raise InputError(f"holds {array.dtype}, expected numbers", hint="save it as float64")
    if 0 in array.shape:
        raise InputError(f"holds an empty array {shape(array)}", hint="give at least one row and column")
    return array


def _floats(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "f":
        return array
    allow_array(array.shape, 8)
    return array.astype(np.float64)


def _fields(record: Record) -> dict[str, np.ndarray]:
    return {name: field for name, field in to_fields(record).items() if isinstance(field, np.ndarray)}


def only_array(held: Record | Recording | Image | Sound | np.ndarray | dict[str, np.ndarray]) -> np.ndarray:
    """The one array that was read."""
    held = picked_part(held) if isinstance(held, Recording) else held
    if isinstance(held, np.ndarray):
        return held
    if isinstance(held, Image | Sound):
        what = "an image" if isinstance(held, Image) else "a sound"
        raise InputError(f"is {what}, expected a matrix", hint="give numbers")
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
