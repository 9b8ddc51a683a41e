"""Layers of query, key, value, rule and output matrix → the record of their attention.

Whatever attends ends here: vectors, models that are read natively, models of a library, recordings. Where the
weights of all layers and heads fit, every step is kept; where they do not, they are streamed and pooled. Size
alone decides which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..errors import InputError, note
from .dense_or_streamed import dense, streamed
from .layer_inputs import Layer, Sides
from .rules import Rule
from .wanted_parts import ALL, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..records.attention import Attention
    from .heads import Heads

# Bytes of weights, of all layers and heads, that are held at once, beside as many of scores; where there are
# more, they are streamed. All of a BERT of 12 × 12 heads at 512 tokens are 144 MiB.
MOST_DENSE = 3 * 2**26


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
    wanted = wanted.settled(len(layers[0].query))
    most = MOST_DENSE // (8 if layers[0].query.dtype == torch.float64 else 4)
    if (n := _n_weights(layers, wanted)) <= most:
        return dense(layers, sides, wanted=wanted, norms=norms, whole=_n_weights(layers, ALL) <= most)
    if every_step:
        hint = f"give at most {most:,}, or leave --show out"
        raise InputError(f"{n:,} weights are too many to show every step", hint=hint)
    made = streamed(layers, sides, wanted=wanted, norms=norms)
    if made.pooled:
        full = len(made.query_tokens), len(made.key_tokens)
        note(
            "{} × {} weights are pooled to {} × {} cells, mean and max".format(*full, *made.weights.shape[2:])
        )
    return made


def _check(layers: Sequence[Layer], *, norms: bool) -> None:
    if len({len(layer.query) for layer in layers}) > 1:
        counts = ", ".join(f"{layer.number}: {len(layer.query)}" for layer in layers)
        raise InputError(f"layers with different numbers of heads ({counts})", hint="give one with --layer")
    unknown = [layer.number for layer in layers if layer.out is None]
    if norms and unknown:
        raise InputError(
            f"norms need W_o, which is unknown for layer {', '.join(map(str, unknown))}",
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


__all__ = ["MOST_DENSE", "Layer", "Sides", "attend", "dense", "of_vectors", "record", "streamed"]
