"""From what a model captured to the record of it, which all kinds of models share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..attention.dense import attention
from ..attention.heads import merge_heads
from ..attention.rules import Rule
from ..attention.streaming import drain, stream
from ..records.attention import Attention

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from jaxtyping import Float
    from torch import Tensor

    from ..attention.streaming import Streamed
    from ..transformer.capture import Captured, Part

# Weights of all layers and heads that are held at once, 256 MiB and as much for the scores; where there are
# more, they are streamed and pooled.
MOST_DENSE = 2**26


@dataclass(frozen=True, eq=False)
class Attended:
    """Attention of some layers to one text, not yet computed."""

    layers: Sequence[Sequence[Captured]]  # of each, what was captured of each piece of the text
    query_tokens: tuple[str, ...]
    key_tokens: tuple[str, ...]
    rule: Rule  # what a token may see
    provenance: str
    norms: bool = False  # whether norms are wanted too

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
        keys = tuple(tokens if key_tokens is None else key_tokens)
        return cls(list(zip(*pieces, strict=True)), tuple(tokens), keys, rule, provenance, norms)

    @property
    def parts(self) -> list[Part]:
        """The attention of each layer."""
        return [layer[0].part for layer in self.layers]

    def record(self) -> Attention:
        """Every step where that fits into memory, else maps and figures; size alone decides."""
        n_weights = len(self.query_tokens) * len(self.key_tokens) * sum(p.n_heads for p in self.parts)
        return self._streamed() if n_weights > MOST_DENSE else self._dense()

    def _dense(self) -> Attention:
        query, key, value = (
            torch.cat([_whole(layer, name) for layer in self.layers]) for name in ("query", "key", "value")
        )  # [layer, head, seq, d_head]
        steps = attention(query, key, value, self.rule)
        norms = None
        if self.norms:
            lengths = torch.cat([_whole(layer, "value_lengths") for layer in self.layers])
            norms = (steps.weights * lengths[..., None, :]).numpy()
        return self._record(
            steps.weights.numpy(),
            scores=steps.scores.numpy(),
            norms=norms,
            mask=None if steps.mask is None else steps.mask[None, None].numpy(),
            output=self._output(steps.output),
            query=query.numpy(),
            key=key.numpy(),
            value=value.numpy(),
        )

    def _streamed(self) -> Attention:
        out = self.parts[0].out
        shape = len(self.layers), len(self.query_tokens), out.out_features
        output = torch.empty(shape, dtype=out.weight.dtype)
        figures = together(self._kept(output))
        weights = figures.pop("weights")
        pooled = weights.shape[2:] != (len(self.query_tokens), len(self.key_tokens))
        return self._record(weights, output=output.numpy(), pooled=pooled, **figures)

    def _kept(self, output: Float[Tensor, "layer query d_model"]) -> Iterator[Streamed]:
        """One layer after the other, so that no vectors are there twice; what it gives is put into `output`."""
        n_maps = sum(part.n_heads for part in self.parts)
        for layer, given in zip(self.layers, output, strict=True):
            query, key, value = (_whole(layer, name) for name in ("query", "key", "value"))
            lengths = _whole(layer, "value_lengths") if self.norms else None
            kept = drain(stream(query, key, value, self.rule, n_maps=n_maps, lengths=lengths))
            given.copy_(layer[0].part.out(merge_heads(kept.output))[0])
            yield kept

    def _record(self, weights: np.ndarray, **others: Any) -> Attention:
        return Attention(
            self.query_tokens,
            self.key_tokens,
            weights,
            kind=self.parts[0].kind,
            provenance=self.provenance,
            layers=tuple(part.layer for part in self.parts),
            **others,
        )

    def _output(
        self, heads: Iterable[Float[Tensor, "head query d_head"]]
    ) -> Float[np.ndarray, "layer query d_model"]:
        """What each layer gives to the stream: its heads side by side, through its output matrix."""
        each = zip(self.parts, heads, strict=True)
        return torch.stack([part.out(merge_heads(x)) for part, x in each]).numpy()


def _whole(layer: Sequence[Captured], name: str) -> Tensor:
    """What was captured of all pieces of a text, of a batch of one."""
    pieces = [getattr(piece, name) for piece in layer]
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=2)


def together(layers: Iterable[Streamed]) -> dict[str, Any]:
    """What is kept of several layers that are streamed one by one, as the record of all has it."""
    names = ("weights", "entropy", "mass", "top_keys", "top_weights", "norms")
    parts: dict[str, list[Any]] = {name: [] for name in names}
    for one in layers:
        for name, each in parts.items():
            each.append(getattr(one, name))
    return {name: None if each[0] is None else np.concatenate(each) for name, each in parts.items()}


def apart(rule: Rule, lengths: Sequence[int]) -> Rule:
    """The same rule, but no piece of the text sees another."""
    if len(lengths) == 1:
        return rule
    alone = Rule.parse(mask=[f"document:lengths={'+'.join(map(str, lengths))}"])
    return replace(rule, masks=rule.masks + alone.masks)
