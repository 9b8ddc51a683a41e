"""Arrays that others saved, understood: as weights or as vectors, by their names, their axes and their numbers.

Names come first: of `outputs.attentions` of transformers, of a TransformerLens cache and of arrays called
attn, attention, weights or pattern the weights are taken, a layer for each number in the name; scores are put
through a softmax; of arrays called q, k and v vectors are made. An array of another name is weights where it
has three axes or more and its rows sum to 1, else vectors. What could be understood in two ways is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, about, note, warn
from ..records.attention import Attention
from ..records.axes import parse_axes, vectors_axes, weights_axes
from ..records.checks import check_finite, check_numbers, shape
from ..records.encoding import Encoding
from ..records.weights import like_weights, not_weights
from .memory import allow_array
from .naming import Group, groups, tokens_in
from .source import called

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from ..records.attention import Kind


@dataclass(frozen=True)
class Given:
    """What a person says about arrays from elsewhere; all of it may be left out."""

    tokens: Sequence[str] | None = None
    key_tokens: Sequence[str] | None = None
    axes: str | None = None
    batch: int | None = None
    kind: Kind | None = None


NOTHING = Given()


@dataclass(frozen=True, eq=False)
class Vectors:
    """Query, key and value, those of several heads side by side: attention is still to be computed."""

    query: Encoding
    key: Encoding
    value: Encoding
    heads: int = 1
    kv_heads: int = 1


def understood(
    arrays: Mapping[str, np.ndarray], given: Given = NOTHING, *, where: str = "arrays"
) -> Attention | Vectors:
    """The attention, or the vectors, that arrays from elsewhere hold; `where` is the file they come from.

    Raises InputError where names and axes leave open what is meant, naming what can be chosen. Warns where
    weights are none, and where vectors look like weights.

    >>> understood({"attn": np.full((1, 2, 3, 3), 1 / 3)}).weights.shape
    (1, 2, 3, 3)
    >>> understood({name: np.zeros((5, 8)) for name in "qkv"}).query.vectors.shape
    (5, 8)
    """
    where = called(where)
    with about(where):
        found = groups(
            {name: a for name, a in arrays.items() if a.dtype.kind in "fiub" and a.size and a.ndim > 1}
        )
        if (weights := _only(found, "weights", given.kind)) or _only(found, "scores", given.kind):
            return _attention(weights, _only(found, "scores", given.kind), arrays, given, where)
        if query := _only(found, "query"):
            return _vectors(query, _only(found, "key"), _only(found, "value"), arrays, given, where)
        if len(found) == 1:
            return _nameless(found[0], arrays, given, where)
        if len(arrays) == 1:
            check_numbers(*next(iter(arrays.items())), least_axes=2)
        listed = ", ".join(group.name for group in found) or ", ".join(arrays) or "nothing"
        raise InputError(
            f"holds {listed}; none is called attn, weights, pattern or scores, or q, k and v",
            hint="choose one: FILE:NAME",
        )


def _only(found: Sequence[Group], part: str, kind: Kind | None = None) -> Group | None:
    """The one group of this part; of several the one of that kind, else a person must choose."""
    several = [group for group in found if group.part == part]
    of_kind = [group for group in several if kind is not None and _kind_of(group.name) == kind]
    several = of_kind or several
    if len(several) > 1:
        listed = ", ".join(group.name for group in several)
        raise InputError(
            f"holds several arrays of {part}: {listed}", hint=f"choose one: FILE:{several[0].name}"
        )
    return several[0] if several else None


def _kind_of(name: str) -> Kind:
    """What a name says: cross_attentions, decoder.layers.0.self_attn."""
    lower = name.lower()
    if "cross" in lower or "encdec" in lower or "encoder_attn" in lower:
        return "cross"
    return "decoder" if "decoder" in lower else "encoder" if "encoder" in lower else "unknown"


# ---- weights --------------------------------------------------------------------------------------------


def _attention(
    weights: Group | None, scores: Group | None, arrays: Mapping[str, np.ndarray], given: Given, where: str
) -> Attention:
    group = weights or scores
    assert group is not None
    values, layers, heads = _stacked(group, given, where)
    kept = None
    if weights is None and not _are_weights(values):
        kept, values = values, softmax(values)
        note(f"{where}: {group.name} are scores; a softmax over the keys made weights of them")
    elif weights is not None and scores is not None:
        kept = _stacked(scores, given, where)[0]
        kept = kept if kept.shape == values.shape else None
    if np.isfinite(values).all() and (wrong := not_weights(values)):  # else the record refuses them
        warn(f"{where}: {group.name} are no attention weights: {wrong}")
    queries, keys = _tokens(arrays, given, *values.shape[2:])
    said = given.kind or _kind_of(group.name)
    return Attention(
        queries,
        keys,
        values,
        kind="cross" if said == "unknown" and given.key_tokens is not None else said,
        scores=kept,
        layers=layers,
        heads=heads,
        provenance=f"{'tensors' if group.name == '*' else group.name} of {where}",
    )


def _stacked(
    group: Group, given: Given, where: str
) -> tuple[Float[np.ndarray, "layer head query key"], tuple[int, ...], tuple[int, ...]]:
    """The arrays of a group as layers, or as layers and heads, and the numbers of these."""
    allow_array((len(group.arrays), *group.arrays[0].shape), 8)
    # One of several layers has no axis of layers: what stands in front of its heads is a batch.
    batched = bool(group.numbers[0]) and group.arrays[0].ndim == 4
    axes = given.axes or ("batch head query key" if batched else None)
    parts, named = zip(
        *(weights_axes(a, axes=axes, batch=given.batch, name=group.name) for a in group.arrays),
        strict=True,
    )
    if len({part.shape for part in parts}) > 1:
        shapes = " and ".join(shape(part[0]) for part in (parts[0], parts[-1]))
        raise InputError(
            f"{group.name} differ: {shapes}", hint=f"choose one: FILE:{group.name}, a number for *"
        )
    if axes is None and _has_another_reading(group.arrays[0], named[0], given):
        _say(group, named[0], where)
    if not group.numbers[0]:
        return parts[0], (), ()
    n_numbers, (n_layers, n_heads) = len(group.numbers[0]), parts[0].shape[:2]
    if n_layers > 1 or n_numbers > 2 or (n_numbers == 2 and n_heads > 1):
        what = f"{group.name} {shape(group.arrays[0])}: the names count more than layers and heads"
        raise InputError(what, hint=f"choose one: FILE:{group.name}, a number for *")
    if n_numbers == 1:
        return np.concatenate(parts), tuple(number for (number,) in group.numbers), ()
    layers, heads = (tuple(sorted(set(column))) for column in zip(*group.numbers, strict=True))
    if len(layers) * len(heads) != len(parts):
        raise InputError(f"{group.name}: layers have different numbers of heads", hint="save them all")
    return np.concatenate(parts).reshape(len(layers), len(heads), *parts[0].shape[2:]), layers, heads


def _has_another_reading(array: np.ndarray, named: Sequence[str], given: Given) -> bool:
    """Whether the first of three or four axes could as well be a batch."""
    return array.ndim in (3, 4) and len(array) > 1 and named[0] != "batch" and given.batch is None


def _say(group: Group, named: Sequence[str], where: str) -> None:
    note(f"{where}: {group.name} {shape(group.arrays[0])} is read as [{', '.join(named)}]; --axes decides")


def softmax(scores: Float[np.ndarray, "... key"]) -> Float[np.ndarray, "... key"]:
    """exp(s − max) / Σ exp(s − max) over the keys; a row that is −∞ throughout gives zeros.

    >>> softmax(np.array([[0.0, np.log(3.0)], [-np.inf, -np.inf]])).round(6).tolist()
    [[0.25, 0.75], [0.0, 0.0]]
    """
    check_finite("scores", np.where(np.isneginf(scores), 0, scores))
    highest = scores.max(axis=-1, keepdims=True)
    powers = np.exp(scores.astype(np.float64) - np.where(np.isneginf(highest), 0, highest))
    total = powers.sum(axis=-1, keepdims=True)
    weights: np.ndarray = powers / np.where(total == 0, 1, total)
    return weights.astype(scores.dtype if scores.dtype.kind == "f" else np.float64)


def _are_weights(values: np.ndarray) -> bool:
    """Whether nearly every row sums to 1, and none to more: those that are masked may be zero."""
    if not np.isfinite(values).all() or not_weights(values):
        return False
    return bool((abs(values.sum(axis=-1, dtype=np.float64) - 1) < 0.01).mean() > 0.5)


def _tokens(
    arrays: Mapping[str, np.ndarray], given: Given, n_query: int, n_key: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tokens for queries and keys: those given, else those saved beside the arrays, else numbers.

    Tokens for one side alone name the side that has as many.
    """
    sides = []
    for side, n, other, said in (
        ("query", n_query, n_key, given.tokens),
        ("key", n_key, n_query, given.tokens if given.key_tokens is None else given.key_tokens),
    ):
        fitting = None if said is None or len(said) != n else tuple(said)
        if said is not None and fitting is None and (given.key_tokens is not None or len(said) != other):
            raise InputError(f"{len(said)} tokens for {n} {side} positions", hint="give one for each")
        sides.append(fitting or tokens_in(arrays, side, n) or tuple(map(str, range(n))))
    return sides[0], sides[1]


