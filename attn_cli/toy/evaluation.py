"""What a trained model is measured by, on examples that it has never seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..transformer.model import Capture, Transformer, fast
from .batches import IGNORED, Numbered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from jaxtyping import Bool, Float, Int

    from .batches import Batch
    from .examples import Dataset, Example, Recipe
    from .translation import Scores

_SIZE = 128  # examples at a time


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a model does on held-out examples.

    Whether a decoder writes all of an example right is seen without letting it write: it does exactly if each
    of its tokens is the most probable one after those before it.
    """

    n_examples: int
    loss: float  # cross-entropy of a token, in nats
    exact_match: float  # share of examples whose every token is right, written greedily
    by_position: Float[np.ndarray, " out"]  # share of right tokens at each position; NaN where none is asked
    expected_mass: Float[np.ndarray, "layer head"] | None  # share of attention on the positions expected
    uniform_mass: float | None  # the same for a head that looks everywhere alike
    longer_match: float | None = None  # exact match on examples longer than any in training
    f1: float | None = None  # of named entities, where there are tags
    facts: Mapping[str, float] = field(default_factory=dict)  # what the data itself gives, to compare with
    translations: Mapping[str, Scores] | None = None  # BLEU and chrF, for each language that is written

    @property
    def best_head(self) -> tuple[int, int]:
        """Layer and head, counted from 0, with the most attention where the task expects it."""
        assert self.expected_mass is not None, "the task expects attention nowhere"
        layer, head = np.unravel_index(self.expected_mass.argmax(), self.expected_mass.shape)
        return int(layer), int(head)


@dataclass(frozen=True, eq=False)
class _Counts:
    """Sums over the examples of a batch."""

    loss: float
    tokens: int
    right: list[bool]  # of each example
    right_at: Int[np.ndarray, " out"]
    asked_at: Int[np.ndarray, " out"]
    predicted: list[list[int]]  # what the model says where something is asked
    mass: Float[Tensor, "layer head"] | None
    queries: float = 0.0
    uniform: float = 0.0


@torch.inference_mode()
def evaluate(model: Transformer, dataset: Dataset, recipe: Recipe, *, most: int | None = None) -> Evaluation:
    """Loss, exact match and attention on the held-out examples, or on the first `most` of them."""
    examples = dataset.held_out[:most]
    counts = list(_counted(model, examples, dataset, recipe))
    right = [one for count in counts for one in count.right]
    asked = _sum_columns(count.asked_at for count in counts)
    at = _sum_columns(count.right_at for count in counts)
    masses = [count.mass for count in counts if count.mass is not None]
    queries = sum(count.queries for count in counts)
    expects = bool(masses) and queries > 0
    predicted = [row for count in counts for row in count.predicted]
    return Evaluation(
        len(examples),
        sum(count.loss for count in counts) / sum(count.tokens for count in counts),
        sum(right) / len(right),
        np.where(asked > 0, at / np.maximum(asked, 1), np.nan),
        (torch.stack(masses).sum(dim=0) / queries).numpy() if expects else None,
        sum(count.uniform for count in counts) / queries if expects else None,
        _longer(model, dataset, recipe),
        _f1(examples, predicted, dataset) if recipe.measure == "F1" else None,
        dataset.facts,
    )


def _longer(model: Transformer, dataset: Dataset, recipe: Recipe) -> float | None:
    if not dataset.longer:
        return None
    right = [one for count in _counted(model, dataset.longer, dataset, recipe) for one in count.right]
    return sum(right) / len(right)


def _counted(
    model: Transformer, examples: Sequence[Example], dataset: Dataset, recipe: Recipe
) -> Iterator[_Counts]:
    data = Numbered(examples, dataset, writes=recipe.stack == "both")
    device = next(model.parameters()).device
    for start in range(0, len(examples), _SIZE):
        chosen = range(start, min(start + _SIZE, len(examples)))
        batch = data.batch(chosen).to(device)
        yield _count(model, batch, [examples[i] for i in chosen], recipe)


