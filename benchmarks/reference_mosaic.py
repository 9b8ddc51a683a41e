"""Many heads as one image in one pair of axes, whose picture says which head is which: lean matplotlib, a palette PNG.

python reference_mosaic.py saved.npz grid.png
"""

import sys
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

POOLED, GAP = 3, 12  # weights to a cell, pixels between maps

source, target = sys.argv[1:]
weights = np.load(source)["weights"]
n_layers, n_heads, n, _ = weights.shape
edges = np.arange(0, n, POOLED)
counts = np.diff(edges, append=n)
means = np.add.reduceat(np.add.reduceat(weights, edges, axis=2), edges, axis=3) / (counts[:, None] * counts)

side = means.shape[-1] + GAP
sheet = np.full((n_layers * side, n_heads * side), np.nan)
for layer in range(n_layers):
    for head in range(n_heads):
        sheet[layer * side : (layer + 1) * side - GAP, head * side : (head + 1) * side - GAP] = means[
            layer, head
        ]

dpi, margin = 216, 100
height, width = sheet.shape
figure = Figure(figsize=((width + 2 * margin) / dpi, (height + 2 * margin) / dpi), dpi=dpi)
canvas: Any = FigureCanvasAgg(figure)
left, down = margin / (width + 2 * margin), margin / (height + 2 * margin)
ax = figure.add_axes((left, down, 1 - 2 * left, 1 - 2 * down))
ax.imshow(sheet, cmap=colormaps["Blues"], interpolation="nearest")
ax.set_xticks(np.arange(n_heads) * side + side / 2, [f"head {head}" for head in range(n_heads)], fontsize=6)
ax.set_yticks(
    np.arange(n_layers) * side + side / 2, [f"layer {layer}" for layer in range(n_layers)], fontsize=6
)
ax.set_title("mean of 3 × 3 weights")
canvas.draw()
pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
pixels.quantize(256, method=Image.Quantize.FASTOCTREE).save(target, compress_level=1)
