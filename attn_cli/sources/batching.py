"""Figures of many texts, those of one length through the model together: the same numbers, in less time."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ..interpret.rows import MOST, Rows, numbered
from ..interpret.tally import Tally
from .groups import Model, Selection
from .models import reading_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..interpret.tally import Figures
    from .groups import Options, Show

WINDOW = 256  # texts that are read before any is measured


@dataclasses.dataclass(frozen=True)
class Origin:
    """Of an attention that is not kept, what its figures are called by."""

    layers: tuple[int, ...]
    heads: tuple[int, ...]
    provenance: str


def can_be_batched(model: Any, options: Options, show: Show | None) -> bool:
    """Whether texts may be read together: by a model that is read natively, nothing of them picked but layers."""
    from ..models.native.huggingface import HuggingFace

    select, how = options.select, options.model
    plain = dataclasses.replace(select, layer=None) == Selection() and select.layer not in ("mean", "max")
    ordinary = how == Model(too_long=how.too_long) and how.too_long != "chunk" and not options.scoring.mask
    return isinstance(model, HuggingFace) and plain and ordinary and show in (None, "weights")


def figures_of(model: Any, texts: Sequence[Any], options: Options) -> tuple[list[Figures | None], Origin]:
    """The figures of each text that could be read together with others, and of what they are."""
    from ..models.native.batching import together

    reading = reading_of(options)
    layers = reading.chosen(model.model.config.n_layers)
    found: list[Figures | None] = [None] * len(texts)
    there = [i for i, text in enumerate(texts) if isinstance(text, str)]
    for group in together(model, [texts[i] for i in there], reading):
        made = _figures(group)
        for i, place in enumerate(group.places):
            found[there[place]] = {name: numbers[i] for name, numbers in made.items()}
    heads = tuple(range(model.model.config.n_heads))
    return found, Origin(layers, heads, model._provenance(layers, 1))


def _figures(group: Any) -> Figures:
    """Each column as an array [text, layer, head]."""
    weights = group.weights.cpu().numpy()
    n = weights.shape[-1]
    room = max(1, MOST // (weights.size // n))
    tokens = np.array([numbered(piece.labels) for piece in group.pieces])[:, None, None]
    special = np.array([piece.special for piece in group.pieces], dtype=bool)[:, None, None]
    mask = None if group.mask is None else group.mask.cpu().numpy()
    tally = Tally()
    for start in range(0, n, room):
        rows = slice(start, start + room)
        tally.add(
            Rows(
                weights[..., rows, :].astype(np.float64),
                np.arange(n)[rows],
                np.arange(n),
                n,
                n,
                None if mask is None else mask[..., rows, :],
                tokens,
                special,
            )
        )
    return tally.figures()
