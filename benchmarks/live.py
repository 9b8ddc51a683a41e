"""What the live page takes to read a sentence with mini, in Node.js: one core, no browser around it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

BUDGET = 50  # milliseconds
TOKENS = 16
PARTS = {
    "through": "through mini in Node",
    "judged": "and the likeliest of each",
    "shown": "read, written and shown",
}
TEXT = "The cat sat on the mat because it was very tired and wanted to sleep."


def rows(rounds: int = 3) -> Iterator[str]:
    """Lines for 16 tokens through both stacks, with their logits, and for all that the page shows.

    Milliseconds on the wall and of the CPU: the median and, behind it, the least of all rounds.
    """
    node = shutil.which("node")
    if node is None:
        print("no Node.js here, so the live page is not measured")
        return
    from attn_cli.render.page import page

    command = [node, str(Path(__file__).with_suffix(".mjs")), str(Path(page.__file__).parent / "assets")]
    asked = json.dumps({**_mini(), "text": TEXT, "most": TOKENS, "rounds": 10 * rounds + 1})
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    for part, name in PARTS.items():
        (least, wall), (low, processor) = told[part]["wall"], told[part]["processor"]
        budget = f"  ≤ {BUDGET}" if part == "through" else ""
        took = f"{wall:6.1f} ({least:.1f}) ms {processor:6.1f} ({low:.1f}) ms of the CPU"
        yield f"{f'{TOKENS} tokens {name}':44} {took}{budget}"


def _mini() -> dict[str, Any]:
    """The model as the page has it."""
    from attn_cli import models
    from attn_cli.models.portable import portable
    from attn_cli.render.page.live import MAX_BYTES
    from attn_cli.render.page.model import pack_model
    from attn_cli.render.page.tokenizer import tokenizer_spec

    made = portable(models.load(models.MINI))
    assert made.tokenizer is not None
    packed, data = pack_model({name: tensor.numpy() for name, tensor in made.tensors.items()}, MAX_BYTES)
    spec = tokenizer_spec(made.tokenizer, verbatim=made.header["verbatim"])
    header = {**made.header, **packed, "tokenizer": spec}
    return {"header": header, "bytes": base64.b64encode(zlib.decompress(data)).decode()}


if __name__ == "__main__":
    print(*rows(), sep="\n")
