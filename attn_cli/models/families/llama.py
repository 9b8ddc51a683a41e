"""Llama, and what differs from it by config.json alone: Mistral and Qwen2.

Pre-norm decoder with RMS norms, rotary positions, grouped queries and SwiGLU. Touvron et al. 2023,
arXiv:2302.13971; Jiang et al. 2023, arXiv:2310.06825; Yang et al. 2024, arXiv:2407.10671.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import InputError
from ...transformer.model import Config
from ..native.given import short

if TYPE_CHECKING:
    from ..native.given import Given
    from ..native.weights import Names

TYPES = {"llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2"}
PREFIX = "model."
UNEMBEDDING = {"tied": "no", "out": "lm_head.weight"}
LAYER = "layers.*"

NAMES: Names = {
    "embedding": "embed_tokens",
    "decoder.layers.*.attention_norm": f"{LAYER}.input_layernorm",
    "decoder.layers.*.attention.query": f"{LAYER}.self_attn.q_proj",
    "decoder.layers.*.attention.key": f"{LAYER}.self_attn.k_proj",
    "decoder.layers.*.attention.value": f"{LAYER}.self_attn.v_proj",
    "decoder.layers.*.attention.out": f"{LAYER}.self_attn.o_proj",
    "decoder.layers.*.feed_forward_norm": f"{LAYER}.post_attention_layernorm",
    "decoder.layers.*.feed_forward.gate": f"{LAYER}.mlp.gate_proj",
    "decoder.layers.*.feed_forward.up": f"{LAYER}.mlp.up_proj",
    "decoder.layers.*.feed_forward.down": f"{LAYER}.mlp.down_proj",
    "decoder.norm": "norm",
}


def config(given: Given) -> Config:
    """The sizes and variants that a config.json of this family describes."""
    family = given.entries["model_type"]
    given.must_be("hidden_act", "silu")
    window, windowed = _window(given, family)
    either = {True: True, False: False}
    biased = given.choice("attention_bias", either, False)
    return Config(
        vocab=given.size("vocab_size"),
        max_len=given.size("max_position_embeddings", 2048),
        d_model=given.size("hidden_size"),
        n_heads=given.size("num_attention_heads"),
        n_layers=given.size("num_hidden_layers"),
        d_ff=given.size("intermediate_size"),
        stack="decoder",
        n_kv_heads=given.maybe_size("num_key_value_heads"),
        d_head=given.maybe_size("head_dim"),
        norm="rms",
        norm_eps=given.number("rms_norm_eps", 1e-6),
        activation="swiglu",
        positions=_rope(given),
        window=window,
        windowed=windowed,
        qkv_bias=biased or family == "qwen2",
        out_bias=biased,
        feed_forward_bias=given.choice("mlp_bias", either, False),
        unembedding="none",
    )


def names(given: Given) -> Names:
    """Where our parts are among its tensors."""
    return NAMES


def _window(given: Given, family: str) -> tuple[int | None, tuple[int, ...] | range | None]:
    """How many tokens a token sees, and in which layers no more than these: Mistral in all, Qwen2 in the last."""
    if family == "mistral":
        return given.maybe_size("sliding_window"), None
    if family != "qwen2" or not given.choice("use_sliding_window", {True: True, False: False}, False):
        return None, None
    n_layers, kinds = given.size("num_hidden_layers"), given.entries.get("layer_types")
    if kinds is None:
        first = given.count("max_window_layers", 28)
        return given.maybe_size("sliding_window"), range(first, n_layers)
    if not isinstance(kinds, list) or len(kinds) != n_layers or not set(kinds) <= {_FULL, _NEAR}:
        raise InputError(f"layer_types is {short(kinds)}, expected {_FULL} or {_NEAR} for each layer")
    return given.maybe_size("sliding_window"), tuple(i for i, kind in enumerate(kinds) if kind == _NEAR)


_FULL, _NEAR = "full_attention", "sliding_attention"


def _rope(given: Given) -> str:
    """The rotary positions as a spec; `rope_parameters` today, `rope_theta` and `rope_scaling` before."""
    scaled = given.inner("rope_parameters", "rope_scaling")
    base = scaled.number("rope_theta", given.number("rope_theta", 10000.0))
    scaled.must_be("partial_rotary_factor", 1.0)
    kind = scaled.entries.get("rope_type", scaled.entries.get("type", "default"))
    spec = f"rope:base={base!r}"
    # Dynamic scaling begins beyond the length that the model was trained on, and no longer text is read.
    if kind in ("default", "dynamic"):
        return spec
    factor = scaled.number("factor", 1.0)
    if kind == "linear":
        return f"{spec},scaling=linear,factor={factor!r}"
    if kind not in ("yarn", "llama3"):
        raise InputError(f"rope_type {kind!r}, only default, linear, dynamic, yarn and llama3 are read")
    for name, value in _FIXED[kind].items():
        if scaled.entries.get(name, value) != value:
            raise InputError(f"{kind} with {name} {scaled.entries[name]!r}, only {value} is read")
    original = scaled.size("original_max_position_embeddings", given.size("max_position_embeddings"))
    return f"{spec},scaling={kind},factor={factor!r},original={original}"


# What papers leave open and every model that is read natively has so; None: the entry must not be there.
_FIXED: dict[str, dict[str, float | bool | None]] = {
    "llama3": {"low_freq_factor": 1.0, "high_freq_factor": 4.0},
    "yarn": {
        "beta_fast": 32, "beta_slow": 1, "attention_factor": None, "mscale": None, "mscale_all_dim": None, "truncate": True,
    },
}  # fmt: skip
