"""What may go wrong, said once: errors and remarks that every layer raises and only `cli.py` prints."""

from __future__ import annotations

import warnings


class InputError(ValueError):
    """Input or usage that cannot be right; the command line prints it as one line and exits 2.

    `what` names what was got and what is allowed, `hint` what to do, `where` the file and line:
    `FILE:LINE: what; hint`.

    >>> str(InputError("3 columns, expected 2", hint="remove one", where="q.csv:4"))
    'q.csv:4: 3 columns, expected 2; remove one'
    """

    def __init__(self, what: str, *, hint: str = "", where: str = "") -> None:
        self.what, self.hint, self.where = what, hint, where
        super().__init__(what)

    def __str__(self) -> str:
        message = f"{self.where}: {self.what}" if self.where else self.what
        return f"{message}; {self.hint}" if self.hint else message

    def at(self, where: str) -> InputError:
        """The same error, placed in a file by someone who knows its name (an inner place is kept)."""
        return InputError(self.what, hint=self.hint, where=self.where or where)


class AttnWarning(UserWarning):
    """Something the user should know although the command goes on; printed as `attn: warning: …`."""


class AttnNote(AttnWarning):
    """A choice made on the user's behalf (an encoding guessed, say); printed as `attn: note: …`."""


def warn(message: str) -> None:
    """Say that a result is not quite what was asked for."""
    warnings.warn(message, AttnWarning, stacklevel=3)


def note(message: str) -> None:
    """Say which choice was made where several were possible."""
    warnings.warn(message, AttnNote, stacklevel=3)