# ---- vectors ----------------------------------------------------------------------------------------------


def _vectors(
    query: Group,
    key: Group | None,
    value: Group | None,
    arrays: Mapping[str, np.ndarray],
    given: Given,
    where: str,
) -> Vectors:
    key = key or query
    parts = (query, key, value or key)
    for group in parts:
        if len(group.arrays) > 1:
            what = f"{group.name} are {len(group.arrays)} arrays"
            raise InputError(what, hint=f"choose one layer: FILE:{group.name.partition('*')[0]}NUMBER")
    first = _seq_first(query, key, given)
    cut = [
        vectors_axes(g.arrays[0], axes=given.axes, batch=given.batch, seq_first=first, name=g.name)
        for g in parts
    ]
    (q, named), (k, _), (v, _) = cut
    if given.axes is None and "head" in named and min(q.shape[:2]) > 1:
        _say(query, named, where)
    if len(k) != len(v) or len(q) % len(k):
        heads = " and ".join(f"{len(x)} of {name}" for name, x in (("query", q), ("key", k), ("value", v)))
        raise InputError(f"these heads do not fit together: {heads}", hint="name the axes: seq, head, d")
    if masks := [name for name in arrays if "mask" in name.lower()]:
        note(f"{where}: {masks[0]} is not used; --mask FILE:{masks[0]} applies it")
    queries, keys = _tokens(arrays, given, q.shape[1], k.shape[1])
    return Vectors(
        Encoding(queries, _side_by_side(q), f"{query.name} of {where}"),
        Encoding(keys, _side_by_side(k), f"{key.name} of {where}"),
        Encoding(keys, _side_by_side(v), f"{parts[2].name} of {where}"),
        heads=len(q),
        kv_heads=len(k),
    )


