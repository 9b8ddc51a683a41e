"""The maps of all layers and heads made one: what `--reduce` chooses, each a function from maps to one map."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, note
from ..records.attention import Attention
from ..registry import Registry
from .flow import flow, flow_through
from .relevance import relevance, relevance_across
from .rollout import joint, rollout, rollout_across
from .rows import of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

Reduction = Callable[..., Any]

REDUCTIONS: Registry[Reduction] = Registry("reduction")


@REDUCTIONS.register
def mean(maps: Float[np.ndarray, "layer head query key"]) -> Float[np.ndarray, "query key"]:
    """Mean over all layers and heads; rows that sum to 1 still do.

    >>> mean(np.array([[[[1.0, 0.0]], [[0.5, 0.5]]]])).tolist()
    [[0.75, 0.25]]
    """
    return maps.mean(axis=(0, 1), dtype=np.float64)


@REDUCTIONS.register
def max_(maps: Float[np.ndarray, "layer head query key"]) -> Float[np.ndarray, "query key"]:
    """Maximum over all layers and heads; rows no longer sum to 1.

    >>> max_(np.array([[[[1.0, 0.0]], [[0.5, 0.5]]]])).tolist()
    [[1.0, 0.5]]
    """
    return maps.max(axis=(0, 1)).astype(np.float64)


REDUCTIONS.register(rollout)
REDUCTIONS.register(flow)
REDUCTIONS.register(relevance)

_THROUGH_LAYERS = ("rollout", "flow", "relevance")  # which follow paths from the last layer to the first
MIXED = ("zeroing", "alti")  # maps that hold the residual already


def follows_paths(reduction: Reduction) -> bool:
    """Whether a reduction follows paths through the layers, which needs queries and keys to be the same tokens.

    >>> follows_paths(REDUCTIONS["rollout"]), follows_paths(REDUCTIONS["mean"])
    (True, False)
    """
    return REDUCTIONS.of(reduction).name in _THROUGH_LAYERS


def is_of_paths(attention: Attention) -> bool:
    """Whether an attention was made by following paths; its weights are then shares of paths.

    >>> is_of_paths(Attention(("a",), ("a",), [[[[1.0]]]], layers=("rollout",)))
    True
    """
    return attention.layers[0] in _THROUGH_LAYERS


def reduce(
    attention: Attention, reduction: Reduction, *, show: str = "weights", name: str | None = None
) -> Attention:
    """An attention of one layer and one head: all of its maps, reduced to one.

    `show` names what is reduced: weights, or norms, each row of which is scaled to sum to 1 where paths are
    followed. `name` is the spec, for the provenance. Raises InputError for maps that are pooled, and where
    queries and keys are not the same tokens but paths are to be followed.

    >>> attention = Attention(("a", "b"), ("a", "b"), np.full((2, 1, 2, 2), 0.5))
    >>> made = reduce(attention, REDUCTIONS["rollout"])
    >>> made.weights.tolist(), made.layers, made.provenance
    ([[[[0.625, 0.375], [0.375, 0.625]]]], ('rollout',), 'rollout of 2 layers and 1 head')
    """
    called = REDUCTIONS.of(reduction).name
    _refuse_unfit(called, show)
    if show in MIXED:
        reduction = without_residual(reduction)
    if called in _THROUGH_LAYERS:
        _refuse_cross(attention, called)
        _note_causal(attention, called)
    n_layers, n_heads = len(attention.layers), len(attention.heads)
    several = f"{_counted(n_layers, 'layer')} and {_counted(n_heads, 'head')}"
    said = f"{name or called} of {several}{'' if show == 'weights' else f', {show}'}"
    # Shares of paths are weights; relevance is a sum of gradients.
    shown = "weights" if called in ("rollout", "flow") else show
    made: dict[str, Any] = {shown: reduction(of(attention, show))[None, None]}
    return Attention(
        attention.query_tokens,
        attention.key_tokens,
        kind=attention.kind,
        provenance="; ".join(filter(None, (attention.provenance, said))),
        layers=(called,),
        heads=("mean" if called in _THROUGH_LAYERS else called,),
        query_words=attention.query_words,
        key_words=attention.key_words,
        patches=attention.patches,
        image=attention.image,
        show=shown,
        **made,
    )


def reduce_across(
    encoder: Attention,
    decoder: Attention,
    cross: Attention,
    reduction: Reduction = rollout,
    *,
    show: str = "weights",
) -> Attention:
    """Paths of an encoder–decoder: how much each target token rests on source tokens and on earlier target tokens.

    Relevance gives the source alone. Raises InputError for a reduction that follows no paths.

    >>> one = np.ones((1, 1, 1, 1))
    >>> source, target = Attention(("a",), ("a",), one), Attention(("b",), ("b",), one)
    >>> made = reduce_across(source, target, Attention(("b",), ("a",), one, kind="cross"))
    >>> made.key_tokens, made.weights.tolist()
    (('a', 'b'), [[[[0.5, 0.5]]]])
    """
    chosen = REDUCTIONS.of(reduction)
    _refuse_unfit(chosen.name, show)
    parts = [of(each, show) for each in (encoder, decoder, cross)]
    found = across(parts, chosen, mixed=show in MIXED)
    shown = show if chosen.name == "relevance" else "weights"
    keys = encoder.key_tokens if chosen.name == "relevance" else (*encoder.key_tokens, *decoder.key_tokens)
    said = f"{chosen.name} through encoder and decoder{'' if show == 'weights' else f', {show}'}"
    made: dict[str, Any] = {shown: found[None, None]}
    return Attention(
        cross.query_tokens,
        keys,
        kind="cross",
        provenance="; ".join(filter(None, (cross.provenance, said))),
        layers=(chosen.name,),
        heads=("mean",),
        show=shown,
        **made,
    )


def across(
    parts: Sequence[Float[np.ndarray, "layer head query key"]],
    reduction: Reduction,
    *,
    mixed: bool = False,
    queries: Sequence[int] | None = None,
) -> Float[np.ndarray, "target key"]:
    """Paths from tokens that a decoder writes to all that it has read: maps of encoder, decoder and cross-attention.

    Keys are source and target; relevance gives the source alone. Of maps that are `mixed`, which hold the residual
    already, cross-attention still shares with it, as its rows are of the source alone.

    >>> one = np.ones((1, 1, 1, 1))
    >>> across([one, one, one], REDUCTIONS["flow"]).tolist()
    [[0.5, 0.5]]
    """
    chosen = REDUCTIONS.of(reduction)
    encoder, decoder, cross = parts
    wanted = range(cross.shape[2]) if queries is None else queries
    if chosen.name == "relevance":
        return relevance_across(encoder, decoder, cross)[list(wanted)]
    if chosen.name not in ("rollout", "flow"):
        raise InputError(
            f"--reduce {chosen.spec} does not apply to cross-attention",
            hint="give rollout, or --kind encoder",
        )
    residual = chosen.options.get("residual", 0.5)
    given = (0.0 if mixed and "residual" not in chosen.spec else residual, residual)
    if chosen.name == "rollout":
        return rollout_across(encoder, decoder, cross, residual=given)[list(wanted)]
    steps = joint(encoder, decoder, cross, residual=given)
    return flow_through([encoder.shape[2] + query for query in wanted], steps)


def without_residual(reduction: Reduction) -> Reduction:
    """The same reduction of maps that hold the residual already, as those of value zeroing and ALTI do.

    >>> without_residual(REDUCTIONS["rollout"])(np.full((2, 1, 2, 2), 0.5)).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    chosen = REDUCTIONS.of(reduction)
    takes = chosen.name in ("rollout", "flow") and "residual" not in chosen.spec
    return chosen.but(residual=0.0) if takes else reduction


def _refuse_unfit(called: str, show: str) -> None:
    if called == "relevance" and show != "gradients":
        raise InputError(f"--reduce relevance needs gradients, not {show}", hint="add --show gradients")


def _refuse_cross(attention: Attention, called: str) -> None:
    if not attention.one_text:
        hint = "add --kind encoder or decoder, or reduce by mean"
        raise InputError(
            f"{called} needs the same tokens as queries and keys, not cross-attention", hint=hint
        )


def _note_causal(attention: Attention, called: str) -> None:
    n_query, n_key = attention.shown.shape[2:]
    after = ~np.tri(n_query, n_key, dtype=bool)
    if n_query == n_key > 1 and not attention.shown[:, :, after].any():
        note(f"under a causal mask {called} piles up on the first tokens, whatever the heads do")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
