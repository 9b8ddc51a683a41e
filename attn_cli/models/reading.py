"""How a model is to read a text: the options that all models share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import InputError


@dataclass(frozen=True)
class Reading:
    """What to read, and what to keep of it."""

    layers: Literal["all", "last"] | tuple[int, ...] = "all"  # counted from 0
    pair: str | None = None  # a second text, for models that read two
    special: bool = True  # keep the tokens that the tokenizer adds
    too_long: Literal["refuse", "truncate", "chunk"] = "refuse"

    def chosen(self, n_layers: int) -> tuple[int, ...]:
        """The wanted layers of so many, in order.

        >>> Reading(layers="last").chosen(12)
        (11,)
        """
        if self.layers == "all":
            return tuple(range(n_layers))
        if self.layers == "last":
            return (n_layers - 1,)
        if missing := [layer for layer in self.layers if not 0 <= layer < n_layers]:
            raise InputError(f"no layer {missing[0]}", hint=f"give 0 to {n_layers - 1}, last or all")
        return tuple(sorted(set(self.layers)))


WHOLE = Reading()
