"""Layers of query, key, value, rule and output matrix → the record of their attention.

Whatever attends ends here: vectors, models that are read natively, models of a library, recordings. Where the
weights of all layers and heads fit, every step is kept; where they do not, they are streamed and pooled. Size
alone decides which.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from ..errors import InputError, note
from ..records.attention import Attention
from .approximation import note_error
from .dense import attention
from .devices import keep_freed_memory
from .heads import warn_of_blind_rows
from .outputs import Output
from .rules import Rule, positions
from .streaming import drain, stream
from .wanted import ALL, Wanted, along, taken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jaxtyping import Bool, Float
    from torch import Tensor

    from ..records.attention import Kind
    from .heads import Heads

# Bytes of weights, of all layers and heads, that are held at once, beside as many of scores; where there are
# more, they are streamed. All of a BERT of 12 × 12 heads at 512 tokens are 144 MiB.
MOST_DENSE = 3 * 2**26


@dataclass(frozen=True, eq=False)
class Layer:
    """What one layer is given, all its heads, and what it makes of that."""

    query: Float[Tensor, "head query d_head"]
    key: Float[Tensor, "head key d_head"]
    value: Float[Tensor, "head key d_value"]
    rule: Rule = field(default_factory=Rule)
    out: Output | None = field(default_factory=Output)  # None: not known
    number: int = 0  # of the layer in its model

    def of(self, heads: Sequence[int]) -> Layer:
        """Some of the heads alone."""
        out = None if self.out is None else self.out.of(heads, len(self.query))
        query, key, value = (along(x, 0, heads) for x in (self.query, self.key, self.value))
        return replace(self, query=query, key=key, value=value, out=out)


@dataclass(frozen=True, eq=False)
class Sides:
    """What attends, what is attended to, and how: all of a record but its numbers."""

    query_tokens: Sequence[str]
    key_tokens: Sequence[str]
    kind: Kind = "self"
    provenance: str = ""
    query_words: Sequence[int] | None = None
    key_words: Sequence[int] | None = None


def attend(
    heads: Heads,
    rule: Rule | None = None,
    *,
    wanted: Wanted = ALL,
    norms: bool = False,
    every_step: bool = False,
) -> Attention:
    """The record of what heads made of vectors attend to under a rule; see `record`.

    >>> from attn_cli.attention.heads import project
    >>> attend(project(torch.eye(2).numpy()), Rule.parse(mask=["causal"])).weights[0, 0, 0].tolist()
    [1.0, 0.0]
    """
    return record(*of_vectors(heads, rule or Rule()), wanted=wanted, norms=norms, every_step=every_step)


def of_vectors(heads: Heads, rule: Rule) -> tuple[list[Layer], Sides]:
    """Heads made of vectors as a layer, and all of its record but the numbers.

    Raises InputError where a mask written out does not fit.
    """
    rule.check(len(heads.query_tokens), len(heads.key_tokens))
    said = ", ".join(filter(None, [heads.provenance, rule.provenance]))
    sides = Sides(heads.query_tokens, heads.key_tokens, heads.kind, said)
    return [Layer(heads.query, heads.key, heads.value, rule, heads.out)], sides


def record(
    layers: Sequence[Layer],
    sides: Sides,
    *,
    wanted: Wanted = ALL,
    norms: bool = False,
    every_step: bool = False,
) -> Attention:
    """The record of what these layers attend to, every step of it where that fits, else streamed and pooled.

    Only what is `wanted` is computed and counted. With `norms` it also says how much of each key arrives at
    each query, ‖weight · value · W_o‖. Blind rows are named in one warning, pooling in a note; how far it is,
    is told to whoever watches (`streaming.watched`). Raises InputError where `every_step` is wanted of more
    than is held at once, where layers have different numbers of heads, and for norms where W_o is not known.
    """
    _check(layers, norms=norms)
    n = _n_weights(layers, wanted)
    most = MOST_DENSE // (8 if layers[0].query.dtype == torch.float64 else 4)
    if n <= most:
        return dense(layers, sides, wanted=wanted, norms=norms)
    if every_step:
        hint = f"give at most {most:,}, or leave --show out"
        raise InputError(f"{n:,} weights are too many to keep every step", hint=hint)
    made = streamed(layers, sides, wanted=wanted, norms=norms)
    if made.pooled:
        full = len(made.query_tokens), len(made.key_tokens)
        note("{} × {} weights are pooled to {} × {} means".format(*full, *made.weights.shape[2:]))
    return made


def _check(layers: Sequence[Layer], *, norms: bool) -> None:
    if len({len(layer.query) for layer in layers}) > 1:
        counts = ", ".join(f"{layer.number}: {len(layer.query)}" for layer in layers)
        raise InputError(f"layers with different numbers of heads ({counts})", hint="give one with --layer")
    unknown = [layer.number for layer in layers if layer.out is None]
    if norms and unknown:
        raise InputError(
            f"norms need W_o, and nothing tells that of layer {', '.join(map(str, unknown))}",
            hint="leave norms out",
        )


def _n_weights(layers: Sequence[Layer], wanted: Wanted) -> int:
    """How many weights are computed; where a head's number matters, all of them are."""
    return sum(
        (len(layer.query) if wanted.heads is None or layer.rule.of_heads else len(wanted.heads))
        * (layer.query.shape[-2] if wanted.queries is None else len(wanted.queries))
        * layer.key.shape[-2]
        for layer in layers
    )


