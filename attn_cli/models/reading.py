"""How a model is to read a text: the options that all models share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import InputError
from ..records.encoding import Image

if TYPE_CHECKING:
    from ..attention.streamed_rows import Watch
    from ..records.attention import Kind
    from ..transformer.intervening import Intervention


# Gives the places of those that are wanted, rising, of what all tokens are called.
Pick = Callable[[Sequence[str]], Sequence[int]]


@dataclass(frozen=True)
class Reading:
    """What to read, and what to keep of it."""

    layers: Literal["all", "last"] | tuple[int, ...] = "all"  # counted from 0, or from the last as −1
    pair: str | None = None  # a second text, for models that read two
    kind: Kind | None = (
        None  # which attention of a model that has several; None: its encoder's, if it has one
    )
    target: str | None = None  # what an encoder–decoder is to write; None: what it writes by itself
    norms: bool = False  # say also how much of each key arrives: ‖weight · value · W_o‖
    special: Literal["keep", "drop", "renormalise"] = "keep"  # tokens that the tokenizer adds
    too_long: Literal["error", "truncate", "chunk"] = "error"
    heads: tuple[int, ...] | None = None  # counted from 0, or from the last as −1; None: all
    queries: Pick | None = None  # which of the queries that are shown to compute; None: all
    keys: Pick | None = None  # which of the keys to keep, after the softmax; None: all
    watch: Watch | None = (
        None  # who counts something in the rows of a text too long for its weights to be held
    )
    dtype: str | None = None  # what to compute in; None: as the weights were saved, at least in float32
    device: str = "cpu"
    intervention: Intervention | None = None  # heads to leave out, masks besides those of the model
    generate: int | None = None  # how many tokens to go on with at most, and then read all
    sample: Any = None  # in which way: a spec of `sampling`, or a function; None: the likeliest

    def chosen(self, n_layers: int) -> tuple[int, ...]:
        """The wanted layers of so many, in order.

        >>> Reading(layers="last").chosen(12), Reading(layers=(0, -2)).chosen(12)
        ((11,), (0, 10))
        """
        if self.layers == "all":
            return tuple(range(n_layers))
        if self.layers == "last":
            return (n_layers - 1,)
        if missing := [layer for layer in self.layers if not -n_layers <= layer < n_layers]:
            raise InputError(f"no layer {missing[0]}", hint=f"give 0 to {n_layers - 1}, last or all")
        return tuple(sorted({layer % n_layers for layer in self.layers}))

    def chosen_kind(self, there: Sequence[Kind]) -> Kind:
        """The wanted kind of attention among those that a model has, the first of them unless told.

        >>> Reading().chosen_kind(["encoder", "decoder", "cross"])
        'encoder'
        """
        if self.kind is None:
            return there[0]
        if self.kind not in there:
            raise InputError(f"no {self.kind} attention in this model", hint=f"it has {' and '.join(there)}")
        return self.kind

    def whole(self, text: str) -> str:
        """The text, with the second one where a pair is read."""
        return text if self.pair is None else f"{text} {self.pair}"

    def refuse_image(self, given: object, what: str) -> None:
        """Raise InputError when an image was given to a model that reads text."""
        if isinstance(given, Image):
            raise InputError(f"{what} reads text, not images", hint="give a ViT or CLIP directory")

    def refuse_target(self, what: str) -> None:
        """Raise InputError when a target was given to a model that writes nothing."""
        if self.target is not None:
            raise InputError(f"{what} has no decoder that reads a target", hint="leave --target out")

    def refuse_generating(self, what: str, hint: str = "leave --generate out") -> None:
        """Raise InputError when a model that cannot continue a text was told to."""
        if self.generate is not None:
            raise InputError(f"{what} cannot continue a text", hint=hint)


WHOLE = Reading()
