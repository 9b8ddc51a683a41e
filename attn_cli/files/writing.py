"""Bytes into a file, all or nothing: written beside it, synced, then put in its place."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

_DESCRIPTOR = re.compile(r"/dev/(?:(stdin|stdout|stderr)|fd/(\d+))|/proc/self/fd/(\d+)")
_STANDARD = {"stdin": 0, "stdout": 1, "stderr": 2}


def write(path: str, chunks: Iterable[bytes]) -> None:
    """Write a file so that it is there whole or not at all, and what was there before stays until then.

    A device or pipe is written to, never replaced; of a link the target is replaced. A new file has the
    mode that the umask gives, an old one keeps its own. Whatever `chunks` raises goes through, as does
    BrokenPipeError: a pipe whose reader has seen enough. Raises InputError when the system refuses.
    """
    try:
        if is_stream(path):
            with _stream(path) as file:
                file.writelines(chunks)
        else:
            _replace(os.path.realpath(path), chunks)
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise _refusal(problem, path) from None


def is_stream(path: str) -> bool:
    """Whether a path is a device, a pipe or an open descriptor, which are written to as they are."""
    if _DESCRIPTOR.fullmatch(path):
        return True
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _stream(path: str) -> BinaryIO:
    if match := _DESCRIPTOR.fullmatch(path):
        # Not opened by its name: that would cut off what a shell's `>> file` had kept.
        name, *numbers = match.groups()
        number = _STANDARD[name] if name else int(numbers[0] or numbers[1])
        return os.fdopen(os.dup(number), "wb")
    return open(path, "wb")


def _replace(target: str, chunks: Iterable[bytes]) -> None:
    old = os.stat(target) if os.path.exists(target) else None
    if old and stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError
    if old and not os.access(target, os.W_OK):
        raise PermissionError
    beside = os.path.join(os.path.dirname(target), f".attn-{os.urandom(8).hex()}.tmp")
    try:
        with open(beside, "xb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        if old:
            os.chmod(beside, stat.S_IMODE(old.st_mode))
        os.replace(beside, target)
    except BaseException:  # an interrupt too
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _refusal(problem: OSError, path: str) -> InputError:
    if isinstance(problem, IsADirectoryError):
        return InputError("is a directory", hint="name a file in it", where=path)
    if isinstance(problem, FileNotFoundError):
        folder = os.path.dirname(path)
        return InputError(f"there is no folder {folder!r}", hint="make it first", where=path)
    if isinstance(problem, PermissionError):
        return InputError("is not writable", hint="choose another path", where=path)
    return InputError(f"cannot be written: {(problem.strerror or str(problem)).lower()}", where=path)
