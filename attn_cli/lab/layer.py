"""One layer of an attention taken apart, with what is known of how its numbers came about."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..attention.products import agree
from ..errors import InputError
from ..records.worked import equals, rounded
from ..variants.normalisation import softmax
from ..variants.scores import dot, scaled_dot
from .verdict import Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Bool, Float

    from ..attention.rules import Rule
    from ..records.attention import Attention


@dataclass(frozen=True)
class Scaling:
    """One thing that is done to every dot product on its way to a score."""

    name: str
    formula: str  # {0} stands for what it is done to
    written: str  # the same with numbers for names
    apply: Callable[[float], float]
    remark: Said | None = None


@dataclass(frozen=True, eq=False)
class Layer:
    """The arrays of one layer. `dots` is None where the scores are no scaled dot products."""

    query: Float[np.ndarray, "head query d_head"]
    key: Float[np.ndarray, "head key d_head"]
    value: Float[np.ndarray, "head key d_value"]
    scores: Float[np.ndarray, "head query key"]
    mask: Bool[np.ndarray, "head query key"] | None
    weights: Float[np.ndarray, "head query key"]
    output: Float[np.ndarray, "query d_model"] | None
    dots: Float[np.ndarray, "head query key"] | None
    scalings: tuple[Scaling, ...]
    is_softmax: bool

    @property
    def masked(self) -> Float[np.ndarray, "head query key"]:
        """The scores, −∞ where a query may not attend."""
        return _masked(self.scores, self.mask)

    @property
    def head_output(self) -> Float[np.ndarray, "head query d_value"]:
        """What each head gives: its weights times its values."""
        return self.weights @ self.value

    @property
    def is_whole(self) -> bool:
        """Whether the output is that of the heads, side by side."""
        return self.output is None or agree(self.concatenated, self.output)

    @property
    def concatenated(self) -> Float[np.ndarray, "query d_model"]:
        """The outputs of the heads, side by side."""
        return np.concatenate(list(self.head_output), axis=-1)


def take_apart(attention: Attention, index: int, rule: Rule | None = None) -> Layer:
    """The layer at an index. Without a rule, its numbers tell whether it is a softmax of (scaled) dot products.

    Raises InputError when the attention was saved without its query, key, value or scores.

    >>> from attn_cli.attention.vectors import attend
    >>> [scaling.formula for scaling in take_apart(attend(np.eye(2)), 0).scalings]
    ['{0} / √d_head']
    """
    query, key, value, scores = attention.query, attention.key, attention.value, attention.scores
    if query is None or key is None or value is None or scores is None:
        raise InputError(
            "this attention was saved without its query, key, value or scores",
            hint="compute it from its vectors, or save it as .json or .npz",
        )
    weights, mask, output = attention.weights, attention.mask, attention.output
    if mask is not None:
        mask = np.broadcast_to(mask, weights.shape)[index]
    dots = query[index] @ key[index].mT
    scalings = _of_rule(rule, query.shape[-1]) if rule else _recognised(dots, scores[index], query.shape[-1])
    return Layer(
        query[index],
        key[index],
        value[index],
        scores[index],
        mask,
        weights[index],
        None if output is None else output[index],
        None if scalings is None else dots,
        scalings or (),
        _is_softmax(rule) if rule else agree(_softmax(_masked(scores[index], mask)), weights[index]),
    )


# ---- from dot products to scores --------------------------------------------------------------------


def _of_rule(rule: Rule, d_head: int) -> tuple[Scaling, ...] | None:
    """What a rule does to dot products, in its order; None when its scores are something else."""
    if rule.score not in (dot, scaled_dot) or rule.position is not None:
        return None
    found = []
    if rule.scale is not None:
        found.append(_factor(rule.scale))
    elif rule.score == scaled_dot:
        found.append(_root(d_head))
    if rule.softcap is not None:
        found.append(_softcap(rule.softcap))
    if rule.temperature != 1:
        found.append(_temperature(rule.temperature))
    return tuple(found)


def _recognised(dots: np.ndarray, scores: np.ndarray, d_head: int) -> tuple[Scaling, ...] | None:
    if agree(dots / math.sqrt(d_head), scores):
        return (_root(d_head),)
    return () if agree(dots, scores) else None


def _root(d_head: int) -> Scaling:
    root = math.sqrt(d_head)
    written = f"{{0}} / √{d_head} {equals(root)} {{0}} / {rounded(root)}"
    remark = Said("step_one_head_wide", {"d_head": d_head})
    return Scaling("scaled", "{0} / √d_head", written, lambda x: x / root, remark)


def _factor(scale: float) -> Scaling:
    formula = f"{{0}} · {scale:g}"
    return Scaling("scaled", formula, formula, lambda x: x * scale)


def _softcap(cap: float) -> Scaling:
    formula = f"{cap:g} · tanh({{0}} / {cap:g})"
    return Scaling("capped", formula, formula, lambda x: cap * math.tanh(x / cap))


def _temperature(temperature: float) -> Scaling:
    formula = f"{{0}} / {temperature:g}"
    return Scaling("temperature", formula, formula, lambda x: x / temperature)


# ---- from scores to weights -------------------------------------------------------------------------


def _is_softmax(rule: Rule) -> bool:
    return rule.normalise == softmax and rule.top_k is None


def _masked(scores: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    return scores if mask is None else np.where(mask, scores, -np.inf)


def _softmax(masked: Float[np.ndarray, "... key"]) -> Float[np.ndarray, "... key"]:
    highest = masked.max(axis=-1, keepdims=True)
    parts = np.exp(masked - np.where(np.isfinite(highest), highest, 0))
    return parts / np.maximum(parts.sum(axis=-1, keepdims=True), np.finfo(parts.dtype).tiny)
