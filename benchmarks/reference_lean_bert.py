"""The picture of one layer of a BERT directory, as one would write it in plain torch and matplotlib, layer by layer.

With positions along the axes, as `attn` has them for a sentence of 52 pieces.

python reference_lean_bert.py DIRECTORY sentence.txt x.png
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from safetensors import safe_open
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear

LAYER = 5

directory, text, path = sys.argv[1:]
home = Path(directory)
config = json.loads((home / "config.json").read_text("utf-8"))
encoded = Tokenizer.from_file(str(home / "tokenizer.json")).encode(Path(text).read_text("utf-8").strip())
saved: Any = safe_open(home / "model.safetensors", "pt")
n, n_heads, d_model = len(encoded.ids), config["num_attention_heads"], config["hidden_size"]


def part(name: str, x: Tensor) -> Tensor:
    """One linear map."""
    return linear(x, saved.get_tensor(f"{name}.weight"), saved.get_tensor(f"{name}.bias"))


def norm(name: str, x: Tensor) -> Tensor:
    """One layer norm."""
    weight, bias = (saved.get_tensor(f"{name}.LayerNorm.{which}") for which in ("weight", "bias"))
    return layer_norm(x, (d_model,), weight, bias, config["layer_norm_eps"])


def split(x: Tensor) -> Tensor:
    """[seq, d_model] → [head, seq, d_head]."""
    return x.view(n, n_heads, -1).transpose(0, 1)


with torch.inference_mode():
    words = saved.get_slice("embeddings.word_embeddings.weight")
    x = torch.cat([words[i : i + 1] for i in encoded.ids])
    x = x + saved.get_slice("embeddings.position_embeddings.weight")[:n]
    x = norm("embeddings", x + saved.get_slice("embeddings.token_type_embeddings.weight")[:1])
    for i in range(LAYER + 1):
        layer = f"encoder.layer.{i}"
        query, key, value = (split(part(f"{layer}.attention.self.{w}", x)) for w in ("query", "key", "value"))
        weights = (query @ key.transpose(1, 2) / (d_model // n_heads) ** 0.5).softmax(-1)
        if i == LAYER:
            break
        heads = (weights @ value).transpose(0, 1).reshape(n, -1)
        x = norm(f"{layer}.attention.output", x + part(f"{layer}.attention.output.dense", heads))
        y = gelu(part(f"{layer}.intermediate.dense", x))
        x = norm(f"{layer}.output", x + part(f"{layer}.output.dense", y))

figure = Figure(figsize=(8, 6))
FigureCanvasAgg(figure)
axes = figure.subplots(3, 4, sharex=True, sharey=True)
for head, ax in enumerate(axes.flat):
    image = ax.imshow(weights[head], vmin=0, vmax=weights.max())
    ax.set_title(f"head {head}")
figure.colorbar(image, ax=axes)
figure.savefig(path, dpi=150)
