"""Mistakes between scores and weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..right import softmax
from .catalogue import MISTAKES, in_place_of

if TYPE_CHECKING:
    from ..pipeline import Work
    from ..right import Heads, Pairs


@MISTAKES.register
@in_place_of("normalise")
def softmax_over_queries(masked: Pairs, work: Work) -> Pairs:
    """The softmax runs over the queries of a column, not over the keys of a row.

    >>> softmax_over_queries(np.zeros((2, 4)), None).tolist()[0]
    [0.5, 0.5, 0.5, 0.5]
    """
    return softmax(masked, axis=-2)


@MISTAKES.register
@in_place_of("normalise")
def softmax_over_all(masked: Pairs, work: Work) -> Pairs:
    """The softmax runs over the whole matrix of a head, not over each row.

    >>> softmax_over_all(np.zeros((2, 2)), None).tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    """
    return softmax(masked, axis=(-2, -1))


@MISTAKES.register
@in_place_of("normalise")
def softmax_over_heads(masked: Pairs, work: Work) -> Pairs:
    """The softmax runs over the heads, not over the keys.

    >>> softmax_over_heads(np.zeros((4, 1, 1)), None).ravel().tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    return softmax(masked, axis=-3)


@MISTAKES.register
@in_place_of("normalise")
def sum_without_exp(masked: Pairs, work: Work) -> Pairs:
    """Scores are divided by their sum, without the exponential.

    >>> sum_without_exp(np.array([[1.0, -3.0, 6.0]]), None).tolist()
    [[0.25, -0.75, 1.5]]
    """
    seen = np.where(np.isneginf(masked), 0.0, masked)
    with np.errstate(divide="ignore", invalid="ignore"):
        return seen / seen.sum(axis=-1, keepdims=True)


@MISTAKES.register
@in_place_of("normalise")
def raw_scores(masked: Pairs, work: Work) -> Pairs:
    """The scores themselves are taken for weights: there is no softmax.

    >>> raw_scores(np.array([[1.0, -3.0]]), None).tolist()
    [[1.0, -3.0]]
    """
    return masked


@MISTAKES.register
@in_place_of("normalise")
def log_softmax(masked: Pairs, work: Work) -> Pairs:
    """The logarithm of the softmax is taken for the weights.

    >>> log_softmax(np.zeros((1, 2)), None).round(4).tolist()  # ln ½
    [[-0.6931, -0.6931]]
    """
    with np.errstate(divide="ignore"):
        return np.log(softmax(masked))


@MISTAKES.register
@in_place_of("normalise")
def exp_only(masked: Pairs, work: Work) -> Pairs:
    """Exponentials are not divided by their sum.

    >>> exp_only(np.array([[0.0, 1.0]]), None).round(4).tolist()
    [[1.0, 2.7183]]
    """
    with np.errstate(over="ignore"):
        return np.exp(masked)


@MISTAKES.register
@in_place_of("normalise")
def sigmoid(masked: Pairs, work: Work) -> Pairs:
    """Each score goes through a sigmoid by itself, so that rows do not sum to 1.

    >>> sigmoid(np.array([[0.0, -np.inf]]), None).tolist()
    [[0.5, 0.0]]
    """
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-masked))


@MISTAKES.register
@in_place_of("normalise")
def softmax_twice(masked: Pairs, work: Work) -> Pairs:
    """The softmax is taken twice: of the scores, and of the weights.

    >>> softmax_twice(np.zeros((1, 2)), None).tolist()
    [[0.5, 0.5]]
    """
    return softmax(softmax(masked))


@MISTAKES.register
@in_place_of("normalise")
def overflow(masked: Pairs, work: Work) -> Pairs:
    """The largest score is not subtracted, so that float32 exponentials overflow beyond 88.

    >>> overflow(np.array([[100.0, 0.0]]), None).tolist()
    [[nan, 0.0]]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        parts = np.exp(masked.astype(np.float32))
        return (parts / parts.sum(axis=-1, keepdims=True)).astype(np.float64)


@MISTAKES.register
@in_place_of("normalise")
def softmin(masked: Pairs, work: Work) -> Pairs:
    """The sign of the scores is turned: the smallest score gets the largest weight.

    >>> softmin(np.array([[0.0, np.log(3)]]), None).round(4).tolist()
    [[0.75, 0.25]]
    """
    return softmax(np.where(np.isneginf(masked), masked, -masked))


@MISTAKES.register
@in_place_of("normalise")
def base_2(masked: Pairs, work: Work) -> Pairs:
    """Powers of 2 are taken instead of powers of e.

    >>> base_2(np.array([[0.0, 1.0]]), None).round(4).tolist()  # 1 and 2, of 3
    [[0.3333, 0.6667]]
    """
    return softmax(masked * np.log(2))


@MISTAKES.register
@in_place_of("dots", scale=lambda dots, work: dots)
def cosine_scores(query: Heads, key: Heads) -> Pairs:
    """The score is the cosine between query and key, not their scaled dot product.

    >>> cosine_scores(np.array([[3.0, 4.0]]), np.array([[5.0, 0.0]])).tolist()
    [[0.6]]
    """
    lengths = np.linalg.norm(query, axis=-1)[..., None] * np.linalg.norm(key, axis=-1)[..., None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(lengths == 0, 0.0, query @ key.mT / lengths)
