"""What being recorded costs a program: the same training step, alone and recorded, in one process by turns."""

from __future__ import annotations

import statistics
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from .pairs import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from attn_cli.attention.recording.kept_numbers import Keep


def training(width: int, n_layers: int, n_tokens: int, batch: int) -> Callable[[], None]:
    """A training step of an encoder as one would write it by hand: forward, backward, AdamW."""
    import torch

    from .reference_training import Model

    torch.manual_seed(0)
    model = Model(1000, n_tokens, width, width // 64, n_layers, both=False)
    optimizer = torch.optim.AdamW(model.parameters())
    tokens, real = torch.randint(1000, (batch, n_tokens)), torch.ones(batch, n_tokens, dtype=torch.bool)

    def step() -> None:
        loss = model(tokens, real, None).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def seconds(step: Callable[[], None], keep: Keep | None) -> float:
    """What one step takes, recorded unless `keep` is None."""
    from attn_cli.attention.recorder import record

    start = time.perf_counter()
    with nullcontext() if keep is None else record(keep=keep):
        step()
    return time.perf_counter() - start


def row(name: str, step: Callable[[], None], keep: Keep, budget: float, rounds: int) -> str:
    """A line: both medians, the median of the ratios pair by pair, the budget."""
    step()
    pairs = [(seconds(step, keep), seconds(step, None)) for _ in range(rounds)]
    recorded, alone = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
    ratio = statistics.median(a / b for a, b in pairs)
    return told(name, recorded, alone, (ratio,), budget)


def rows(rounds: int = 5) -> Iterator[str]:
    """Lines of the table: a batch of 4 × 512 tokens, of which one example is kept; 2,048 tokens with all maps."""
    short, long = training(512, 6, 512, batch=4), training(768, 4, 2048, batch=1)
    yield row("4 × 512 tokens recorded, to training alone", short, "maps", 1.1, rounds)
    yield row("the same, figures of rows", short, "rows", 1.1, rounds)
    yield row("2,048 tokens and their maps, to training alone", long, "maps", 1.5, rounds)


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
