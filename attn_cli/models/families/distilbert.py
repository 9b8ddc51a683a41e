"""DistilBERT: BERT with half of the layers and no segments. Sanh et al. 2019, arXiv:1910.01108."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...transformer.model import Config
from ..native.given import ACTIVATIONS

if TYPE_CHECKING:
    from ..native.given import Given
    from ..native.weights import Names

TYPES = {"distilbert": "DistilBERT"}
PREFIX = "distilbert."
UNEMBEDDING = {
    "tied": "yes",
    "out": "vocab_projector.weight",
    "bias": "vocab_projector.bias",
    "dense": "vocab_transform",
    "norm": "vocab_layer_norm",
    "act": "activation",
}
LAYER = "transformer.layer.*"

NAMES: Names = {
    "embedding": "embeddings.word_embeddings",
    "position": "embeddings.position_embeddings",
    "embedding_norm": "embeddings.LayerNorm",
    "encoder.layers.*.attention.query": f"{LAYER}.attention.q_lin",
    "encoder.layers.*.attention.key": f"{LAYER}.attention.k_lin",
    "encoder.layers.*.attention.value": f"{LAYER}.attention.v_lin",
    "encoder.layers.*.attention.out": f"{LAYER}.attention.out_lin",
    "encoder.layers.*.attention_norm": f"{LAYER}.sa_layer_norm",
    "encoder.layers.*.feed_forward.up": f"{LAYER}.ffn.lin1",
    "encoder.layers.*.feed_forward.down": f"{LAYER}.ffn.lin2",
    "encoder.layers.*.feed_forward_norm": f"{LAYER}.output_layer_norm",
}


def config(given: Given) -> Config:
    """The sizes and variants that a config.json of this family describes."""
    return Config(
        vocab=given.size("vocab_size"),
        max_len=given.size("max_position_embeddings"),
        d_model=given.size("dim"),
        n_heads=given.size("n_heads"),
        n_layers=given.size("n_layers"),
        d_ff=given.size("hidden_dim"),
        norm_first=False,
        norm_eps=1e-12,
        activation=given.choice("activation", ACTIVATIONS, "gelu"),
        embedding_norm=True,
        unembedding="none",
    )


def names(given: Given) -> Names:
    """Where our parts are among its tensors."""
    return NAMES
