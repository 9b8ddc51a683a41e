"""RoBERTa: BERT whose positions are counted from behind the number of the padding token.

Liu et al. 2019, arXiv:1907.11692.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import InputError
from . import bert

if TYPE_CHECKING:
    from ...transformer.model import Config
    from ..native.given import Given
    from ..native.weights import Names

TYPES = {"roberta": "RoBERTa", "xlm-roberta": "XLM-RoBERTa"}
PREFIX = "roberta."
UNEMBEDDING = {
    "tied": "yes",
    "out": "lm_head.decoder.weight",
    "bias": "lm_head.bias",
    "dense": "lm_head.dense",
    "norm": "lm_head.layer_norm",
}


def config(given: Given) -> Config:
    """The sizes and variants that a config.json of this family describes."""
    like_bert = bert.config(given)
    if (max_len := like_bert.max_len - _first_position(given)) < 1:
        raise InputError(f"max_position_embeddings {like_bert.max_len} leave no position for a token")
    return replace(like_bert, max_len=max_len)


def names(given: Given) -> Names:
    """Where our parts are among its tensors."""
    first = _first_position(given)
    return {
        **bert.NAMES,
        "position.weight": ("embeddings.position_embeddings.weight", lambda table: table[first:]),
    }


def _first_position(given: Given) -> int:
    padding = given.entries.get("pad_token_id", 1)
    return (0 if padding == 0 else given.size("pad_token_id", 1)) + 1
