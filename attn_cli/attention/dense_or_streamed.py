"""The two ways from layers to a record: dense, with every step, or streamed and pooled. Their numbers are the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from ..errors import InputError
from .approximation import note_error
from .dense import attention
from .devices import keep_freed_memory
from .heads import warn_of_blind_rows
from .rules import positions
from .streamed_rows import Eye
from .streaming import drain, stream
from .wanted_parts import ALL, Wanted, along, narrowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from jaxtyping import Bool, Float
    from torch import Tensor

    from ..records.attention import Attention
    from .layer_inputs import Layer, Sides


def dense(
    layers: Sequence[Layer],
    sides: Sides,
    *,
    wanted: Wanted = ALL,
    norms: bool = False,
    whole: bool = False,
) -> Attention:
    """The record with every step, however large it is.

    Where the `whole` is computed and what is wanted taken of that, it is the same to the last bit.
    """
    keep_freed_memory()
    masks: list[Tensor | None] = []
    each = (_steps(layer, *_divided(layer, wanted, whole=whole), masks, norms=norms) for layer in layers)
    made = _stacked(each, len(layers))
    mask = _one_mask(masks)
    if mask is not None:
        warn_of_blind_rows(mask.any(dim=-1), sides.query_tokens, wanted.queries)
        made["mask"] = along(mask, -1, wanted.keys).numpy()
    return sides.record([layer.number for layer in layers], wanted, **made)


def _steps(
    layer: Layer, first: Wanted, then: Wanted, masks: list[Tensor | None], *, norms: bool
) -> dict[str, Tensor | None]:
    """The arrays of one layer; its mask is put beside those of the others."""
    layer = layer if first.heads is None else layer.of(first.heads)
    at = positions(layer.query.shape[-2], layer.key.shape[-2], layer.query.device)[0]
    query = along(layer.query, -2, first.queries)
    steps = attention(query, layer.key, layer.value, layer.rule, query_pos=along(at, 0, first.queries))
    if not steps.weights.sum().isfinite():  # none is below 0; asking each takes as long as the softmax
        raise InputError("scores overflow this dtype", hint="scale the vectors down or use --dtype float64")
    note_error(layer, steps if first is ALL else None)
    masks.append(_mask(steps.mask, then))
    weights = narrowed(steps.weights, then)
    lengths = layer.out.lengths(layer.value) if norms and layer.out is not None else None
    return {
        "weights": weights,
        "scores": narrowed(steps.scores, replace(then, over=None)),
        "norms": None
        if lengths is None
        else weights * along(along(lengths, 0, then.heads), -1, then.keys)[:, None],
        "output": _output(layer, steps.output, then),
        "query": along(along(query, 0, then.heads), -2, then.queries),
        "key": along(along(layer.key, 0, then.heads), -2, then.keys),
        "value": along(along(layer.value, 0, then.heads), -2, then.keys),
    }


def _mask(
    mask: Bool[Tensor, "*#heads query key"] | None, wanted: Wanted
) -> Bool[Tensor, "#head q key"] | None:
    """The mask of the wanted heads and queries, with all keys, by which it is known who sees none."""
    if mask is None:
        return None
    mask = mask.reshape(-1, *mask.shape[-2:])
    return along(mask if len(mask) == 1 else along(mask, 0, wanted.heads), -2, wanted.queries)


def _one_mask(masks: Sequence[Tensor | None]) -> Bool[Tensor, "#layer #head query key"] | None:
    """One mask where all layers have the same, else one for each; None where nothing is forbidden."""
    there = [mask.cpu() for mask in masks if mask is not None]
    if not there:
        return None
    if len(there) == len(masks) and all(torch.equal(mask, there[0]) for mask in there[1:]):
        return there[0][None]
    everything = torch.ones_like(there[0])
    each = iter(there)
    full = [everything if mask is None else next(each) for mask in masks]
    n_heads = max(len(mask) for mask in full)
    return torch.stack([mask.expand(n_heads, -1, -1) for mask in full])


# ---- streamed ---------------------------------------------------------------------------------------


def streamed(
    layers: Sequence[Layer], sides: Sides, *, wanted: Wanted = ALL, norms: bool = False
) -> Attention:
    """The record of maps, pooled where the axes are longer than `streaming.MOST_CELLS`, of output and figures.

    The numbers are those of `dense`, pooled; scores, query, key and value are not kept.
    """
    n_maps = sum(len(layer.query) for layer in layers)
    seeing: list[Tensor] = []
    if wanted.watch is not None:
        wanted.watch.begin(sides, wanted)
    each = (_streamed(layer, wanted, n_maps, seeing, norms=norms) for layer in layers)
    made = _stacked(each, len(layers))
    made["mask"] = _least(made["mask"])
    warn_of_blind_rows(torch.stack(seeing), sides.query_tokens, wanted.queries)
    full = tuple(len(tokens) for tokens in sides.tokens(wanted))
    numbers = [layer.number for layer in layers]
    return sides.record(numbers, wanted, pooled=made["weights"].shape[2:] != full, **made)


def _least(mask: Bool[np.ndarray, "layer head row column"]) -> Bool[np.ndarray, ...] | None:
    """A mask once where it is the same for all heads or layers; None where nothing is forbidden.

    >>> import numpy as np
    >>> _least(np.ones((2, 2, 3, 3), bool)), _least(np.eye(3, dtype=bool)[None, None].repeat(2, 1)).shape
    (None, (1, 1, 3, 3))
    """
    if mask.all():
        return None
    for axis in (0, 1):
        first = mask.take([0], axis)
        mask = first if (mask == first).all() else mask
    return mask


def _streamed(
    layer: Layer, wanted: Wanted, n_maps: int, seeing: list[Tensor], *, norms: bool
) -> dict[str, Tensor | None]:
    """What is kept of one layer; which of its queries see a key is put beside the others'."""
    first, then = _divided(layer, wanted)
    layer = layer if first.heads is None else layer.of(first.heads)
    lengths = layer.out.lengths(layer.value)[None] if norms and layer.out is not None else None
    n_query, n_key = layer.query.shape[-2], layer.key.shape[-2]
    queries = range(n_query) if wanted.queries is None else wanted.queries
    kept = drain(
        stream(
            along(layer.query, -2, wanted.queries)[None],
            layer.key[None],
            layer.value[None],
            layer.rule,
            n_maps=n_maps,
            lengths=lengths,
            places=[n_key - n_query + query for query in queries],
            columns=wanted.keys,
            over=wanted.over,
            eye=_eye(layer, wanted, lengths),
        )
    )
    seeing.append(kept.seeing)
    note_error(layer)
    names = ["weights", "norms", "maxima", "mask", "mass" if wanted.queries is None else ""]
    names += ["entropy", "top_keys", "top_weights"] if wanted.keys is None else []
    arrays = {name: getattr(kept, name) for name in filter(None, names)}
    return {
        "output": _output(layer, kept.output[0], then),
        **{
            name: None if x is None else along(torch.from_numpy(x[0]), 0, then.heads)
            for name, x in arrays.items()
        },
    }


