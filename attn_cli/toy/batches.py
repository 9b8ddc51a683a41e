"""Examples as numbers, in an order that seed and step alone decide: each in a row of its own, or several in one.

Rows are padded to the longest. Of a batch of mixed lengths that is often two fifths, so in training short
examples lie end to end in one row, where `document_ids` tells the model which tokens belong together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..transformer.packing import together
from .examples import END

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jaxtyping import Bool, Float, Int

    from .examples import Dataset, Example

IGNORED = -100  # what is wanted where nothing is asked: cross_entropy leaves it out
_BUCKETS = 50  # batches of neighbouring lengths that are sorted together


@dataclass(frozen=True, eq=False)
class Batch:
    """Some examples, ready for the model."""

    source: Int[Tensor, "batch seq"] | Float[Tensor, "batch channel height width"]
    # True at tokens, False at padding; None for images, and with document_ids.
    padding_mask: Bool[Tensor, "batch seq"] | None
    wanted: Int[Tensor, "batch out"]
    written: Int[Tensor, "batch out"] | None  # what the decoder of an encoder–decoder reads
    # The document of each token within its row; None: one document per row.
    document_ids: Int[Tensor, "batch seq"] | None = None
    target_document_ids: Int[Tensor, "batch out"] | None = None

    def to(self, device: torch.device | str) -> Batch:
        """The same on another device."""
        return replace(self, **{k: part.to(device) for k, part in vars(self).items() if part is not None})


class Numbered:
    """Examples with every token replaced by its place in the vocabulary."""

    def __init__(self, examples: Sequence[Example], dataset: Dataset, *, writes: bool) -> None:
        number = {token: i for i, token in enumerate(dataset.vocabulary)}
        out = {token: i for i, token in enumerate(dataset.outputs)} or number
        self.images = [example.image for example in examples if example.image is not None]
        drawn = bool(self.images)  # then the source only names the patches
        self.sources = [] if drawn else [_array(number[t] for t in one.source) for one in examples]
        ends = [END] if writes else []
        self.wanted = [
            _array(IGNORED if token is None else out[token] for token in [*example.target, *ends])
            for example in examples
        ]
        pairs = zip(examples, self.wanted, strict=True) if writes else ()
        self.written = [np.array([out[example.start], *wanted[:-1]]).clip(0) for example, wanted in pairs]
        asked_of_each = writes or drawn or all(map(_same_length, self.sources, self.wanted))
        assert asked_of_each, "an encoder or a decoder is asked for something at each of its positions"
        self.asked = np.array([(wanted != IGNORED).sum() for wanted in self.wanted])
        # Texts differ so much in length that padding would be most of a batch; batches of one length each
        # teach less, so where lengths are much the same they are mixed.
        self.by_length = dataset.tokenizer is not None
        self.lengths = np.array([len(example.source) + len(example.target) for example in examples])

    def __len__(self) -> int:
        return len(self.wanted)

    def batch(self, chosen: Iterable[int]) -> Batch:
        """These examples, each in a row, padded at the end to one length."""
        chosen = list(chosen)
        wanted = _padded([self.wanted[i] for i in chosen], IGNORED)
        written = _padded([self.written[i] for i in chosen], 0) if self.written else None
        if self.images:
            images = np.stack([self.images[i] for i in chosen]).astype(np.float32)
            return Batch(torch.from_numpy(images), None, wanted, written)
        source = _padded([self.sources[i] for i in chosen], -1)
        return Batch(source.clamp(min=0), source >= 0, wanted, written)

    def packed(self, chosen: Iterable[int]) -> Batch:
        """These examples, short ones end to end in one row where that makes fewer rows: see packing.py."""
        chosen = list(chosen)
        if self.images:
            return self.batch(chosen)
        out = self.written or self.sources
        rows = together([len(self.sources[i]) for i in chosen], [len(out[i]) for i in chosen])
        if len(rows) == len(chosen):
            return self.batch(chosen)
        rows = [[chosen[i] for i in row] for row in rows]
        source, document_ids = _joined(self.sources, rows)
        wanted, _ = _joined(self.wanted, rows, IGNORED)
        written, target_document_ids = _joined(self.written, rows) if self.written else (None, None)
        return Batch(source, None, wanted, written, document_ids, target_document_ids)


def order(data: Numbered, size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of an epoch: all examples once, texts of like length together, batches shuffled.

    Neighbours in the shuffled list are sorted by length, so that little of a batch is padding. What is left
    over at its end is not used in this epoch, as the gradient of a smaller batch is noisier.

    >>> from attn_cli.toy.tasks import draw, reverse
    >>> dataset = draw(reverse, 100, seed=0)
    >>> [len(batch) for batch in order(Numbered(dataset.train, dataset, writes=False), 32, 0, 0)]
    [32, 32, 32]
    """
    rng = np.random.default_rng((seed, epoch))
    size = min(size, len(data))
    # Before they are sorted: after it, what is left over would be the longest in every epoch.
    shuffled = rng.permutation(len(data))[: len(data) - len(data) % size]
    bucket = _BUCKETS * size
    batches = []
    for start in range(0, len(shuffled), bucket):
        chosen = shuffled[start : start + bucket]
        if data.by_length:
            chosen = chosen[np.argsort(data.lengths[chosen], kind="stable")]
        batches += [chosen[i : i + size] for i in range(0, len(chosen), size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def _array(numbers: Iterable[int]) -> np.ndarray:
    return np.fromiter(numbers, dtype=np.int64)


def _same_length(one: np.ndarray, other: np.ndarray) -> bool:
    return len(one) == len(other)


def _padded(rows: Sequence[np.ndarray], filler: int) -> Tensor:
    padded = np.full((len(rows), max(map(len, rows))), filler, dtype=np.int64)
    for row, numbers in zip(padded, rows, strict=True):
        row[: len(numbers)] = numbers
    return torch.from_numpy(padded)


def _joined(
    texts: Sequence[np.ndarray], rows: Sequence[list[int]], filler: int = 0
) -> tuple[Int[Tensor, "row seq"], Int[Tensor, "row seq"]]:
    """Rows of several texts, and for each token the number of its text in the row, from 1; 0 is padding."""
    numbers = [np.repeat(np.arange(1, len(row) + 1), [len(texts[i]) for i in row]) for row in rows]
    return _padded([np.concatenate([texts[i] for i in row]) for row in rows], filler), _padded(numbers, 0)
