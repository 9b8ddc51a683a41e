"""Where bytes come from: a file, a pipe or standard input, opened so that they can be looked at twice."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, BinaryIO

from ..errors import InputError, about
from .memory import allow

if TYPE_CHECKING:
    from collections.abc import Iterator


_CHUNK = 2**20  # bytes that are read at a time


@contextlib.contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """The bytes behind a path, seekable; "-" is standard input.

    What goes wrong inside, in the system or in the contents, is an InputError that names the path.
    """
    with about(called(path)):
        try:
            with _open(path) as file:
                yield file
        except OSError as problem:
            what, hint = _explain(problem, path)
            raise InputError(what, hint=hint) from None


def called(path: str, line: int | None = None) -> str:
    """The name of a source in messages: `FILE` or `FILE:LINE`.

    >>> called("-", 3)
    'standard input:3'
    """
    name = "standard input" if path == "-" else path
    return name if line is None else f"{name}:{line}"


def split_name(spec: str) -> tuple[str, str | None]:
    """A file and the name of one of its arrays, from `FILE:NAME`; what no file stands before has no name.

    >>> split_name("-:q"), split_name("no-such-file:q")
    (('-', 'q'), ('no-such-file:q', None))
    """
    if os.path.exists(spec):
        return spec, None
    places = [i for i, c in enumerate(spec) if c == ":"]
    ends = (i for i in reversed(places) if spec[:i] == "-" or os.path.isfile(spec[:i]))
    return (spec, None) if (end := next(ends, None)) is None else (spec[:end], spec[end + 1 :])


def suffix(path: str) -> str:
    """The suffix in lower case, its dot included.

    >>> suffix("runs/Q.CSV"), suffix("-")
    ('.csv', '')
    """
    return os.path.splitext(path)[1].lower()


def size(file: BinaryIO) -> int:
    """How many bytes lie between here and the end."""
    here = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(here)
    return end - here


def read_exactly(file: BinaryIO, n_bytes: int) -> bytes:
    """That many bytes; a file that ends before is refused."""
    data = file.read(n_bytes)
    if len(data) < n_bytes:
        raise truncated()
    return data


def truncated() -> InputError:
    """The error of a file that holds less than it says."""
    return InputError("ends too early: the file is cut short", hint="copy or write it again")


def _open(path: str) -> BinaryIO:
    if path == "-":
        return _standard_input()
    file = open(path, "rb")  # noqa: SIM115 (the caller closes it)
    if file.seekable():
        return file
    with file:
        return _all_of(file)  # a pipe: `attn heatmap <(attn attend …)`


def _standard_input() -> BinaryIO:
    held = _all_of(sys.stdin.buffer) if sys.stdin else io.BytesIO()
    if not size(held):
        raise InputError("is empty", hint="pipe something in or name a file; it can be read only once")
    return held


def _all_of(pipe: BinaryIO) -> BinaryIO:
    """Everything that comes through a pipe, which may have no end."""
    held = io.BytesIO()
    while chunk := pipe.read(_CHUNK):
        held.write(chunk)
        allow(held.tell(), "what comes through the pipe")
    held.seek(0)
    return held


def _explain(problem: OSError, path: str) -> tuple[str, str]:
    """What is wrong, and what to do."""
    if isinstance(problem, FileNotFoundError):
        return "no such file", _nearest(path) or "check its name and folder"
    if isinstance(problem, IsADirectoryError):
        return "is a directory, not a file", ""
    return f"cannot be read: {(problem.strerror or str(problem)).lower()}", ""


def _nearest(path: str) -> str:
    import difflib

    folder, name = os.path.split(path)
    try:
        # Closer than names of options need to be: any two files called .txt are half the same.
        close = difflib.get_close_matches(name, sorted(os.listdir(folder or ".")), n=1, cutoff=0.7)
    except OSError:
        return ""
    return f"did you mean {os.path.join(folder, close[0])!r}?" if close else ""
