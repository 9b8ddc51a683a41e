"""Dense attention, every step in the open: scores → mask → normalise → weights → output.

`attention` is the formula on torch tensors; `attend` is the whole path from vectors to an `Attention`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import InputError, note
from ..records.attention import Attention, Kind
from ..variants import scores
from .devices import keep_freed_memory
from .heads import Heads, as_layer, merge_heads, split_heads, warn_of_blind_rows, weigh
from .heads import project as project_heads
from .rules import Rule, positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from jaxtyping import Bool, Float
    from torch import Tensor

    from ..records.encoding import Encoding
    from ..variants.projections import Projection
    from .rules import MaskSpec

SCALED_DOT = Rule()


@dataclass(frozen=True)
class Steps:
    """What attention computes on the way: scores before the mask, the mask, weights, output."""

    scores: Float[Tensor, "... query key"]
    mask: Bool[Tensor, "*#heads query key"] | None
    weights: Float[Tensor, "... query key"]
    output: Float[Tensor, "... query d_value"]


def attention(
    query: Float[Tensor, "... query d_head"],
    key: Float[Tensor, "... key d_head"],
    value: Float[Tensor, "... key d_value"],
    rule: Rule = SCALED_DOT,
    *,
    mask: Bool[Tensor, "*#heads query key"] | None = None,
) -> Steps:
    """weights = normalise(score(query, key)) over the permitted keys; output = weights · value.

    A query may attend where both the rule and `mask` (True = may attend) permit it. By default softmax of
    scaled dot products: Vaswani et al. 2017, arXiv:1706.03762, eq. 1. Half precision is computed in
    float32; only the output is rounded again. Vectors of keys that nobody may attend to have no effect,
    even when they are NaN.

    >>> import torch
    >>> q = torch.tensor([[0.0, 2.0**0.5]]); k = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> attention(q, k, k).weights  # [1, e] / (1 + e)
    tensor([[0.2689, 0.7311]])
    """
    where = positions(query.shape[-2], key.shape[-2], key.device)
    raw = rule.scores(query, key, *where)
    allowed = rule.allowed(query, key, *where)
    if mask is not None:
        allowed = mask if allowed is None else allowed & mask
    weights = rule.weights(raw, allowed)
    return Steps(raw, allowed, weights, weigh(weights, value))


def attend(
    query: Encoding | Float[np.ndarray, "query d_query"],
    key: Encoding | Float[np.ndarray, "key d_key"] | None = None,
    value: Encoding | Float[np.ndarray, "key d_value"] | None = None,
    *,
    heads: int = 1,
    kv_heads: int | None = None,
    project: str | Projection = "identity",
    score: str = "scaled_dot",
    position: str | None = None,
    mask: Sequence[MaskSpec | Sequence[MaskSpec]] = (),
    normalise: str = "softmax",
    scale: float | None = None,
    temperature: float = 1.0,
    softcap: float | None = None,
    top_k: int | None = None,
    memory: Encoding | Float[np.ndarray, "memory d_key"] | None = None,
    seed: int = 0,
    dtype: str | None = None,
    device: str = "cpu",
    kind: Kind = "self",
) -> Attention:
    """Multi-head attention from vectors, with every intermediate number: the command line as one function.

    Options are those of `attn attend`, and mean the same; see `heads.project` for the vectors and
    `Rule.parse` for the specs. Raises InputError when shapes do not fit or an input is not finite.

    >>> import numpy as np
    >>> attend(np.eye(2)).weights.round(3).tolist()  # scores [1, 0] / √2
    [[[[0.67, 0.33], [0.33, 0.67]]]]
    """
    rule = Rule.parse(
        score=score,
        position=position,
        mask=mask,
        normalise=normalise,
        scale=scale,
        temperature=temperature,
        softcap=softcap,
        top_k=top_k,
        seed=seed,
    )
    projected = project_heads(
        query,
        key,
        value,
        heads=heads,
        kv_heads=kv_heads,
        project=project,
        memory=memory,
        seed=seed,
        dtype=dtype,
        device=device,
        kind=kind,
    )
    return dense(projected, rule)


def dense(heads: Heads, rule: Rule = SCALED_DOT, *, norms: bool = False) -> Attention:
    """The record of what these heads attend to under a rule, all steps kept; one warning names blind rows.

    With `norms` also how much of each key arrives at each query: ‖weight · value · W_o‖.

    >>> import numpy as np
    >>> dense(project_heads(np.eye(2)), Rule.parse(mask=["causal"])).weights[0, 0, 0].tolist()
    [1.0, 0.0]
    """
    rule.check(len(heads.query_tokens), len(heads.key_tokens))
    keep_freed_memory()
    steps = attention(heads.query, heads.key, heads.value, rule)
    if not steps.weights.sum().isfinite():  # none is below 0; asking each takes as long as the softmax
        raise InputError("the scores are too large for their precision", hint="scale the vectors down")
    if steps.mask is not None:
        warn_of_blind_rows(steps.mask.any(dim=-1), heads.query_tokens)
    if rule.score is scores.linear:
        exact = attention(heads.query, heads.key, heads.value, replace(rule, score=scores.scaled_dot))
        _note_error(steps, exact)
    return Attention(
        heads.query_tokens,
        heads.key_tokens,
        as_layer(steps.weights),
        kind=heads.kind,
        provenance=", ".join(filter(None, [heads.provenance, rule.provenance])),
        scores=as_layer(steps.scores),
        norms=as_layer(steps.weights * heads.value_lengths[:, None, :]) if norms else None,
        mask=None if steps.mask is None else steps.mask.reshape(1, -1, *steps.mask.shape[-2:]).cpu().numpy(),
        output=as_layer(heads.merge(steps.output)),
        query=as_layer(heads.query),
        key=as_layer(heads.key),
        value=as_layer(heads.value),
    )


def _note_error(approximate: Steps, exact: Steps) -> None:
    weights = (approximate.weights - exact.weights).abs()
    output = (approximate.output - exact.output).abs()
    note(
        "linear attention approximates scaled_dot: weights are off by "
        f"{weights.mean():.2g} on average and {weights.max():.2g} at most, output by {output.max():.2g} at most"
    )


__all__ = ["Steps", "attend", "attention", "dense", "merge_heads", "split_heads", "weigh"]
