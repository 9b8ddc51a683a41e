"""One pass of a model over a text, for the attention of some of its layers."""

from __future__ import annotations

import contextlib
import inspect
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from ...attention.chunks import joined
from ...attention.layers import record as record_of
from ...errors import InputError, note
from ...variants.normalisation import softmax
from . import eager
from .silence import reason, silent
from .watching import Unfamiliar, Watch, use, watching

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float
    from torch import Tensor

    from ...attention.layers import Layer, Sides
    from ...attention.wanted_parts import Wanted
    from ...records.attention import Attention, Kind
    from ..native.text import Tokenised
    from ..reading import Reading

_LESS = "rows sum to less than 1, as the library gives them"
_SINKS = "rows sum to less than 1, as heads may attend to nothing (sinks)"


@dataclass(frozen=True, eq=False)
class Pass:
    """A model, the part of it that reads, looks or listens, what to, and what its decoder has before it.

    Of several sources, which are pieces of one text, each is read by itself.
    """

    model: Any
    tower: Any
    kind: Kind
    sources: Sequence[Tokenised | Tensor]  # an image [1, channel, height, width], a sound [1, band, frame]
    written: list[int] | None = None

    def record(self, sides: Sides, wanted: Wanted, reading: Reading) -> Attention:
        """What is wanted of the attention of some layers: watched, else as the library gives it."""
        try:
            pieces = [self._watched(source, reading) for source in self.sources]
        except Unfamiliar:
            pieces = []
        if pieces and all(pieces):
            layers = [joined(of_layer) for of_layer in zip(*pieces, strict=True)]
            said = _SINKS if any(layer.rule.normalise != softmax for layer in layers) else ""
            record = record_of(layers, sides, wanted=wanted, norms=reading.norms)
        else:
            weights, numbers = self._given(sides, reading)
            said = _LESS if bool((weights.sum(-1) < 0.99).any()) else ""
            record = eager.record(weights, numbers, sides, wanted)
        if not said:
            return record
        note(said)
        return replace(record, provenance=f"{record.provenance}, {said}")

    def _watched(self, source: Tokenised | Tensor, reading: Reading) -> list[Layer]:
        """What the wanted layers were given; later ones do not run."""
        named = reading.layers if isinstance(reading.layers, tuple) else (-1,)
        wanted = frozenset(named) if min(named) >= 0 else None
        watch = Watch(self.model, self.kind, wanted)
        with silent():
            use(self.model, ours=True)
            with watching(watch):
                self._forward(source)
        if not watch.ran:
            return []
        layers = _chosen(reading, watch.ran)
        return [one for one in watch.seen if one.number in layers]

    def _given(
        self, sides: Sides, reading: Reading
    ) -> tuple[Float[Tensor, "layer head query key"], tuple[int, ...]]:
        """The weights of some layers, which are all that the library gives, and the numbers of these."""
        if reading.norms:
            what = "norms need values and W_o, and this family gives weights alone"
            raise InputError(what, hint="leave norms out")
        shapes = [(len(sides.query_tokens), len(sides.key_tokens))]
        config = self.tower.config
        n = n_layers(config, self.kind)
        eager.check_room(n * getattr(config, "num_attention_heads", 1), *shapes[0])
        if len(self.sources) > 1:
            shapes = [
                (len(source.numbers),) * 2 for source in self.sources if not isinstance(source, torch.Tensor)
            ]
        each = zip(self.sources, shapes, strict=True)
        pieces = [self._weights(source, shape, n) for source, shape in each]
        numbers = _chosen(reading, sorted(pieces[0]))
        return torch.stack([eager.beside([piece[i] for piece in pieces]) for i in numbers]), numbers

    def _weights(
        self, source: Tokenised | Tensor, shape: tuple[int, int], n: int
    ) -> dict[int, Float[Tensor, "head query key"]]:
        """The weights of all n layers, as the library gives them when it is asked."""
        with silent():
            use(self.model, ours=False)
            outputs = self._forward(source, output_attentions=True)
        return eager.weights_of(
            outputs,
            self.kind if self.written is not None else None,
            n_layers=n,
            shape=shape,
            banded=self.tower.config.model_type in eager.BANDED and self.kind == "encoder",
        )

    def _forward(self, source: Tokenised | Tensor, **asked: Any) -> Any:
        encoder = self.kind == "encoder" and self.model.config.is_encoder_decoder
        part = self.model.get_encoder() if encoder else self.tower
        inputs = inputs_of(part, source)
        if self.written is not None:
            inputs["decoder_input_ids"] = torch.tensor(
                [self.written], device=next(iter(inputs.values())).device
            )
        with explained():
            return part(**inputs, **asked)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Whatever a model raises while it reads a text becomes an InputError."""
    try:
        yield
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, RuntimeError) as problem:
        if isinstance(problem, InputError):
            raise
        raise InputError(f"the model cannot read this ({reason(problem)})") from None


def n_layers(config: Any, kind: Kind) -> int:
    """How many layers have an attention of a kind, by the configuration; 0 where that does not tell.

    >>> from types import SimpleNamespace
    >>> t5 = SimpleNamespace(num_hidden_layers=6, num_decoder_layers=4, get_text_config=lambda: t5)
    >>> n_layers(t5, "encoder"), n_layers(t5, "cross")
    (6, 4)
    """
    text = config.get_text_config()
    names = ("num_decoder_layers", "decoder_layers") if kind in ("decoder", "cross") else ()
    numbers = [getattr(text, name, None) for name in (*names, "num_hidden_layers")]
    return next((n for n in numbers if isinstance(n, int)), 0)


def inputs_of(part: Any, piece: Tokenised | torch.Tensor) -> dict[str, torch.Tensor]:
    """What a part of a model is given of a text, an image or a sound: of all there is what it takes."""
    if isinstance(piece, torch.Tensor):
        return {part.main_input_name: piece}
    known, device = inspect.signature(part.forward).parameters, next(part.parameters()).device
    numbers = torch.tensor([piece.numbers], device=device)
    inputs = {"input_ids": numbers}
    if "attention_mask" in known:
        inputs["attention_mask"] = torch.ones_like(numbers)
    if "token_type_ids" in known and any(piece.segments):
        inputs["token_type_ids"] = torch.tensor([piece.segments], device=device)
    return inputs


def _chosen(reading: Reading, there: list[int]) -> tuple[int, ...]:
    """The wanted layers among those that have attention; of a hybrid model not all have."""
    if reading.layers == "all":
        return tuple(there)
    if reading.layers == "last":
        return (there[-1],)
    last = max(there) + 1
    numbers = {layer: layer if layer >= 0 else last + layer for layer in reading.layers}
    if missing := [layer for layer, number in numbers.items() if number not in there]:
        hint = f"give {', '.join(map(str, there))}, last or all"
        raise InputError(f"no layer {missing[0]} with attention weights", hint=hint)
    return tuple(sorted(set(numbers.values())))
