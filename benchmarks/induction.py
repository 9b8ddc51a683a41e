"""`python -m benchmarks.induction [FOLDER]`: five seeds of `train-toy induction`, and which heads the task rests on.

`attn stats` names the heads, from texts of letters said twice; then heads are left out, as `--without` does, and the
share of second halves that are written without a mistake is measured again. Runs that are in FOLDER already are
not trained again. Prints a row per seed, and draws FOLDER/induction.png.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import attn_cli as attn
import numpy as np
import torch
from attn_cli.records.table import Table
from attn_cli.transformer.capture import Capture
from attn_cli.transformer.intervening import NOTHING, Intervention, heads_named

SEEDS = range(5)
PERIODS = range(4, 13)


def main(folder: Path) -> None:
    """Train what is missing, then a row per seed, and the figure of all."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, tables = [], []
    for seed in SEEDS:
        path = folder / str(seed)
        if not path.exists():
            command = ["attn_cli", "train-toy", "induction", "--seed", str(seed), "-q", "-o", str(path)]
            subprocess.run([sys.executable, "-m", *command], check=True, stdout=subprocess.DEVNULL)
        found, row = look(path, seed)
        rows.append(row)
        tables.append(found)
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
    made = Table(columns, "induction")
    attn.save(made, folder / "induction.tsv")
    sys.stdout.write((folder / "induction.tsv").read_text())
    draw(tables, folder / "induction.png")


def look(path: Path, seed: int) -> tuple[Table, dict[str, Any]]:
    """What each head of a run does, and what becomes of the task without some of them."""
    loaded = attn.load(path)
    texts = said_twice(np.random.default_rng(seed))
    found = attn.stats([" ".join(text) for text in texts], model=loaded)
    heads = {
        role: [
            f"L{row['layer']}H{row['head']}"
            for row in found.rows()
            if (row["role"], row["layer"]) == (role, layer)
        ]
        for role, layer in (("previous token", 0), ("induction", 1))
    }
    every = [f"L{row['layer']}H{row['head']}" for row in found.rows()]
    others = [name for name in every if name not in heads["previous token"] + heads["induction"]]
    left_out: dict[str, list[str]] = {
        "nothing": [],
        "previous": heads["previous token"],
        "induction": heads["induction"],
        "others": others,
    }
    right = {
        f"without_{name}": exact(loaded.model, texts, gone) if gone or name == "nothing" else np.nan
        for name, gone in left_out.items()
    }
    named = {f"{name}_heads": " ".join(left_out[name]) for name in ("previous", "induction", "others")}
    return found, {"seed": seed, **named, **right}


def said_twice(rng: np.random.Generator, n: int = 200) -> list[list[str]]:
    """Letters, no two alike, said again: every period as often."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    periods = (PERIODS[i % len(PERIODS)] for i in range(n))
    return [[*said, *said] for said in (rng.permutation(letters)[:p].tolist() for p in periods)]


@torch.no_grad()
def exact(run: Any, texts: list[list[str]], gone: list[str]) -> float:
    """The share of texts whose second half is right, each letter after those before it; the last has none after it."""
    done = Intervention(heads_named(",".join(gone))) if gone else NOTHING
    number = {token: i for i, token in enumerate(run.vocabulary)}
    right = 0
    for text in texts:
        tokens = torch.tensor([[number[letter] for letter in text]])
        said = run.model(tokens, attend=Capture((), done)).argmax(dim=-1)[0]
        half = len(text) // 2
        right += bool((said[half:-1] == tokens[0, half + 1 :]).all())
    return right / len(texts)


def draw(tables: list[Table], path: Path) -> None:
    """Layers × heads of every seed: the share on the previous token, and on what came after the same token."""
    from attn_cli.render.figure import figure
    from attn_cli.render.figure.heads import columns_figure

    columns: dict[str, Any] = dict(tables[0].only(["layer", "head"]).columns)
    for seed, table in zip(SEEDS, tables, strict=True):
        columns |= {f"{name}, seed {seed}": table[name] for name in ("previous", "induction")}
    names = [f"{name}, seed {seed}" for name in ("previous", "induction") for seed in SEEDS]
    said = "five runs of attn train-toy induction; mean over 200 texts of letters said twice"
    path.write_bytes(figure.save(columns_figure(Table(columns, "stats", said), names), "png"))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/induction-experiment"))
