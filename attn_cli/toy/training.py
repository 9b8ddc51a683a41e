"""Training as a generator of steps, and what a trained model is measured by.

Nothing here prints or writes: whoever iterates decides what to show. The same options give the same numbers
on the same machine with the same number of threads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from ..errors import InputError
from ..transformer import Capture, Config, Transformer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Bool, Float, Int

    from .tasks import Dataset, Example

IGNORED = -100  # the target of padding: cross_entropy leaves it out


@dataclass(frozen=True)
class Options:
    """How to train. AdamW: Loshchilov & Hutter 2019, arXiv:1711.05101."""

    steps: int
    lr: float  # the peak; see `learning_rate` and `peak`
    seed: int
    batch: int = 64
    weight_decay: float = 0.01
    clip: float = 1.0  # longest gradient, all parameters taken together
    evaluate_every: int = 50  # steps
    examples: int = 20_000  # drawn before the held-out ones are set apart


@dataclass(frozen=True)
class Step:
    """One step of training; the last two are measured on held-out examples, now and then."""

    step: int
    loss: float
    lr: float
    exact_match: float | None = None
    expected_mass: float | None = None  # of the best head


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a model does on held-out examples."""

    exact_match: float  # share of sequences whose every token is right
    expected_mass: Float[np.ndarray, "layer head"]  # share of attention on the positions the task expects
    uniform_mass: float  # the same for a head that looks everywhere alike
    n_examples: int

    @property
    def best_head(self) -> tuple[int, int]:
        """Layer and head, counted from 0, with the most attention where the task expects it."""
        layer, head = np.unravel_index(self.expected_mass.argmax(), self.expected_mass.shape)
        return int(layer), int(head)


@dataclass(frozen=True, eq=False)
class Data:
    """Examples as numbers, padded at the end to one length."""

    source: Int[Tensor, "example seq"]
    target: Int[Tensor, "example seq"]
    real: Bool[Tensor, "example seq"]  # False where there is only padding


def as_data(examples: Sequence[Example], vocabulary: Sequence[str]) -> Data:
    """Number the tokens by their place in the vocabulary and pad.

    >>> from attn_cli.toy.tasks import Example
    >>> as_data([Example(("b", "a"), ("a", "b"), np.eye(2, dtype=bool))], ("a", "b")).source
    tensor([[1, 0]])
    """
    number = {token: i for i, token in enumerate(vocabulary)}
    shape = (len(examples), max(len(example.source) for example in examples))
    source, target = np.zeros(shape, dtype=np.int64), np.full(shape, IGNORED)
    for i, example in enumerate(examples):
        source[i, : len(example.source)] = [number[token] for token in example.source]
        target[i, : len(example.target)] = [number[token] for token in example.target]
    return Data(torch.from_numpy(source), torch.from_numpy(target), torch.from_numpy(target != IGNORED))


def new_model(config: Config, seed: int) -> Transformer:
    """An untrained model: torch's initial values from this seed, its global generator left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Transformer(config)


def train(model: Transformer, dataset: Dataset, options: Options) -> Iterator[Step]:
    """Train the model in place, one step for each item: cross-entropy of the token at every real position.

    Raises InputError when the loss is no longer a number.
    """
    data = as_data(dataset.train, dataset.vocabulary)
    optimizer = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.98), weight_decay=options.weight_decay, fused=True
    )
    generator = torch.Generator().manual_seed(options.seed)
    for step in range(1, options.steps + 1):
        lr = learning_rate(step, options)
        for group in optimizer.param_groups:
            group["lr"] = lr
        chosen = torch.randint(len(data.source), (options.batch,), generator=generator)
        loss = _loss(model, data, chosen)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(model.parameters(), options.clip)
        optimizer.step()
        if not math.isfinite(value := loss.item()):
            raise InputError(f"the loss is {value} after {step} steps", hint="train a smaller model")
        if step % options.evaluate_every and step != options.steps:
            yield Step(step, value, lr)
        else:
            measured = evaluate(model, dataset)
            yield Step(step, value, lr, measured.exact_match, float(measured.expected_mass.max()))


def peak(d_model: int) -> float:
    """A peak that suits the width: 0.006 up to 64, then falling as 1 / d_model.

    Yang et al. 2022, arXiv:2203.03466, on why the rate of Adam should fall so.
    """
    return 0.006 * min(1, 64 / d_model)


def learning_rate(step: int, options: Options) -> float:
    """Rise in a line to the peak for a tenth of the steps, then fall with half a cosine to 0.

    Loshchilov & Hutter 2017, arXiv:1608.03983.

    >>> [round(learning_rate(step, Options(steps=100, lr=1.0, seed=0)), 3) for step in (1, 10, 55, 100)]
    [0.1, 1.0, 0.5, 0.0]
    """
    rise = max(1, options.steps // 10)
    if step <= rise:
        return options.lr * step / rise
    return options.lr * (1 + math.cos(math.pi * (step - rise) / (options.steps - rise))) / 2


def _loss(model: Transformer, data: Data, chosen: Int[Tensor, " batch"]) -> Tensor:
    logits = model(data.source[chosen], data.real[chosen])  # [batch, seq, vocab]
    return cross_entropy(logits.flatten(0, 1), data.target[chosen].flatten(), ignore_index=IGNORED)


def evaluate(model: Transformer, dataset: Dataset) -> Evaluation:
    """Exact match of the most probable tokens, and how much attention lies where it is expected."""
    examples = dataset.held_out
    batches = [examples[i : i + 128] for i in range(0, len(examples), 128)]
    counts = [_count(model, batch, dataset.vocabulary) for batch in batches]
    right, queries, uniform, mass = (torch.stack(column).sum(dim=0) for column in zip(*counts, strict=True))
    return Evaluation(
        right.item() / len(examples), (mass / queries).numpy(), uniform.item() / queries.item(), len(examples)
    )


@torch.inference_mode()
def _count(
    model: Transformer, examples: Sequence[Example], vocabulary: Sequence[str]
) -> tuple[Tensor, Tensor, Tensor, Float[Tensor, "layer head"]]:
    """Examples that are right, queries that should look somewhere, and the attention they give to it."""
    data, expected, capture = as_data(examples, vocabulary), _expected(examples), Capture()
    logits = model(data.source, data.real, attend=capture)  # [example, seq, vocab]
    right = (logits.argmax(dim=-1) == data.target) | ~data.real  # [example, seq]
    queries = expected.any(dim=-1)  # [example, query]
    uniform = data.real / data.real.sum(dim=-1, keepdim=True)  # [example, key]
    mass = [_mass(one.steps.weights, expected) for one in capture.layers]
    return (
        right.all(dim=-1).sum(),
        queries.sum(),
        _mass(uniform[:, None, None, :], expected),
        torch.stack(mass),
    )


def _expected(examples: Sequence[Example]) -> Bool[Tensor, "example query key"]:
    size = max(len(example.source) for example in examples)
    cells = np.zeros((len(examples), size, size), dtype=bool)
    for i, example in enumerate(examples):
        n_query, n_key = example.expected.shape
        cells[i, :n_query, :n_key] = example.expected
    return torch.from_numpy(cells)


def _mass(
    weights: Float[Tensor, "example head #query key"], expected: Bool[Tensor, "example query key"]
) -> Float[Tensor, " head"]:
    """The sum of the weights on the expected cells, for each head."""
    return (weights.double() * expected[:, None]).sum(dim=(0, 2, 3))
