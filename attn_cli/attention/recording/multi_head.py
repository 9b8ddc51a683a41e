"""What a call of nn.MultiheadAttention attends to: its arguments through its matrices, once more, of one example."""

from __future__ import annotations

import inspect
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, multi_head_attention_forward, pad

from ..outputs import split_heads
from .call_inputs import Given
from .masks import rule_of

if TYPE_CHECKING:
    from jaxtyping import Float

    from .call_inputs import Here

FAST_PATH = (
    "PyTorch does not take the fused fast path of nn.TransformerEncoder and nn.MultiheadAttention while it is "
    "recorded: the last bits may differ, and rows of padding are computed"
)
_SIGNATURE = inspect.signature(multi_head_attention_forward)


def given(here: Here, *args: Any, **kwargs: Any) -> Given:
    """What torch's function of this name is given; its masks are True where they forbid."""
    bound = _SIGNATURE.bind(*args, **kwargs)
    bound.apply_defaults()
    call = SimpleNamespace(**bound.arguments)
    _notice_fast_path(here, call)
    n_batch = call.query.shape[1] if call.query.ndim == 3 else 1
    example = min(here.example, n_batch - 1)
    query, key, n_more = _query_and_key(call, n_batch, example)
    # where the mask is said to be causal, torch does not look at it, unless it needs it for something else
    hinted = call.is_causal and call.key_padding_mask is None and not call.need_weights
    mask = None if hinted else _mask(call, n_batch, example, n_more)
    rule, masked = rule_of(mask, query.shape[1], key.shape[1], is_causal=hinted)
    dropout = call.dropout_p if call.training else 0.0
    crosses = not (call.query is call.key or _equal(call.query, call.key))
    value = partial(_value, call, n_batch, example)
    return Given(
        query, key, rule, late_value=value, n_batch=n_batch, masked=masked, dropout=dropout, crosses=crosses
    )


def _query_and_key(
    call: SimpleNamespace, n_batch: int, example: int
) -> tuple[Float[Tensor, "head query d_head"], Float[Tensor, "head key d_head"], int]:
    """The heads of query and key, and how many keys torch itself appends."""
    if call.use_separate_proj_weight:
        W_q, W_k = call.q_proj_weight, call.k_proj_weight
    else:
        W_q, W_k, _ = call.in_proj_weight.chunk(3)
    b_q, b_k, _ = (None,) * 3 if call.in_proj_bias is None else call.in_proj_bias.detach().chunk(3)
    n_heads = call.num_heads
    query = split_heads(linear(_one(call.query, example), W_q.detach(), b_q), n_heads)
    if call.static_k is not None:
        key = call.static_k.reshape(n_batch, n_heads, *call.static_k.shape[1:])[example]
    else:
        key = split_heads(linear(_one(call.key, example), W_k.detach(), b_k), n_heads)
    n_given = key.shape[1]
    if call.bias_k is not None:
        key = torch.cat([key, split_heads(call.bias_k.detach()[0], n_heads)], dim=1)
    if call.add_zero_attn:
        key = torch.cat([key, key.new_zeros(n_heads, 1, key.shape[2])], dim=1)
    return query, key, key.shape[1] - n_given


def _value(call: SimpleNamespace, n_batch: int, example: int) -> Float[Tensor, "head key d_head"]:
    """The heads of the value, with what torch itself appends."""
    W_v = call.v_proj_weight if call.use_separate_proj_weight else call.in_proj_weight.chunk(3)[2]
    b_v = None if call.in_proj_bias is None else call.in_proj_bias.detach().chunk(3)[2]
    n_heads = call.num_heads
    if call.static_v is not None:
        value = call.static_v.reshape(n_batch, n_heads, *call.static_v.shape[1:])[example]
    else:
        value = split_heads(linear(_one(call.value, example), W_v.detach(), b_v), n_heads)
    if call.bias_v is not None:
        value = torch.cat([value, split_heads(call.bias_v.detach()[0], n_heads)], dim=1)
    if call.add_zero_attn:
        value = torch.cat([value, value.new_zeros(n_heads, 1, value.shape[2])], dim=1)
    return value


def _one(x: Tensor, example: int) -> Float[Tensor, "seq d_model"]:
    return x.detach() if x.ndim == 2 else x.detach()[:, example]


def _mask(
    call: SimpleNamespace, n_batch: int, example: int, n_more: int
) -> Float[Tensor, "#head #query key"] | None:
    """Both masks as one that is added to the scores; keys that torch itself appends are seen."""
    masks = []
    if (mask := call.attn_mask) is not None:
        masks.append(mask.reshape(n_batch, -1, *mask.shape[1:])[example] if mask.ndim == 3 else mask[None])
    if (padding := call.key_padding_mask) is not None:
        masks.append(padding.reshape(n_batch, 1, 1, -1)[example])
    if not masks:
        return None
    numbers = [
        torch.zeros_like(mask, dtype=torch.float).masked_fill(mask, -torch.inf)
        if mask.dtype == torch.bool
        else mask
        for mask in masks
    ]
    return pad(sum(numbers[1:], numbers[0]).detach(), (0, n_more))


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)


def _notice_fast_path(here: Here, call: SimpleNamespace) -> None:
    """Say where torch would have taken its fused kernel of a whole layer, which it does not while it is watched."""
    module = here.module
    if not isinstance(module, nn.MultiheadAttention) or module.training or call.query is not call.key:
        return
    learns = here.learns and any(parameter.requires_grad for parameter in module.parameters())
    if module.batch_first and torch.backends.mha.get_fastpath_enabled() and not learns:
        here.remarks[FAST_PATH] = None
