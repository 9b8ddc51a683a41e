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
    """What one process took: seconds on the wall and of the processor, the most memory it held, in MiB."""

    seconds: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Pair:
    """A command, what it is measured against, and the budget for the ratio of their times.

    With the name of a file that it writes, also for that: how many MB it may have.
    """

    name: str
    command: list[str]
    reference: list[str]
    budget: float
    written: str = ""
    most: float = 0


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
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _environment() -> dict[str, str]:
    """Python may keep its bytecode, as it does for whoever has installed a program."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def compare(pair: Pair, rounds: int) -> str:
    """A line: both medians, the medians of the ratios pair by pair, on the wall and of the processor, the budget."""
    with tempfile.TemporaryDirectory() as folder:
        measure(pair.command, folder)  # fill the caches
        measure(pair.reference, folder)
        runs = [(measure(pair.command, folder), measure(pair.reference, folder)) for _ in range(rounds)]
        size = os.path.getsize(os.path.join(folder, pair.written)) / 1e6 if pair.written else 0
    ours, theirs = (statistics.median(run.seconds for run in side) for side in zip(*runs, strict=True))
    wall = statistics.median(a.seconds / b.seconds for a, b in runs)
    cpu = statistics.median(a.cpu / b.cpu for a, b in runs)
    line = told(pair.name, ours, theirs, (wall, cpu), pair.budget, max(a.memory for a, _ in runs))
    return f"{line}, {size:.1f} MB ≤ {pair.most:g}" if pair.written else line


def told(
    name: str, ours: float, theirs: float, ratios: tuple[float, ...], budget: float, memory: float = 0
) -> str:
    """A line of the table; the ratios are those on the wall and, where they are known, of the processor."""
    by = "".join(f"{ratio:6.2f} × " for ratio in ratios)
    peak = f"   {memory:6.0f} MiB" if memory else ""
    return f"{name:46} {ours:7.3f} s {theirs:9.3f} s {by:18} ≤ {budget:4.2f}{peak}"


HEADER = f"{'':46} {'attn':>9} {'reference':>11} {'wall':>6}   {'cpu':>6}    {'budget':>6}   {'memory':>10}"