def _count(model: Transformer, batch: Batch, examples: Sequence[Example], recipe: Recipe) -> _Counts:
    capture = Capture() if any(example.expected is not None for example in examples) else None
    logits = model(batch.source, batch.padding_mask, capture or fast, batch.written)  # [example, out, vocab]
    loss = cross_entropy(
        logits.flatten(0, 1).float(), batch.wanted.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    asked = batch.wanted != IGNORED  # [example, out]
    said = logits.argmax(dim=-1)
    right = (said == batch.wanted) & asked
    parts = (
        loss.item(),
        int(asked.sum()),
        (right | ~asked).all(dim=-1).tolist(),
        right.sum(dim=0).cpu().numpy(),
        asked.sum(dim=0).cpu().numpy(),
        [row[mask].tolist() for row, mask in zip(said.cpu(), asked.cpu(), strict=True)],
    )
    if capture is None:
        return _Counts(*parts, None)
    weights = [one.steps.weights.cpu() for one in capture.layers if one.part.kind == recipe.attends]
    expected = _expected(examples, weights[0].shape[2], weights[0].shape[3])
    padding_mask = (
        torch.ones(len(examples), weights[0].shape[3])
        if batch.padding_mask is None
        else batch.padding_mask.cpu()
    )
    return _Counts(
        *parts,
        torch.stack([_mass(one, expected) for one in weights]),
        float(expected.any(dim=-1).sum()),
        float(_mass(_uniform(padding_mask, weights[0].shape[2], recipe), expected)),
    )


def _uniform(padding_mask: Tensor, n_query: int, recipe: Recipe) -> Float[Tensor, "example 1 #query key"]:
    """The weights of a head that looks everywhere alike."""
    seen = padding_mask.bool()[:, None, None, :]
    if recipe.attends == "decoder":
        seen = seen & torch.ones(n_query, n_query, dtype=torch.bool).tril()
    return seen / seen.sum(dim=-1, keepdim=True).clamp(min=1)


def _expected(examples: Sequence[Example], n_query: int, n_key: int) -> Bool[Tensor, "example query key"]:
    cells = np.zeros((len(examples), n_query, n_key), dtype=bool)
    for i, example in enumerate(examples):
        if example.expected is not None:
            rows, columns = example.expected.shape
            cells[i, :rows, :columns] = example.expected
    return torch.from_numpy(cells)


def _mass(
    weights: Float[Tensor, "example head #query key"], expected: Bool[Tensor, "example query key"]
) -> Float[Tensor, " head"]:
    """The sum of the weights on the expected cells, for each head."""
    return (weights.double() * expected[:, None]).sum(dim=(0, 2, 3))


def _sum_columns(rows: Iterable[Int[np.ndarray, " out"]]) -> Int[np.ndarray, " out"]:
    """The sum of rows of unequal length, which all begin at the first position."""
    rows = list(rows)
    total = np.zeros(max(map(len, rows)), dtype=np.int64)
    for row in rows:
        total[: len(row)] += row
    return total


# ---- named entities ---------------------------------------------------------------------------------


def _f1(examples: Sequence[Example], predicted: Sequence[list[int]], dataset: Dataset) -> float:
    """The harmonic mean of how many entities found are there, and how many there are found."""
    tags = dataset.outputs or dataset.vocabulary
    there = [entities(example.written) for example in examples]
    found = [entities([tags[i] for i in row]) for row in predicted]
    both = sum(len(a & b) for a, b in zip(there, found, strict=True))
    n = sum(map(len, there)) + sum(map(len, found))
    return 2 * both / n if n else 1.0


def entities(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    """The entities that BIO tags mark: what each is, where it begins, and where it is over.

    Ramshaw & Marcus 1995, arXiv:cmp-lg/9505040.

    >>> sorted(entities(["B-PER", "I-PER", "O", "B-LOC"]))
    [('LOC', 3, 4), ('PER', 0, 2)]
    """
    spans, begun = set(), None
    for i, tag in enumerate([*tags, "O"]):
        kind = tag[2:] if tag[:2] in ("B-", "I-") else None
        if begun is not None and (tag[:2] != "I-" or kind != begun[0]):
            spans.add((begun[0], begun[1], i))
            begun = None
        if begun is None and kind is not None:
            begun = kind, i
    return spans
