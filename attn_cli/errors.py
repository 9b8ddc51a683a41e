"""What may go wrong, said once: errors and remarks that every layer raises and only `cli.py` prints."""

from __future__ import annotations

import contextlib
import re
import sys
import warnings
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 300  # characters of a line on stderr, with what stands before the message
_PREFIX = len("attn: warning: ")
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")
_from_python = ContextVar(
    "from_python", default=False
)  # whether a Python program has called, not the command line


class InputError(ValueError):
    """Input or usage that cannot be right; the command line prints it as one line and exits 2.

    `what` names what was got and what is allowed, `hint` what to do, `where` the file and line:
    `FILE:LINE: what; hint`. However long the names in it are, its text fits into one line of `LONGEST`
    characters: each part that is too long is cut in its middle.

    >>> str(InputError("3 columns, expected 2", hint="remove one", where="q.csv:4"))
    'q.csv:4: 3 columns, expected 2; remove one'
    """

    def __init__(self, what: str, *, hint: str = "", where: str = "") -> None:
        self.what, self.hint, self.where = what, hint, where
        super().__init__(what)

    def __str__(self) -> str:
        where, what, hint = (
            f"{self.where}: " * bool(self.where),
            self.what,
            f"; {self.hint}" * bool(self.hint),
        )
        if len(where) + len(what) + len(hint) > (room := LONGEST - _PREFIX):
            where = shortened(where, room // 3)
            what = shortened(what, max(room // 3, room - len(where) - len(hint)))
            hint = shortened(hint, room - len(where) - len(what))
        return where + what + hint

    def at(self, where: str) -> InputError:
        """The same error, placed in a file by someone who knows its name (an inner place is kept)."""
        return InputError(self.what, hint=self.hint, where=self.where or where)


@contextlib.contextmanager
def about(where: str) -> Iterator[None]:
    """Errors of what is done inside name this file or option, unless they name a place of their own.

    >>> with about("q.csv"):
    ...     raise InputError("3 columns, expected 2")
    Traceback (most recent call last):
    attn_cli.errors.InputError: q.csv: 3 columns, expected 2
    """
    try:
        yield
    except InputError as problem:
        raise problem.at(where) from None


@contextlib.contextmanager
def for_python() -> Iterator[None]:
    """Errors and remarks of what is done inside name options as a Python program knows them.

    >>> with for_python():
    ...     raise InputError("--query-token cannot be combined with INPUT")
    Traceback (most recent call last):
    attn_cli.errors.InputError: query_token cannot be combined with data
    """
    token = _from_python.set(True)
    try:
        yield
    except InputError as problem:
        problem.what, problem.hint = in_python(problem.what), in_python(problem.hint)
        raise
    finally:
        _from_python.reset(token)


def in_python(message: str) -> str:
    """A message with the names of Python instead of those of the command line; what is to be typed there stays.

    >>> in_python("--top-k 0 is too small; give --top-k 1"), in_python("see attn attend --help")
    ('top_k 0 is too small; give top_k 1', 'see attn attend --help')
    """
    if re.search(r"\b(attn|hf) [a-z-]+ ", message):
        return message
    return _OPTION.sub(lambda option: option[1].replace("-", "_"), message).replace("INPUT", "data")


def shortened(text: str, most: int) -> str:
    """A text of at most `most` characters: what is too long is cut in its middle.

    >>> shortened("a name without end", 10), shortened("short", 10)
    ('a nam… end', 'short')
    """
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}…{text[len(text) - (most - 1) // 2 :]}"


class AttnWarning(UserWarning):
    """Something the user should know although the command goes on; printed as `attn: warning: …`."""


class AttnNote(AttnWarning):
    """A choice made on the user's behalf (an encoding guessed, say); printed as `attn: note: …`."""


def warn(message: str) -> None:
    """Say that a result is not quite what was asked for."""
    message = in_python(message) if _from_python.get() else message
    warnings.warn(message, AttnWarning, stacklevel=_of_the_caller())


def note(message: str) -> None:
    """Say which choice was made where several were possible."""
    message = in_python(message) if _from_python.get() else message
    warnings.warn(message, AttnNote, stacklevel=_of_the_caller())


def _of_the_caller() -> int:
    """The stacklevel, for `warn` and `note`, of the line that called this package: theirs, not one of torch."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and _is_inside(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    return level


def _is_inside(module: str) -> bool:
    return module.partition(".")[0] in (__package__, "torch", "contextlib")
