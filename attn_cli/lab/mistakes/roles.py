"""Mistakes with the roles of query, key and value, and with projections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ..pipeline import ImpossibleError
from ..right import inputs as right_inputs
from ..right import linear as right_linear
from ..right import softmax
from .catalogue import MISTAKES, in_place_of

if TYPE_CHECKING:
    from ..pipeline import Work
    from ..right import Heads, Pairs

_EACH = ("of=all", "of=q", "of=k", "of=v", "of=o")


@MISTAKES.register
@in_place_of("dots")
def query_key_swapped(query: Heads, key: Heads) -> Pairs:
    """K Qᵀ is computed instead of Q Kᵀ: every score stands at the mirrored place.

    >>> query_key_swapped(np.array([[1.0], [2.0]]), np.array([[1.0], [5.0]])).tolist()
    [[1.0, 2.0], [5.0, 10.0]]
    """
    return key @ query.mT


@MISTAKES.register
@in_place_of("weigh")
def value_is_key(weights: Pairs, value: Heads, work: Work) -> Heads:
    """The weights are multiplied by K instead of V.

    >>> value_is_key(np.eye(1), None, {"key": np.array([[5.0]])}).tolist()
    [[5.0]]
    """
    with np.errstate(invalid="ignore", over="ignore"):
        return weights @ work["key"]


@MISTAKES.register
@in_place_of("value")
def value_missing(vectors: np.ndarray, work: Work) -> Heads:
    """The values are the vectors themselves: W_v and its bias are left out.

    >>> from attn_cli.lab.exercise import proposed
    >>> from attn_cli.lab.pipeline import Work
    >>> value_missing(np.zeros((7, 6)), Work(proposed())).shape
    (2, 7, 3)
    """
    return work.steps.share(work.steps.split(vectors, work.n_kv_heads), work.n_heads)


@MISTAKES.register
@in_place_of("out")
def output_projection_missing(merged: np.ndarray, work: Work) -> np.ndarray:
    """The heads' outputs side by side are handed in: W_o and its bias are left out.

    >>> output_projection_missing(np.eye(1), None).tolist()
    [[1.0]]
    """
    return merged


@MISTAKES.register
@in_place_of("linear")
def projections_missing(vectors: np.ndarray, part: str, work: Work) -> np.ndarray:
    """Query, key and value are the vectors themselves: no projection is used.

    >>> projections_missing(np.eye(1), "q", None).tolist()
    [[1.0]]
    """
    return vectors


@MISTAKES.register
@in_place_of("linear", tried=_EACH)
def weight_transposed(
    vectors: np.ndarray, part: str, work: Work, *, of: Literal["q", "k", "v", "o", "all"] = "all"
) -> np.ndarray:
    """x Wᵀ is computed instead of x W, or the other way round.

    >>> from attn_cli.lab.exercise import Exercise
    >>> from attn_cli.lab.pipeline import Work
    >>> from attn_cli.variants.projections import Projection
    >>> w = Work(Exercise(np.eye(2), projection=Projection(W_q=np.array([[1.0, 2.0], [3.0, 4.0]]))))
    >>> weight_transposed(np.eye(2), "q", w).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    W, b = (getattr(work.exercise.projection, f"{letter}_{part}") for letter in "Wb")
    if of not in (part, "all") or W is None:
        return right_linear(vectors, part, work)
    return vectors @ W.T + (0 if b is None else b)


@MISTAKES.register
@in_place_of("linear", tried=_EACH)
def bias_missing(
    vectors: np.ndarray, part: str, work: Work, *, of: Literal["q", "k", "v", "o", "all"] = "all"
) -> np.ndarray:
    """The biases of the projections are left out; that of the key alone changes no weight.

    >>> from attn_cli.lab.exercise import Exercise
    >>> from attn_cli.lab.pipeline import Work
    >>> from attn_cli.variants.projections import Projection
    >>> w = Work(Exercise(np.eye(2), projection=Projection(b_q=np.ones(2))))
    >>> bias_missing(np.eye(2), "q", w).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    W = getattr(work.exercise.projection, f"W_{part}")
    if of not in (part, "all"):
        return right_linear(vectors, part, work)
    return vectors if W is None else vectors @ W


@MISTAKES.register
@in_place_of("inputs")
def context_from_query(work: Work) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys and values are made of the queries' vectors: cross-attention has become self-attention.

    >>> from attn_cli.lab.exercise import proposed
    >>> from attn_cli.lab.pipeline import Work
    >>> [x.shape for x in context_from_query(Work(proposed()))]
    [(5, 6), (5, 6), (5, 6)]
    """
    query, _, _ = right_inputs(work)
    return query, query, query


# ---- what has been published as attention and is none --------------------------------------------------


def _one_sequence(work: Work) -> np.ndarray:
    query, key, _ = right_inputs(work)
    if query.shape != key.shape:
        raise ImpossibleError("only of one sequence", hint="it has no other")
    return query


@MISTAKES.register
@in_place_of("out")
def chained_projections(merged: np.ndarray, work: Work) -> np.ndarray:
    """x goes through W_q, W_k and W_v one after the other, then a softmax over its features: no attention.

    >>> from attn_cli.lab.exercise import Exercise
    >>> from attn_cli.lab.pipeline import Work
    >>> chained_projections(None, Work(Exercise(np.zeros((3, 2)))))[0].tolist()
    [0.5, 0.5]
    """
    x = _one_sequence(work)
    for part in "qkv":
        x = work.steps.linear(x, part, work)
    return softmax(x / np.sqrt(work.d_head))


@MISTAKES.register
@in_place_of("out")
def elementwise_value(merged: np.ndarray, work: Work) -> np.ndarray:
    """A softmax over the features of the query, times the value number by number: no attention.

    >>> from attn_cli.lab.exercise import Exercise
    >>> from attn_cli.lab.pipeline import Work
    >>> elementwise_value(None, Work(Exercise(np.ones((3, 2)))))[0].tolist()
    [0.5, 0.5]
    """
    x = _one_sequence(work)
    return softmax(work.steps.linear(x, "q", work)) * work.steps.linear(x, "v", work)
