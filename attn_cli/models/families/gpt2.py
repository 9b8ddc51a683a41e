"""GPT-2: pre-norm decoder, learned positions, query, key and value in one matrix. Radford et al. 2019."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...transformer.model import Config
from ..native.given import ACTIVATIONS

if TYPE_CHECKING:
    from torch import Tensor

    from ..native.given import Given
    from ..native.weights import Names

TYPES = {"gpt2": "GPT-2"}
PREFIX = "transformer."
UNEMBEDDING = {"tied": "yes", "out": "lm_head.weight"}


def config(given: Given) -> Config:
    """The sizes and variants that a config.json of this family describes."""
    given.must_be("scale_attn_weights", True)
    given.must_be("add_cross_attention", False)
    d_model = given.size("n_embd")
    return Config(
        vocab=given.size("vocab_size"),
        max_len=given.size("n_positions"),
        d_model=d_model,
        n_heads=given.size("n_head"),
        n_layers=given.size("n_layer"),
        d_ff=given.size("n_inner", 4 * d_model),
        stack="decoder",
        scale_by_layer=given.choice("scale_attn_by_inverse_layer_idx", {True: True, False: False}, False),
        norm_eps=given.number("layer_norm_epsilon", 1e-5),
        activation=given.choice("activation_function", ACTIVATIONS, "gelu_new"),
        unembedding="none",
    )


def names(given: Given) -> Names:
    """Where our parts are among its tensors."""
    return {
        "embedding": "wte",
        "position": "wpe",
        "decoder.layers.*.attention_norm": "h.*.ln_1",
        "decoder.layers.*.attention.query": ("h.*.attn.c_attn", partial(_third, i=0)),
        "decoder.layers.*.attention.key": ("h.*.attn.c_attn", partial(_third, i=1)),
        "decoder.layers.*.attention.value": ("h.*.attn.c_attn", partial(_third, i=2)),
        "decoder.layers.*.attention.out": ("h.*.attn.c_proj", _turned),
        "decoder.layers.*.feed_forward_norm": "h.*.ln_2",
        "decoder.layers.*.feed_forward.up": ("h.*.mlp.c_fc", _turned),
        "decoder.layers.*.feed_forward.down": ("h.*.mlp.c_proj", _turned),
        "decoder.norm": "ln_f",
    }


def _turned(matrix: Tensor) -> Tensor:
    """Its matrices are [in, out], those of nn.Linear [out, in]; a bias stays."""
    return matrix.t()


def _third(fused: Tensor, i: int) -> Tensor:
    return _turned(fused.tensor_split(3, dim=-1)[i])
