"""What many heads take at the least: one palette PNG of all maps, each cell the mean of 3 × 3 weights.

No axes, no labels, no bar of colours: NumPy alone, and a PNG by hand. The maps have as many pixels as `attn` gives them.

python reference_palette.py saved.npz grid.png
"""

import struct
import sys
import zlib

import numpy as np

POOLED, GAP, MAP = 3, 12, 171  # weights to a cell, pixels between maps, pixels of a map
WHITE = 255

source, target = sys.argv[1:]
weights = np.load(source)["weights"]
n_layers, n_heads, n, _ = weights.shape
edges = np.arange(0, n, POOLED)
sums = np.add.reduceat(np.add.reduceat(weights, edges, axis=2), edges, axis=3)
counts = np.diff(edges, append=n)
means = sums / (counts[:, None] * counts)
levels = (means * (254 / means.max())).astype(np.uint8)

side = MAP + GAP
sheet = np.full((n_layers * side, n_heads * side), WHITE, dtype=np.uint8)
for layer in range(n_layers):
    for head in range(n_heads):
        y, x = layer * side, head * side
        sheet[y : y + MAP, x : x + MAP] = levels[layer, head]

share = np.linspace(1, 0, 255)[:, None]
palette = np.vstack([share * (255, 255, 255) + (1 - share) * (34, 24, 78), (255, 255, 255)]).astype(np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


height, width = sheet.shape
rows = np.hstack([np.zeros((height, 1), dtype=np.uint8), sheet])  # each row begins with its filter: none
header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
with open(target, "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"PLTE", palette.tobytes()))
    file.write(chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)) + chunk(b"IEND", b""))
