"""Attention without the tokens that a tokenizer adds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..records import Attention

# What has a query or a key along which of its axes.
_QUERY = {"weights": 2, "scores": 2, "mask": 2, "output": 1, "query": 2}
_KEY = {"weights": 3, "scores": 3, "mask": 3, "key": 2, "value": 2}


def without_special(
    record: Attention, of_queries: Sequence[bool], of_keys: Sequence[bool] | None = None
) -> Attention:
    """Only queries and keys that are in the text; weights stay as they are, so rows sum to less than 1.

    The marks are True for what is to go; keys are the same tokens unless told. Raises InputError when the maps
    are pooled, or nothing would be left.
    """
    if record.pooled:
        raise InputError(
            f"--no-special with {len(record.query_tokens):,} tokens, whose maps are pooled",
            hint="give fewer layers or less text",
        )
    kept_queries = np.flatnonzero(np.logical_not(of_queries))
    kept_keys = kept_queries if of_keys is None else np.flatnonzero(np.logical_not(of_keys))
    if not len(kept_queries) or not len(kept_keys):
        raise InputError("no token but special ones", hint="leave --no-special out")
    changes: dict[str, Any] = {
        "query_tokens": tuple(record.query_tokens[i] for i in kept_queries),
        "key_tokens": tuple(record.key_tokens[i] for i in kept_keys),
    }
    for kept, axes in ((kept_queries, _QUERY), (kept_keys, _KEY)):
        for name, axis in axes.items():
            if (array := changes.get(name, getattr(record, name))) is not None:
                changes[name] = array.take(kept, axis) if array.shape[axis] > 1 or name != "mask" else array
    note("special tokens are hidden; rows sum to less than 1")
    said = f"{record.provenance}, special tokens hidden"
    return replace(
        record, provenance=said, entropy=None, mass=None, top_keys=None, top_weights=None, **changes
    )
