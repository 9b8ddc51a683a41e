"""ViT: a pre-norm encoder over the patches of an image. Dosovitskiy et al. 2020, arXiv:2010.11929."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import InputError
from ...transformer.model import Config
from ..native.given import ACTIVATIONS

if TYPE_CHECKING:
    from ..native.given import Given
    from ..native.weights import Names

TYPES = {"vit": "ViT"}
PREFIX = "vit."
LAYER = "encoder.layer.*"

NAMES: Names = {
    "embedding.whole": ("embeddings.cls_token", lambda token: token[0, 0]),
    "embedding.linear": "embeddings.patch_embeddings.projection",
    "position.weight": ("embeddings.position_embeddings", lambda table: table[0]),
    "encoder.layers.*.attention_norm": f"{LAYER}.layernorm_before",
    "encoder.layers.*.attention.query": f"{LAYER}.attention.attention.query",
    "encoder.layers.*.attention.key": f"{LAYER}.attention.attention.key",
    "encoder.layers.*.attention.value": f"{LAYER}.attention.attention.value",
    "encoder.layers.*.attention.out": f"{LAYER}.attention.output.dense",
    "encoder.layers.*.feed_forward_norm": f"{LAYER}.layernorm_after",
    "encoder.layers.*.feed_forward.up": f"{LAYER}.intermediate.dense",
    "encoder.layers.*.feed_forward.down": f"{LAYER}.output.dense",
    "encoder.norm": "layernorm",
}


def config(given: Given) -> Config:
    """The sizes and variants that a config.json of this family describes."""
    side, patch = image_size(given), given.size("patch_size", 16)
    if side % patch:
        raise InputError(f"image_size {side} is no multiple of patch_size {patch}")
    return Config(
        vocab=given.size("num_channels", 3),
        max_len=(side // patch) ** 2 + 1,
        d_model=given.size("hidden_size"),
        n_heads=given.size("num_attention_heads"),
        n_layers=given.size("num_hidden_layers"),
        d_ff=given.size("intermediate_size"),
        norm_eps=given.number("layer_norm_eps", 1e-12),
        activation=given.choice("hidden_act", ACTIVATIONS, "gelu"),
        patch=patch,
        qkv_bias=given.choice("qkv_bias", {True: True, False: False}, True),
        unembedding="none",
    )


def image_size(given: Given) -> int:
    """The side of the square that the model takes, in pixels."""
    return given.size("image_size", 224)


def names(given: Given) -> Names:
    """Where our parts are among its tensors."""
    return NAMES