# ---- every step -------------------------------------------------------------------------------------


def dense(layers: Sequence[Layer], sides: Sides, *, wanted: Wanted = ALL, norms: bool = False) -> Attention:
    """The record with every step, however large it is."""
    keep_freed_memory()
    masks: list[Tensor | None] = []
    each = (_steps(layer, wanted, masks, norms=norms) for layer in layers)
    made = _stacked(each, len(layers))
    mask = _one_mask(masks)
    if mask is not None:
        warn_of_blind_rows(mask.any(dim=-1), sides.query_tokens, wanted.queries)
        made["mask"] = along(mask, -1, wanted.keys).numpy()
    return _record(layers, sides, wanted, **made)


def _steps(
    layer: Layer, wanted: Wanted, masks: list[Tensor | None], *, norms: bool
) -> dict[str, Tensor | None]:
    """The arrays of one layer; its mask is put beside those of the others."""
    layer, late = _heads_of(layer, wanted)
    at = positions(layer.query.shape[-2], layer.key.shape[-2], layer.query.device)[0]
    rows = along(layer.query, -2, wanted.queries)
    steps = attention(rows, layer.key, layer.value, layer.rule, query_pos=along(at, 0, wanted.queries))
    if not steps.weights.sum().isfinite():  # none is below 0; asking each takes as long as the softmax
        raise InputError("the scores are too large for their precision", hint="scale the vectors down")
    note_error(layer, steps if wanted is ALL else None)
    several = steps.mask is not None and steps.mask.ndim > 2 and len(steps.mask) > 1
    masks.append(steps.mask if steps.mask is None else along(steps.mask, 0, late if several else None))
    weights = along(along(steps.weights, 0, late), -1, wanted.keys)
    if wanted.renormalise:
        sums = weights.sum(dim=-1, keepdim=True)
        weights = weights / sums.masked_fill(sums == 0, 1)
    lengths = layer.out.lengths(layer.value) if norms and layer.out is not None else None
    return {
        "weights": weights,
        "scores": along(along(steps.scores, 0, late), -1, wanted.keys),
        "norms": None
        if lengths is None
        else weights * along(along(lengths, 0, late), -1, wanted.keys)[:, None],
        "output": _output(layer, steps.output, late),
        "query": along(rows, 0, late),
        "key": along(along(layer.key, 0, late), -2, wanted.keys),
        "value": along(along(layer.value, 0, late), -2, wanted.keys),
    }


