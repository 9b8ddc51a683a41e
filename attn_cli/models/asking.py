"""One output of a model that is to be explained, and all that is said of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .showing import intervened, sides_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..attention.layers import Sides
    from ..attention.wanted_parts import Wanted
    from ..records.attention import Kind
    from ..transformer.answer import Answer
    from ..transformer.intervening import Intervention
    from .reading import Reading
    from .showing import Side


@dataclass(frozen=True, eq=False)
class Meant:
    """The output of a model for a text, and what its tokens are called."""

    answer: Answer
    sides: Mapping[Kind, tuple[Side, Side]]  # queries and keys of each kind of attention that it has
    first: Kind  # the kind that is shown where none is asked for
    tokens: tuple[str, ...]  # what is read
    removable: tuple[bool, ...]  # of these: no special token, and no gap that is to be filled
    output: tuple[str, ...]  # the token at each place of the output
    instead: str  # what takes the place of a token that is taken away
    model: str  # the provenance of it alone
    intervention: Intervention | None = None

    @property
    def provenance(self) -> str:
        """The model, and what was done to it."""
        return self.model + intervened(self.intervention)

    @property
    def said(self) -> str:
        """The output, for a provenance."""
        listed = " ".join(self.output)
        return f'toward "{listed if len(listed) <= 60 else listed[:60] + "…"}"'

    def kind(self, reading: Reading) -> Kind:
        """The kind of attention that is to be shown."""
        return reading.chosen_kind([self.first, *(kind for kind in self.sides if kind != self.first)])

    def shown(self, kind: Kind, reading: Reading) -> tuple[Sides, Wanted]:
        """What a record of its attention says, and which of its numbers are wanted."""
        return sides_of(
            *self.sides[kind],
            kind,
            f"{self.model}; {self.said}",
            replace(reading, intervention=self.intervention),
        )


def position(toward: Any) -> int | None:
    """The position that is meant, None where a token is.

    >>> position("-1"), position("mat"), position(None)
    (-1, None, None)
    """
    text = str(toward)
    return int(text) if text.removeprefix("-").isdecimal() else None


def place(at: int, n: int, what: str) -> int:
    """A position counted from the end where it is below 0.

    Raises InputError where there is none.

    >>> place(-1, 3, "tokens")
    2
    """
    if not -n <= at < n:
        raise InputError(f"--toward {at}, but there are {n} {what}", hint=f"give 0 to {n - 1}, or a token")
    return at % n


def refuse_pieces(reading: Reading) -> None:
    """Raise InputError where a text is to be read in pieces, as an output rests on one of them, or written on."""
    if reading.too_long == "chunk":
        raise InputError("a text in chunks has no single output", hint="give --too-long truncate")
    if reading.generate is not None:
        raise InputError(
            "a generated text has no single output to explain",
            hint="leave --generate out; give the whole text",
        )


def some(removable: Sequence[bool]) -> tuple[bool, ...]:
    """Which tokens may be taken away.

    Raises InputError where none may.
    """
    if not any(removable):
        raise InputError("the text has no token that the output could depend on", hint="give more text")
    return tuple(removable)
