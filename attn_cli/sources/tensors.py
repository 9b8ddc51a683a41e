"""Arrays that others saved → weights or vectors, with the names and axes that a person gives them."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import files
from ..errors import InputError
from ..files.elsewhere import Given, understood
from ..records.attention import Attention
from ..records.recording import renamed
from .groups import Options, Tensors, refuse_others
from .text import as_array, called

if TYPE_CHECKING:
    from collections.abc import Mapping


def from_elsewhere(data: Any, options: Options, where: str) -> tuple[Any, Options]:
    """Bare arrays, understood: an attention that is there already, or query, key and value with their heads."""
    arrays = data if isinstance(data, dict) else {"numbers": data}
    found = understood(arrays, _said(options.tensors), where=where or "arrays")
    rest = dataclasses.replace(options, tensors=Tensors(weights=options.tensors.weights))
    if isinstance(found, Attention):
        refuse_others(rest, ("select",), called(data))
        return found, rest
    vectors = dataclasses.replace(
        rest.vectors,
        heads=rest.vectors.heads or found.heads,
        kv_heads=rest.vectors.kv_heads or (found.kv_heads if found.kv_heads != found.heads else None),
    )
    parts = {"query": found.query, "key": found.key, "value": found.value}
    if found.key is found.query or _is_matrix(arrays):
        return found.query, dataclasses.replace(rest, vectors=vectors)
    return parts, dataclasses.replace(rest, vectors=vectors)


def bare_weights(data: Any, tensors: Tensors, *, where: str = "") -> Attention:
    """Weights from elsewhere, [query, key] to [batch, layer, head, query, key], with numbers or tokens as names.

    Warns where they cannot be weights: a weight lies in [0, 1], a row sums to at most 1.
    """
    if isinstance(data, Attention):
        return with_names(data, tensors)
    where = where or where_of(tensors.weights)
    if isinstance(data, str):
        raise InputError("holds text, not weights", hint="leave --weights out", where=where)
    held = data if isinstance(data, dict) else {"weights": as_array(data)}
    found = understood(held, _said(tensors, "query,key" if _is_matrix(held) else None), where=where)
    if not isinstance(found, Attention):
        raise InputError("these are vectors, not weights", hint="leave --weights out", where=where)
    return found


def _is_matrix(arrays: Mapping[str, Any]) -> bool:
    return len(arrays) == 1 and np.ndim(next(iter(arrays.values()))) == 2


def _said(tensors: Tensors, axes: str | None = None) -> Given:
    """What a person says about arrays from elsewhere."""
    queries, keys = (_names(given) for given in (tensors.tokens, tensors.key_tokens))
    return Given(queries, keys, axes=tensors.axes or axes, batch=tensors.batch)


def with_names(attention: Attention, tensors: Tensors, spare: int = 0) -> Attention:
    """A record under the names that a person gives its tokens.

    Raises InputError for what only arrays can be told, and for names that do not fit.
    """
    for option in ("axes", "batch"):
        if getattr(tensors, option) is not None:
            raise InputError(f"--{option} does not apply to saved attention", hint="leave it out")
    return renamed(attention, _names(tensors.tokens), _names(tensors.key_tokens), spare)


def _names(given: Any) -> Any:
    """Tokens, or those that a file holds."""
    return files.read_tokens(os.fspath(given)) if isinstance(given, (str, os.PathLike)) else given


def where_of(given: Any) -> str:
    """What a file is called in an error; arrays have no name."""
    return os.fspath(given) if isinstance(given, (str, os.PathLike)) else "arrays"
