"""Weights as the library itself gives them, for families whose attention cannot be watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ...attention import layers
from ...attention.wanted_parts import narrowed
from ...errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float
    from torch import Tensor

    from ...attention.layers import Sides
    from ...attention.wanted_parts import Wanted
    from ...records.attention import Attention, Kind

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
        raise InputError(
            "this model gives no attention weights: its layers have something else in place of softmax",
            hint="models with softmax attention over tokens are read",
        )
    if len(given) != n_layers:
        raise InputError(f"the model gave weights of {len(given)} of its {n_layers} layers, not saying which")
    found = {layer: one for layer, one in enumerate(given) if one is not None}
    square = {layer: _square(one, shape, banded=banded) for layer, one in found.items()}
    for layer, weights in square.items():
        _refuse_scores(layer, weights)
    return square


def _refuse_scores(layer: int, weights: Float[Tensor, "head query key"]) -> None:
    """Raise InputError for what a family calls attention, and is no softmax: its scores, as some give them."""
    off = 1e-3 if weights.dtype in (torch.float32, torch.float64) else 1e-2  # of half precision
    low, high, most = (float(x) for x in (weights.min(), weights.max(), weights.sum(dim=-1).max()))
    if low < -off or high > 1 + off or most > 1 + off:
        raise InputError(
            f"layer {layer} of this family gives no weights: numbers from {low:.3g} to {high:.3g}, "
            f"rows that sum to {most:.3g}",
            hint="it gives its scores before the softmax, or something else",
        )


def _square(weights: Tensor, shape: tuple[int, int], *, banded: bool) -> Float[Tensor, "head query key"]:
    if banded and weights.shape[:1] + weights.shape[2:3] == (1, shape[0]):
        return unfold(weights[0])
    if weights.ndim != 4 or (weights.shape[0], *weights.shape[2:]) != (1, *shape):
        raise InputError(
            f"this model gives weights {list(weights.shape)}, no number for each query and key",
            hint="models with softmax attention over tokens are read",
        )
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


def beside(pieces: Sequence[Float[Tensor, "head q k"]]) -> Float[Tensor, "head query key"]:
    """The weights of pieces of a text that do not see each other as those of all of it.

    >>> beside([torch.ones(1, 1, 1), torch.ones(1, 1, 2) / 2])[0]
    tensor([[1.0000, 0.0000, 0.0000],
            [0.0000, 0.5000, 0.5000]])
    """
    if len(pieces) == 1:
        return pieces[0]
    n_query, n_key = (sum(piece.shape[axis] for piece in pieces) for axis in (-2, -1))
    weights = pieces[0].new_zeros(len(pieces[0]), n_query, n_key)
    row = column = 0
    for piece in pieces:
        place = slice(row, row := row + piece.shape[-2]), slice(column, column := column + piece.shape[-1])
        weights[:, *place] = piece
    return weights


def record(
    weights: Float[Tensor, "layer head query key"], numbers: Sequence[int], sides: Sides, wanted: Wanted
) -> Attention:
    """The record of layers of which nothing but the weights is known."""
    wanted = wanted.settled(weights.shape[1])
    shown = narrowed(weights, wanted)
    return sides.record(
        numbers, wanted, weights=(shown if shown.dtype == torch.float64 else shown.float()).cpu().numpy()
    )
