"""Where the truth comes from: an exercise from a saved attention, or from heads that are still to attend."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..registry import bound, function_of
from ..variants.masks import MASKS, as_matrix
from ..variants.projections import Projection
from .exercise import Exercise, Recorded, Rope
from .pipeline import Work

if TYPE_CHECKING:
    from jaxtyping import Bool

    from ..attention.heads import Heads
    from ..attention.rules import Rule
    from ..records.attention import Attention
    from ..variants.masks import Mask

_WHERE = ("scores", "weights", "output")  # stages that a record may hold otherwise than they follow


def exercise_of(attention: Attention, layer: int = 0) -> Exercise | Recorded:
    """One layer of a saved attention as an exercise, as far as its making is known.

    Where scores, weights or output do not follow from the vectors as scaled dot products do, they are taken as
    they were saved. Raises InputError for pooled weights.

    >>> from attn_cli.attention.vectors import attend
    >>> exercise_of(attend(np.eye(4), heads=2, mask=["causal"])).masks[0].name
    'causal'
    """
    if attention.pooled:
        raise InputError("pooled weights cannot be a truth", hint="save a shorter attention")
    part: dict[str, Any] = {
        name: _of(attention, name, layer) for name in (*_WHERE, "query", "key", "value", "mask")
    }
    masks = () if part["mask"] is None else recognised(part["mask"])
    if any(part[name] is None for name in ("query", "key", "value")):
        return _recorded(part, masks)
    query, key, value = (_merged(part[name]) for name in ("query", "key", "value"))
    x = Exercise(query, key, value, len(part["query"]), masks=masks)
    if part["scores"] is not None and _agree(Work(x)["dots"], part["scores"]):
        x = replace(x, scale=1.0)
    for stage in _WHERE:
        if part[stage] is not None and not _agree(Work(x)[stage], part[stage]):
            x = replace(x, known={**x.known, _kept(stage): part[stage]})
    return x


def _kept(stage: str) -> str:
    """The weights of each head, which multiply the values: to hand in their mean is still a mistake."""
    return "mixture" if stage == "weights" else stage


def _of(attention: Attention, name: str, layer: int) -> np.ndarray | None:
    array = getattr(attention, name)
    if array is None:
        return None
    array = np.broadcast_to(array, (len(attention.layers), *array.shape[1:]))[layer]
    return array if array.dtype == bool else array.astype(np.float64)


def _recorded(part: dict[str, Any], masks: tuple[Any, ...]) -> Recorded:
    n_heads, n_query, n_key = part["weights"].shape
    asked = tuple(stage for stage in _WHERE if part[stage] is not None)
    known = {stage: part[stage] for stage in ("scores", "output") if part[stage] is not None}
    x = Recorded(n_query, n_key, n_heads, asked, known, masks)
    if "scores" in known and _agree(Work(x)["weights"], part["weights"]):
        return x
    with np.errstate(divide="ignore"):
        logarithms = np.log(part["weights"])  # scores, up to a number for each row, which no softmax sees
    exact = _agree(np.exp(logarithms).sum(axis=-1), np.ones((n_heads, n_query)))
    return replace(x, known={**known, **({"masked": logarithms} if exact else {"mixture": part["weights"]})})


def _merged(heads: np.ndarray) -> np.ndarray:
    return heads.swapaxes(0, 1).reshape(heads.shape[1], -1)


def _agree(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Whether two computations of the same numbers differ by rounding alone."""
    if ours.shape != theirs.shape:
        return False
    return bool(np.allclose(ours, theirs, rtol=1e-4, atol=1e-5 * max(np.abs(ours).max(), 1e-3)))


# ---- masks by their matrices -----------------------------------------------------------------------------