def _side_by_side(x: Float[np.ndarray, "head seq d"]) -> Float[np.ndarray, "seq d_model"]:
    allow_array(x.shape, 8)
    floats = x if x.dtype.kind == "f" else x.astype(np.float64)
    return floats.transpose(1, 0, 2).reshape(x.shape[1], -1)


def _seq_first(query: Group, key: Group, given: Given) -> bool:
    """Whether vectors are [seq, head, d_head] rather than [head, seq, d_head].

    TransformerLens hooks are; else the number of tokens tells, or an axis in which queries and keys differ as
    heads that share keys cannot; else heads stand first, as scaled_dot_product_attention wants them.
    """
    if "hook_" in query.name:
        return True
    if query.arrays[0].ndim < 3 or key.arrays[0].ndim != query.arrays[0].ndim:
        return False
    (a, b), (of_keys, _) = (group.arrays[0].shape[-3:-1] for group in (query, key))
    if given.tokens is not None and a != b and len(given.tokens) in (a, b):
        return len(given.tokens) == a
    return bool(a % of_keys)


# ---- arrays whose names say nothing -------------------------------------------------------------------------


def _nameless(
    group: Group, arrays: Mapping[str, np.ndarray], given: Given, where: str
) -> Attention | Vectors:
    named = parse_axes(given.axes) if given.axes else ()
    if "key" in named or "query" in named:
        return _attention(group, None, arrays, given, where)
    array = group.arrays[0]
    if not named and (array.ndim > 2 or len(group.arrays) > 1) and _rows_are_weights(group):
        return _attention(group, None, arrays, given, where)
    if len(group.arrays) > 1 and array.ndim == 4 and _could_be_dropped_out(group):
        return _attention(group, None, arrays, given, where)
    if len(group.arrays) > 1:
        raise InputError(f"{group.name}: none of its arrays has a known name", hint="choose one: FILE:NAME")
    if array.ndim == 2 and like_weights(array) and not named:
        note(f"{where}: rows sum to 1, read as weights [query, key]; --axes 'seq d' reads vectors")
        return _attention(group, None, arrays, given, where)
    if not named and _like_mask(array):
        read = "read as vectors [seq, d]; --axes 'query key' reads weights, --mask FILE applies a mask"
        note(f"{where}: numbers {shape(array)} that are 0 or 1, {read}")
    return _vectors(group, None, None, arrays, given, where)


def _like_mask(array: np.ndarray) -> bool:
    """Whether a square of booleans or integers is 0 or 1 throughout, as a mask and hard attention are."""
    square = array.ndim == 2 and array.shape[0] == array.shape[1] > 1
    return square and array.dtype.kind in "iub" and bool(np.isin(array, (0, 1)).all())


def _could_be_dropped_out(group: Group) -> bool:
    """Whether these are at least 0, as the weights that a model gives in training, after dropout."""
    return all(np.isfinite(array).all() and array.min() >= 0 for array in group.arrays)


def _rows_are_weights(group: Group) -> bool:
    """Whether the last axis of all of these holds weights."""
    return all(_are_weights(array.reshape(1, 1, -1, array.shape[-1])) for array in group.arrays)
