"""A hundred submissions judged in one call, ten of them damaged, beside a single one: what is beyond starting."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .pairs import ATTN

if TYPE_CHECKING:
    from collections.abc import Iterator

BUDGET = 3.0  # seconds
DAMAGED = (
    b"",
    b"hello\n",
    b"1,2\n3\n",
    b"\0\1",
    b"PK\3\4z",
    b"a,b\nc,d\n",
    b"1;2;3\n",
    b"nan\n",
    b"[1,2",
    b"\x80\4junk.",
)


def rows(rounds: int = 3) -> Iterator[str]:
    """One line: seconds for all and for one, the quickest, the difference, its budget, and the most memory."""
    with tempfile.TemporaryDirectory() as name:
        files = _submissions(Path(name))
        every, one = (min(_judged(name, some) for _ in range(rounds)) for some in (files, files[:1]))
    beyond = every[0] - one[0]
    yield (
        f"{'check, 100 files beyond one':46} {every[0]:7.3f} s {one[0]:9.3f} s {beyond:6.2f} s  "
        f"≤ {BUDGET:4.2f}   {every[1]:6.0f} MiB"
    )


def _submissions(folder: Path) -> list[str]:
    """Ninety answers to one exercise, a third of them wrong, and the damaged ones."""
    from attn_cli.lab.exercise import proposed
    from attn_cli.lab.predictions import Predictions

    x = proposed(mask="causal")
    for name, vectors in zip("QKV", x.inputs, strict=True):
        np.savetxt(folder / f"{name}.csv", vectors, delimiter=",")
    made = Predictions(x)
    right = made.right.at("weights")
    assert right is not None
    wrong = [w for way in made.singles if (w := way.at("weights")) is not None and w.shape == right.shape]
    answers = [wrong[i % len(wrong)] if i % 3 == 0 else right for i in range(90)]
    for i, answer in enumerate(answers):
        np.savetxt(folder / f"{i:03}.csv", answer.reshape(-1, x.n_key), delimiter=",", fmt="%.4f")
    for i, data in enumerate(DAMAGED, start=90):
        (folder / f"{i:03}.csv").write_bytes(data)
    made_by = ["--query", "Q.csv", "--key", "K.csv", "--value", "V.csv", "--heads", "2", "--mask", "causal"]
    command = [*ATTN, "attend", *made_by, "--dtype", "float64", "-o", "key.npz"]
    subprocess.run(command, cwd=folder, check=True, stderr=subprocess.DEVNULL)
    return [f"{i:03}.csv" for i in range(100)]


def _judged(folder: str, files: list[str]) -> tuple[float, float]:
    """Seconds and MiB of one call."""
    options = ["--against", "key.npz", "--format", "csv"]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*ATTN, "check", *files, *options], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode > 2:
        raise SystemExit(f"attn check ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024
