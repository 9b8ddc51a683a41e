"""The sizes of a model in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..transformer.config import Config


def sizes(config: Config) -> dict[str, str]:
    """The sizes of a model, in words for a table."""
    told = {
        "stack": config.stack,
        "layers": str(config.n_layers),
        "heads": str(config.n_heads),
        "kv_heads": str(config.kv_heads),
        "d_model": str(config.d_model),
        "d_head": str(config.head_size),
        "d_ff": str(config.d_ff),
        "vocab": str(config.vocab),
        "max_len": str(config.max_len),
    }
    if config.patch is None:
        return told
    rows = math.isqrt(config.max_len - 1)  # besides the patches there is one for the whole
    image = {
        "channels": told.pop("vocab"),
        "image": f"{rows * config.patch} × {rows * config.patch}",
        "patches": f"{rows} × {rows} of {config.patch} × {config.patch}",
    }
    return told | image


def layers_named(layers: Sequence[int], n_layers: int) -> str:
    """How a provenance goes on where only some of the layers are shown.

    >>> layers_named((0, 2), 3), layers_named((0,), 1)
    (', layer 0, 2', '')
    """
    return "" if len(layers) == n_layers else f", layer {', '.join(map(str, layers))}"
