"""A training step as one would write it by hand: torch and SDPA, nothing of attn.

An encoder like that of `train-toy reverse`, and an encoder–decoder like that of `train-toy sort`: pre-norm,
learned positions, AdamW, a clipped gradient, a cosine.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, gelu, scaled_dot_product_attention

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Batch = tuple[Tensor, Tensor, Tensor | None, Tensor]


class Block(nn.Module):
    """Self-attention, cross-attention if wanted, feed-forward."""

    def __init__(self, d: int, n_heads: int, cross: bool) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.norm1, self.qkv, self.out = nn.LayerNorm(d), nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.cross = cross
        if cross:
            self.norm2, self.q, self.kv, self.out2 = (
                nn.LayerNorm(d), nn.Linear(d, d), nn.Linear(d, 2 * d), nn.Linear(d, d)
            )  # fmt: skip
        self.norm3, self.up, self.down = nn.LayerNorm(d), nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def split(self, x: Tensor) -> Tensor:
        """[batch, seq, d] → [batch, head, seq, d_head]."""
        return x.view(*x.shape[:2], self.n_heads, -1).transpose(1, 2)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None,
        causal: bool = False,
        context: Tensor | None = None,
        context_mask: Tensor | None = None,
    ) -> Tensor:
        """One layer."""
        q, k, v = map(self.split, self.qkv(self.norm1(x)).chunk(3, dim=-1))
        y = scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        x = x + self.out(y.transpose(1, 2).flatten(2))
        if context is not None:
            q = self.split(self.q(self.norm2(x)))
            k, v = map(self.split, self.kv(context).chunk(2, dim=-1))
            y = scaled_dot_product_attention(q, k, v, attn_mask=context_mask)
            x = x + self.out2(y.transpose(1, 2).flatten(2))
        y = self.down(gelu(self.up(self.norm3(x))))
        return x + y


class Model(nn.Module):
    """An encoder, and with `both` a decoder that looks at it."""

    def __init__(self, vocab: int, longest: int, d: int, n_heads: int, n_layers: int, both: bool) -> None:
        super().__init__()
        self.token, self.place = nn.Embedding(vocab, d), nn.Embedding(longest, d)
        self.encoder = nn.ModuleList(Block(d, n_heads, False) for _ in range(n_layers))
        self.decoder = nn.ModuleList(Block(d, n_heads, True) for _ in range(n_layers * both))
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(1 + both))
        self.head = nn.Linear(d, vocab)

    def embed(self, tokens: Tensor) -> Tensor:
        """Tokens and their places."""
        return self.token(tokens) + self.place.weight[: tokens.shape[1]]

    def forward(self, source: Tensor, real: Tensor, written: Tensor | None) -> Tensor:
        """Logits."""
        mask, x = real[:, None, None, :], self.embed(source)
        for block in self.encoder:
            x = block(x, mask)
        x = self.norms[0](x)
        if written is None:
            return self.head(x)
        y = self.embed(written)
        for block in self.decoder:
            y = block(y, None, True, x, mask)
        return self.head(self.norms[1](y))


def steps(model: Model, batches: Iterable[Batch], lr: float, n_steps: int) -> Iterator[float]:
    """Train, a step for each item."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.98), fused=True)
    model.train()
    for i, (source, real, written, wanted) in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = lr * (1 + math.cos(math.pi * i / n_steps)) / 2
        optimizer.zero_grad()
        logits = model(source, real, written)
        loss = cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=-100)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        yield loss.item()
