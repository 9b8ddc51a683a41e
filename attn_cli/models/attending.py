"""From what a model captured to the record of it, which all kinds of models share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ..attention import attention
from ..heads import merge_heads
from ..records import Attention
from ..streaming import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from jaxtyping import Float
    from torch import Tensor

    from ..rules import Rule
    from ..transformer import Captured, Config, MultiHeadAttention

# Weights of all layers and heads that are held at once, 256 MiB and as much for the scores; where there are
# more, they are streamed and pooled.
MOST_DENSE = 2**26


@dataclass(frozen=True, eq=False)
class Attended:
    """Self-attention of some layers to one text, not yet computed."""

    parts: Sequence[MultiHeadAttention]
    query: Float[Tensor, "layer head seq d_head"]
    key: Float[Tensor, "layer head seq d_head"]
    value: Float[Tensor, "layer head seq d_head"]
    tokens: tuple[str, ...]
    rule: Rule  # what a token may see
    provenance: str

    @classmethod
    def of(
        cls, pieces: Sequence[Sequence[Captured]], tokens: Sequence[str], rule: Rule, provenance: str
    ) -> Attended:
        """What was captured while the text went through the model, in one piece or several."""
        layers = list(zip(*pieces, strict=True))
        return cls(
            [layer[0].part for layer in layers],
            torch.cat([torch.cat([piece.query for piece in layer], dim=2) for layer in layers]),
            torch.cat([torch.cat([piece.key for piece in layer], dim=2) for layer in layers]),
            torch.cat([torch.cat([piece.value for piece in layer], dim=2) for layer in layers]),
            tuple(tokens),
            rule,
            provenance,
        )

    def record(self) -> Attention:
        """Every step where that fits into memory, else maps and figures; size alone decides."""
        n_layers, n_heads, seq, _ = self.query.shape
        return self._streamed() if n_layers * n_heads * seq**2 > MOST_DENSE else self._dense()

    def _dense(self) -> Attention:
        steps = attention(self.query, self.key, self.value, self.rule)
        return Attention(
            self.tokens,
            self.tokens,
            steps.weights.numpy(),
            kind=self.parts[0].kind,
            provenance=self.provenance,
            layers=tuple(part.layer for part in self.parts),
            scores=steps.scores.numpy(),
            mask=None if steps.mask is None else steps.mask[None, None].numpy(),
            output=self._output(steps.output),
            query=self.query.numpy(),
            key=self.key.numpy(),
            value=self.value.numpy(),
        )

    def _streamed(self) -> Attention:
        blocks = stream(self.query, self.key, self.value, self.rule)
        try:
            while True:
                next(blocks)
        except StopIteration as end:
            kept = end.value
        return Attention(
            self.tokens,
            self.tokens,
            kept.weights,
            kind=self.parts[0].kind,
            provenance=self.provenance,
            layers=tuple(part.layer for part in self.parts),
            output=self._output(kept.output),
            pooled=kept.weights.shape[2] < len(self.tokens),
            entropy=kept.entropy,
            mass=kept.mass,
            top_keys=kept.top_keys,
            top_weights=kept.top_weights,
        )

    def _output(
        self, heads: Float[Tensor, "layer head seq d_head"]
    ) -> Float[np.ndarray, "layer seq d_model"]:
        """What each layer gives to the stream: its heads side by side, through its output matrix."""
        merged = zip(self.parts, merge_heads(heads), strict=True)
        return torch.stack([part.out(x) for part, x in merged]).numpy()


def sizes(config: Config) -> dict[str, str]:
    """The sizes of a model, in words for a table."""
    return {
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
