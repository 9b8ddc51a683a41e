"""What a command reads: INPUT, --text or standard input."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ... import files
from ...errors import InputError
from ...text.characters import beginning
from .environment import environment

if TYPE_CHECKING:
    from .source_options import Input


@dataclass(frozen=True, eq=False)
class Read:
    """One of the inputs of a command, read."""

    data: Any  # a record, a matrix, named arrays, an image or a text
    where: str  # what it is called in an error
    number: int | None = None  # counted from 1, where there are several

    @property
    def name(self) -> str:
        """What a person chooses it by: the beginning of a text, with the file and line that it is from.

        >>> Read("The cat sat.", "--text").name, Read(None, "a.npz").name
        ('The cat sat.', 'a.npz')
        """
        if not isinstance(self.data, str):
            return self.where
        said = beginning(self.data)
        return said if self.where == "--text" else f"{self.where}: {said}"


def read_inputs(given: Input) -> list[Read]:
    """What each INPUT or --text holds; with --lines each line of a text by itself.

    With neither, and nobody writing into standard input, the command's help is shown instead of waiting.
    """
    if given.text and given.input:
        raise InputError(f"INPUT {given.input[0]!r} cannot be combined with --text", hint="give one of them")
    if not is_given(given):
        environment.help_a_person()
    if given.text:
        read = [Read(typed(text), "--text") for text in given.text]
    else:
        read = [Read(_of_file(path, given.encoding), path) for path in given.input or ("-",)]
    if given.lines:
        read = [line for one in read for line in _lines(one)]
    return read if len(read) == 1 else [replace(one, number=i + 1) for i, one in enumerate(read)]


def read_input(given: Input) -> Any:
    """What the one INPUT or --text holds.

    Raises InputError where several are given to a command that reads one.
    """
    (one, *more) = read_inputs(given)
    if more:
        raise InputError(f"{len(more) + 1} inputs, but this command reads one", hint="give one")
    return one.data


def _lines(read: Read) -> list[Read]:
    if not isinstance(read.data, str):
        raise InputError("--lines applies only to text", hint="leave it out", where=read.where)
    lines = [(i, line) for i, line in enumerate(read.data.splitlines(), 1) if line.strip()]
    return [Read(line, f"{read.where}:{i}") for i, line in lines]


def _of_file(path: str, encoding: str | None) -> Any:
    try:
        data = files.read(path, encoding=encoding)
        if isinstance(data, str) and path != "-" and files.made_by_attn(path):
            raise InputError(
                "is a picture that attn drew, not text", hint="give what it was drawn from", where=path
            )
        return data
    except InputError as problem:
        if os.path.exists(path) or problem.hint.startswith("did you mean") or not is_said(path):
            raise
        raise InputError(
            "no such file", hint="if it is the text itself, put --text before it", where=path
        ) from None


def where_from(given: Input) -> str:
    """What INPUT is called in an error."""
    return "--text" if given.text else given.input[0] if given.input else "standard input"


def is_given(given: Input) -> bool:
    """Whether there is a file or a text to read."""
    return bool(given.input or given.text)


def typed(text: str) -> str:
    """Text from the command line: bytes that the locale could not decode are decoded like a file's."""
    if any("\ud800" <= c <= "\udfff" for c in text):
        return files.decode(os.fsencode(text), where="--text")
    return text


def is_said(path: str) -> bool:
    """Whether it looks like words rather than like the name of a file.

    >>> is_said("The cat sat."), is_said("我爱你"), is_said("the cat.txt"), is_said("cat")
    (True, True, False, False)
    """
    named = re.fullmatch(r"\.[^\W\d]\w*", os.path.splitext(path)[1])
    return not named and (" " in path or not path.isascii())
