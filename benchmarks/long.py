"""Long sequences: a pooled map beside torch's SDPA alone, how the cost of a window grows, and the dense path.

`python -m benchmarks.long` prints all rows; `python -m benchmarks.long SIDE N [MASK]` times one side within a process
of its own, after the imports, and prints seconds and the peak of memory.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from .pairs import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

WIDTH = 64


def vectors(n: int) -> np.ndarray:
    """Random float32 vectors [n, 64], the same for both sides."""
    import numpy as np

    return np.random.default_rng(0).normal(size=(n, WIDTH)).astype(np.float32)


def stream(n: int, *masks: str, device: str = "cpu") -> float:
    """Seconds for the exact 1024 × 1024 maps of one head, mean and max, output included."""
    from attn_cli.attention import layers
    from attn_cli.attention.heads import project
    from attn_cli.attention.rules import Rule

    heads, rule = project(vectors(n), device=device), Rule.parse(mask=masks)
    start = time.perf_counter()
    layers.streamed(*layers.of_vectors(heads, rule))
    return time.perf_counter() - start


def on_cuda(n: int, *masks: str) -> float:
    """Seconds for the same on a GPU."""
    import torch

    stream(4096, device="cuda")
    torch.cuda.reset_peak_memory_stats()
    return stream(n, *masks, device="cuda")


def sdpa(n: int, device: str = "cpu") -> float:
    """Seconds for the output alone, which is all that SDPA gives."""
    import torch

    x = torch.tensor(vectors(n), device=device)[None, None]
    start = time.perf_counter()
    torch.nn.functional.scaled_dot_product_attention(x, x, x).cpu()
    return time.perf_counter() - start


def sdpa_on_cuda(n: int) -> float:
    """Seconds for the same on a GPU."""
    sdpa(4096, "cuda")
    return sdpa(n, "cuda")


def dense(n: int) -> float:
    """Seconds for the record with every step of one head."""
    from attn_cli.attention import layers
    from attn_cli.attention.heads import project

    heads = project(vectors(n))
    return quickest(lambda: layers.attend(heads))


def by_hand(n: int) -> float:
    """Seconds for weights and output as one would write them in torch."""
    import torch

    x = torch.tensor(vectors(n))
    return quickest(lambda: (x @ x.T / WIDTH**0.5).softmax(-1) @ x)


def quickest(compute: Callable[[], object], times: int = 20) -> float:
    """Seconds of the quickest of several times."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        compute()
        taken.append(time.perf_counter() - start)
    return min(taken)


SIDES = {side.__name__: side for side in (stream, on_cuda, sdpa, sdpa_on_cuda, dense, by_hand)}


def measured(*arguments: object) -> tuple[float, float]:
    """Seconds and MiB of one side, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.long", *map(str, arguments)]
    seconds, mebibytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(mebibytes)


def beside(name: str, ours: list[object], theirs: list[object], budget: float, rounds: int) -> str:
    """A line: both medians, the median of the ratios pair by pair, the budget."""
    runs = [(measured(*ours), measured(*theirs)) for _ in range(rounds)]
    ratio = statistics.median(a[0] / b[0] for a, b in runs)
    a, b = (statistics.median(run[i][0] for run in runs) for i in (0, 1))
    peak = max(a[1] for a, _ in runs)
    return told(name, a, b, (ratio,), budget, peak)


def most_memory() -> float:
    """The most MiB that this process had, on the GPU if it used one."""
    import torch

    on_gpu = torch.cuda.max_memory_allocated() / 2**20
    return on_gpu or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def alone(name: str, *arguments: object) -> str:
    """A line for what has no reference: seconds and memory."""
    seconds, peak = measured(*arguments)
    return f"{name:46} {seconds:7.3f} s {'':32} {peak:6.0f} MiB"


def rows(rounds: int = 3) -> Iterator[str]:
    """The row of the budget: the exact maps of one head at 32,768."""
    yield beside("mean and max at n = 32,768, to SDPA", ["stream", 32768], ["sdpa", 32768], 2.0, rounds)


def more(rounds: int = 3) -> Iterator[str]:
    """Every step at 2,048, maps at 131,072 and beyond, windows of 256 from 16k to 131k."""
    import torch

    yield beside("every step at n = 2,048, to torch by hand", ["dense", 2048], ["by_hand", 2048], 1.3, rounds)
    yield alone("map at n = 131,072", "stream", 131072)
    first = None
    for n in (16384, 32768, 65536, 131072):
        seconds, peak = measured("stream", n, "window:size=256")
        first = first or seconds
        name = f"window of 256 at n = {n:,}, to n = 16,384"
        yield told(name, seconds, first, (seconds / first,), n / 16384, peak)
    if torch.cuda.is_available():
        for n in (131_072, 1_000_000):
            yield alone(f"maps at n = {n:,}, on a GPU", "on_cuda", n)
            yield alone(f"SDPA alone at n = {n:,}, on a GPU", "sdpa_on_cuda", n)
    else:
        yield f"{'map at n = 1,000,000, on a GPU':46} not measured: torch finds no CUDA here"


if __name__ == "__main__":
    if len(sys.argv) == 1:
        for row in (*rows(), *more()):
            print(row, flush=True)
        sys.exit()
    side, size, *masks = sys.argv[1:]
    seconds = SIDES[side](int(size), *masks)
    print(seconds, most_memory())
