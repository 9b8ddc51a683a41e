"""Attention without the tokens that a tokenizer adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, note
from .fields import changed, held
from .selection import at_places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .attention import Attention


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
            f"--special drop with {len(record.query_tokens):,} tokens, whose maps are pooled",
            hint="give fewer layers or less text",
        )
    kept_queries = np.flatnonzero(np.logical_not(of_queries)).tolist()
    kept_keys = kept_queries if of_keys is None else np.flatnonzero(np.logical_not(of_keys)).tolist()
    if not kept_queries or not kept_keys:
        raise InputError("no token but special ones", hint="leave --special out")
    hidden = at_places(at_places(record, "query", kept_queries), "key", kept_keys)
    said, sums = f"{record.provenance}, special tokens hidden", ""
    changes: dict[str, Any] = {}
    if len(kept_keys) < len(record.key_tokens):
        sums = "; rows sum to less than 1"
        if renormalise:
            changes = _renormalised(hidden)
            said, sums = f"{said} and rows renormalised", "; rows are renormalised"
    note(f"special tokens are hidden{sums}")
    found: Attention = changed(hidden, provenance=said, **changes)
    return found


def _renormalised(attention: Attention) -> dict[str, Any]:
    """The maps whose mean means something, divided by the sum of the weights that are left; a row without any stays."""
    sums = attention.weights.sum(axis=-1, keepdims=True)
    sums[sums == 0] = 1
    return {
        part.name: array / sums
        for part, array in held(attention)
        if part.is_map and "mean" in part.traits.combined
    }
