"""A recording in a file: an `.npz` of several records, the default one of them read by whatever reads one record.

While a program runs, each step is written to a folder as soon as it is done, so that what was recorded is there
whatever happens to the program; in the end one file is made of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..records.attention import Attention
from ..records.recording import Part, Recording
from . import npz
from .fields import from_fields, is_record, to_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from .fields import Field

# A row for each layer of each part.
_COLUMNS = ("name", "step", "root", "kind", "module", "layer", "n_heads", "n_query", "n_key")
_ABOUT = "recording"  # in front of the names of these columns, and of what was said


def recording_npz(recording: Recording) -> Iterator[bytes]:
    """All parts of a recording, held one at a time; the one to show first is the record that others read."""
    names = _names(recording)

    def fields() -> Iterator[tuple[str, Field]]:
        yield from _about(recording, names)
        for part, within in names.items():
            for name, field in to_fields(recording.read(part)).items():
                yield f"{within}/{name}" if within else name, field

    return npz.packed(fields())


def _names(recording: Recording) -> dict[Part, str]:
    """Where the arrays of each part are put: of the first to show they have the names that a record's have."""
    if not recording.parts:
        return {}
    first, *_ = recording.ranked()
    others = [part for part in recording.parts if part is not first]
    return {first: "", **{part: f"{part.step}/{i}" for i, part in enumerate(others)}}


def _about(recording: Recording, names: Mapping[Part, str]) -> Iterator[tuple[str, Field]]:
    rows = [
        (within, part.step, part.root, part.kind, *layer, part.n_heads, part.n_query, part.n_key)
        for part, within in names.items()
        for layer in zip(part.modules, part.layers, strict=True)
    ]
    for name, values in zip(_COLUMNS, zip(*rows, strict=True), strict=True) if rows else ():
        yield f"{_ABOUT}/{name}", values if isinstance(values[0], str) else np.asarray(values)
    yield f"{_ABOUT}/table", recording.table
    yield f"{_ABOUT}/remarks", "\n".join(recording.remarks)


def is_recording(names: Sequence[str]) -> bool:
    """Whether arrays of these names are a recording."""
    return f"{_ABOUT}/table" in names


def fields_within(file: BinaryIO, within: str) -> dict[str, Any]:
    """The fields of one record of an archive of several; "" is the one that others read too."""
    lead = f"{within}/" if within else ""
    wanted = [name for name in npz.names(file) if name.startswith(lead) and "/" not in name[len(lead) :]]
    return {name[len(lead) :]: field for name, field in npz.as_fields(npz.load(file, wanted)).items()}


def read_recording(path: str) -> Recording:
    """The recording in a file, or in the folder that a program left which was stopped; its arrays stay there.

    Raises InputError for what is no recording, or damaged.
    """
    if is_folder(path):
        return _together([read_recording(os.path.join(path, name)) for name in _parts_in(path)])
    with open(path, "rb") as file:
        about = fields_within(file, _ABOUT)

    def read(part: Part) -> Attention:
        with open(path, "rb") as file:
            return _attention(file, part, path)

    return Recording(
        _parts(about, path), read, str(about.get("table", "")), tuple(_lines(about.get("remarks")))
    )


def is_folder(path: str) -> bool:
    """Whether a path is the folder that a program left which was stopped while it was recorded."""
    return os.path.isdir(path) and bool(_parts_in(path))


def _parts_in(folder: str) -> list[str]:
    return sorted(name for name in os.listdir(folder) if name.endswith(".npz") and name[:-4].isdigit())


def _together(recordings: list[Recording]) -> Recording:
    """Recordings of single steps as one."""
    homes = {part: recording for recording in recordings for part in recording.parts}
    return Recording(tuple(homes), lambda part: homes[part].read(part), recordings[-1].table)


def _attention(file: BinaryIO, part: Part, path: str) -> Attention:
    fields = fields_within(file, part.name)
    if not is_record(fields) or not isinstance(record := from_fields(fields), Attention):
        raise InputError(f"holds no attention {part.name!r}", hint="record it again", where=path)
    return record


def _lines(text: Any) -> list[str]:
    return str(text).splitlines() if text else []


def _parts(about: Mapping[str, Any], where: str) -> tuple[Part, ...]:
    """The parts by the columns that describe them, which may hold anything."""
    columns = [list(about.get(name, ())) for name in _COLUMNS]
    kinds = [str if name in ("name", "root", "kind", "module") else int for name in _COLUMNS]
    good = len({len(column) for column in columns}) == 1 and all(
        type(value) is kind for column, kind in zip(columns, kinds, strict=True) for value in column
    )
    if not good:
        raise InputError("its index is damaged", hint="record it again", where=where)
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for row in zip(*columns, strict=True):
        rows.setdefault(row[0], []).append(row)
    return tuple(_part(name, several) for name, several in rows.items())


def _part(name: str, rows: list[tuple[Any, ...]]) -> Part:
    _, step, root, kind, _, _, n_heads, n_query, n_key = rows[0]
    modules, layers = tuple(row[4] for row in rows), tuple(row[5] for row in rows)
    return Part(step, root, kind, modules, layers, n_heads, n_query, n_key, name)