def _eye(layer: Layer, wanted: Wanted, lengths: Float[Tensor, "1 head key"] | None) -> Eye | None:
    """What shows the rows of a layer to whoever counts something in them, if anybody does."""
    if wanted.watch is None:
        return None
    known = None if lengths is None else lengths[0].cpu().double().numpy()
    return Eye(wanted.watch, layer.number, wanted.keys, known)


# ---- both -------------------------------------------------------------------------------------------


def _divided(layer: Layer, wanted: Wanted, *, whole: bool = False) -> tuple[Wanted, Wanted]:
    """What is chosen before anything is computed, and what after that.

    Where a head's number matters, all heads are computed.
    """
    if whole:
        return ALL, wanted
    first = Wanted(queries=wanted.queries, heads=None if layer.rule.of_heads else wanted.heads)
    return first, replace(wanted, queries=None, heads=wanted.heads if layer.rule.of_heads else None)


def _output(
    layer: Layer, heads: Float[Tensor, "head query d_value"], wanted: Wanted
) -> Float[Tensor, "query d_model"] | None:
    """What the layer gives, or what some of its heads add to that."""
    if layer.out is None:
        return None
    out = layer.out if wanted.heads is None else layer.out.of(wanted.heads, len(heads))
    return along(out(along(heads, 0, wanted.heads)), 0, wanted.queries)


def _stacked(each: Iterable[Mapping[str, Tensor | None]], n: int) -> dict[str, Any]:
    """The arrays of all layers, filled while the layers come, so that none is there twice.

    What not every layer has, or not in one shape, is left out.
    """
    whole: dict[str, Tensor | None] = {}
    for i, parts in enumerate(each):
        for name, x in parts.items():
            if i == 0:
                whole[name] = None if x is None else _room(x.detach(), n)
            if (to := whole[name]) is None:
                continue
            if x is None or x.shape != to.shape[1:]:
                whole[name] = None
            elif n > 1:
                to[i] = x.detach()
    return {name: None if x is None else x.numpy() for name, x in whole.items()}


def _room(x: Tensor, n: int) -> Tensor:
    """Room for n layers like this one, in a precision that NumPy has; of one alone, itself."""
    kept = torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else x.dtype
    return x[None].to("cpu", kept) if n == 1 else torch.empty((n, *x.shape), dtype=kept)
