"""A record as named fields and back: the layout that JSON, .npz and .safetensors share."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..records.attention import Attention
from ..records.encoding import Encoding, PositionTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..records.attention import Record

VERSION = 1
TYPES: dict[str, type[Record]] = {
    "attention": Attention,
    "encoding": Encoding,
    "position_table": PositionTable,
}
TEXTS = ("type", "kind", "provenance")

Field = str | int | bool | tuple[str, ...] | tuple[int | str, ...] | np.ndarray


def to_fields(record: Record) -> dict[str, Field]:
    """What a record holds, by name, the arrays last; parts that it lacks are left out.

    >>> list(to_fields(Encoding(("a",), np.eye(1))))
    ['type', 'version', 'tokens', 'provenance', 'vectors']
    """
    (type_name,) = (name for name, cls in TYPES.items() if type(record) is cls)
    values = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    held = [(name, value) for name, value in values.items() if value is not None and value is not False]
    arrays_last = sorted(held, key=lambda item: isinstance(item[1], np.ndarray))
    return {"type": type_name, "version": VERSION, **dict(arrays_last)}


def is_record(fields: Mapping[str, Any]) -> bool:
    """Whether these fields say that they are a record."""
    type_name = fields.get("type")
    return isinstance(type_name, str) and type_name in TYPES


def from_fields(fields: Mapping[str, Any]) -> Record:
    """The record that `to_fields` was given.

    Raises InputError for a version that is not known, and for a field that is missing or of another type.
    """
    type_name, version = fields["type"], fields.get("version")
    if version != VERSION:
        raise InputError(f"{type_name} of version {version!r}, this attn reads {VERSION}", hint="update attn")
    values: dict[str, Any] = {}
    for f in dataclasses.fields(TYPES[type_name]):
        if fields.get(f.name) is not None:
            values[f.name] = _checked(f.name, str(f.type), fields[f.name])
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise InputError(f"{type_name} without {f.name!r}", hint="write it again")
    return TYPES[type_name](**values)


def is_array(type_name: str, name: str) -> bool:
    """Whether that field of that record is an array of numbers."""
    annotations = {f.name: str(f.type) for f in dataclasses.fields(TYPES[type_name])}
    return annotations.get(name, "").startswith(_ARRAYS)


# A field's annotation, as written, says what may stand in it.
_ARRAYS = ("Float[", "Bool[", "Int[", "UInt8[")


def _checked(name: str, annotation: str, value: Any) -> Any:
    if annotation.startswith(_ARRAYS):
        good = isinstance(value, np.ndarray)
    elif annotation.startswith("tuple["):
        inner = (str,) if annotation.startswith("tuple[str") else (int, str)
        good = isinstance(value, list | tuple) and all(type(item) in inner for item in value)
    else:
        good = isinstance(value, bool if annotation == "bool" else str)
    if not good:
        raise InputError(f"{name!r} of another type than {annotation}", hint="write it again")
    return tuple(value) if isinstance(value, list) else value
