"""The sizes of a model that transformers reads, by its configuration."""

from __future__ import annotations

from typing import Any


def sizes(config: Any) -> dict[str, str]:
    """The sizes of a model in words for a table, as far as its configuration tells them."""
    text = config.get_text_config()
    entries = {
        "layers": _layers(text),
        "heads": _heads(text),
        "kv_heads": getattr(text, "num_key_value_heads", None),
        "d_model": getattr(text, "hidden_size", None),
        "vocab": getattr(text, "vocab_size", None),
        "max_len": getattr(text, "max_position_embeddings", None),
    }
    stack = {"stack": "both"} if config.is_encoder_decoder else {}
    return stack | {name: str(value) for name, value in entries.items() if value is not None}


def _heads(config: Any) -> str | None:
    """Their number; of a model in stages that of each."""
    n = getattr(config, "num_attention_heads", None)
    return ", ".join(map(str, n)) if isinstance(n, (list, tuple)) else n


def _layers(config: Any) -> str | None:
    """Their number; of an encoder and of a decoder where there are two."""
    if isinstance(depths := getattr(config, "depths", None), (list, tuple)):  # of a model in stages
        return " + ".join(map(str, depths))
    n = getattr(config, "num_hidden_layers", None)
    written = [getattr(config, name, None) for name in ("num_decoder_layers", "decoder_layers")]
    of_decoder = next((n for n in written if n is not None), None)
    return f"{n} + {of_decoder}" if config.is_encoder_decoder and of_decoder else n and str(n)
