"""The picture that `attn heatmap` draws, as one would write it by hand: torch, matplotlib, nothing else.

Four heads with the words along both axes, the weights in the cells, one scale of colours.
"""

import math
import sys

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

text, path = sys.argv[1:]
words = open(text, encoding="utf-8").read().split()  # noqa: SIM115

torch.manual_seed(0)
n, d_model, n_heads = len(words), 64, 4
x = torch.randn(n, d_model)
q, k = (
    (x @ torch.randn(d_model, d_model) / math.sqrt(d_model)).view(n, n_heads, -1).transpose(0, 1)
    for _ in "qk"
)
weights = (q @ k.transpose(1, 2) / math.sqrt(d_model // n_heads)).softmax(-1)

figure = Figure(figsize=(9, 9))
FigureCanvasAgg(figure)
axes = figure.subplots(2, 2, sharex=True, sharey=True)
for head, ax in enumerate(axes.flat):
    image = ax.imshow(weights[head], vmin=0, vmax=weights.max())
    ax.set_xticks(range(n), words, rotation=90)
    ax.set_yticks(range(n), words)
    ax.set_title(f"head {head}")
    for i, row in enumerate(weights[head].tolist()):
        for j, weight in enumerate(row):
            colour = "black" if weight > weights.max() / 2 else "white"
            ax.text(j, i, f"{weight:.2f}", ha="center", va="center", fontsize=6, color=colour)
figure.colorbar(image, ax=axes)
figure.savefig(path, dpi=150)
