"""The Transformer, read from the bottom up: attention, feed-forward, layer, stack, the whole.

A layer adds to the stream what its parts make of it. Pre-norm: x + part(norm(x)), and one last norm closes
the stack; post-norm: norm(x + part(x)). Vaswani et al. 2017, arXiv:1706.03762; Xiong et al. 2020,
arXiv:2002.04745. Sizes in comments: batch, seq (or query and key), head, d_model, d_head.

What its parts may be is in config.py; how one looks into it, in capture.py.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import embedding, gelu, linear, relu, silu

from ..attention.outputs import merge_heads, split_heads
from ..attention.rules import Rule
from ..variants.posenc import POSENCS, POSITIONS
from .capture import Attend, Capture, Captured, fast, start_of
from .config import Activation, Config
from .packing import place_in_document, same_document
from .patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from ..records.attention import Kind

NORMS = {"layer": nn.LayerNorm, "rms": nn.RMSNorm}
ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "gelu": gelu,
    "gelu_tanh": partial(gelu, approximate="tanh"),
    "relu": relu,
    "swiglu": silu,  # and another linear map beside it: see FeedForward
}


def new_norm(config: Config) -> nn.Module:
    """A norm of the stream."""
    return NORMS[config.norm](config.d_model, eps=config.norm_eps)


# ---- attention --------------------------------------------------------------------------------------


class MultiHeadAttention(nn.Module):
    """Positions of x look at those of a context, which is x itself in self-attention.

    heads = attend(x · W_q, context · W_k, context · W_v) in n_heads slices of d_head; output = heads · W_o.
    With fewer heads of key and value, each serves a group of neighbouring heads (Ainslie et al. 2023,
    arXiv:2305.13245).
    """

    def __init__(self, config: Config, kind: Kind = "encoder", layer: int = 0) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.layer = layer
        self.config = config
        self.n_heads, self.kv_heads = config.n_heads, config.kv_heads
        wide, narrow = config.n_heads * config.head_size, config.kv_heads * config.head_size
        self.query = nn.Linear(config.d_model, wide, bias=config.qkv_bias)
        self.key = nn.Linear(config.d_model, narrow, bias=config.qkv_bias)
        self.value = nn.Linear(config.d_model, narrow, bias=config.qkv_bias)
        self.out = nn.Linear(wide, config.d_model, bias=config.out_bias)
        turns = config.positions.startswith("rope") and kind != "cross"
        self.turn = POSITIONS.parse(config.positions) if turns else None

    # Made when they are asked for: a mask tries itself, which on a model without storage loads the compiler.

    @cached_property
    def rule(self) -> Rule:
        """What it may see, padding aside, and how it scales its scores."""
        return self.config.rule(self.kind, self.layer)

    @cached_property
    def near(self) -> Rule:
        """The window of its layer alone; a rule without masks where it has none."""
        return Rule.parse(mask=self.config.near(self.layer)) if self.kind == "decoder" else Rule()

    def forward(
        self,
        x: Float[Tensor, "batch query d_model"],
        context: Float[Tensor, "batch key d_model"] | None = None,
        mask: Bool[Tensor, "#batch #head #query key"] | None = None,
        attend: Attend = fast,
    ) -> Float[Tensor, "batch query d_model"]:
        context = x if context is None else context
        query = split_heads(self.query(x), self.n_heads)  # [batch, head, query, d_head]
        key = split_heads(self.key(context), self.kv_heads)  # [batch, kv_head, key, d_head]
        value = split_heads(self.value(context), self.kv_heads)  # [batch, kv_head, key, d_head]
        if self.turn is not None:  # a scheme is given a score; this one hands back what it would see
            at = torch.arange(x.shape[1], device=x.device) + start_of(attend)
            query, key = self.turn(lambda q, k: (q, k), query, key, at, at)
        if (group := self.n_heads // self.kv_heads) > 1:
            # [batch, head, key, d_head]
            key, value = (y.repeat_interleave(group, dim=1) for y in (key, value))
        if mask is not None and self.near.masks:
            at = torch.arange(x.shape[1], device=x.device)
            near = self.near.allowed(query, key, at, at)
            mask = mask if near is None else mask & near
        heads = attend(query, key, value, mask, self)  # [batch, head, query, d_head]
        return self.out(merge_heads(heads))


# ---- layers -----------------------------------------------------------------------------------------


class FeedForward(nn.Module):
    """Each position by itself: act(x · W_up) · W_down; SwiGLU: (silu(x · W_gate) ⊙ x · W_up) · W_down.

    Shazeer 2020, arXiv:2002.05202.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.act = ACTIVATIONS[config.activation]
        self.up = nn.Linear(config.d_model, config.d_ff, bias=config.feed_forward_bias)
        gated = config.activation == "swiglu"
        self.gate = nn.Linear(config.d_model, config.d_ff, bias=config.feed_forward_bias) if gated else None
        self.down = nn.Linear(config.d_ff, config.d_model, bias=config.feed_forward_bias)

    def forward(self, x: Float[Tensor, "batch seq d_model"]) -> Float[Tensor, "batch seq d_model"]:
        up = self.up(x)  # [batch, seq, d_ff]
        return self.down(self.act(up) if self.gate is None else self.act(self.gate(x)) * up)


