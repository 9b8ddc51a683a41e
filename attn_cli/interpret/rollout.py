"""Attention rollout: what reaches a token through all layers, each of which keeps a part of the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..records.checks import shape

if TYPE_CHECKING:
    from jaxtyping import Float


def rollout(
    maps: Float[np.ndarray, "layer head token token"], *, residual: float = 0.5
) -> Float[np.ndarray, "query key"]:
    """Product of the layers, each (1 − residual) · A + residual · I; rows sum to 1.

    R = Â_L · … · Â_2 · Â_1, the later layer on the left, A the mean of the heads. That is the sum over all paths
    through the layers of the product of their weights. Under a causal mask it piles up on the first tokens, as
    every path goes back and none forth. Abnar & Zuidema 2020, arXiv:2005.00928, §4.1.

    >>> look_back = np.array([[1.0, 0.0], [1.0, 0.0]])
    >>> rollout(np.stack([look_back, look_back])[:, None]).tolist()  # ½ · ½ stays
    [[1.0, 0.0], [0.75, 0.25]]
    """
    layers = with_residual(maps, residual)
    reached = np.eye(layers.shape[1])
    for layer in layers:
        reached = layer @ reached
    return reached


def rollout_across(
    encoder: Float[np.ndarray, "layer head source source"],
    decoder: Float[np.ndarray, "layer head target target"],
    cross: Float[np.ndarray, "layer head target source"],
    *,
    residual: float | tuple[float, float] = 0.5,
) -> Float[np.ndarray, "target source_and_target"]:
    """Rollout of an encoder–decoder: from each target token to all source and all target tokens; rows sum to 1.

    In block form: a decoder's rows hold [source | target], at first [0 | I]. Its self-attention multiplies both
    blocks, its cross-attention adds the encoder's rollout E to the first: (1 − residual) · C · [E | 0] +
    residual · rows. Ferrando et al. 2022, arXiv:2205.11631 (ALTI+), §3.2.

    >>> one = np.ones((1, 1, 1, 1))
    >>> rollout_across(one, one, one).tolist()
    [[0.5, 0.5]]
    """
    layers = joint(encoder, decoder, cross, residual=residual)
    reached = np.eye(layers.shape[1])
    for layer in layers:
        reached = layer @ reached
    return reached[encoder.shape[2] :]


def joint(
    encoder: Float[np.ndarray, "layer head source source"],
    decoder: Float[np.ndarray, "layer head target target"],
    cross: Float[np.ndarray, "layer head target source"],
    *,
    residual: float | tuple[float, float] = 0.5,
) -> Float[np.ndarray, "step token token"]:
    """The layers of an encoder–decoder as steps over source and target tokens together; rows sum to 1.

    First the encoder's layers, which leave the target as it is; then, for each layer of the decoder, its
    self-attention and its cross-attention, which leave the source as it is. A pair of residuals is for self- and for cross-attention.

    >>> one = np.ones((1, 1, 1, 1))
    >>> joint(one, one, one)[-1].tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    if len(decoder) != len(cross):
        raise InputError(
            f"{len(decoder)} layers of decoder attention and {len(cross)} of cross-attention",
            hint="give both of every decoder layer",
        )
    n_target, n_source = cross.shape[2:]
    if encoder.shape[2:] != (n_source, n_source) or decoder.shape[2:] != (n_target, n_target):
        raise InputError(
            f"encoder {shape(encoder)}, decoder {shape(decoder)} and cross-attention {shape(cross)} do not fit",
            hint="give those of one text and its translation",
        )
    own, between = residual if isinstance(residual, tuple) else (residual, residual)
    steps = np.tile(np.eye(n_source + n_target), (len(encoder) + 2 * len(decoder), 1, 1))
    source, target = slice(None, n_source), slice(n_source, None)
    steps[: len(encoder), source, source] = with_residual(encoder, own)
    steps[len(encoder) :: 2, target, target] = with_residual(decoder, own)
    across = head_mean(cross)
    kept = np.where(across.any(axis=2, keepdims=True), between, 1)
    steps[len(encoder) + 1 :: 2, target, source] = (1 - kept) * across
    steps[len(encoder) + 1 :: 2, target, target] = kept * np.eye(n_target)
    return steps


def with_residual(
    maps: Float[np.ndarray, "layer head token token"], residual: float
) -> Float[np.ndarray, "layer token token"]:
    """(1 − residual) · A + residual · I of each layer, A the mean of its heads, with rows that sum to 1.

    A query that may attend to nothing keeps itself. Raises InputError where queries and keys are not the same
    tokens, or the residual is not a share.

    >>> with_residual(np.array([[[[0.0, 1.0], [0.0, 0.0]]]]), 0.25).tolist()
    [[[0.25, 0.75], [0.0, 1.0]]]
    """
    if not 0 <= residual <= 1:
        raise InputError(f"residual {residual} is out of range", hint="give a number from 0 to 1")
    check_square(maps)
    layers = head_mean(maps)
    kept = np.where(layers.any(axis=2, keepdims=True), residual, 1)
    return (1 - kept) * layers + kept * np.eye(layers.shape[2])


def check_square(maps: Float[np.ndarray, "layer head query key"]) -> None:
    """Raise InputError where queries and keys are not the same tokens.

    >>> check_square(np.ones((1, 1, 2, 2)))
    """
    n_query, n_key = maps.shape[2:]
    if n_query != n_key:
        raise InputError(
            f"maps of {n_query} queries and {n_key} keys cannot be multiplied through the layers",
            hint="give self-attention, or an encoder–decoder's encoder, decoder and cross-attention together",
        )


def head_mean(maps: Float[np.ndarray, "layer head query key"]) -> Float[np.ndarray, "layer query key"]:
    """The mean of the heads in float64, each row divided by its sum; a row of zeros stays.

    Raises InputError for a number below 0, which is no share of anything.

    >>> head_mean(np.array([[[[2.0, 0.0]], [[0.0, 2.0]]]])).tolist()
    [[[0.5, 0.5]]]
    """
    if (maps < 0).any():
        raise InputError("these maps hold numbers below 0", hint="give weights or norms, not scores")
    mean = maps.mean(axis=1, dtype=np.float64)
    sums = mean.sum(axis=2, keepdims=True)
    return mean / np.where(sums > 0, sums, 1)
