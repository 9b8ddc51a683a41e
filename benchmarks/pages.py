"""Our page beside those of BertViz and CircuitsVis: bytes, first paint, memory, and how soon a head is open.

Neither is among our extras: BertViz asks for boto3, of which pip finds no version beside constraints.txt. What is measured
here takes `pip install --no-deps bertviz circuitsvis "importlib-metadata<8" zipp`. As a notebook shows them, their views
load scripts from the network, and offline draw nothing; so of theirs only bytes are compared, of large shapes counted on
two layers. (CircuitsVis can write its script into each view too, which adds 1.3 MB.)
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SHAPES = ((6, 12, 16), (12, 12, 512))  # layers, heads, tokens
HEADS = (1, 5, 17, 30, 44, 58, 71)  # that are opened, one after the other
BUDGETS = "first paint ≤ 1,000, a head ≤ 150"
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


def rows(rounds: int = len(HEADS)) -> Iterator[str]:
    """Lines: for each shape our page in Chromium, so many heads opened, and the bytes of theirs."""
    for layers, heads, tokens in SHAPES:
        weights = _weights(heads, tokens)
        name = f"page, {tokens} tokens × {layers * heads} heads"
        yield f"{name:44} {_ours(np.stack([weights] * layers), HEADS[:rounds])}"
        for theirs, html in (("bertviz", _bertviz), ("circuitsvis", _circuitsvis)):
            yield f"{f'  {theirs}':44} {_bytes_of(theirs, html, weights, layers)}"


def _weights(heads: int, tokens: int) -> np.ndarray:
    """Causal, of a layer: [head, query, key]."""
    scores = 2 * np.random.default_rng(0).gumbel(size=(heads, tokens, tokens))
    scores[:, ~np.tri(tokens, dtype=bool)] = -np.inf
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)


def _ours(weights: np.ndarray, opened: Sequence[int]) -> str:
    from attn_cli.records.attention import Attention
    from attn_cli.render.page.page import page

    names = _tokens(weights.shape[-1])
    written = page(Attention(names, names, weights))
    told = f"{len(written) / 1e6:8.2f} MB"
    sys.path.append(str(Path(__file__).parents[1] / "tests" / "render"))
    browser = import_module("browser")  # that the tests drive
    if browser.PROGRAM is None:
        return f"{told}, no browser here"
    with tempfile.TemporaryDirectory() as folder, browser.browse() as tab:
        path = Path(folder) / "page.html"
        path.write_bytes(written)
        tab.open(path)
        painted = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        tab.wait(painted)
        paint = tab.run(painted)
        tab.wait("document.querySelector('#grid[data-drawn]')")
        took = sorted(tab.run(OPEN % head) for head in opened)
        tab.send("HeapProfiler.collectGarbage")
        heap = tab.send("Runtime.getHeapUsage")
    held = (heap["usedSize"] + heap.get("backingStorageSize", 0)) / 2**20
    return f"{told}, first paint {paint:4.0f} ms, a head {took[len(took) // 2]:4.0f} ms, {held:5.1f} MiB; {BUDGETS}"


def _tokens(count: int) -> tuple[str, ...]:
    return tuple(f"w{i}" for i in range(count))


def _bytes_of(name: str, html: Callable[[Any, list[str]], str], weights: np.ndarray, layers: int) -> str:
    if find_spec(name) is None:
        return f"not here: pip install --no-deps {name}"
    import torch

    one, two = (
        len(html([torch.from_numpy(weights)] * n, list(_tokens(weights.shape[-1])))) / 1e6 for n in (1, 2)
    )
    return f"{one + (layers - 1) * (two - one):8.2f} MB; draws only with a network"


def _bertviz(layers: Any, tokens: list[str]) -> str:
    head_view = import_module("bertviz").head_view
    return str(head_view([layer[None] for layer in layers], tokens, html_action="return").data)


def _circuitsvis(layers: Any, tokens: list[str]) -> str:
    """A view of each layer, as its function takes one."""
    attention_heads = import_module("circuitsvis.attention").attention_heads
    return "".join(str(attention_heads(attention=layer, tokens=tokens)) for layer in layers)


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)
