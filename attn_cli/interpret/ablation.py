"""How much an output depends on each head: without it, with its mean over queries, and by its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..records.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Float
    from torch import Tensor

    from ..records.attention import Kind
    from ..transformer.answer import Answer, Weigh

WAYS = {
    "zero": "Rise of −ln p when the head gives 0.",
    "mean": "Rise of −ln p when each query attends as all do in the mean.",
    "gradient": "abs(∂(−ln p)/∂ξ), ξ a factor of the head's output (Michel et al. 2019, arXiv:1905.10650).",
}


def ablated(answer: Answer, provenance: str = "") -> Table:
    """How much −ln p of the output depends on each head, in nats: a row per layer and head, a column for each of WAYS.

    An encoder–decoder also has a column `kind`, and rows for each kind of attention.

    >>> from attn_cli.interpret.case import example
    >>> list(ablated(example().answer).columns)
    ['layer', 'head', 'zero', 'mean', 'gradient']
    """
    sizes = {kind: maps.shape[:2] for kind, maps in answer.maps("weights").items()}
    places = [(kind, layer, head) for kind, (n, m) in sizes.items() for layer, head in np.ndindex(n, m)]
    slopes = _slopes(answer)
    with torch.no_grad():
        whole = float(answer.chances()[0])
        losses = {
            name: [whole - float(answer.chances(_replaced(place, name))[0]) for place in places]
            for name in ("zero", "mean")
        }
    columns: dict[str, Any] = {} if len(sizes) == 1 else {"kind": [kind for kind, _, _ in places]}
    columns |= {"layer": [layer for _, layer, _ in places], "head": [head for _, _, head in places], **losses}
    columns["gradient"] = [float(slopes[kind][layer, head]) for kind, layer, head in places]
    return Table(columns, "ablation", provenance, dict.fromkeys(WAYS, "nats"))


def _replaced(place: tuple[Kind, int, int], how: str) -> Weigh:
    """The weights of one head replaced: by zeros, or by the mean of all its queries."""
    kind, layer, head = place

    def weigh(weights: Tensor, of: Kind, number: int) -> Tensor:
        if (of, number) != (kind, layer):
            return weights
        changed = weights.clone()
        own = changed[:, head]
        changed[:, head] = 0 if how == "zero" else own.mean(dim=-2, keepdim=True).expand_as(own)
        return changed

    return weigh


def _slopes(answer: Answer) -> dict[Kind, Float[Tensor, "layer head"]]:
    """abs(∂(−ln p)/∂ξ) of each head, ξ = 1 a factor of its weights, and so of its output."""
    gates: list[tuple[Kind, Tensor]] = []

    def weigh(weights: Tensor, kind: Kind, _: int) -> Tensor:
        gate = weights.new_ones(weights.shape[1], requires_grad=True)
        gates.append((kind, gate))
        return weights * gate[:, None, None]

    with torch.enable_grad():
        found = torch.autograd.grad(-answer.chances(weigh)[0], [gate for _, gate in gates], allow_unused=True)
    each = list(_each(gates, found))
    return {kind: torch.stack([x for other, x in each if other == kind]) for kind, _ in each}


def _each(
    gates: list[tuple[Kind, Tensor]], found: tuple[Tensor | None, ...]
) -> Iterator[tuple[Kind, Float[Tensor, " head"]]]:
    for (kind, gate), slope in zip(gates, found, strict=True):
        yield kind, torch.zeros_like(gate) if slope is None else slope.abs()
