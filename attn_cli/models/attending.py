"""From what a model captured to the record of it, which all kinds of models share."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from ..attention import attention
from ..heads import merge_heads
from ..records import Attention
from ..rules import Rule
from ..streaming import drain, stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from jaxtyping import Float
    from torch import Tensor

    from ..capture import Captured, Part
    from ..config import Config

# Weights of all layers and heads that are held at once, 256 MiB and as much for the scores; where there are
# more, they are streamed and pooled.
MOST_DENSE = 2**26


@dataclass(frozen=True, eq=False)
class Attended:
    """Attention of some layers to one text, not yet computed."""

    parts: Sequence[Part]
    query: Float[Tensor, "layer head query d_head"]
    key: Float[Tensor, "layer head key d_head"]
    value: Float[Tensor, "layer head key d_head"]
    query_tokens: tuple[str, ...]
    key_tokens: tuple[str, ...]
    rule: Rule  # what a token may see
    provenance: str
    lengths: Float[Tensor, "layer head key"] | None = None  # of value · W_o, where norms are wanted

    @classmethod
    def of(
        cls,
        pieces: Sequence[Sequence[Captured]],
        tokens: Sequence[str],
        rule: Rule,
        provenance: str,
        key_tokens: Sequence[str] | None = None,
        *,
        norms: bool = False,
    ) -> Attended:
        """What was captured while the text went through the model, in one piece or several.

        Keys are the same tokens, unless told.
        """
        layers = list(zip(*pieces, strict=True))
        return cls(
            [layer[0].part for layer in layers],
            torch.cat([torch.cat([piece.query for piece in layer], dim=2) for layer in layers]),
            torch.cat([torch.cat([piece.key for piece in layer], dim=2) for layer in layers]),
            torch.cat([torch.cat([piece.value for piece in layer], dim=2) for layer in layers]),
            tuple(tokens),
            tuple(tokens if key_tokens is None else key_tokens),
            rule,
            provenance,
            torch.cat([torch.cat([piece.value_lengths for piece in layer], dim=2) for layer in layers])
            if norms
            else None,
        )

    def record(self) -> Attention:
        """Every step where that fits into memory, else maps and figures; size alone decides."""
        n_layers, n_heads, n_query, _ = self.query.shape
        n_weights = n_layers * n_heads * n_query * self.key.shape[2]
        return self._streamed() if n_weights > MOST_DENSE else self._dense()

    def _dense(self) -> Attention:
        steps = attention(self.query, self.key, self.value, self.rule)
        return Attention(
            self.query_tokens,
            self.key_tokens,
            steps.weights.numpy(),
            kind=self.parts[0].kind,
            provenance=self.provenance,
            layers=tuple(part.layer for part in self.parts),
            scores=steps.scores.numpy(),
            norms=None if self.lengths is None else (steps.weights * self.lengths[..., None, :]).numpy(),
            mask=None if steps.mask is None else steps.mask[None, None].numpy(),
            output=self._output(steps.output),
            query=self.query.numpy(),
            key=self.key.numpy(),
            value=self.value.numpy(),
        )

    def _streamed(self) -> Attention:
        kept = drain(stream(self.query, self.key, self.value, self.rule, lengths=self.lengths))
        return Attention(
            self.query_tokens,
            self.key_tokens,
            kept.weights,
            kind=self.parts[0].kind,
            provenance=self.provenance,
            layers=tuple(part.layer for part in self.parts),
            output=self._output(kept.output),
            pooled=kept.weights.shape[2:] != (len(self.query_tokens), len(self.key_tokens)),
            entropy=kept.entropy,
            mass=kept.mass,
            top_keys=kept.top_keys,
            top_weights=kept.top_weights,
            norms=kept.norms,
        )

    def _output(
        self, heads: Float[Tensor, "layer head query d_head"]
    ) -> Float[np.ndarray, "layer query d_model"]:
        """What each layer gives to the stream: its heads side by side, through its output matrix."""
        merged = zip(self.parts, merge_heads(heads), strict=True)
        return torch.stack([part.out(x) for part, x in merged]).numpy()


def apart(rule: Rule, lengths: Sequence[int]) -> Rule:
    """The same rule, but no piece of the text sees another."""
    if len(lengths) == 1:
        return rule
    alone = Rule.parse(mask=[f"document:lengths={'+'.join(map(str, lengths))}"])
    return replace(rule, masks=rule.masks + alone.masks)


def sizes(config: Config) -> dict[str, str]:
    """The sizes of a model, in words for a table."""
    told = {
        "stack": config.stack,
        "layers": str(config.n_layers),
        "heads": str(config.n_heads),
        "kv_heads": str(config.kv_heads),
        "d_model": str(config.d_model),
        "d_head": str(config.head_size),
        "d_ff": str(config.d_ff),
        "vocab": str(config.vocab),
        "max_len": str(config.max_len),
    }
    if config.patch is None:
        return told
    rows = math.isqrt(config.max_len - 1)  # besides the patches there is one for the whole
    image = {
        "channels": told.pop("vocab"),
        "image": f"{rows * config.patch} × {rows * config.patch}",
        "patches": f"{rows} × {rows} of {config.patch} × {config.patch}",
    }
    return told | image


def layers_named(layers: Sequence[int], n_layers: int) -> str:
    """How a provenance goes on where only some of the layers are shown.

    >>> layers_named((0, 2), 3), layers_named((0,), 1)
    (', layer 0, 2', '')
    """
    return "" if len(layers) == n_layers else f", layer {', '.join(map(str, layers))}"
