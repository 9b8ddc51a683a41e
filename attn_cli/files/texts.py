"""Many texts in one file: a text on each line, or in a field of each line's JSON object. Read line by line."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from ..errors import InputError
from ..text.escaping import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELD = re.compile(r"(.+\.jsonl):([^:/\\]+)", re.DOTALL)


class Text(NamedTuple):
    """A text, and where it stands."""

    text: str
    where: str


def field_of(path: str) -> tuple[str, str | None]:
    """A path, and the field that stands behind it.

    >>> field_of("a.jsonl:text"), field_of("a.txt")
    (('a.jsonl', 'text'), ('a.txt', None))
    """
    match = None if os.path.exists(path) else _FIELD.fullmatch(path)
    return (match[1], match[2]) if match else (path, None)


def texts_in(path: str, field: str | None = None, *, encoding: str | None = None) -> Iterator[Text]:
    """The texts of a file in their order, blank lines left out; `-` is standard input.

    Raises InputError for a line that is no text in this encoding, or no object with this field.
    """
    called = "standard input" if path == "-" else path
    for number, line in enumerate(_lines(path), 1):
        where = f"{called}:{number}"
        try:
            text = line.decode(encoding or "utf-8-sig" if number == 1 else encoding or "utf-8")
        except (UnicodeDecodeError, LookupError):
            hint = "name the right one with --encoding"
            raise InputError(f"is not {encoding or 'UTF-8'}", hint=hint, where=where) from None
        text = text.strip("\r\n") if field is None else _field(text, field, where)
        if text.strip():
            yield Text(text, where)


def count(path: str) -> int:
    """How many lines a file has at most; 0 of a stream, which can be read only once."""
    if path == "-" or not os.path.isfile(path):
        return 0
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b"")) + 1


def _lines(path: str) -> Iterator[bytes]:
    if path == "-":
        yield from sys.stdin.buffer
        return
    try:
        with open(path, "rb") as file:
            yield from file
    except FileNotFoundError:
        raise InputError("no such file", where=path) from None
    except OSError as problem:
        raise InputError(f"cannot be read: {(problem.strerror or '').lower()}", where=path) from None


def _field(line: str, field: str, where: str) -> str:
    """The text in a field of a line's JSON object; a blank line holds none."""
    if not line.strip():
        return ""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError("is not JSON", hint="write one object per line", where=where) from None
    found = value.get(field) if isinstance(value, dict) else None
    if not isinstance(found, str):
        known = (
            ", ".join(escape(name) for name, held in value.items() if isinstance(held, str))[:100]
            if isinstance(value, dict)
            else ""
        )
        raise InputError(
            f"no text in a field {field!r}", hint=f"there are {known or 'no texts in it'}", where=where
        )
    return found
