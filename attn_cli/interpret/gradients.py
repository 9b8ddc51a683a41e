"""Gradient ⊙ weight of attention, and its integral from no attention to all of it.

The gradient is that of one logit, not of a loss and not of a probability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from ..records.attention import Kind
    from ..transformer.answer import Answer

    Maps = dict[Kind, Float[Tensor, "layer head query key"]]

STEPS = 20  # of the integral, as Hao et al. have them


def gradients(answer: Answer) -> Maps:
    """max(0, ∂y/∂A ⊙ A) of each layer and head; y is the logit of the output, summed over its places.

    Clamped in each head, before any mean over heads. Chefer et al. 2021, arXiv:2103.15679, eq. 5.

    >>> from attn_cli.interpret.case import example
    >>> gradients(example().answer)["decoder"].shape, bool((gradients(example().answer)["decoder"] >= 0).all())
    (torch.Size([2, 2, 3, 3]), True)
    """
    return {kind: products.clamp(min=0) for kind, products in gradient_times_weight(answer).items()}


def gradient_times_weight(answer: Answer) -> Maps:
    """∂y/∂A ⊙ A of each layer and head; y is the logit of the output, and what is above 0 raises it.

    >>> from attn_cli.interpret.case import example
    >>> gradient_times_weight(example().answer)["decoder"].shape  # [layer, head, query, key]
    torch.Size([2, 2, 3, 3])
    """
    seen: list[tuple[Kind, Tensor]] = []

    def weigh(weights: Tensor, kind: Kind, _: int) -> Tensor:
        kept = weights if weights.requires_grad else weights.requires_grad_()
        seen.append((kind, kept))
        return kept

    with torch.enable_grad():
        slopes = _slopes(answer.logits(weigh).sum(), [weights for _, weights in seen])
    return _by_kind([(kind, A.detach() * slope) for (kind, A), slope in zip(seen, slopes, strict=True)])


def integrated(answer: Answer, *, steps: int = STEPS) -> Maps:
    """A ⊙ ∫₀¹ ∂y(αA)/∂A dα of each layer and head, all scaled by α at once; the sum of all is y(A) − y(0).

    The integral is the mean of the slopes in the middle of `steps` equal intervals. Hao et al. 2021,
    arXiv:2004.11207, § 3, for the attention of one layer; here all layers go from 0 to their weights together.

    >>> from attn_cli.interpret.case import example
    >>> integrated(example().answer, steps=4)["decoder"].shape
    torch.Size([2, 2, 3, 3])
    """
    with torch.no_grad():
        whole = _weights(answer)
    total = [torch.zeros_like(weights) for _, weights in whole]
    for step in range(steps):
        alpha = (step + 0.5) / steps
        given = [(alpha * weights).requires_grad_() for _, weights in whole]
        each = iter(given)
        with torch.enable_grad():
            slopes = _slopes(answer.logits(lambda _, __, ___, each=each: next(each)).sum(), given)  # type: ignore[misc]
        total = [sum_ + slope / steps for sum_, slope in zip(total, slopes, strict=True)]
    return _by_kind([(kind, weights * slope) for (kind, weights), slope in zip(whole, total, strict=True)])


def _weights(answer: Answer) -> list[tuple[Kind, Tensor]]:
    """The weights of every attention in the order in which they are computed."""
    seen: list[tuple[Kind, Tensor]] = []

    def weigh(weights: Tensor, kind: Kind, _: int) -> Tensor:
        seen.append((kind, weights.detach()))
        return weights

    answer.logits(weigh)
    return seen


def _slopes(of: Tensor, by: list[Tensor]) -> list[Tensor]:
    """∂of/∂by; zeros for what has no effect on it, as the rows of a last layer that are not asked."""
    found = torch.autograd.grad(of, by, allow_unused=True)
    return [torch.zeros_like(x) if slope is None else slope for x, slope in zip(by, found, strict=True)]


def _by_kind(each: list[tuple[Kind, Tensor]]) -> Maps:
    kinds = dict.fromkeys(kind for kind, _ in each)
    return {kind: torch.cat([x.detach() for other, x in each if other == kind]) for kind in kinds}
