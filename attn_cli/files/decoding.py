"""Bytes to text: byte order marks, UTF-8, UTF-16 without a mark, GB18030, or the encoding that is named."""

from __future__ import annotations

import codecs
import contextlib
from typing import TYPE_CHECKING

from ..errors import InputError, note
from . import contents
from .memory import allow_text
from .source import called, opened, size

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME_IT = "give --encoding NAME"
# The longer marks first: UTF-32's begins with UTF-16's.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def read_text(path: str, *, encoding: str | None = None) -> str:
    """The text of a file, its line ends made `\\n`; "-" is standard input.

    `encoding` names the character encoding; without it a byte order mark decides, else UTF-8, UTF-16
    and GB18030 are tried in that order, and a note says so when it was not UTF-8. Raises InputError for
    bytes that are no text, and for a text of nothing but blanks.
    """
    with opened(path) as file:
        if (kind := contents.kind(file, path)) != "text":
            raise InputError(f"is {_ARTICLES[kind]}, not text", hint="give a text file")
        allow_text(size(file))
        text = decode(file.read(), encoding, where=called(path))
        if not text.strip():
            raise InputError("contains only whitespace", hint="put some text in it")
        return text


_ARTICLES = {
    "image": "an image", "npy": "a NumPy array", "npz": "an .npz archive", "pt": "a PyTorch file",
    "safetensors": "a .safetensors file", "sound": "a sound",
}  # fmt: skip


def decode(data: bytes, encoding: str | None = None, *, where: str) -> str:
    r"""Bytes as text, as `read_text` reads them; `where` names them in messages.

    >>> decode("注意\r\n".encode("gb18030"), "gb18030", where="a.txt")
    '注意\n'
    """
    text = _named(data, encoding, where) if encoding else _guessed(data, where)
    if (place := text.find("\0")) >= 0:
        line = text.count("\n", 0, place) + 1
        raise InputError(
            "contains a NUL character, so it is not text", hint="give a text file", where=f"{where}:{line}"
        )
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


@contextlib.contextmanager
def without_option() -> Iterator[None]:
    """What is no text is to be saved again: for commands on which no option names its encoding.

    >>> with without_option():
    ...     decode(b"\\xff", where="a.csv")
    Traceback (most recent call last):
    attn_cli.errors.InputError: a.csv:1: is neither UTF-8 nor GB18030: byte 0xff at offset 0; save it as UTF-8
    """
    try:
        yield
    except InputError as problem:
        if problem.hint != _NAME_IT:
            raise
        raise InputError(problem.what, hint="save it as UTF-8", where=problem.where) from None


def marked(head: bytes) -> str | None:
    """The encoding that a byte order mark declares."""
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)


def _named(data: bytes, encoding: str, where: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as problem:
        raise _undecodable(problem, f"is not {encoding}", where) from None
    except (LookupError, ValueError):  # unknown, or a codec that is no character encoding, such as `hex`
        raise InputError(
            f"unknown encoding {encoding!r}", hint="give one such as utf-8, gb18030 or utf-16"
        ) from None


def _guessed(data: bytes, where: str) -> str:
    if encoding := marked(data):
        if encoding != "utf-8":
            note(f"{where}: read as {encoding[:6].upper()}; --encoding sets it")
        return _named(data, encoding, where)
    if b"\0" in data and (text := _utf16(data)):
        note(f"{where}: read as UTF-16; --encoding sets it")
        return text
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        if problem.reason == "unexpected end of data" and not data[: problem.start].isascii():
            raise _undecodable(problem, "ends within a UTF-8 character", where) from None
        not_utf8 = _undecodable(problem, "is neither UTF-8 nor GB18030", where)
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        raise not_utf8 from None
    note(f"{where}: read as GB18030; --encoding sets it")
    return text


def _utf16(data: bytes) -> str | None:
    """The text, if it can be UTF-16: its ASCII characters have their NULs on one side."""
    low_first = data[1::2].count(0) >= data[0::2].count(0)
    try:
        text = data.decode("utf-16-le" if low_first else "utf-16-be")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _undecodable(problem: UnicodeDecodeError, what: str, where: str) -> InputError:
    data, offset = problem.object, problem.start
    line = data[:offset].decode(problem.encoding, "replace").count("\n") + 1
    return InputError(
        f"{what}: byte 0x{data[offset]:02x} at offset {offset}",
        hint=_NAME_IT,
        where=f"{where}:{line}",
    )
