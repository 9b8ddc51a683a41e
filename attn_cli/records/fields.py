"""What the fields of a record are: the one table that taking, combining, merging, checking and files follow.

A record declares each field once. The annotation spells its axes: `Float[np.ndarray, "layer head query key"]`.
An axis written `row` or `column` counts queries or keys, or cells of neighbouring ones where maps are pooled;
one written `#head` may have a single entry that stands for all. What an annotation cannot say are its `Traits`.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .checks import numbers, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ARRAY = re.compile(r"(Float|Bool|Int|UInt8)\[np\.ndarray, ['\"](.*?)['\"]\]")
_CELLS = {"row": "query", "column": "key"}


@dataclass(frozen=True)
class Traits:
    """What the annotation of a field does not tell."""

    axis: str = ""  # of a tuple: the axis that it has an entry for
    unit: str = ""  # of a map that tables and pictures can show: one of its numbers, in a word
    caption: str = ""  # and all of them, where that must be said
    combined: tuple[str, ...] = ()  # how several heads or layers may become one; without any, it is left out
    merged: str = ""  # how those of one word become one: sum (the mean of its queries), any, all, product
    whole: str = ""  # the axis that it sums up: no longer true once a part of that is missing
    infinite: bool = False  # whether −∞ may stand in it
    implied: bool = False  # left out of files where it has its default


def traits(**said: Any) -> dict[str, Traits]:
    """The traits of a field, as the metadata that `dataclasses.field` takes."""
    return {"traits": Traits(**said)}


@dataclass(frozen=True)
class Part:
    """One field of a record, as its declaration tells."""

    name: str
    annotation: str
    kind: str  # of an array Float, Bool, Int or UInt8; else nothing
    axes: tuple[str, ...]
    shared: tuple[bool, ...]  # for each axis, whether one entry may stand for all
    pooled: bool  # whether its queries and keys may be cells of several
    default: Any  # dataclasses.MISSING where it must be given
    traits: Traits

    @property
    def is_map(self) -> bool:
        """Whether it has a number for each query and key."""
        return bool(self.kind) and {"query", "key"} <= set(self.axes)

    def taken(self, value: Any, axis: str, places: Sequence[int]) -> Any:
        """Its entries at some places of one of its axes; one that stands for all is left as it is."""
        if not self.kind:
            return tuple(value[place] for place in places)
        at = self.axes.index(axis)
        return value if self.shared[at] and value.shape[at] == 1 else value.take(places, axis=at)

    def check(self, value: Any, sizes: dict[str, int], beside: str) -> np.ndarray:
        """The array, once type and shape are known to be right; `sizes` are those of the axes that have one.

        Raises InputError otherwise, `beside` says what it does not fit.
        """
        array = np.asarray(value)
        if self.kind == "Float" and not self.traits.infinite:
            array = numbers(self.name, value, self.axes)
        wanted = [sizes.get(axis) for axis in self._counted]
        fitting = len(wanted) == array.ndim and all(
            size in (None, got) or (shared and got == 1)
            for size, got, shared in zip(wanted, array.shape, self.shared, strict=True)
        )
        if self.kind == "Bool" and (not fitting or array.dtype != bool):
            raise InputError(f"{self.name} {array.dtype} {shape(array)} does not fit {beside}")
        if not fitting:
            raise InputError(f"{self.name} {shape(array)} do not fit {beside}")
        if self.kind == "Int" and array.dtype.kind != "i":
            raise InputError(f"{self.name} of type {array.dtype}, expected whole numbers")
        return array

    @property
    def _counted(self) -> tuple[str, ...]:
        cells = {"query": "row", "key": "column"} if self.pooled else {}
        return tuple(cells.get(axis, axis) for axis in self.axes)


def parts(record_type: Any) -> dict[str, Part]:
    """The fields of a type of record by name, in their order.

    >>> from attn_cli.records.attention import Attention
    >>> parts(Attention)["norms"].axes, parts(Attention)["norms"].pooled, parts(Attention)["mask"].shared
    (('layer', 'head', 'query', 'key'), True, (True, True, False, False))
    """
    if record_type not in _PARTS:
        _PARTS[record_type] = {f.name: _part(f) for f in dataclasses.fields(record_type)}
    return _PARTS[record_type]


_PARTS: dict[Any, dict[str, Part]] = {}  # every record asks for them while it is made


def _part(field: dataclasses.Field[Any]) -> Part:
    annotation, said = str(field.type), field.metadata.get("traits", Traits())
    found = _ARRAY.match(annotation)
    names = found[2].split() if found else [said.axis] if said.axis else []
    plain = [name.lstrip("#") for name in names]
    return Part(
        field.name,
        annotation,
        found[1] if found else "",
        tuple(_CELLS.get(name, name) for name in plain),
        tuple(name.startswith("#") for name in names),
        bool(set(plain) & set(_CELLS)),
        None if field.default_factory is not dataclasses.MISSING else field.default,
        said,
    )


def maps(record_type: Any) -> dict[str, Part]:
    """The maps that tables and pictures can show, by name.

    >>> from attn_cli.records.attention import Attention
    >>> {name: part.traits.unit for name, part in list(maps(Attention).items())[:3]}
    {'weights': 'weight', 'scores': 'score', 'norms': 'norm'}
    """
    return {name: part for name, part in parts(record_type).items() if part.traits.unit}


def held(record: Any) -> Iterator[tuple[Part, Any]]:
    """Every field that a record has, and what it holds."""
    for part in parts(type(record)).values():
        if (value := getattr(record, part.name, None)) is not None:
            yield part, value


def changed(record: Any, **changes: Any) -> Any:
    """The same record but for these fields: as `dataclasses.replace`, which wants a map that is not known."""
    return type(record)(**{part.name: value for part, value in held(record)} | changes)


def taken(record: Any, axis: str, places: Sequence[int]) -> dict[str, Any]:
    """What of a record changes where only these places of an axis are left; None for what they do not tell."""
    changes = {
        part.name: part.taken(value, axis, places) for part, value in held(record) if axis in part.axes
    }
    return changes | broken(record, axis)


def broken(record: Any, whole: str) -> dict[str, None]:
    """None for each field that sums up all of an axis, some of which is missing."""
    return {part.name: None for part, _ in held(record) if part.traits.whole == whole}


_WAYS: dict[str, Callable[[np.ndarray, int], Any]] = {
    "mean": lambda array, at: array.mean(at, np.result_type(array, np.float32), keepdims=True),
    "max": lambda array, at: array.max(at, keepdims=True),
    "any": lambda array, at: array.any(at, keepdims=True),
}


def combined(record: Any, axis: str, how: str, also: str = "") -> dict[str, Any]:
    """The arrays of a record whose heads or layers became one, their mean or max; None for all that have no such.

    `also` names a map that has them though its traits do not say so.
    """
    changes: dict[str, Any] = {}
    for part, array in held(record):
        if not part.kind or "layer" not in part.axes:
            continue
        ways = (*part.traits.combined, *([how] if part.name == also else []))
        way = how if how in ways else "any" if "any" in ways else None
        at = part.axes.index(axis) if axis in part.axes else None
        changes[part.name] = None if way is None or at is None else _WAYS[way](array, at)
    return changes


def how_to_get(name: str) -> str:
    """What to do about a map that an attention lacks: those of an output come from a model alone.

    >>> how_to_get("alti")
    'recompute it with --model mini, or another model that runs natively'
    """
    vectors = "" if name in ("gradients", "zeroing", "alti") else "from vectors, or "
    return f"recompute it {vectors}with --model mini, or another model that runs natively"
