"""Several texts through a model at once, those of one length together, so that nothing is padded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ...errors import InputError
from ...transformer.capture import Capture
from ..precision import as_wanted
from .text import tokenise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Bool, Float
    from torch import Tensor

    from ..reading import Reading
    from .huggingface import HuggingFace
    from .text import Tokenised

MOST = 2**24  # weights that are there at once, of all layers, heads and texts together


@dataclass(frozen=True, eq=False)
class Together:
    """Texts of one length, where they stand among all, and what every layer attends to."""

    places: tuple[int, ...]
    pieces: tuple[Tokenised, ...]
    weights: Float[Tensor, "text layer head query key"]
    mask: (
        Bool[
            Tensor,
            (
                1  # layer #head query key
            ),
        ]
        | None
    )


@torch.no_grad()
def together(model: HuggingFace, texts: Sequence[str], reading: Reading) -> Iterator[Together]:
    """The attention of the wanted layers to texts, as many of one length at once as fit; others are left out.

    Those are left out that hold no token or are too long, which reading them one by one says.
    """
    config, layers = model.model.config, reading.chosen(model.model.config.n_layers)
    stack = as_wanted(model.model, reading)
    by_length: dict[int, list[tuple[int, Tokenised]]] = {}
    for place, text in enumerate(texts):
        if (piece := _piece(model, text, reading)) is not None:
            by_length.setdefault(len(piece.numbers), []).append((place, piece))
    for n, same in by_length.items():
        room = max(1, MOST // (len(layers) * config.n_heads * n * n))
        for start in range(0, len(same), room):
            places, pieces = zip(*same[start : start + room], strict=True)
            numbers, segments = zip(*(model._checked(piece, stack) for piece in pieces), strict=True)
            both = None if segments[0] is None else torch.cat(segments)
            capture = Capture(layers)
            stack.hidden(torch.cat(numbers), attend=capture, segments=both, depth=layers[-1] + 1)
            weights = torch.stack([one.steps.weights for one in capture.layers], dim=1)
            yield Together(places, pieces, weights, _mask([one.mask for one in capture.layers]))


def _piece(model: HuggingFace, text: str, reading: Reading) -> Tokenised | None:
    try:
        whole = tokenise(model.tokenizer, text, reading, 2**31)
    except InputError:
        return None
    return whole[0] if len(whole[0].numbers) <= model.model.config.max_len else None


def _mask(
    masks: Sequence[Tensor | None],
) -> (
    Bool[
        Tensor,
        (
            1  # layer #head query key
        ),
    ]
    | None
):
    """The mask of all layers, one where they have the same."""
    if (first := masks[0]) is None:
        return None
    there = [mask for mask in masks if mask is not None]
    same = all(torch.equal(mask, first) for mask in there)
    return first[:, None] if same else torch.stack(there, dim=1)
