"""How long a person waits: starting, a table of positions, a first picture."""

from __future__ import annotations

import sys
from pathlib import Path

from .pairs import ATTN, Pair

HERE = Path(__file__).parent
SENTENCE = str(HERE.parent / "samples" / "sentence.txt")


def python(code: str) -> list[str]:
    """A reference in one line of Python."""
    return [sys.executable, "-c", code]


def pairs(_: str) -> list[Pair]:
    """The rows."""
    return [
        Pair("attn --help, to import typer", [*ATTN, "--help"], python("import typer"), 1.5),
        Pair(
            "attn posenc 128 × 512, to import numpy, typer",
            [*ATTN, "posenc", "--len", "128", "--dim", "512"],
            python("import numpy, typer"),
            2.0,
        ),
        Pair(
            "attn heatmap, 12 panels, to a script for one",
            [*ATTN, "heatmap", SENTENCE, "-q", "-o", "x.png"],
            [sys.executable, str(HERE / "reference_heatmap.py"), SENTENCE, "y.png"],
            1.15,
        ),
    ]
