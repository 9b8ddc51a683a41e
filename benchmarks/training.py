"""A training step of `train-toy` beside one by hand: the same model and examples, in turn within one process.

The one by hand pads a batch to its longest example, as most do; ours lays short ones in one row.
"""

from __future__ import annotations

import itertools
import statistics
import time
from typing import TYPE_CHECKING, Any

from .pairs import told

if TYPE_CHECKING:
    from collections.abc import Iterator

BUDGET, STEPS = 0.7, 10  # of both sides in a round


def rows(rounds: int = 3) -> Iterator[str]:
    """A line for an encoder, and one for an encoder–decoder: seconds of a step, and the ratio."""
    for task in ("reverse", "sort"):
        ours, theirs = _sides(task)
        list(itertools.islice(zip(ours, theirs, strict=False), 10))  # fill the caches
        times = [(_seconds(ours), _seconds(theirs)) for _ in range(10 * rounds)]
        a, b = (statistics.median(side) for side in zip(*times, strict=True))
        ratio = statistics.median(x / y for x, y in times)
        yield told(f"a training step of {task}, to one by hand", a, b, (ratio,), BUDGET)


def _seconds(steps: Iterator[Any]) -> float:
    """Of one step, as a mean of several; of the processor, as others may use it too."""
    begun = time.process_time()
    for _ in range(STEPS):
        next(steps)
    return (time.process_time() - begun) / STEPS


def _sides(task: str) -> tuple[Iterator[Any], Iterator[Any]]:
    """The steps of both sides, which see the same batches."""
    import torch
    from attn_cli.toy import find
    from attn_cli.toy.batches import order
    from attn_cli.toy.settings import Options
    from attn_cli.toy.training import Training, new_model
    from attn_cli.transformer.model import Config

    from .reference_training import Model, steps

    torch.set_num_threads(1)
    make, recipe = find(task)
    dataset = make(None, 20_000, 0)
    both = recipe.stack == "both"
    sizes = recipe.dim, recipe.heads, recipe.layers
    config = Config(len(dataset.vocabulary), dataset.longest, *sizes, 4 * recipe.dim, stack=recipe.stack)
    options = Options(steps=100_000, lr=1e-3, seed=0, evaluate_every=100_000)
    training = Training(new_model(config, 0), dataset, recipe, options)

    def batches() -> Iterator[Any]:
        data = training.data
        for epoch in itertools.count():
            for chosen in order(data, options.batch, options.seed, epoch):
                batch = data.batch(chosen)
                yield batch.source, batch.padding_mask, batch.written, batch.wanted

    model = Model(len(dataset.vocabulary), dataset.longest, *sizes, both)
    same = sum(x.numel() for x in model.parameters()) == sum(x.numel() for x in training.model.parameters())
    assert same, "both sides train a model of the same size"
    return training.run(), steps(model, batches(), options.lr, options.steps)


if __name__ == "__main__":
    print(*rows(), sep="\n")
