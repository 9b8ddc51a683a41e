"""`python -m benchmarks.corpus [ROUNDS]`: `attn stats` of many sentences through a BERT, beside two loops by hand.

The lean loop puts sentences of one length into a batch and counts six figures of all heads in torch; the naive one
takes a sentence at a time, and a head at a time in NumPy. Both run transformers with its own eager attention. We count
all columns. Seconds are those of the processor, of one process without start-up and loading, the same for all.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .models import MAKE
from .pairs import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LETTERS = list("abcdefghijklmnopqrstuvwxyz")


def sentences(n: int) -> list[str]:
    """Of 6 to 40 letters, so of 8 to 42 tokens."""
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(LETTERS, rng.integers(6, 41))) for _ in range(n)]


def ours(directory: str, texts: list[str]) -> Callable[[], Any]:
    """`attn.stats` of a list of texts."""
    import attn_cli as attn

    model = attn.load(directory)
    return lambda: attn.stats(texts, model=model)


def theirs(directory: str) -> tuple[Any, Any]:
    """The library's model and tokenizer."""
    import transformers

    model = transformers.BertModel.from_pretrained(directory, attn_implementation="eager").eval()
    return model, transformers.AutoTokenizer.from_pretrained(directory)


def lean(directory: str, texts: list[str]) -> Callable[[], Any]:
    """Batches of equal length, six figures of all heads at once."""
    model, tokenizer = theirs(directory)

    @torch.no_grad()
    def run() -> Any:
        by_length = defaultdict(list)
        for text in texts:
            ids = tokenizer(text)["input_ids"]
            by_length[len(ids)].append(ids)
        total: Any = 0
        for n, same in by_length.items():
            for some in (same[i : i + 32] for i in range(0, len(same), 32)):
                maps = torch.stack(
                    model(torch.tensor(some), output_attentions=True).attentions, dim=1
                ).double()
                at = torch.arange(n)
                figures = [
                    -torch.special.xlogy(maps, maps).sum(-1).mean(-1),
                    (maps * (at - at[:, None]).abs()).sum(-1).mean(-1),
                    maps.diagonal(0, -2, -1).mean(-1),
                    maps.diagonal(-1, -2, -1).mean(-1),
                    maps[..., 0].mean(-1),
                    maps.amax(-1).mean(-1),
                ]
                total = total + torch.stack(figures).sum(1)
        return total / len(texts)

    return run


def naive(directory: str, texts: list[str]) -> Callable[[], Any]:
    """A text at a time, a layer and a head at a time."""
    model, tokenizer = theirs(directory)

    @torch.no_grad()
    def run() -> Any:
        rows = []
        for text in texts:
            maps = model(**tokenizer(text, return_tensors="pt"), output_attentions=True).attentions
            for layer in maps:
                for head in layer[0].double().numpy():
                    at = np.arange(len(head))
                    with np.errstate(divide="ignore", invalid="ignore"):
                        entropy = -np.nansum(head * np.log(head), axis=1).mean()
                    distance = (head * abs(at - at[:, None])).sum(axis=1).mean()
                    around = [np.diagonal(head, k).mean() for k in (0, -1)]
                    rows.append([entropy, distance, *around, head[:, 0].mean(), head.max(axis=1).mean()])
        return np.reshape(rows, (len(texts), -1, 6)).mean(axis=0)

    return run


def rows(rounds: int = 3) -> Iterator[str]:
    """A line for each loop: seconds of the processor for fifty sentences a round, and the ratio."""
    n = 50 * rounds
    texts = sentences(n)
    with tempfile.TemporaryDirectory() as folder:
        directory = str(Path(folder) / "bert-base")
        subprocess.run([sys.executable, "-c", MAKE, directory], check=True, capture_output=True)
        mine, tidy, plain = (_seconds(way(directory, texts)) for way in (ours, lean, naive))
    yield told(f"stats of {n} sentences, to a lean loop", mine, tidy, (mine / tidy,), 1.1)
    yield told("the same, to a naive loop", mine, plain, (mine / plain,), 1 / 3)


def _seconds(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


if __name__ == "__main__":
    print(*rows(int(sys.argv[1]) if len(sys.argv) > 1 else 10), sep="\n")
