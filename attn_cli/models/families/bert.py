"""BERT, and what is built like it: MiniLM, Chinese and multilingual BERT, sentence encoders.

Post-norm encoder, learned positions, a vector for each of two segments. Devlin et al. 2018, arXiv:1810.04805.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...transformer.model import Config
from ..native.given import ACTIVATIONS

if TYPE_CHECKING:
    from ..native.given import Given
    from ..native.weights import Names

TYPES = {"bert": "BERT"}  # model_type in config.json, and what people call it
PREFIX = "bert."
UNEMBEDDING = {
    "tied": "yes",
    "out": "cls.predictions.decoder.weight",
    "bias": "cls.predictions.bias",
    "dense": "cls.predictions.transform.dense",
    "norm": "cls.predictions.transform.LayerNorm",
    "act": "hidden_act",
}
LAYER = "encoder.layer.*"

NAMES: Names = {
    "embedding": "embeddings.word_embeddings",
    "position": "embeddings.position_embeddings",
    "segment": "embeddings.token_type_embeddings",
    "embedding_norm": "embeddings.LayerNorm",
    "encoder.layers.*.attention.query": f"{LAYER}.attention.self.query",
    "encoder.layers.*.attention.key": f"{LAYER}.attention.self.key",
    "encoder.layers.*.attention.value": f"{LAYER}.attention.self.value",
    "encoder.layers.*.attention.out": f"{LAYER}.attention.output.dense",
    "encoder.layers.*.attention_norm": f"{LAYER}.attention.output.LayerNorm",
    "encoder.layers.*.feed_forward.up": f"{LAYER}.intermediate.dense",
    "encoder.layers.*.feed_forward.down": f"{LAYER}.output.dense",
    "encoder.layers.*.feed_forward_norm": f"{LAYER}.output.LayerNorm",
}


def config(given: Given) -> Config:
    """The sizes and variants that a config.json of this family describes."""
    given.must_be("is_decoder", False)
    given.must_be("position_embedding_type", "absolute")
    return Config(
        vocab=given.size("vocab_size"),
        max_len=given.size("max_position_embeddings"),
        d_model=given.size("hidden_size"),
        n_heads=given.size("num_attention_heads"),
        n_layers=given.size("num_hidden_layers"),
        d_ff=given.size("intermediate_size"),
        norm_first=False,
        norm_eps=given.number("layer_norm_eps", 1e-12),
        activation=given.choice("hidden_act", ACTIVATIONS, "gelu"),
        segments=given.size("type_vocab_size", 2),
        embedding_norm=True,
        unembedding="none",
    )


def names(given: Given) -> Names:
    """Where our parts are among its tensors."""
    return NAMES
