"""How long many heads take to draw: 6 layers × 12 heads over 512 tokens, from a file to a PNG, and to a page."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from .pairs import ATTN, Pair

MAKE = """
import sys
import numpy as np
from attn_cli import files
from attn_cli.records.attention import Attention
weights = np.random.default_rng(0).dirichlet(np.ones(512), size=(6, 12, 512)).astype(np.float32)
tokens = tuple(f"w{i}" for i in range(512))
files.write(sys.argv[1], files.FORMATS["npz"](Attention(tokens, tokens, weights)))
"""


def pairs(folder: str) -> list[Pair]:
    """The rows, with the file that they read written into a folder.

    The budget is told of a PNG of the maps alone, without a word; a script whose picture can be read is beside it.
    """
    saved = os.path.join(folder, "heads.npz")
    subprocess.run([sys.executable, "-c", MAKE, saved], check=True)
    draw, page = ([*ATTN, "heatmap", saved, "-o", name] for name in ("x.png", "x.html"))
    rows = [
        Pair("72 heads × 512 tokens, to maps without a word", draw, _reference("palette", saved), 1.3),
        Pair("the same, to maps with a title and ticks", draw, _reference("mosaic", saved), 1.3),
        Pair("a page of them, to maps without a word", page, _reference("palette", saved), 1.5, "x.html", 10),
        Pair(
            "the same, to maps with a title and ticks", page, _reference("mosaic", saved), 1.5, "x.html", 10
        ),
        Pair("72 heads × 512 tokens, to plain matplotlib", draw, _reference("grid", saved), 1.0),
    ]
    if find_spec("seaborn") is None:
        print("no seaborn here, so it is not measured: pip install -c constraints.txt '.[bench]'")
        return rows
    return [*rows, Pair("72 heads × 512 tokens, to seaborn", draw, _reference("seaborn", saved), 0.2)]


def _reference(name: str, saved: str) -> list[str]:
    return [sys.executable, str(Path(__file__).parent / f"reference_{name}.py"), saved, "y.png"]
