"""One panel of the picture that `attn heatmap` draws, as one would write it by hand: torch, matplotlib, nothing of attn.

The encoder of the bundled model, three layers of four heads; of these one head, with the tokens along both axes.
"""

import sys
from pathlib import Path

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear

text, path = sys.argv[1:]
home = Path(__file__).parent.parent / "attn_cli" / "models" / "mini"
tokenizer = Tokenizer.from_file(str(home / "tokenizer.json"))
encoded = tokenizer.encode(Path(text).read_text("utf-8").strip())
W = {name: tensor.float() for name, tensor in load_file(home / "model.safetensors").items()}
n, n_heads, d_head = len(encoded.ids), 4, 44

angles = torch.arange(n)[:, None] * 10000.0 ** (-torch.arange(0, d_head, 2) / d_head)
cos, sin = angles.cos(), angles.sin()


def split(x: Tensor) -> Tensor:
    """[seq, d_model] → [head, seq, d_head]."""
    return x.view(n, n_heads, d_head).transpose(0, 1)


def turn(x: Tensor) -> Tensor:
    """Rotary positions."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def part(name: str, x: Tensor) -> Tensor:
    """One linear map."""
    return linear(x, W[f"{name}.weight"], W[f"{name}.bias"])


def norm(name: str, x: Tensor) -> Tensor:
    """One layer norm."""
    return layer_norm(x, x.shape[-1:], W[f"{name}.weight"], W[f"{name}.bias"])


x = W["embedding.weight"][encoded.ids] * (n_heads * d_head) ** 0.5
layers = []
for i in range(3):
    layer = f"encoder.layers.{i}"
    y = norm(f"{layer}.attention_norm", x)
    query, key, value = (split(part(f"{layer}.attention.{which}", y)) for which in ("query", "key", "value"))
    weights = (turn(query) @ turn(key).transpose(1, 2) / d_head**0.5).softmax(-1)
    layers.append(weights)
    x = x + part(f"{layer}.attention.out", (weights @ value).transpose(0, 1).reshape(n, -1))
    y = norm(f"{layer}.feed_forward_norm", x)
    x = x + part(f"{layer}.feed_forward.down", gelu(part(f"{layer}.feed_forward.up", y)))
maps = torch.stack(layers)  # [layer, head, query, key]

figure = Figure(figsize=(4, 4))
FigureCanvasAgg(figure)
ax = figure.subplots()
image = ax.imshow(maps[0, 0].numpy(), vmin=0)
ax.set_xticks(range(n), encoded.tokens, rotation=90)
ax.set_yticks(range(n), encoded.tokens)
ax.set_title("layer 0, head 0")
figure.colorbar(image)
figure.savefig(path, dpi=150)
