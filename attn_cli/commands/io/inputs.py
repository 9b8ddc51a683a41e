"""What a command reads: INPUT, --text or standard input."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from ... import files
from ...errors import InputError
from .environment import environment

if TYPE_CHECKING:
    from .source_options import Input


def read_input(given: Input) -> Any:
    """What INPUT or --text holds: a record, a matrix, named arrays, an image or text.

    With neither, and nobody writing into standard input, the command's help is shown instead of waiting.
    """
    if given.text is not None:
        if given.input is not None:
            raise InputError(f"both INPUT {given.input!r} and --text", hint="give one of them")
        return typed(given.text)
    if given.input is None:
        environment.help_a_person()
    path = given.input or "-"
    try:
        return files.read(path, encoding=given.encoding)
    except InputError as problem:
        if os.path.exists(path) or problem.hint.startswith("did you mean") or not _is_said(path):
            raise
        raise InputError(
            "no such file", hint="if it is the text itself, put --text before it", where=path
        ) from None


def where_from(given: Input) -> str:
    """What INPUT is called in an error."""
    return "--text" if given.text is not None else given.input or "standard input"


def is_given(given: Input) -> bool:
    """Whether there is a file or a text to read."""
    return given.input is not None or given.text is not None


def typed(text: str) -> str:
    """Text from the command line: bytes that the locale could not decode are decoded like a file's."""
    if any("\ud800" <= c <= "\udfff" for c in text):
        return files.decode(os.fsencode(text), where="--text")
    return text


def _is_said(path: str) -> bool:
    """Whether it looks like words rather than like the name of a file.

    >>> _is_said("The cat sat."), _is_said("我爱你"), _is_said("the cat.txt"), _is_said("cat")
    (True, True, False, False)
    """
    named = re.fullmatch(r"\.[^\W\d]\w*", os.path.splitext(path)[1])
    return not named and (" " in path or not path.isascii())
