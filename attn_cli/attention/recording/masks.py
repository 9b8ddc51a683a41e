"""A mask or a bias as torch was given it, as the `Rule` that gives the same weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from ..mask_matrices import Added, Written
from ..rules import Rule

if TYPE_CHECKING:
    from jaxtyping import Bool
    from torch import Tensor

    Masks = tuple[tuple[Any, ...], ...]

CAUSAL = Rule.parse(mask=["causal"]).masks


def only_heads(rule: Rule, heads: list[int]) -> Rule:
    """The rule of some of the heads: what is written out for each is cut down to these."""
    masks = tuple(tuple(_only(mask, heads) for mask in parts) for parts in rule.masks)
    position = None if rule.position is None else _only(rule.position, heads)
    return replace(rule, masks=masks, position=position)


def _only(part: Any, heads: list[int]) -> Any:
    if isinstance(part, Written | Added):
        return part if len(part.table) == 1 else replace(part, table=part.table[heads])
    return part.only(heads) if hasattr(part, "only") else part


def until(rule: Rule, n_key: int) -> Rule:
    """The rule for the first keys alone, the others being such that no query may attend to them."""
    masks = tuple(tuple(_until(mask, n_key) for mask in parts) for parts in rule.masks)
    position = None if rule.position is None else _until(rule.position, n_key)
    return replace(rule, masks=masks, position=position)


def _until(part: Any, n_key: int) -> Any:
    return replace(part, table=part.table[..., :n_key]) if isinstance(part, Written | Added) else part


def rule_of(
    mask: Tensor | None, n_query: int, n_key: int, *, is_causal: bool = False, scale: float | None = None
) -> tuple[Rule, str]:
    """The rule of a mask [#head, #query, #key], and in words how it masks.

    True = may attend; numbers are added to the scores. `is_causal` is torch's own: query i sees the first
    i + 1 keys, also where there are more keys than queries.

    >>> rule_of(torch.ones(1, 2, 2).tril().bool(), 2, 2)[1], rule_of(torch.zeros(1, 2, 2), 2, 2)[1]
    ('causal', 'no mask')
    >>> rule_of(torch.tensor([[[0.0, -torch.inf]]]), 2, 2)[1]
    'padding'
    """
    if mask is None and not is_causal:
        return Rule(scale=scale), "no mask"
    if mask is None:
        allowed = torch.ones(1, n_query, n_key, dtype=torch.bool).tril()
        name, added = ("causal" if n_query == n_key else "causal, aligned top left"), None
    else:
        allowed, added = allowed_and_added(mask.expand(-1, n_query, n_key))
        name = mask_name(allowed)
    named = [name] if name != "no mask" or added is None else []
    masks = masks_of(allowed, name)
    position = None if added is None else Added(added)
    words = " + ".join([*named, *(["bias"] if added is not None else [])])
    return Rule(scale=scale, masks=masks, position=position), words


def allowed_and_added(mask: Tensor) -> tuple[Tensor, Tensor | None]:
    """A mask as where one may attend, and what it adds to the scores there, if anything.

    Numbers below half of the least that their type has forbid. In a row that is nothing but such numbers
    they do not: a softmax makes equal weights of them, unless they are −∞.

    >>> allowed_and_added(torch.tensor([[0.5, -torch.inf]]))
    (tensor([[ True, False]]), tensor([[0.5000, 0.0000]]))
    """
    if mask.dtype == torch.bool:
        return mask, None
    allowed = mask > torch.finfo(mask.dtype).min / 2
    blind = ~allowed.any(dim=-1, keepdim=True)
    if blind.any():
        allowed = torch.where(blind, mask > -torch.inf, allowed)
    added = mask.masked_fill(~allowed, 0)
    return allowed, added if added.any() else None


def masks_of(allowed: Bool[Tensor, "*#head query key"], name: str = "") -> Masks:
    """The masks that permit what a matrix does: none, or causal, whose work is half, where it is no other.

    >>> masks_of(torch.ones(2, 2).tril().bool()) == CAUSAL, masks_of(torch.ones(2, 2).bool())
    (True, ())
    """
    name = name or mask_name(allowed.reshape(-1, *allowed.shape[-2:]))
    return () if name == "no mask" else CAUSAL if name == "causal" else ((Written(allowed),),)


def mask_name(allowed: Bool[Tensor, "#head query key"] | None) -> str:
    """How a mask is called; causal has the last query see all keys, padding has all queries see the same.

    >>> mask_name(torch.tensor([[[True, False], [True, False]]])), mask_name(torch.eye(3).bool()[None])
    ('padding', 'causal + mask')
    """
    if allowed is None or allowed.all():
        return "no mask"
    n_query, n_key = allowed.shape[-2:]
    past = torch.ones_like(allowed[:1]).tril(n_key - n_query)
    if n_query > 1 and (allowed == allowed[:, :1]).all():
        return "padding"
    if (allowed <= past).all():
        return "causal" if (allowed == past).all() else "causal + mask"
    return "mask"
