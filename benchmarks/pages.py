"""Our page beside BertViz' head view and CircuitsVis' views: seconds to write it, bytes, first paint, picture, memory.

All of it is fetched, written and opened from disk in Chromium here; without a network only our page is. A picture is there once
all our heads are drawn, theirs once the first is. Where a page cannot be written or drawn within the bounds, fewer heads are.
"""

from __future__ import annotations

import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import reference_pages
from .drawn import LONGEST, MOST, Drawn, browser, draw

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPES = ((6, 12, 16), (12, 12, 512))
FEWER = (36, 12, 1)  # heads, where more are too much
HEADS = (1, 5, 17, 30, 44, 58, 71)  # that are opened, one after the other
BUDGETS = "first paint ≤ 1,000, a head ≤ 150"
READY = {
    "attn": "#grid[data-drawn]",
    "bertviz": "#attention line[stroke-opacity]",
    "circuitsvis": "canvas",
}
# Press a thumbnail; milliseconds until the map has its name and the next frame begins.
OPEN = """(async (head) => {
  const turn = () => new Promise((resume) => setTimeout(resume));
  const name = () => document.querySelector('.over').getAttribute('aria-label');
  const [before, start] = [name(), performance.now()];
  document.querySelectorAll('[role=gridcell]')[head].click();
  while (name() === before) await turn();
  await new Promise(requestAnimationFrame);
  return performance.now() - start;
})(%d)"""


def rows(rounds: int = 3) -> Iterator[str]:
    """Lines: for each shape our page and theirs, medians of so many openings."""
    with tempfile.TemporaryDirectory() as folder:
        missing = reference_pages.fetch(Path(folder))
        for layers, heads, tokens in SHAPES:
            yield f"page, {tokens} tokens × {layers * heads} heads"
            np.save(Path(folder) / "weights.npy", _weights(layers, heads, tokens))
            for tool in READY:
                if missing and tool != "attn":
                    yield f"  {tool:28} not measured: {missing}"
                else:
                    yield from _measured(tool, Path(folder), layers * heads, rounds)


def _weights(layers: int, heads: int, tokens: int) -> np.ndarray:
    """Causal: [layer, head, query, key]."""
    scores = 2 * np.random.default_rng(0).gumbel(size=(layers, heads, tokens, tokens)).astype(np.float32)
    scores[..., ~np.tri(tokens, dtype=bool)] = -np.inf
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _measured(tool: str, folder: Path, heads: int, rounds: int) -> Iterator[str]:
    """A line, and where the page is too large, one for fewer and fewer heads until it is not."""
    for fewer in (heads, *(few for few in FEWER if few < heads)):
        name = tool if fewer == heads else f"{tool}, {fewer} of {heads} heads"
        written = _write(tool, folder, fewer)
        if isinstance(written, str):
            yield f"  {name:28} {written}"
            continue
        size = (folder / "page.html").stat().st_size / 1e6
        wall, processor = written
        told = f"  {name:28} {size:9.2f} MB, written in {wall:6.2f} s ({processor:6.2f} of the CPU)"
        drawn = _drawn(tool, folder / "page.html", rounds)
        yield f"{told}, {drawn if isinstance(drawn, str) else _told(drawn)}"
        if not isinstance(drawn, str) or browser().PROGRAM is None:
            return


def _write(tool: str, folder: Path, heads: int) -> tuple[float, float] | str:
    """Seconds on the wall and of the CPU, once everything is imported, in a process of its own; or why it could not."""
    module = [sys.executable, "-m", reference_pages.__name__]
    paths = os.pathsep.join((str(Path(__file__).parents[1]), str(folder)))
    done = subprocess.run(
        [*module, tool, "weights.npy", str(heads), "page.html"],
        cwd=folder, env=os.environ | {"PYTHONPATH": paths}, preexec_fn=_bounds, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        wall, processor = map(float, done.stdout.split())
        return wall, processor
    if done.returncode == -signal.SIGXCPU:
        return f"not written in {2 * LONGEST} s of the CPU"
    if "MemoryError" in done.stderr:
        return f"not written in {MOST / 1000:g} GB"
    return f"not written: {done.stderr.splitlines()[-1]}"


def _bounds() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (2 * LONGEST, 2 * LONGEST + 1))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST * 10**6, MOST * 10**6))


def _drawn(tool: str, page: Path, rounds: int) -> list[Drawn] | str:
    if browser().PROGRAM is None:
        return "not drawn: no browser here"
    drawn = []
    for _ in range(rounds):
        one = draw(page, READY[tool], [OPEN % head for head in HEADS] if tool == "attn" else [])
        if isinstance(one, str):
            return one
        drawn.append(one)
    return drawn


def _told(drawn: list[Drawn]) -> str:
    median = {
        name: statistics.median(getattr(one, name) for one in drawn)
        for name in ("painted", "picture", "processor", "heap", "process")
    }
    told = (
        "first paint {painted:6.0f} ms, picture {picture:6.0f} ms ({processor:6.0f} of the CPU), "
        "JavaScript {heap:6.1f} MiB, process {process:5.0f} MiB"
    ).format(**median)
    if not drawn[0].answers:
        return told
    return f"{told}, a head {statistics.median(time for one in drawn for time in one.answers):3.0f} ms; {BUDGETS}"


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)
