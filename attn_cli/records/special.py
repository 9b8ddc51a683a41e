"""Attention without the tokens that a tokenizer adds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .attention import Attention

# What has a query or a key along which of its axes.
_QUERY = {"weights": 2, "scores": 2, "norms": 2, "mask": 2, "output": 1, "query": 2}
_KEY = {"weights": 3, "scores": 3, "norms": 3, "mask": 3, "key": 2, "value": 2}


def without_special(
    record: Attention,
    of_queries: Sequence[bool],
    of_keys: Sequence[bool] | None = None,
    *,
    renormalise: bool = False,
) -> Attention:
    """Only queries and keys that are in the text; weights stay as they are, so rows sum to less than 1.

    With `renormalise` the rest of each row is divided by its sum, and so are norms. The marks are True for what
    is to go; keys are the same tokens unless told. Raises InputError when the maps are pooled, or nothing would
    be left.
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
    said, sums = f"{record.provenance}, special tokens hidden", ""
    if len(kept_keys) < len(record.key_tokens):
        sums = "; rows sum to less than 1"
        if renormalise:
            changes |= _renormalised(changes)
            said, sums = f"{said} and rows renormalised", "; rows are renormalised"
    note(f"special tokens are hidden{sums}")
    return replace(
        record, provenance=said, entropy=None, mass=None, top_keys=None, top_weights=None, **changes
    )


def _renormalised(parts: dict[str, Any]) -> dict[str, Any]:
    """Weights and norms divided by the sum of the weights that are left; a row without any stays as it is."""
    sums = parts["weights"].sum(axis=-1, keepdims=True)
    sums[sums == 0] = 1
    return {name: parts[name] / sums for name in ("weights", "norms") if parts.get(name) is not None}
