"""How much a layer's output for one token rests on another token: value zeroing and ALTI."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.functional import normalize

from ..errors import InputError
from ..transformer.capture import Capture, Captured, fast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Float
    from torch import Tensor

    from ..records.attention import Kind
    from ..transformer.answer import Asked
    from ..transformer.capture import Part

    Maps = Float[Tensor, "layer query key"]

MOST = 2**21  # numbers of the vectors that are computed at once


@dataclass(frozen=True, eq=False)
class Passed:
    """A layer, all that it was given, and the attention of it that is looked at."""

    layer: Any
    given: tuple[Any, ...]  # the stream and what else the layer takes
    seen: Captured

    @property
    def stream(self) -> Float[Tensor, "token d_model"]:
        """What comes into the layer."""
        x: Tensor = self.given[0]
        return x[0]


def zeroing(answer: Asked, kind: Kind) -> Maps:
    """1 − cos(x̃, x): x is the layer's output for a query, x̃ the same without the value of a key; rows sum to 1.

    The value of one key is zero in all heads of the layer, whose input stays as it is. Differences that float32
    cannot tell from 0 are 0. Rollout of these maps takes no residual, which x has in it. Mohebbi et al. 2023,
    arXiv:2301.12971, § 3.

    >>> from attn_cli.interpret.case import example
    >>> zeroing(example().answer, "decoder").shape  # [layer, query, key]
    torch.Size([2, 3, 3])
    """
    return torch.stack([_scaled(_zeroed(one)) for one in _passed(answer, kind)])


def alti(answer: Asked, kind: Kind) -> Maps:
    """max(0, ‖y‖₁ − ‖y − T(x_k)‖₁), where y = Σ_k T(x_k) + bias is what attention makes of a query; rows sum to 1.

    T(x_k) = Σ_h weight · value · W_o, for the query itself with x added, and through the linear part of the norm
    where one follows. Rollout of these maps takes no residual. Ferrando et al. 2022, arXiv:2203.04212, § 3.

    >>> from attn_cli.interpret.case import example
    >>> alti(example().answer, "decoder").sum(dim=-1).round(decimals=4).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    if kind == "cross":
        hint = "give --kind encoder or decoder, or --show zeroing"
        raise InputError("ALTI does not apply to cross-attention", hint=hint)
    return torch.stack([_scaled(_contributions(one)) for one in _passed(answer, kind)])


@torch.no_grad()
def _passed(answer: Asked, kind: Kind) -> Iterator[Passed]:
    """Each layer that has an attention of that kind, and what it was given."""
    given: list[tuple[Any, tuple[Any, ...]]] = []
    stacks = [getattr(answer.model, name, None) for name in ("encoder", "decoder")]
    layers = [layer for stack in stacks if stack is not None for layer in stack.layers]
    hooks = [layer.register_forward_pre_hook(lambda layer, x: given.append((layer, x))) for layer in layers]
    capture = Capture()
    try:
        answer.all_logits(capture)
    finally:
        for hook in hooks:
            hook.remove()
    seen = [one for one in capture.layers if one.part.kind == kind]
    belong = [(layer, x) for layer, x in given if any(_attends(layer, one.part) for one in seen)]
    for (layer, x), one in zip(belong, seen, strict=True):
        yield Passed(layer, x, one)


def _attends(layer: nn.Module, part: Part) -> bool:
    return part in (layer.attention, layer.cross)


def _zeroed(one: Passed) -> Float[Tensor, "query key"]:
    """1 − cos for each query and key: the layer goes on from what attention makes of the values of all other keys.

    That is all that attention makes, less weight · value · W_o of the key; several keys are a batch.
    """
    weights, sent = one.seen.steps.weights[0], _sent(one.seen.value[0], one.seen.part)
    made = torch.einsum("hqk,khm->qm", weights, sent) + _bias(one.seen.part, one.stream)
    whole = normalize(_going_on(one, made[None])[0].double(), dim=-1)
    room = max(1, MOST // (whole.numel() * 4))
    found = []
    for first in range(0, len(sent), room):
        keys = slice(first, first + room)
        changed = made - torch.einsum("hqk,khm->kqm", weights[..., keys], sent[keys])
        apart = normalize(_going_on(one, changed).double(), dim=-1) - whole  # [key, query, d_model]
        found.append((apart**2).sum(dim=-1) / 2)  # 1 − cos, exact where it is near 0 too
    unlike = torch.cat(found).T
    return unlike.masked_fill(unlike < (10 * torch.finfo(made.dtype).eps) ** 2, 0)


def _sent(value: Float[Tensor, "head key d_head"], part: Part) -> Float[Tensor, "key head d_model"]:
    """What a key sends through each head, before it is weighed: value · W_o."""
    W_o = part.out.weight.to(value.dtype).mT
    return torch.einsum("hkd,hdm->khm", value, W_o.reshape(len(value), -1, W_o.shape[-1]))


def _going_on(
    one: Passed, made: Float[Tensor, "choice query d_model"]
) -> Float[Tensor, "choice query d_model"]:
    """What the layer gives when this is what its attention gives."""
    x, mask, _, *context = one.given
    several = [None if y is None else y.expand(len(made), *y.shape[1:]) for y in context]
    one.seen.part.__dict__["forward"] = lambda *_: made
    try:
        return one.layer(x.expand(len(made), -1, -1), mask, fast, *several)
    finally:
        del one.seen.part.__dict__["forward"]


def _contributions(one: Passed) -> Float[Tensor, "query key"]:
    """max(0, ‖y‖₁ − ‖y − T‖₁) for each query and key; T of one query is there at a time."""
    layer, part = one.layer, one.seen.part
    weights, value, x = (y.double() for y in (one.seen.steps.weights[0], one.seen.value[0], one.stream))
    sent = _sent(value, part)
    whole = x + torch.einsum("hqk,khm->qm", weights, sent) + _bias(part, x)
    norm = None if layer.norm_first else copy.deepcopy(layer.attention_norm).double()
    found = []
    for query in range(len(x)):
        parts = torch.einsum("hk,khm->km", weights[:, query], sent)
        parts[query] += x[query]
        y = whole[query]
        if norm is not None:
            parts, y = _linear(norm, parts, y), norm(y)
        found.append(y.abs().sum() - (y - parts).abs().sum(dim=-1))
    return torch.stack(found).clamp(min=0)


def _bias(part: Part, x: Tensor) -> Tensor:
    return x.new_zeros(x.shape[-1]) if part.out.bias is None else part.out.bias.to(x.dtype)


def _linear(norm: Any, parts: Float[Tensor, "part d"], whole: Float[Tensor, " d"]) -> Float[Tensor, "part d"]:
    """γ ⊙ (part − mean of the part) / σ of the whole, as a norm does to each part of its input; RMS has no mean."""
    if isinstance(norm, nn.RMSNorm):
        return norm.weight * parts / ((whole**2).mean() + (norm.eps or 0)).sqrt()
    sigma = (whole.var(correction=0) + norm.eps).sqrt()
    return norm.weight * (parts - parts.mean(dim=-1, keepdim=True)) / sigma


def _scaled(map_: Float[Tensor, "query key"]) -> Float[Tensor, "query key"]:
    """Rows that sum to 1; one of zeros stays."""
    sums = map_.sum(dim=-1, keepdim=True)
    return map_ / torch.where(sums > 0, sums, 1)
