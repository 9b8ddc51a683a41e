"""`python -m benchmarks.explaining [TOKENS]`: `attn explain` of a masked word of a BERT of 12 × 12 heads.

A row per method and one for the tests, in seconds of processor time, beside the time of one pass through the model.
The weights are random, which is nothing to time. Nearly all of it are passes: 127 of `leave_one_out`, and of the tests
25 for each of 28 orders, of which no two are the same. Nine tenths of a pass are matrix products, at what a core can do.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch


def main(n: int) -> None:
    """The model, one pass, every method, and the tests."""
    from attn_cli.interpret.case import Case
    from attn_cli.interpret.explaining import CHANCE, METHODS
    from attn_cli.interpret.faithfulness import judged
    from attn_cli.transformer.answer import Asked
    from attn_cli.transformer.model import Config, Transformer

    torch.manual_seed(0)
    config = Config(1000, 512, d_model=768, n_heads=12, n_layers=12, d_ff=3072, norm_first=False)
    model = Transformer(config).requires_grad_(False)
    tokens = torch.randint(5, 1000, (1, n))
    removable = np.arange(n) != n // 2
    case = Case(Asked(model, tokens, (n // 2,), (7,), instead=4), removable)
    whole = spent(lambda: case.probability(np.ones((1, n - 1), dtype=bool)))
    print(f"one pass {whole:8.2f} s", flush=True)
    found = {}
    for name in METHODS:
        if name not in CHANCE:
            start = time.process_time()
            found[name] = METHODS[name](case)[removable]
            print(f"{name:14} {time.process_time() - start:8.2f} s", flush=True)
    print(f"tests          {spent(lambda: judged(found, case.probability, n - 1)):8.2f} s", flush=True)


def spent(do: object) -> float:
    """Seconds of processor time that something takes."""
    assert callable(do)
    start = time.process_time()
    do()
    return time.process_time() - start


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 128)
