"""What `attn heatmap FILE -o PNG` is measured against for many heads: a panel each, as seaborn draws it.

python reference_seaborn.py saved.npz grid.png
"""

import sys

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

source, target = sys.argv[1:]
weights = np.load(source)["weights"]
n_layers, n_heads = weights.shape[:2]
figure = Figure(figsize=(12, 6.2))
panels = figure.subplots(n_layers, n_heads, squeeze=False)
for layer in range(n_layers):
    for head in range(n_heads):
        sns.heatmap(
            weights[layer, head], vmin=0, vmax=weights.max(), cmap="Blues", cbar=False, ax=panels[layer][head]
        )
figure.savefig(target, dpi=216)
