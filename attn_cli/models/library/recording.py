"""From what was seen of the layers to the record of it: every step where that fits into memory, else maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...attention.dense import attention
from ...attention.streaming import drain, stream
from ...errors import InputError
from ...records.attention import Attention
from .. import attending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float
    from torch import Tensor

    from ...records.attention import Kind
    from .watching import Seen


@dataclass(frozen=True, eq=False)
class Sides:
    """What attends, what is attended to, and how; all of a record but its numbers."""

    query_tokens: Sequence[str]
    key_tokens: Sequence[str]
    kind: Kind
    provenance: str

    def record(self, layers: Sequence[int], weights: np.ndarray, **others: Any) -> Attention:
        """The record with these numbers."""
        query_tokens, key_tokens = tuple(self.query_tokens), tuple(self.key_tokens)
        return Attention(
            query_tokens, key_tokens, weights, self.kind, self.provenance, layers=tuple(layers), **others
        )


def of_seen(seen: Sequence[Seen], sides: Sides) -> Attention:
    """The attention of these layers, each by its own rule; size alone decides whether it is streamed.

    Raises InputError when the layers have different numbers of heads.
    """
    n_heads = {one.query.shape[0] for one in seen}
    if len(n_heads) > 1:
        counts = ", ".join(f"{one.layer}: {one.query.shape[0]}" for one in seen)
        raise InputError(f"layers with different numbers of heads ({counts})", hint="give one with --layer")
    n_weights = len(seen) * n_heads.pop() * len(sides.query_tokens) * len(sides.key_tokens)
    return _streamed(seen, sides) if n_weights > attending.MOST_DENSE else _dense(seen, sides)


def of_weights(
    layers: Sequence[int], weights: Float[Tensor, "layer head query key"], sides: Sides
) -> Attention:
    """The attention of these layers, of which nothing but the weights is known."""
    return sides.record(layers, weights.numpy())


def _dense(seen: Sequence[Seen], sides: Sides) -> Attention:
    steps = [attention(one.query, one.key, one.value, one.rule) for one in seen]
    return sides.record(
        [one.layer for one in seen],
        np.stack([one.weights.numpy() for one in steps]),
        scores=np.stack([one.scores.numpy() for one in steps]),
        mask=_masks([one.mask for one in steps], steps[0].weights.shape[-2:]),
        query=_beside([one.query for one in seen]),
        key=_beside([one.key for one in seen]),
        value=_beside([one.value for one in seen]),
    )


def _streamed(seen: Sequence[Seen], sides: Sides) -> Attention:
    n_maps = len(seen) * seen[0].query.shape[0]
    kept = [
        drain(stream(one.query[None], one.key[None], one.value[None], one.rule, n_maps=n_maps))
        for one in seen
    ]
    figures = attending.together(kept)
    weights = figures.pop("weights")
    pooled = weights.shape[2:] != (len(sides.query_tokens), len(sides.key_tokens))
    return sides.record([one.layer for one in seen], weights, pooled=pooled, **figures)


def _masks(masks: Sequence[Tensor | None], shape: Sequence[int]) -> np.ndarray | None:
    """One mask where all layers have the same, else one for each; None where nothing is forbidden."""
    if all(mask is None for mask in masks):
        return None
    full = torch.stack([torch.ones(*shape, dtype=torch.bool) if mask is None else mask for mask in masks])
    full = full[:, None]  # [layer, head 1, query, key]
    return (full[:1] if (full == full[:1]).all() else full).numpy()


def _beside(vectors: Sequence[Tensor]) -> np.ndarray | None:
    """Vectors of all layers in one array, None where some are wider than others."""
    if len({one.shape for one in vectors}) > 1:
        return None
    return torch.stack(list(vectors)).numpy()


def beside(records: Sequence[Attention]) -> Attention:
    """Attention to the pieces of a text as that to all of it: nothing lies between two pieces.

    Raises InputError where that is more than is held at once.
    """
    first, n = records[0], sum(len(record.key_tokens) for record in records)
    n_layers, n_heads = first.weights.shape[:2]
    if n_layers * n_heads * n * n > attending.MOST_DENSE:
        what = f"{n_layers * n_heads * n * n:,} weights of all pieces"
        raise InputError(what, hint="choose one --layer, or give a shorter text")
    weights = np.zeros((n_layers, n_heads, n, n), first.weights.dtype)
    mask, start = np.zeros((n_layers, 1, n, n), bool), 0
    for record in records:
        place = slice(start, start := start + len(record.key_tokens))
        weights[:, :, place, place] = record.weights
        mask[:, :, place, place] = True if record.mask is None else record.mask
    tokens = tuple(token for record in records for token in record.key_tokens)
    return Attention(tokens, tokens, weights, first.kind, first.provenance, mask=mask, layers=first.layers)
