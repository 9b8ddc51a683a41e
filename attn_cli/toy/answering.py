"""What a model answers to one example, as tokens: those at the positions asked, or what its decoder writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..transformer.decoding import greedy, most_written
from ..transformer.model import fast
from .batches import IGNORED, Numbered
from .examples import END

if TYPE_CHECKING:
    from ..transformer.model import Transformer
    from .examples import Dataset, Example, Recipe


@torch.inference_mode()
def answer(model: Transformer, dataset: Dataset, recipe: Recipe, example: Example) -> tuple[str, ...]:
    """The most probable token for each that is asked; a decoder of its own writes until it ends.

    The model is left ready to be used, not to be trained.
    """
    writes = recipe.stack == "both"
    device = next(model.parameters()).device
    batch = Numbered([example], dataset, writes=writes).batch([0]).to(device)
    known = dataset.outputs or dataset.vocabulary
    model.eval()
    if writes:
        assert batch.written is not None
        longest = most_written(len(example.source), model.config.max_len)
        (said,) = greedy(
            model, batch.source, batch.padding_mask, batch.written[:, 0], known.index(END), longest
        )
        return tuple(known[number] for number in said)
    logits = model(batch.source, batch.padding_mask, fast)  # [example, out, vocab]
    asked = batch.wanted[0] != IGNORED
    return tuple(known[number] for number in logits.argmax(dim=-1)[0][asked].tolist())
