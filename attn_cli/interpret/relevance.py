"""Relevance, added up layer by layer: Chefer's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .rollout import check_square

if TYPE_CHECKING:
    from jaxtyping import Float


def relevance(maps: Float[np.ndarray, "layer head token token"]) -> Float[np.ndarray, "query key"]:
    """Chefer's rules for gradients: R ← R + Ā · R, layer by layer, Ā the mean of the heads.

    From R = I, so R = (I + Ā_L) · … · (I + Ā_1). Nothing is scaled, and rows of other maps than gradients grow as 2^layers.
    Chefer et al. 2021, arXiv:2103.15679, eq. 6.

    >>> relevance(np.array([[[[0.5, 0.0], [0.25, 0.0]]]])).tolist()
    [[1.5, 0.0], [0.25, 1.0]]
    """
    check_square(maps)
    found = np.eye(maps.shape[2])
    for layer in maps.mean(axis=1, dtype=np.float64):
        found = found + layer @ found
    return found


def relevance_across(
    encoder: Float[np.ndarray, "layer head source source"],
    decoder: Float[np.ndarray, "layer head target target"],
    cross: Float[np.ndarray, "layer head target source"],
) -> Float[np.ndarray, "target source"]:
    """Relevance of an encoder–decoder: from each target token to all source tokens.

    R^ss from the encoder; then in each layer of the decoder R^tt += Ā · R^tt and R^ts += Ā · R^ts of its
    self-attention, and R^ts += (R̄^tt)ᵀ · Ā · R̄^ss of its cross-attention, where R̄ = I + (R − I) / row sums.
    Chefer et al. 2021, arXiv:2103.15679, eqs. 6–10.

    >>> half = np.full((1, 1, 1, 1), 0.5)
    >>> relevance_across(half, half, half).tolist()  # 2 · ½ · 2
    [[2.0]]
    """
    if len(decoder) != len(cross):
        raise InputError(
            f"{len(decoder)} layers of decoder attention and {len(cross)} of cross-attention",
            hint="give both of every decoder layer",
        )
    source = _normalised(relevance(encoder))
    own, across = np.eye(decoder.shape[2]), np.zeros(cross.shape[2:])
    each = zip(*(maps.mean(axis=1, dtype=np.float64) for maps in (decoder, cross)), strict=True)
    for itself, at_source in each:
        own, across = own + itself @ own, across + itself @ across
        across = across + _normalised(own).T @ at_source @ source
    return across


def _normalised(found: Float[np.ndarray, "token token"]) -> Float[np.ndarray, "token token"]:
    """I + (R − I) with each row of R − I divided by its sum; a row of zeros stays."""
    added = found - np.eye(len(found))
    sums = added.sum(axis=1, keepdims=True)
    return added / np.where(sums > 0, sums, 1) + np.eye(len(found))
