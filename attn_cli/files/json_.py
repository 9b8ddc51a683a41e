"""`.json`: a whole record as one line, or a nested list of numbers, or lists of numbers by name, with tokens or without."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..text.escaping import json_text
from .cells import shortened
from .fields import array_of, from_fields, is_record, to_fields
from .formats import FORMATS
from .memory import allow, allow_array
from .source import called, suffix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..records.attention import Record

_INFINITE = re.compile(r"-?Infinity|NaN")


@FORMATS.register
def json_(record: Record) -> Iterator[bytes]:
    """The whole record as JSON on one line; a score of −∞ (masked) is null.

    >>> from attn_cli.records.encoding import PositionTable
    >>> print(b"".join(json_(PositionTable("any", [[0.0, 1.0]]))).decode().rstrip())
    {"type": "position_table", "schema_version": 1, "kind": "any", "values": [[0.0, 1.0]]}
    """
    separator = "{"
    for name, field in to_fields(record).items():
        yield f"{separator}{json_text(name)}: ".encode()
        if isinstance(field, np.ndarray):
            yield from _nested(field)
        else:
            yield json_text(field).encode()
        separator = ", "
    yield b"}\n"


def _nested(array: np.ndarray) -> Iterator[bytes]:
    """An array as nested lists, one matrix at a time."""
    if array.ndim > 2:
        for i, part in enumerate(array):
            yield b", " if i else b"["
            yield from _nested(part)
        yield b"]"
        return
    numbers = array.astype(np.float64) if array.dtype.kind == "f" else array
    text = json_text(numbers.tolist())
    yield (text if np.isfinite(numbers).all() else _INFINITE.sub("null", text)).encode()


def parse(text: str, path: str) -> Record | np.ndarray | dict[str, np.ndarray] | None:
    """What a JSON text holds: a record, an array, arrays by name; None if it is rather a plain text.

    A file that is called .json holds one of them. Another text that begins with a bracket may be prose.
    """
    named_so = suffix(path) == ".json"
    if not named_so and not text.lstrip().startswith(("{", "[")):
        return None
    import json

    allow(_cost(text))
    try:
        value = json.loads(text)
    except json.JSONDecodeError as problem:
        if not named_so and not _BEGINS_LIKE_OURS.match(text):
            return None
        what = f"is not JSON: {problem.msg.lower()} at column {problem.colno}"
        raise InputError(what, hint="write it again", where=called(path, problem.lineno)) from None
    except (ValueError, RecursionError):  # digits without end, lists within lists without end
        raise InputError("is not valid JSON", hint="write it again") from None
    if (found := _found(value)) is None and named_so:
        raise _neither(value)
    return found


def _neither(value: Any) -> InputError:
    """The error for JSON that holds nothing of use, or holds something else beside numbers."""
    if isinstance(value, dict) and any(map(_holds_numbers, value.values())):
        other = next(name for name, nested in value.items() if not _holds(nested))
        return InputError(f"{shortened(other)!r} holds neither numbers nor tokens", hint="leave it out")
    return InputError(
        "contains JSON that is neither a record nor numbers",
        hint='write [[1, 2], …] or {"name": [[1, 2], …]}',
    )


def _cost(text: str) -> int:
    """The bytes that Python takes for what a JSON text holds: more than its length, where it is lists of lists."""
    return len(text) + 40 * text.count(",") + 96 * text.count("[") + 240 * text.count("{")


_BEGINS_LIKE_OURS = re.compile(r'\s*(?:\{\s*"type"|\[\s*\[\s*[-\d])')


def _found(value: Any) -> Record | np.ndarray | dict[str, np.ndarray] | None:
    if isinstance(value, dict) and is_record(value):
        return from_fields({name: _field(value["type"], name, field) for name, field in value.items()})
    if (
        isinstance(value, dict)
        and any(map(_holds_numbers, value.values()))
        and all(map(_holds, value.values()))
    ):
        return {
            name: np.array(nested) if _holds_tokens(nested) else nested_array(name, nested)
            for name, nested in value.items()
        }
    if _holds_numbers(value) and isinstance(value[0], list):
        return nested_array("the matrix", value)
    return None


def _holds(value: Any) -> bool:
    return _holds_numbers(value) or _holds_tokens(value)


def _holds_tokens(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(token, str) for token in value)


def _holds_numbers(value: Any) -> bool:
    """Whether a list leads to a number; what else is in it is for `_array` to judge."""
    if not isinstance(value, list):
        return False
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, int | float)


def _field(type_name: str, name: str, value: Any) -> Any:
    if not isinstance(value, list) or (part := array_of(type_name, name)) is None:
        return value
    return nested_array(name, value, null=-np.inf if part.traits.infinite else None)


def nested_array(name: str, nested: Any, null: float | None = None) -> np.ndarray:
    """Nested lists as an array; `null` is what a null stands for, if it may stand for anything."""
    allow_array((1,) * _depth(nested), 8, whose=name)
    try:
        array = np.array(nested)
    except ValueError:
        raise InputError(f"{name}: {_raggedness(nested)}", hint="give every row as many numbers") from None
    if null is not None and array.dtype.kind == "O":
        array = np.array([null if x is None else x for x in array.flat]).reshape(array.shape)
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name}: an entry is not a number", hint="write numbers only")
    return array


def _depth(nested: Any) -> int:
    depth = 0
    while isinstance(nested, list) and nested:
        nested, depth = nested[0], depth + 1
    return depth


def _raggedness(nested: list[Any]) -> str:
    lengths = [len(row) if isinstance(row, list) else 0 for row in nested]
    row = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
    if row is None:
        return "rows of different lengths"
    return f"row {row + 1} holds {lengths[row]} numbers, row 1 holds {lengths[0]}"
