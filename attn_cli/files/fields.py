"""A record as named fields and back: the layout that JSON, .npz and .safetensors share."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..records.attention import Attention
from ..records.encoding import Encoding, PositionTable
from ..records.fields import held, parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..records.attention import Record
    from ..records.fields import Part

VERSION = 1
TYPES: dict[str, type[Record]] = {
    "attention": Attention,
    "encoding": Encoding,
    "position_table": PositionTable,
}

# Fields that hold one text.
TEXTS = {"type"} | {
    name for cls in TYPES.values() for name, p in parts(cls).items() if p.annotation in ("str", "Kind")
}

Field = str | int | bool | tuple[str, ...] | tuple[int | str, ...] | np.ndarray


def to_fields(record: Record) -> dict[str, Field]:
    """What a record holds, by name, the arrays last; parts that it lacks are left out.

    >>> list(to_fields(Encoding(("a",), np.eye(1))))
    ['type', 'schema_version', 'tokens', 'provenance', 'vectors']
    """
    (type_name,) = (name for name, cls in TYPES.items() if type(record) is cls)
    there = [(p.name, value) for p, value in held(record) if not (p.traits.implied and value == p.default)]
    arrays_last = sorted(there, key=lambda item: isinstance(item[1], np.ndarray))
    return {"type": type_name, "schema_version": VERSION, **dict(arrays_last)}


def is_record(fields: Mapping[str, Any]) -> bool:
    """Whether these fields say that they are a record."""
    type_name = fields.get("type")
    return isinstance(type_name, str) and type_name in TYPES


def from_fields(fields: Mapping[str, Any]) -> Record:
    """The record that `to_fields` was given.

    Raises InputError for a version that is not known, and for a field that is missing or of another type.
    """
    type_name, version = fields["type"], fields.get("schema_version")
    if version != VERSION:
        raise InputError(f"{type_name} of version {version!r}, this attn reads {VERSION}", hint="update attn")
    values: dict[str, Any] = {}
    for name, part in parts(TYPES[type_name]).items():
        if fields.get(name) is not None:
            values[name] = _checked(part, fields[name])
        elif part.default is dataclasses.MISSING:
            raise InputError(f"{type_name} has no {name!r}", hint="write it again")
    return TYPES[type_name](**values)


def array_of(type_name: str, name: str) -> Part | None:
    """The field of that record, if it is an array of numbers."""
    part = parts(TYPES[type_name]).get(name)
    return part if part and part.kind else None


def _checked(part: Part, value: Any) -> Any:
    if part.kind:
        good = isinstance(value, np.ndarray)
    elif part.annotation.startswith("tuple["):
        inner = (str,) if part.annotation.startswith("tuple[str") else (int, str)
        good = isinstance(value, list | tuple) and all(type(item) in inner for item in value)
    else:
        good = isinstance(value, bool if part.annotation == "bool" else str)
    if not good:
        raise InputError(
            f"{part.name!r} has the wrong type, expected {part.annotation}", hint="write it again"
        )
    return tuple(value) if isinstance(value, list) else value