class Layer(nn.Module):
    """Positions exchange what they know (attention), then each digests it (feed-forward).

    In the decoder of an encoder–decoder they look at the encoder's output between the two.
    """

    def __init__(self, config: Config, kind: Kind = "encoder", layer: int = 0) -> None:
        super().__init__()
        self.norm_first = config.norm_first
        self.attention_norm = new_norm(config)
        self.attention = MultiHeadAttention(config, kind, layer)
        if crossing := (kind == "decoder" and config.stack == "both"):
            self.cross_norm = new_norm(config)
        self.cross = MultiHeadAttention(config, "cross", layer) if crossing else None
        self.feed_forward_norm = new_norm(config)
        self.feed_forward = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)  # Srivastava et al. 2014, JMLR 15, 1929–1958

    def forward(
        self,
        x: Float[Tensor, "batch seq d_model"],
        mask: Bool[Tensor, "#batch #head #query key"] | None = None,
        attend: Attend = fast,
        context: Float[Tensor, "batch key d_model"] | None = None,
        context_mask: Bool[Tensor, "#batch #head #query key"] | None = None,
    ) -> Float[Tensor, "batch seq d_model"]:
        x = self._add(x, self.attention_norm, self.attention, None, mask, attend)
        if self.cross is not None:
            x = self._add(x, self.cross_norm, self.cross, context, context_mask, attend)
        return self._add(x, self.feed_forward_norm, self.feed_forward)

    def _add(self, x: Tensor, norm: nn.Module, part: nn.Module, *given: object) -> Tensor:
        y = self.dropout(part(norm(x) if self.norm_first else x, *given))
        return x + y if self.norm_first else norm(x + y)


class Stack(nn.Module):
    """Layers one after the other; with `depth` only that many, and then no last norm."""

    def __init__(self, config: Config, kind: Kind = "encoder") -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(config, kind, i) for i in range(config.n_layers))
        self.norm = new_norm(config) if config.norm_first else None

    def forward(
        self,
        x: Float[Tensor, "batch seq d_model"],
        mask: Bool[Tensor, "#batch #head #query key"] | None = None,
        attend: Attend = fast,
        context: Float[Tensor, "batch key d_model"] | None = None,
        context_mask: Bool[Tensor, "#batch #head #query key"] | None = None,
        depth: int | None = None,
    ) -> Float[Tensor, "batch seq d_model"]:
        for layer in self.layers[:depth]:
            x = layer(x, mask, attend, context, context_mask)
        return x if self.norm is None or depth is not None else self.norm(x)


# ---- the whole --------------------------------------------------------------------------------------


