"""What our page is measured against: BertViz' head view and CircuitsVis' views of heads, as files that open from disk.

python reference_pages.py TOOL weights.npy HEADS page.html

Theirs load scripts from the network. `fetch` lays both packages and these scripts into a folder, which is to be on
PYTHONPATH; their pages then name the scripts there. Only the addresses differ, and jQuery: 2.1.0, the first that npm has, for
2.0.0. Neither is among our extras: BertViz asks for boto3, of which pip finds no version beside constraints.txt.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

# All that theirs import and ours do not.
PACKAGES = ("bertviz==1.4.1", "circuitsvis==1.43.3", "importlib-metadata<8", "zipp<5")
PATIENCE = 120  # seconds that a download may take
SCRIPTS = {  # of npm: which file of it, and what it is called here
    "requirejs@2.3.6": ("package/require.js", "require.min.js"),
    "d3@5.7.0": ("package/dist/d3.min.js", "d3.min.js"),
    "jquery@2.1.0": ("package/dist/jquery.min.js", "jquery.min.js"),
}
_CDN = re.compile(r"https://cdnjs\.cloudflare\.com/ajax/libs/[^'\"]*/")
_UNPKG = re.compile(r'import (\{[^}]*\}) from "https://unpkg\.com/[^"]*"')


def fetch(folder: Path) -> str:
    """Lay everything into a folder; returns why it cannot be had, or nothing."""
    npm = shutil.which("npm")
    if npm is None:
        return "no npm here"
    pip = [
        sys.executable,
        *["-m", "pip", "install", "--quiet", "--retries", "0", "--no-deps", "--target"],
        str(folder),
    ]
    pack = [npm, *["pack", "--silent", "--fetch-retries", "0", "--pack-destination"], str(folder)]
    for command in ([*pip, *PACKAGES], [*pack, *SCRIPTS]):
        try:
            subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
        except subprocess.CalledProcessError as problem:
            return str((problem.stderr.strip() or f"{command[0]} failed").splitlines()[-1])
        except subprocess.TimeoutExpired:
            return f"the network gave nothing in {PATIENCE} s"
    for package, (member, name) in SCRIPTS.items():
        with tarfile.open(folder / f"{package.replace('@', '-')}.tgz") as archive:
            source = archive.extractfile(member)
            assert source is not None
            (folder / name).write_bytes(source.read())
    return ""


def attn(weights: np.ndarray) -> str:
    """Our page of weights [layer, head, query, key]."""
    from attn_cli.records.attention import Attention
    from attn_cli.render.page.page import page

    tokens = tuple(_tokens(weights))
    return page(Attention(tokens, tokens, weights)).decode()


def bertviz(weights: np.ndarray) -> str:
    """Its head view of the same."""
    import torch

    package = import_module("bertviz")
    html = package.head_view(
        list(torch.from_numpy(weights)[:, None]), _tokens(weights), html_action="return"
    ).data
    return _CDN.sub(f"{Path(str(package.__file__)).parents[1].as_uri()}/", html)


def circuitsvis(weights: np.ndarray) -> str:
    """Its view of each layer, as its function takes one; its <div/> is ended as the cell of a notebook would end it."""
    package = import_module("circuitsvis")
    heads = import_module("circuitsvis.attention").attention_heads
    script = Path(str(package.__file__)).parent / "dist" / "cdn" / "iife.js"
    views = "</div>\n".join(heads(attention=layer, tokens=_tokens(weights)).cdn_src for layer in weights)
    views = _UNPKG.sub(r"const \1 = CircuitsVis", views)
    return f'<script src="{script.as_uri()}"></script>\n{views}'


def _tokens(weights: np.ndarray) -> list[str]:
    return [f"w{i}" for i in range(weights.shape[-1])]


TOOLS: dict[str, Callable[[np.ndarray], str]] = {"attn": attn, "bertviz": bertviz, "circuitsvis": circuitsvis}
_HEAD = '<!doctype html>\n<meta charset="utf-8">\n'  # what a notebook has around theirs

if __name__ == "__main__":
    tool, source, number, target = sys.argv[1:]
    given = np.load(source)  # so many heads of it: whole layers, or a part of the first
    given = given[: max(1, int(number) // given.shape[1]), : int(number)]
    TOOLS[tool](given[:1, :1, :2, :2])  # import all that it needs
    clocks = time.perf_counter, time.process_time
    start = [clock() for clock in clocks]
    html = TOOLS[tool](given)
    with open(target, "w", encoding="utf-8") as file:
        file.write("" if tool == "attn" else _HEAD)
        file.write(html)
    print(*(clock() - began for clock, began in zip(clocks, start, strict=True)))
