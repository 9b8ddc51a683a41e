"""Mistakes with heads, axes and shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..pipeline import ImpossibleError
from ..right import inputs as right_inputs
from ..right import out as right_out
from ..right import split as right_split
from .catalogue import MISTAKES, in_place_of

if TYPE_CHECKING:
    from ..pipeline import Work
    from ..right import Heads, Pairs


@MISTAKES.register
@in_place_of("split")
def heads_by_view(vectors: np.ndarray, n_heads: int) -> Heads:
    """Heads are cut by a view of the shape [head, seq, d_head], without a transpose: they mix positions.

    >>> heads_by_view(np.arange(4.0).reshape(2, 2), 2)[..., 0].tolist()  # right: [[0, 2], [1, 3]]
    [[0.0, 1.0], [2.0, 3.0]]
    """
    return vectors.reshape(*vectors.shape[:-2], n_heads, vectors.shape[-2], -1)


@MISTAKES.register
@in_place_of("split")
def heads_strided(vectors: np.ndarray, n_heads: int) -> Heads:
    """A head takes every n-th number of a vector, not neighbouring ones.

    >>> heads_strided(np.arange(4.0)[None], 2)[:, 0].tolist()  # right: [[0, 1], [2, 3]]
    [[0.0, 2.0], [1.0, 3.0]]
    """
    pieces = vectors.reshape(*vectors.shape[:-1], -1, n_heads)  # [seq, d_head, head]
    return np.moveaxis(pieces, -1, -3)


@MISTAKES.register
@in_place_of("merge")
def heads_merged_wrong(heads: Heads) -> np.ndarray:
    """The heads' outputs are merged by a reshape alone, without a transpose: positions are mixed.

    >>> heads_merged_wrong(np.arange(4.0).reshape(2, 2, 1)).tolist()  # right: [[0, 2], [1, 3]]
    [[0.0, 1.0], [2.0, 3.0]]
    """
    *batch, n_heads, n_query, width = heads.shape
    return heads.reshape(*batch, n_query, n_heads * width)


@MISTAKES.register
@in_place_of("show")
def heads_averaged(weights: Pairs) -> np.ndarray:
    """The mean of the heads' weights is handed in, as nn.MultiheadAttention gives unless told.

    >>> heads_averaged(np.array([[[1.0, 0.0]], [[0.0, 1.0]]])).tolist()
    [[0.5, 0.5]]
    """
    return weights.mean(axis=-3)


@MISTAKES.register
@in_place_of("merge")
def outputs_averaged(heads: Heads) -> np.ndarray:
    """The heads' outputs are averaged, not put side by side.

    >>> outputs_averaged(np.array([[[1.0, 0.0]], [[0.0, 1.0]]])).tolist()
    [[0.5, 0.5]]
    """
    return heads.mean(axis=-3)


@MISTAKES.register
@in_place_of("split", share=lambda heads, n_heads: heads)
def heads_one_wide(vectors: np.ndarray, n_heads: int) -> Heads:
    """Vectors are not cut: there is one head as wide as the model.

    >>> heads_one_wide(np.zeros((5, 6)), 2).shape
    (1, 5, 6)
    """
    return vectors[..., None, :, :]


@MISTAKES.register
@in_place_of("show")
def head_first_only(weights: Pairs) -> np.ndarray:
    """Only the first head is handed in.

    >>> head_first_only(np.array([[[1.0, 0.0]], [[0.0, 1.0]]])).tolist()
    [[1.0, 0.0]]
    """
    return weights[..., 0, :, :]


@MISTAKES.register
@in_place_of("split", share=lambda heads, n_heads: np.repeat(heads, n_heads // heads.shape[-3], axis=-3))
def heads_reversed(vectors: np.ndarray, n_heads: int) -> Heads:
    """The heads stand in the opposite order; each by itself is right.

    >>> heads_reversed(np.arange(4.0)[None], 2)[:, 0].tolist()
    [[2.0, 3.0], [0.0, 1.0]]
    """
    return right_split(vectors, n_heads)[..., ::-1, :, :]


@MISTAKES.register
@in_place_of("dots")
def key_reshaped(query: Heads, key: Heads) -> Pairs:
    """K is reshaped to [d_head, key] where it should be transposed.

    >>> key_reshaped(np.eye(2), np.array([[0.0, 1.0], [2.0, 3.0]])).tolist()  # right: [[0, 2], [1, 3]]
    [[0.0, 1.0], [2.0, 3.0]]
    """
    return query @ key.reshape(*key.shape[:-2], key.shape[-1], key.shape[-2])


@MISTAKES.register
@in_place_of("share")
def gqa_tiled(heads: Heads, n_heads: int) -> Heads:
    """Key/value heads are repeated as 0 1 0 1, where neighbouring query heads share one: 0 0 1 1.

    >>> gqa_tiled(np.arange(2.0).reshape(2, 1, 1), 4).ravel().tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    copies = n_heads // heads.shape[-3]
    return np.concatenate([heads] * copies, axis=-3)


def _swapped_back(merged: np.ndarray, work: Work) -> np.ndarray:
    return right_out(merged, work).swapaxes(-2, -3)


@MISTAKES.register
@in_place_of("inputs", out=_swapped_back)
def batch_first(work: Work) -> tuple[np.ndarray, ...]:
    """Batch and sequence change places: every position attends over the batch.

    With a batch of one, every weight is 1.

    >>> from attn_cli.lab.exercise import Exercise
    >>> from attn_cli.lab.pipeline import Work
    >>> batch_first(Work(Exercise(np.zeros((5, 6)))))[0].shape  # 5 items of one position each
    (5, 1, 6)
    """
    vectors = right_inputs(work)
    if work.exercise.masks or len({x.shape[-2] for x in vectors}) > 1:
        raise ImpossibleError(
            "batch and sequence cannot be exchanged", hint="it wants queries of the keys' number"
        )
    return tuple((x if x.ndim > 2 else x[None]).swapaxes(-2, -3) for x in vectors)


@MISTAKES.register
@in_place_of("finish", tried=())  # which weights are dropped is read from the answer: see `fitted.py`
def dropout_on(weights: Pairs, work: Work, *, p: float = 0.1, seed: int = 0) -> Pairs:
    """Dropout is on: some weights are 0, the others 1/(1 − p) of what they should be.

    >>> dropout_on(np.full(8, 0.5), None, p=0.5).tolist()
    [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
    """
    kept = np.random.Generator(np.random.PCG64(seed)).random(weights.shape) >= p
    return weights * kept / (1 - p)