class Transformer(nn.Module):
    """Tokens in, for each position a logit of every token out: embedding + position → stack → unembedding.

    encoder: every position sees every other one. decoder: only itself and those before. both: the tokens go
    through the encoder, and the decoder reads `target` while it looks at what the encoder made of them.
    `padding_mask` is True at tokens and False at padding, to which nothing attends. Or else several short
    documents lie end to end in one row and do not see each other: `document_ids` and `target_document_ids`
    number the document of each token from 1; 0 is padding.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        if config.patch is None:
            self.embedding: nn.Module = nn.Embedding(config.vocab, config.d_model)
        else:
            self.embedding = Patches(config.vocab, config.patch, config.d_model)
        if config.patch is not None and config.stack == "both":  # pictures in, tokens out
            self.target_embedding = nn.Embedding(config.outputs or config.vocab, config.d_model)
        if config.positions == "learned":
            self.position = nn.Embedding(config.max_len, config.d_model)
        if config.segments:
            self.segment = nn.Embedding(config.segments, config.d_model)
        self.embedding_norm = new_norm(config) if config.embedding_norm else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)
        if config.stack != "decoder":
            self.encoder = Stack(config, "encoder")
        if config.stack != "encoder":
            self.decoder = Stack(config, "decoder")
        if config.unembedding == "own":
            self.unembedding: nn.Module = nn.Linear(config.d_model, config.outputs or config.vocab)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.parameters()).device

    def forward(
        self,
        tokens: Int[Tensor, "batch seq"],
        padding_mask: Bool[Tensor, "batch seq"] | None = None,
        attend: Attend = fast,
        target: Int[Tensor, "batch target"] | None = None,
        document_ids: Int[Tensor, "batch seq"] | None = None,
        target_document_ids: Int[Tensor, "batch target"] | None = None,
    ) -> Float[Tensor, "batch seq vocab"]:
        x = self.hidden(
            tokens,
            padding_mask,
            attend,
            target=target,
            document_ids=document_ids,
            target_document_ids=target_document_ids,
        )
        return self.logits(x)

    def logits(self, x: Float[Tensor, "batch seq d_model"]) -> Float[Tensor, "batch seq vocab"]:
        """How much the model expects each token, from what the last stack made."""
        if self.config.unembedding == "tied":
            return linear(x, self.embedding.get_parameter("weight"))
        return self.unembedding(x)

    def hidden(
        self,
        tokens: Int[Tensor, "batch seq"] | Float[Tensor, "batch channel height width"],
        padding_mask: Bool[Tensor, "batch seq"] | None = None,
        attend: Attend = fast,
        *,
        segments: Int[Tensor, "batch seq"] | None = None,
        target: Int[Tensor, "batch target"] | None = None,
        document_ids: Int[Tensor, "batch seq"] | None = None,
        target_document_ids: Int[Tensor, "batch target"] | None = None,
        depth: int | None = None,
    ) -> Float[Tensor, "batch seq d_model"]:
        """What the last stack makes of the tokens; with `depth` it stops after that many layers."""
        mask = (
            None if padding_mask is None else padding_mask[:, None, None, :]
        )  # [batch, head 1, query 1, key]
        if document_ids is not None:
            mask = same_document(document_ids, document_ids)
        x = self.embed(tokens, segments, document_ids, start_of(attend))  # [batch, seq, d_model]
        if self.config.stack == "encoder":
            return self.encoder(x, mask, attend, depth=depth)
        if self.config.stack == "decoder":
            return self.decoder(x, self._before(x, mask), attend, depth=depth)
        assert target is not None, "an encoder–decoder needs a target"
        assert (document_ids is None) == (target_document_ids is None), (
            "document_ids need target_document_ids"
        )
        context = self.encoder(x, mask, attend)  # [batch, seq, d_model]
        if document_ids is not None and target_document_ids is not None:
            mask = same_document(target_document_ids, document_ids)
        return self.decode(target, context, mask, attend, document_ids=target_document_ids, depth=depth)

    def decode(
        self,
        target: Int[Tensor, "batch target"],
        context: Float[Tensor, "batch key d_model"],
        mask: Bool[Tensor, "#batch 1 #target key"] | None = None,
        attend: Attend = fast,
        *,
        document_ids: Int[Tensor, "batch target"] | None = None,
        depth: int | None = None,
    ) -> Float[Tensor, "batch target d_model"]:
        """The decoder's hidden states for `target`, given the encoder's output."""
        y = self.embed(target, document_ids=document_ids)  # [batch, target, d_model]
        seen = self._before(y, None if document_ids is None else same_document(document_ids, document_ids))
        return self.decoder(y, seen, attend, context, mask, depth=depth)

    def embed(
        self,
        tokens: Int[Tensor, "batch seq"] | Float[Tensor, "batch channel height width"],
        segments: Int[Tensor, "batch seq"] | None = None,
        document_ids: Int[Tensor, "batch seq"] | None = None,
        start: int = 0,
    ) -> Float[Tensor, "batch seq d_model"]:
        """The stream before the first layer; one segment and one document by default, from its first token on."""
        drawn = self.config.patch is not None and not tokens.is_floating_point()
        x = self.target_embedding(tokens) if drawn else self.embedding(tokens)  # [batch, seq, d_model]
        if self.config.embedding_scale:  # Vaswani et al. 2017, § 3.4
            x = x * self.config.d_model**0.5
        if not self.config.positions.startswith("rope"):
            table = self._positions(x, start)
            x = x + (table if document_ids is None else embedding(place_in_document(document_ids), table))
        if self.config.segments:
            x = x + (self.segment.weight[0] if segments is None else self.segment(segments))
        return self.dropout(self.embedding_norm(x))

    def _positions(self, x: Float[Tensor, "batch seq d_model"], start: int) -> Float[Tensor, "seq d_model"]:
        """A vector for each place from the start on."""
        end = start + x.shape[1]
        if self.config.positions == "learned":
            return self.position.weight[start:end]
        return x.new_tensor(POSENCS.parse(self.config.positions)(end, x.shape[2])[start:])

    def _before(self, x: Tensor, mask: Tensor | None = None) -> Bool[Tensor, "#batch 1 seq seq"]:
        """What each token of a decoder may see, if no window of a layer forbids it: itself and those before."""
        at = torch.arange(x.shape[1], device=x.device)
        seen = at[:, None] >= at
        return seen[None, None] if mask is None else seen & mask


__all__ = ["Activation", "Attend", "Capture", "Captured", "Config", "Transformer", "fast"]