def recognised(mask: Bool[np.ndarray, "#head query key"]) -> tuple[Mask | np.ndarray, ...]:
    """The masks by name that a matrix is: causal, padding, a window, or two of them; else the matrix itself.

    >>> [one.name for one in recognised(np.tri(4, dtype=bool) & (np.arange(4) < 3))]
    ['causal', 'padding']
    """
    mask = mask[0] if mask.ndim > 2 and (mask == mask[:1]).all() else mask
    if mask.all():
        return ()
    n_query, n_key = mask.shape[-2:]
    named = [
        "causal",
        *(f"padding:length={n}" for n in range(1, n_key)),
        *(f"window:size={n}" for n in range(1, n_key)),
    ]
    made = {spec: as_matrix(MASKS.parse(spec), n_query, n_key) for spec in named[: 2 * _MOST]}
    possible = [spec for spec, matrix in made.items() if mask.ndim == 2 and not (mask & ~matrix).any()]
    for specs in itertools.chain(((spec,) for spec in possible), itertools.combinations(possible, 2)):
        if mask.ndim == 2 and (np.logical_and.reduce([made[spec] for spec in specs]) == mask).all():
            return tuple(MASKS.parse(spec) for spec in specs)
    return (mask,)


_MOST = 64  # lengths and sizes that are tried


# ---- heads that are still to attend ------------------------------------------------------------------------


def exercise_of_heads(heads: Heads, rule: Rule) -> Exercise | Recorded:
    """What these heads are to attend to under a rule, in float64.

    A rule beyond scaled dot products, RoPE, ALiBi, masks and the softmax is computed as everywhere in this
    package, and its scores or weights are then taken as they are.

    >>> from attn_cli.attention.heads import project
    >>> from attn_cli.attention.rules import Rule
    >>> exercise_of_heads(project(np.eye(4), heads=2), Rule.parse(mask=["causal"])).n_heads
    2
    """
    plain = _plain(heads, rule)
    if plain is None:
        from ..attention.layers import attend

        return exercise_of(attend(heads, rule, every_step=True))
    return plain


def _plain(heads: Heads, rule: Rule) -> Exercise | None:
    from ..variants.normalisation import softmax
    from ..variants.scores import dot, scaled_dot

    position = _name_of(rule.position)
    options = {} if rule.position is None else bound(rule.position)
    usual = {"partial": 1.0, "scaling": "none"}
    if (
        rule.score not in (dot, scaled_dot)
        or rule.normalise != softmax
        or rule.top_k is not None
        or rule.softcap is not None
        or position not in ("", "rope", "alibi")
        or any(options.get(name, x) != x for name, x in usual.items())
    ):
        return None
    n_heads, _, d_head = heads.query.shape
    scale = rule.scale if rule.scale is not None else None if rule.score == scaled_dot else 1.0
    if rule.temperature != 1:
        scale = (d_head**-0.5 if scale is None else scale) / rule.temperature
    query, key, value = (one.vectors.astype(np.float64) for one in heads.inputs)
    turned = Rope(options.get("base", 10000.0), options.get("pairing") == "interleaved")
    return Exercise(
        query, key, value, n_heads, _kv_heads(heads), _in_float64(heads.projection), _masks(heads, rule), scale,
        turned if position == "rope" else None, position == "alibi",
    )  # fmt: skip


def _name_of(position: Any) -> str:
    """The name of a scheme that is registered; nothing where there is none, ? for any other."""
    from ..variants.posenc import POSITIONS

    if position is None:
        return ""
    return next((name for name, one in POSITIONS.items() if one is function_of(position)), "?")


def _kv_heads(heads: Heads) -> int:
    """How many heads keys were cut into, before neighbours share them."""
    W_k = heads.projection.W_k
    width = heads.inputs[1].vectors.shape[1] if W_k is None else W_k.shape[1]
    return int(width // heads.key.shape[-1])


def _in_float64(projection: Projection) -> Projection:
    arrays = vars(projection).items()
    return Projection(**{name: None if W is None else np.asarray(W, np.float64) for name, W in arrays})


def _masks(heads: Heads, rule: Rule) -> tuple[Mask | np.ndarray, ...]:
    """Masks by name as functions, all else written out: what vectors decide, OR, and files."""
    from ..attention.rules import positions
    from ..variants.masks import is_of_vectors

    found: list[Any] = []
    where = positions(heads.query.shape[-2], heads.key.shape[-2], heads.key.device)
    for group in rule.masks:
        if len(group) == 1 and function_of(group[0]) in MASKS.values() and not is_of_vectors(group[0]):
            found.append(group[0])
            continue
        allowed = replace(rule, masks=(group,)).allowed(heads.query, heads.key, *where)
        assert allowed is not None
        found += recognised(allowed.cpu().numpy())
    return tuple(found)
