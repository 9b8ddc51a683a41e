"""What the config.json of a Hugging Face directory gives, each entry checked when it is asked for."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...transformer.model import Activation

T = TypeVar("T")

_LARGEST = 2**26  # of any size, so that no product of two overflows


@dataclass(frozen=True)
class Given:
    """The entries of a config.json.

    >>> Given({"n_layer": 12}).size("n_layer")
    12
    """

    entries: Mapping[str, Any]

    def size(self, name: str, default: int | None = None) -> int:
        """A whole number of at least 1.

        Raises InputError when it is none, or is missing and has no default.
        """
        value = self.entries.get(name)
        value = default if value is None else value
        if value is None:
            raise InputError(f"has no {name!r}", hint="download or save the model again")
        if type(value) is not int or not 1 <= value <= _LARGEST:
            raise InputError(f"{name} is {short(value)}, expected a whole number from 1 to {_LARGEST:,}")
        return value

    def maybe_size(self, name: str) -> int | None:
        """The same, or None where the entry is missing or null."""
        return None if self.entries.get(name) is None else self.size(name)

    def count(self, name: str, default: int) -> int:
        """A whole number that may be 0."""
        return 0 if self.entries.get(name) == 0 else self.size(name, default)

    def number(self, name: str, default: float) -> float:
        """A number above 0."""
        value = self.entries.get(name)
        value = default if value is None else value
        if type(value) not in (int, float) or not 0 < value < 1e30:
            raise InputError(f"{name} is {short(value)}, expected a number above 0")
        return float(value)

    def numbers(self, name: str, n: int, default: float, *, least: float = -math.inf) -> tuple[float, ...]:
        """So many numbers above `least`; a single one stands for all."""
        value = self.entries.get(name)
        value = default if value is None else value
        every = value if isinstance(value, list) else [value] * n
        if len(every) != n or not all(type(x) in (int, float) and least < x < math.inf for x in every):
            above = "" if least == -math.inf else f" above {least:g}"
            raise InputError(f"{name} is {short(value)}, expected {n} numbers{above}")
        return tuple(map(float, every))

    def choice(self, name: str, choices: Mapping[Any, T], default: Any) -> T:
        """What an entry stands for.

        Raises InputError when it is none of the choices: the model has a part that is not read natively.
        """
        value = self.entries.get(name, default)
        for known, meant in choices.items():
            if type(value) is type(known) and value == known:
                return meant
        known = " or ".join(map(short, choices))
        raise InputError(f"{name} is {short(value)}, only {known} is read")

    def must_be(self, name: str, value: object) -> None:
        """Raise InputError when an entry is there and not the one value that is read."""
        self.choice(name, {value: None}, value)

    def inner(self, *names: str) -> Given:
        """The first of these objects that is there, else an empty one."""
        there = (self.entries[name] for name in names if self.entries.get(name) is not None)
        found: object = next(there, {})
        if not isinstance(found, dict):
            raise InputError(f"{names[0]} is {short(found)}, expected an object")
        return Given(found)


ACTIVATIONS: dict[str, Activation] = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}


def short(value: object) -> str:
    """An entry as messages quote it, its end cut off."""
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