def _heads_of(layer: Layer, wanted: Wanted) -> tuple[Layer, Sequence[int] | None]:
    """The layer of the wanted heads alone; where a head's number matters, of all, and which to take afterwards."""
    if wanted.heads is None or not layer.rule.of_heads:
        return layer if wanted.heads is None else layer.of(wanted.heads), None
    return layer, wanted.heads


def _output(
    layer: Layer, heads: Float[Tensor, "head query d_value"], late: Sequence[int] | None
) -> Float[Tensor, "query d_model"] | None:
    """What the layer gives, or what some of its heads add to that."""
    if layer.out is None:
        return None
    out = layer.out if late is None else layer.out.of(late, len(heads))
    return out(along(heads, 0, late))


def _one_mask(masks: Sequence[Tensor | None]) -> Bool[Tensor, "#layer #head query key"] | None:
    """One mask where all layers have the same, else one for each; None where nothing is forbidden."""
    there = [mask.reshape(-1, *mask.shape[-2:]).cpu() for mask in masks if mask is not None]
    if not there:
        return None
    if len(there) == len(masks) and all(torch.equal(mask, there[0]) for mask in there[1:]):
        return there[0][None]
    everything = torch.ones_like(there[0])
    each = iter(there)
    full = [everything if mask is None else next(each) for mask in masks]
    n_heads = max(len(mask) for mask in full)
    return torch.stack([mask.expand(n_heads, -1, -1) for mask in full])


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


# ---- streamed ---------------------------------------------------------------------------------------


def streamed(
    layers: Sequence[Layer], sides: Sides, *, wanted: Wanted = ALL, norms: bool = False
) -> Attention:
    """The record of maps, pooled where the axes are longer than `streaming.MOST_CELLS`, of output and figures.

    The numbers are those of `dense`, pooled; scores, mask, query, key and value are not kept.
    """
    n_maps = sum(len(layer.query) for layer in layers)
    seeing: list[Tensor] = []
    each = (_streamed(layer, wanted, n_maps, seeing, norms=norms) for layer in layers)
    made = _stacked(each, len(layers))
    warn_of_blind_rows(torch.stack(seeing), sides.query_tokens, wanted.queries)
    full = tuple(len(tokens) for tokens in _tokens(sides, wanted))
    return _record(layers, sides, wanted, pooled=made["weights"].shape[2:] != full, **made)


def _streamed(
    layer: Layer, wanted: Wanted, n_maps: int, seeing: list[Tensor], *, norms: bool
) -> dict[str, Tensor | None]:
    """What is kept of one layer; which of its queries see a key is put beside the others'."""
    layer, late = _heads_of(layer, wanted)
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
            renormalise=wanted.renormalise,
        )
    )
    seeing.append(kept.seeing)
    note_error(layer)
    names = ["weights", "norms", "mass" if wanted.queries is None else ""]
    names += ["entropy", "top_keys", "top_weights"] if wanted.keys is None else []
    arrays = {name: getattr(kept, name) for name in filter(None, names)}
    return {
        "output": _output(layer, kept.output[0], late),
        **{name: None if x is None else along(torch.from_numpy(x[0]), 0, late) for name, x in arrays.items()},
    }


# ---- the record -------------------------------------------------------------------------------------


def _record(layers: Sequence[Layer], sides: Sides, wanted: Wanted, **arrays: Any) -> Attention:
    query_tokens, key_tokens = _tokens(sides, wanted)
    return Attention(
        query_tokens,
        key_tokens,
        kind=sides.kind,
        provenance="; ".join(filter(None, (sides.provenance, wanted.said))),
        layers=tuple(layer.number for layer in layers),
        heads=() if wanted.heads is None else tuple(wanted.heads),
        query_words=None if sides.query_words is None else taken(sides.query_words, wanted.queries),
        key_words=None if sides.key_words is None else taken(sides.key_words, wanted.keys),
        **arrays,
    )


def _tokens(sides: Sides, wanted: Wanted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return taken(sides.query_tokens, wanted.queries), taken(sides.key_tokens, wanted.keys)
