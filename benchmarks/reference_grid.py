"""What `attn heatmap FILE -o PNG` is measured against for many heads: a panel each, in plain matplotlib.

python reference_grid.py saved.npz grid.png
"""

import sys

import numpy as np
from matplotlib.figure import Figure

source, target = sys.argv[1:]
weights = np.load(source)["weights"]
n_layers, n_heads = weights.shape[:2]
figure = Figure(figsize=(12, 6.2))
panels = figure.subplots(n_layers, n_heads, squeeze=False)
for layer in range(n_layers):
    for head in range(n_heads):
        panels[layer][head].imshow(weights[layer, head], vmin=0, vmax=weights.max(), cmap="Blues")
figure.savefig(target, dpi=216)
