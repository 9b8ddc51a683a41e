"""How long many heads take to draw: 6 layers × 12 heads over 512 tokens, from a file to a PNG."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from attn_cli import files
from attn_cli.records import Attention

from .pairs import ATTN, Pair

SHAPE = (6, 12, 512, 512)


def pairs(folder: str) -> list[Pair]:
    """The rows, with the file that they read written into a folder."""
    saved = os.path.join(folder, "heads.npz")
    weights = np.random.default_rng(0).dirichlet(np.ones(SHAPE[-1]), size=SHAPE[:-1]).astype(np.float32)
    tokens = tuple(f"w{i}" for i in range(SHAPE[-1]))
    files.write(saved, files.FORMATS["npz"](Attention(tokens, tokens, weights)))
    reference = [sys.executable, str(Path(__file__).parent / "reference_grid.py"), saved, "y.png"]
    return [
        Pair("72 heads × 512 tokens, to a grid", [*ATTN, "heatmap", saved, "-o", "x.png"], reference, 1.0)
    ]
