"""Two commands measured in turn: A B A B …, so that both see the same machine."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

ATTN = [sys.executable, "-m", "attn_cli"]


@dataclass(frozen=True)
class Run:
    """What one process took: seconds on the wall, and the most memory it held, in MiB."""

    seconds: float
    memory: float


@dataclass(frozen=True)
class Pair:
    """A command, what it is measured against, and the budget for the ratio of their times."""

    name: str
    command: list[str]
    reference: list[str]
    budget: float


def measure(command: list[str], folder: str) -> Run:
    """Run a command to its end, with its output thrown away."""
    with open(os.path.join(folder, "stdout"), "wb") as out:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(), stdout=out, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Run(seconds, usage.ru_maxrss / 1024)


def _environment() -> dict[str, str]:
    """Python may keep its bytecode, as it does for whoever has installed a program."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def compare(pair: Pair, rounds: int) -> str:
    """A line: both medians, the median of the ratios pair by pair, the budget."""
    with tempfile.TemporaryDirectory() as folder:
        measure(pair.command, folder)  # fill the caches
        measure(pair.reference, folder)
        runs = [(measure(pair.command, folder), measure(pair.reference, folder)) for _ in range(rounds)]
    ours, theirs = (statistics.median(run.seconds for run in side) for side in zip(*runs, strict=True))
    ratio = statistics.median(a.seconds / b.seconds for a, b in runs)
    memory = max(a.memory for a, _ in runs)
    return f"{pair.name:44} {ours:7.3f} s {theirs:9.3f} s {ratio:6.2f} ×  ≤ {pair.budget:4.2f}   {memory:6.0f} MiB"


HEADER = f"{'':44} {'attn':>9} {'reference':>11} {'ratio':>8}  {'budget':>6}   {'memory':>10}"
