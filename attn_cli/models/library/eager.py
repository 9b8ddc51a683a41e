"""Weights as the library itself gives them, for families whose attention cannot be watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ...attention import layers
from ...errors import InputError
from ...records.attention import Attention

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float
    from torch import Tensor

    from ...attention.layers import Sides
    from ...records.attention import Kind

BANDED = ("longformer", "led")  # families whose encoder gives a window of keys for each query
_FIELDS: dict[Kind | None, str] = {"decoder": "decoder_attentions", "cross": "cross_attentions"}


def weights_of(
    outputs: Any, kind: Kind | None, *, n_layers: int, shape: tuple[int, int], banded: bool
) -> dict[int, Float[Tensor, "head query key"]]:
    """The weights of each layer that gave some, by its number, from what a model gave beside its output.

    `kind` is None where it gave one alone.
    Raises InputError when there are none, or they are not a number for each query and key.
    """
    given = getattr(outputs, _FIELDS.get(kind, "attentions"), None) or ()
    if not any(one is not None for one in given):
        raise InputError("this model gives no attention weights", hint="its layers have no softmax attention")
    if len(given) != n_layers:
        raise InputError(f"the model gave weights of {len(given)} of its {n_layers} layers, not saying which")
    found = {layer: one for layer, one in enumerate(given) if one is not None}
    return {layer: _square(one, shape, banded=banded) for layer, one in found.items()}


def _square(weights: Tensor, shape: tuple[int, int], *, banded: bool) -> Float[Tensor, "head query key"]:
    if banded and weights.shape[:1] + weights.shape[2:3] == (1, shape[0]):
        return unfold(weights[0])
    if weights.ndim != 4 or (weights.shape[0], *weights.shape[2:]) != (1, *shape):
        raise InputError(f"weights {list(weights.shape)}, which is no number for each query and key")
    return weights[0]


def unfold(band: Float[Tensor, "head query window"]) -> Float[Tensor, "head query key"]:
    """A window of keys for each query, put back to where these keys stand.

    Column j of row i is key i + j − window // 2; keys outside of the text are left out. Beltagy et al. 2020,
    arXiv:2004.05150, § 3.1.

    >>> unfold(torch.tensor([[[0.0, 0.4, 0.6], [0.2, 0.3, 0.5], [0.9, 0.1, 0.0]]]))[0]
    tensor([[0.4000, 0.6000, 0.0000],
            [0.2000, 0.3000, 0.5000],
            [0.0000, 0.9000, 0.1000]])
    """
    n_heads, n, window = band.shape
    side = window // 2
    wide = band.new_zeros(n_heads, n, n + 2 * side)
    columns = torch.arange(n)[:, None] + torch.arange(window)
    wide.scatter_(-1, columns.expand(n_heads, -1, -1), band)
    return wide[..., side : side + n]


def check_room(n_maps: int, n_query: int, n_key: int) -> None:
    """Raise InputError when the weights of all layers and heads, which come at once, are too many to be held."""
    if (n := n_maps * n_query * n_key) > layers.MOST_DENSE:  # of 4 bytes each, so four times as much
        raise InputError(
            f"{n:,} weights are too many, and this family cannot be streamed", hint="give a shorter text"
        )


def record(
    pieces: Sequence[Mapping[int, Float[Tensor, "head query key"]]], numbers: Sequence[int], sides: Sides
) -> Attention:
    """The record of these layers, of which nothing but the weights is known; no piece of the text sees another."""
    shape = len(sides.query_tokens), len(sides.key_tokens)
    first = pieces[0][numbers[0]]
    weights = first.new_zeros(len(numbers), len(first), *shape)
    mask = torch.zeros(1, 1, *shape, dtype=torch.bool)
    row = column = 0
    for piece in pieces:
        n_query, n_key = piece[numbers[0]].shape[-2:]
        place = slice(row, row := row + n_query), slice(column, column := column + n_key)
        mask[..., *place] = True
        for i, number in enumerate(numbers):
            weights[i][:, *place] = piece[number]
    return Attention(
        tuple(sides.query_tokens),
        tuple(sides.key_tokens),
        weights.cpu().numpy(),
        sides.kind,
        sides.provenance,
        layers=tuple(numbers),
        mask=None if len(pieces) == 1 else mask.numpy(),
    )
