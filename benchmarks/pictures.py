"""How long many heads take to draw: 6 layers × 12 heads over 512 tokens, from a file to a PNG."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from attn_cli import files
from attn_cli.records.attention import Attention

from .pairs import ATTN, Pair

SHAPE = (6, 12, 512, 512)


def pairs(folder: str) -> list[Pair]:
    """The rows, with the file that they read written into a folder."""
    saved = os.path.join(folder, "heads.npz")
    weights = np.random.default_rng(0).dirichlet(np.ones(SHAPE[-1]), size=SHAPE[:-1]).astype(np.float32)
    tokens = tuple(f"w{i}" for i in range(SHAPE[-1]))
    files.write(saved, files.FORMATS["npz"](Attention(tokens, tokens, weights)))
    draw = [*ATTN, "heatmap", saved, "-o", "x.png"]
    rows = [
        Pair("72 heads × 512 tokens, to plain matplotlib", draw, _reference("grid", saved), 1.0),
        Pair("the same --view grid", [*draw, "--view", "grid"], _reference("grid", saved), 1.0),
    ]
    if find_spec("seaborn") is None:
        print("no seaborn here, so it is not measured: pip install -c constraints.txt '.[bench]'")
        return rows
    return [*rows, Pair("72 heads × 512 tokens, to seaborn", draw, _reference("seaborn", saved), 0.2)]


def _reference(name: str, saved: str) -> list[str]:
    return [sys.executable, str(Path(__file__).parent / f"reference_{name}.py"), saved, "y.png"]
