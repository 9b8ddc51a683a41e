"""One held-out example that is looked at again and again while a model learns, and what was seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..text.pieces import unmarked
from ..transformer.model import Capture, Transformer
from .answering import answer
from .batches import Numbered
from .examples import END

if TYPE_CHECKING:
    from jaxtyping import Float

    from .examples import Dataset, Example, Recipe

FRAMES = 40  # of a film
_LONGEST = 24  # tokens, so that a map of them fits a terminal


@dataclass(frozen=True, eq=False)
class Frame:
    """What was seen after so many steps."""

    step: int
    weights: Float[np.ndarray, "layer head query key"]
    answer: tuple[str, ...] = ()  # what the model said then


class Watched:
    """The attention that a task is about, to one of its held-out examples."""

    def __init__(self, dataset: Dataset, recipe: Recipe) -> None:
        self.example = longest(dataset)
        self._dataset, self._recipe = dataset, recipe
        self.kind = recipe.attends
        named = tuple if dataset.tokenizer is None else unmarked
        self.columns = self.rows = named(self.example.source)
        if self.kind == "cross":
            self.rows = (*named(self.example.written), END)
        elif recipe.stack == "both" and self.kind == "decoder":
            self.rows = self.columns = (self.example.start, *named(self.example.written))
        self._batch = Numbered([self.example], dataset, writes=recipe.stack == "both").batch([0])

    @torch.inference_mode()
    def weights(self, model: Transformer) -> Float[np.ndarray, "layer head query key"]:
        """The weights as the model is now; it is left ready to be used, not to be trained."""
        batch = self._batch.to(next(model.parameters()).device)
        capture = Capture()
        model.eval()(batch.source, batch.padding_mask, capture, batch.written)
        seen = [one.steps.weights[0] for one in capture.layers if one.part.kind == self.kind]
        return torch.stack(seen).float().cpu().numpy()

    def answer(self, model: Transformer) -> tuple[str, ...]:
        """What the model says to it, as it is now."""
        return answer(model, self._dataset, self._recipe, self.example)


def longest(dataset: Dataset) -> Example:
    """One of the longest held-out examples that still are easy to look at; else the beginning of one."""
    sizes = {example: max(len(example.source), len(example.target)) for example in dataset.held_out[:200]}
    fitting = [example for example, size in sizes.items() if size <= _LONGEST]
    if fitting:
        return max(fitting, key=lambda example: (sizes[example], len(example.source)))
    shortest = min(sizes, key=lambda example: sizes[example])
    return shortest if shortest.image is not None else _beginning(shortest)


def _beginning(example: Example) -> Example:
    """As much of an example as is easy to look at."""
    expected = None if example.expected is None else example.expected[:_LONGEST, :_LONGEST]
    return replace(
        example, source=example.source[:_LONGEST], target=example.target[:_LONGEST], expected=expected
    )


def filmed(steps: int, frames: int = FRAMES) -> list[int]:
    """After which steps to look: before the first, after the last, and ever more seldom in between.

    Most happens early, so each is later than the one before by the same factor, as far as steps are whole.

    >>> filmed(100, 8)
    [0, 1, 2, 5, 10, 22, 46, 100]
    """
    if steps < frames:
        return list(range(steps + 1))
    return sorted({0, *np.rint(np.geomspace(1, steps, frames - 1)).astype(int).tolist()})
