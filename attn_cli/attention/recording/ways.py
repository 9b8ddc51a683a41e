"""The ways in which a PyTorch program computes attention: a function for each, of the name that torch calls.

A way takes where it happens and what torch's function takes, and gives what is to be known of one example of
the batch; None where the call is no attention. It changes nothing of what it is given.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...registry import Registry
from ..rules import Rule
from . import by_hand, multi_head
from .call_inputs import Given
from .flex import Asked, Changed
from .masks import rule_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float

    from .by_hand import Product
    from .call_inputs import Here

    Way = Callable[..., Given | None]

WAYS: Registry[Way] = Registry("way of attention")


@WAYS.register
def scaled_dot_product_attention(
    here: Here,
    query: Float[Tensor, "*batch_head query d_head"],
    key: Float[Tensor, "*batch_head key d_head"],
    value: Float[Tensor, "*batch_head key d_value"],
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Given:
    """Torch's fused attention, which FlashAttention and others compute.

    Its `is_causal` aligns the first query with the first key.

    >>> from .call_inputs import Here
    >>> from .softmaxes import Softmaxes
    >>> x = torch.zeros(1, 2, 3, 4)  # [batch, head, seq, d_head]
    >>> given = scaled_dot_product_attention(Here(Softmaxes()), x, x, x, is_causal=True)
    >>> given.masked, given.dense()[0, 1]
    ('causal', tensor([0.5000, 0.5000, 0.0000]))
    """
    n_batch = len(here.in_heads(query))
    q, k, v = (here.of_example(cast(x)) for x in (query, key, value))
    n_heads, n_query, n_key = max(len(q), len(k)), q.shape[1], k.shape[1]
    wide = k.repeat_interleave(n_heads // len(k), dim=0) if enable_gqa else k.expand(n_heads, -1, -1)
    if attn_mask is not None:
        attn_mask = _written_out(attn_mask)
        attn_mask = attn_mask.reshape(*[1] * (query.ndim - attn_mask.ndim), *attn_mask.shape)
        attn_mask = here.of_example(attn_mask.expand(*attn_mask.shape[:-2], n_query, n_key))
    if (group := here.packed(n_heads, n_query)) > 1:
        n_heads, n_query = n_heads * group, 1
        q, wide = q.reshape(n_heads, 1, -1), wide.repeat_interleave(group, dim=0)
        if attn_mask is not None:
            attn_mask = attn_mask[:, :1] if len(attn_mask) == 1 else attn_mask.reshape(n_heads, 1, n_key)
    rule, masked = rule_of(attn_mask, n_query, n_key, is_causal=is_causal, scale=scale)
    return Given(
        q.expand(n_heads, -1, -1),
        wide,
        rule,
        value=v,
        kv_heads=len(k),
        n_batch=n_batch,
        masked=masked,
        dropout=dropout_p,
    )


@WAYS.register
def multi_head_attention_forward(here: Here, *given: Any, **named: Any) -> Given:
    """nn.MultiheadAttention, and with it nn.TransformerEncoder, Decoder and Transformer.

    >>> from .call_inputs import Here
    >>> from .softmaxes import Softmaxes
    >>> mha, x = torch.nn.MultiheadAttention(8, num_heads=2), torch.zeros(3, 1, 8)
    >>> given = multi_head_attention_forward(
    ...     Here(Softmaxes(), mha), x, x, x, 8, 2, mha.in_proj_weight, None, None, None, False, 0.0, x, None)
    >>> given.shape, given.crosses
    ((2, 3, 3), False)
    """
    return multi_head.given(here, *given, **named)


@WAYS.register
def flex_attention(
    here: Here,
    query: Float[Tensor, "batch head query d_head"],
    key: Float[Tensor, "batch kv_head key d_head"],
    value: Float[Tensor, "batch kv_head key d_value"],
    score_mod: Callable[..., Tensor],
    block_mask: tuple[Any, ...],
    scale: float,
    *others: Any,
) -> Given:
    """FlexAttention: a function that changes scores, a function that masks; computed block by block.

    >>> from .call_inputs import Here
    >>> from .softmaxes import Softmaxes
    >>> x, causal = torch.zeros(1, 1, 3, 4), lambda b, h, q, k: k <= q
    >>> flex_attention(Here(Softmaxes()), x, x, x, lambda s, b, h, q, k: s - k, (3, 3, causal), 1.0).dense()
    tensor([[[1.0000, 0.0000, 0.0000],
             [0.7311, 0.2689, 0.0000],
             [0.6652, 0.2447, 0.0900]]])
    """
    b = min(here.example, len(query) - 1)
    q, k, v = query[b], key[min(b, len(key) - 1)], value[min(b, len(value) - 1)]
    wide = k.repeat_interleave(len(q) // len(k), dim=0)
    heads, example = torch.arange(len(q), device=q.device), torch.tensor(b, device=q.device)
    place = example, heads, q.shape[1], k.shape[1]
    rule = Rule(scale=scale)
    names = []
    if getattr(block_mask[-1], "__name__", "") != "noop_mask":
        rule = replace(rule, masks=((Asked(block_mask[-1], *place),),))
        names.append("mask function")
    if getattr(score_mod, "__name__", "") != "_identity":
        rule = replace(rule, position=Changed(score_mod, *place))
        names.append("score function")
    masked = " + ".join(names) or "no mask"
    return Given(q, wide, rule, value=v, kv_heads=len(k), n_batch=len(query), masked=masked)


@WAYS.register
def matmul(here: Here, *given: Tensor, **named: Any) -> Given | None:
    """Written by hand: a softmax, through dropout or not, multiplied with values by @ or matmul.

    >>> from .call_inputs import Here
    >>> from .softmaxes import Softmaxes
    >>> here, scores = Here(Softmaxes()), torch.zeros(1, 1, 2, 2)
    >>> weights = here.softmaxes.through(torch.softmax, (scores, -1), {})
    >>> matmul(here, weights, torch.ones(1, 1, 2, 4)).shape
    (1, 2, 2)
    """
    operands = [*given, *(named[name] for name in ("input", "other", "mat2") if name in named)]
    left, right = operands[0], operands[1]
    product = by_hand.of_matmul(here.softmaxes, left, right)
    if product is None and by_hand.over_queries(here.softmaxes, left):
        where = type(here.module).__name__ if here.module is not None else "a function"
        here.remarks[f"{where} takes its softmax over the queries, not the keys (dim=-1): not recorded"] = (
            None
        )
    return _of_product(here, product)


@WAYS.register
def bmm(here: Here, *given: Tensor, **named: Any) -> Given | None:
    """Written by hand: the same by bmm, with batch and heads in one axis.

    >>> from .call_inputs import Here
    >>> from .softmaxes import Softmaxes
    >>> here, scores = Here(Softmaxes(), torch.nn.MultiheadAttention(4, num_heads=2)), torch.zeros(6, 3, 3)
    >>> weights = here.softmaxes.through(torch.softmax, (scores, -1), {})
    >>> given = bmm(here, weights, torch.ones(6, 3, 4))
    >>> given.shape, given.n_batch
    ((2, 3, 3), 3)
    """
    return matmul(here, *given, **named)


@WAYS.register
def mm(here: Here, *given: Tensor, **named: Any) -> Given | None:
    """Written by hand: the same by mm, of one example and one head.

    >>> from .call_inputs import Here
    >>> from .softmaxes import Softmaxes
    >>> here = Here(Softmaxes())
    >>> mm(here, here.softmaxes.through(torch.softmax, (torch.zeros(2, 3), -1), {}), torch.ones(3, 4)).shape
    (1, 2, 3)
    """
    return matmul(here, *given, **named)


@WAYS.register
def einsum(here: Here, equation: str, *operands: Any) -> Given | None:
    """Written by hand: the same by einsum, whatever its axes are called.

    >>> from .call_inputs import Here
    >>> from .softmaxes import Softmaxes
    >>> here, scores = Here(Softmaxes()), torch.zeros(1, 3, 2, 2)
    >>> weights = here.softmaxes.through(torch.softmax, (scores, -1), {})
    >>> einsum(here, "bhij,bjhd->bihd", weights, torch.ones(1, 2, 3, 4)).shape
    (3, 2, 2)
    """
    tensors = operands[0] if len(operands) == 1 and isinstance(operands[0], list | tuple) else operands
    if not isinstance(equation, str) or len(tensors) != 2:
        return None
    return _of_product(here, by_hand.of_einsum(here.softmaxes, equation, *tensors))


def _of_product(here: Here, product: Product | None) -> Given | None:
    if product is None:
        return None
    weights, value = product.weights, product.value
    if weights.ndim == 3 and len(product.lead) == 2 and math.prod(product.lead) == len(weights):
        weights = weights.reshape(*product.lead, *weights.shape[1:])
        if value.ndim == 3 and len(value) == math.prod(product.lead):
            value = value.reshape(*product.lead, *value.shape[1:])
    n_batch = len(here.in_heads(weights, value.shape[-1]))
    value = (
        here.of_example(value)
        if value.ndim != 3 or len(value) != n_batch
        else value[min(here.example, n_batch - 1)][None]
    )
    return Given(weights=here.of_example(weights), value=value, n_batch=n_batch, kv_heads=len(value))


def cast(x: Tensor) -> Tensor:
    """A tensor in the type that attention has under autocast, where that is on.

    >>> with torch.autocast("cpu", torch.bfloat16):
    ...     print(cast(torch.zeros(1)).dtype)
    torch.bfloat16
    """
    kind = x.device.type
    return x.detach().to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else x.detach()


def _written_out(mask: Tensor) -> Tensor:
    """A mask as a plain tensor: torch's causal biases are described, not written out."""
    return mask._materialize(mask.device) if hasattr(mask, "_materialize") else mask.detach()
