"""What passes through the attentions of a Transformer: every one goes through a function that may look on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from ..attention.chunks import joined
from ..attention.dense import Steps, attention
from ..attention.layers import Layer
from ..attention.outputs import Output
from ..attention.rules import Rule
from .intervening import NOTHING, Intervention

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

    from ..records.attention import Kind


class Part(Protocol):
    """An attention of a model, as far as others need to know it."""

    kind: Kind
    layer: int
    n_heads: int
    out: nn.Linear  # W_o, which makes one vector of the outputs of all heads

    @property
    def rule(self) -> Rule:
        """What it may see, padding aside, and how it scales its scores."""
        ...


# What happens between the heads' query, key and value and their output. Every attention of a model goes
# through the one function that `model(tokens, attend=…)` was given, so whoever gives it sees everything.
Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None, Part], Tensor]


def fast(
    query: Float[Tensor, "batch head query d_head"],
    key: Float[Tensor, "batch head key d_head"],
    value: Float[Tensor, "batch head key d_head"],
    mask: Bool[Tensor, "#batch #head #query key"] | None,
    part: Part,
) -> Float[Tensor, "batch head query d_head"]:
    """Attention when only its output is wanted: torch's fused kernel, which keeps no weights."""
    return scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=part.rule.scale)


def attended(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, part: Part) -> Tensor:
    """The same under any mask: a query that sees nothing gives 0, not NaN."""
    output = fast(query, key, value, mask, part)
    return output if mask is None else output.masked_fill(~mask.any(dim=-1, keepdim=True), 0)


def start_of(attend: Attend) -> int:
    """Where the first token stands: after those of which the function knows the keys, as a cache does."""
    return getattr(attend, "start", 0)


@dataclass(frozen=True, eq=False)
class Captured:
    """What one attention of the model was given, and whatever can be known of it, for all of its heads."""

    part: Part
    query: Float[Tensor, "batch head query d_head"]
    key: Float[Tensor, "batch head key d_head"]
    value: Float[Tensor, "batch head key d_head"]
    mask: Bool[Tensor, "#batch #head #query key"] | None
    rule: Rule  # that of the part, and what was forbidden besides

    @cached_property
    def steps(self) -> Steps:
        """Scores and weights [batch, head, query, key], output [batch, head, query, d_head]."""
        return attention(self.query, self.key, self.value, Rule(scale=self.part.rule.scale), mask=self.mask)

    @property
    def norms(self) -> Float[Tensor, "batch head query key"]:
        """How much of a key arrives at a query: the length of weight · value · W_o of the head."""
        lengths = torch.stack([self.out.lengths(value) for value in self.value])  # [batch, head, key]
        return self.steps.weights * lengths[:, :, None, :]

    @property
    def out(self) -> Output:
        """W_o and its bias."""
        return Output(self.part.out.weight.mT, self.part.out.bias)

    @property
    def layer(self) -> Layer:
        """The first of a batch, with all that makes the record of its attention."""
        return Layer(self.query[0], self.key[0], self.value[0], self.rule, self.out, self.part.layer)


class Capture:
    """Keeps what the attentions of all layers, or of those wanted, are given, in the order of the computation.

    An `intervention` changes what they are given, in all layers.

    Weights are computed when they are looked at, so that a long input need not have them all at once.

    >>> import torch
    >>> from attn_cli.transformer.model import Config, Transformer
    >>> config = Config(vocab=10, max_len=8, d_model=16, n_heads=4, n_layers=2, d_ff=32)
    >>> capture = Capture()
    >>> logits = Transformer(config)(torch.tensor([[3, 1, 4]]), attend=capture)
    >>> [tuple(one.steps.weights.shape) for one in capture.layers]
    [(1, 4, 3, 3), (1, 4, 3, 3)]
    """

    def __init__(self, wanted: Collection[int] | None = None, intervention: Intervention = NOTHING) -> None:
        self.wanted = wanted
        self.intervention = intervention
        self.layers: list[Captured] = []

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, part: Part) -> Tensor:
        value, mask = self.intervention.given(query, key, value, mask, part)
        if self.wanted is None or part.layer in self.wanted:
            rule = self.intervention.rule(part)
            self.layers.append(Captured(part, query, key, value, mask, rule))
        if self.intervention.masks.masks:
            return attended(query, key, value, mask, part)
        return fast(query, key, value, mask, part)


def layers_of(pieces: Sequence[Sequence[Captured]]) -> list[Layer]:
    """What was captured of each layer while a text went through the model, in one piece or in several.

    No piece sees another.
    """
    return [joined([one.layer for one in of_layer]) for of_layer in zip(*pieces, strict=True)]
