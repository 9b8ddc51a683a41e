"""Arrays from elsewhere put on our axes: weights as [layer, head, query, key], vectors as [head, seq, d_head].

`[query, key]`, `[head, query, key]` and `[layer, head, query, key]` are what is taken by itself, each with a
batch of one in front; anything else is said in words: `axes="batch query head key"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .checks import shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

WEIGHTS = ("layer", "head", "query", "key")
VECTORS = ("head", "seq", "d")
_WORDS = {
    "batch": "batch", "layer": "layer", "head": "head", "query": "query", "key": "key", "seq": "seq", "d": "d",
    "b": "batch", "l": "layer", "h": "head", "q": "query", "k": "key", "s": "seq", "n": "seq",
    "pos": "seq", "tokens": "seq", "d_head": "d", "d_model": "d", "dim": "d", "query_pos": "query", "key_pos": "key",
    "layers": "layer", "heads": "head", "queries": "query", "keys": "key",
}  # fmt: skip


def parse_axes(axes: str) -> tuple[str, ...]:
    """The names of axes, from words between blanks or commas, or a letter each.

    >>> parse_axes("batch head query key"), parse_axes("lhqk"), parse_axes("seq, head, d_head")
    (('batch', 'head', 'query', 'key'), ('layer', 'head', 'query', 'key'), ('seq', 'head', 'd'))
    """
    words = axes.replace(",", " ").split()
    if len(words) == 1 and words[0] not in _WORDS:
        words = list(words[0])
    known = "batch, layer, head, query, key; of vectors batch, head, seq, d"
    if unknown := [word for word in words if word not in _WORDS]:
        raise InputError(f"axes {axes!r}: {unknown[0]!r} is no axis", hint=f"give some of {known}")
    named = tuple(_WORDS[word] for word in words)
    if twice := [name for name in named if named.count(name) > 1]:
        raise InputError(f"axes {axes!r} name {twice[0]} twice", hint=f"give some of {known}")
    return named


def weights_axes(
    array: np.ndarray, *, axes: str | None = None, batch: int | None = None, name: str = "the array"
) -> tuple[Float[np.ndarray, "layer head query key"], tuple[str, ...]]:
    """Weights with their four axes, and which axes the array was understood to have.

    Without `axes`: the last of [layer, head, query, key]; of five [batch, layer, …] or [layer, batch, …], by
    which of them has length 1. With `batch`, the number of a text: [batch, head, query, key].

    >>> weights_axes(np.zeros((1, 2, 3, 3)))[1], weights_axes(np.zeros((6, 2, 3, 3)), batch=5)[0].shape
    (('batch', 'head', 'query', 'key'), (1, 2, 3, 3))
    """
    named = parse_axes(axes) if axes else _usual(array, batch, name)
    return _arranged(array, named, WEIGHTS, batch, name), named


def weights_of(
    tensors: Any, *, axes: str | None = None, batch: int | None = None
) -> Float[np.ndarray, "layer head query key"]:
    """The weights in an array, a tensor or nested lists; of a list of tensors each is a layer.

    >>> weights_of([np.zeros((1, 2, 3, 3))] * 4).shape
    (4, 2, 3, 3)
    """
    if not (isinstance(tensors, list | tuple) and tensors and hasattr(tensors[0], "shape")):
        return weights_axes(as_array(tensors), axes=axes, batch=batch)[0]
    layers = [weights_axes(as_array(layer), axes=axes, batch=batch)[0] for layer in tensors]
    if len({layer.shape for layer in layers}) > 1:
        shapes = ", ".join(shape(layer[0]) for layer in layers[:3])
        raise InputError(f"layers of different shapes: {shapes}, …", hint="give layers of one shape")
    return np.concatenate(layers)


def vectors_axes(
    array: np.ndarray,
    *,
    axes: str | None = None,
    batch: int | None = None,
    seq_first: bool = False,
    name: str = "the array",
) -> tuple[Float[np.ndarray, "head seq d"], tuple[str, ...]]:
    """Vectors cut into heads, and which axes the array was understood to have.

    Without `axes`: [seq, d], [head, seq, d_head] or, with `seq_first`, [seq, head, d_head], and a batch of
    one in front; with `batch`, the number of a text, the first axis is the batch.

    >>> vectors_axes(np.zeros((1, 5, 2, 4)), seq_first=True)[0].shape
    (2, 5, 4)
    """
    two = ("seq", "head", "d") if seq_first else ("head", "seq", "d")
    usual: dict[int, tuple[str, ...]] = {2: ("seq", "d"), 3: two, 4: ("batch", *two)}
    if array.ndim == 3 and (batch is not None or len(array) == 1):
        usual[3] = ("batch", "seq", "d")
    named = parse_axes(axes) if axes else usual.get(array.ndim, ())
    if not named:
        hint = "give [seq, d], [head, seq, d_head], a batch in front, or name the axes"
        raise InputError(f"{name} {shape(array)} has {array.ndim} axes", hint=hint)
    return _arranged(array, named, VECTORS, batch, name), named


def as_array(tensor: Any) -> np.ndarray:
    """A NumPy array of whatever holds numbers: an array, a tensor on any device, nested lists.

    >>> as_array([[0.5, 0.5]]).shape
    (1, 2)
    """
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu()
        tensor = tensor.float() if "bfloat16" in str(tensor.dtype) else tensor
    return np.asarray(tensor)


def _usual(array: np.ndarray, batch: int | None, name: str) -> tuple[str, ...]:
    """The axes that an array of so many is taken to have."""
    if batch is not None and array.ndim in (3, 4):
        return ("batch", *WEIGHTS[1 if array.ndim == 4 else 2 :])
    if array.ndim in (2, 3, 4):
        return ("batch", *WEIGHTS[1:]) if array.ndim == 4 and len(array) == 1 else WEIGHTS[4 - array.ndim :]
    if array.ndim == 5 and 1 in array.shape[:2]:
        return ("batch", *WEIGHTS) if len(array) == 1 else ("layer", "batch", *WEIGHTS[1:])
    what = f"{name} {shape(array)}, expected [layer, head, query, key] or the last of these"
    raise InputError(what, hint='name the axes: "layer batch head query key"')


def _arranged(
    array: np.ndarray, named: tuple[str, ...], wanted: Sequence[str], batch: int | None, name: str
) -> np.ndarray:
    """The array with the wanted axes in their order, those that it lacks of length 1."""
    if len(named) != array.ndim:
        raise InputError(
            f"{name} {shape(array)} has {array.ndim} axes, not {' '.join(named)}", hint="name each axis once"
        )
    if strange := [axis for axis in named if axis not in (*wanted, "batch")]:
        raise InputError(f"{name} has an axis {strange[0]}", hint=f"give some of {', '.join(wanted)}")
    if missing := [axis for axis in wanted[-2:] if axis not in named]:
        raise InputError(f"{name} has no axis {missing[0]}", hint=f"name {' and '.join(wanted[-2:])}")
    if "batch" in named:
        place = named.index("batch")
        array = array[(slice(None),) * place + (_chosen(array.shape[place], batch, name),)]
        named = tuple(axis for axis in named if axis != "batch")
    elif batch is not None:
        raise InputError(
            f"{name} {shape(array)} has no batch", hint="leave the batch out, or name it among the axes"
        )
    array = array.transpose([named.index(axis) for axis in wanted if axis in named])
    return np.expand_dims(array, [i for i, axis in enumerate(wanted) if axis not in named])


def _chosen(n: int, batch: int | None, name: str) -> int:
    if batch is None and n != 1:
        raise InputError(f"{name} holds a batch of {n}", hint=f"choose one: batch 0 to {n - 1}")
    if batch is not None and not 0 <= batch < n:
        raise InputError(f"batch {batch} of {n} in {name}", hint=f"give 0 to {n - 1}")
    return batch or 0
