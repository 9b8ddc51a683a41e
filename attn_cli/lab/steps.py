"""Attention worked out: X, Q, K, V, scores, scaled, masked, weights and output, in order and with shapes.

The numbers are the engine's, as an `Attention` keeps them. Only what it does not keep is restated, plainly:
the dot products before they are scaled, and the outputs of single heads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..attention.mask_matrices import Written
from ..errors import InputError
from ..records.worked import Step, Worked
from .arithmetic import MOST, arithmetic, is_small
from .layer import take_apart
from .vectors import affine, matrices, vectors
from .wording import say
from .wording.variants import in_words
from .wording.worksheet import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from ..attention.heads import Heads
    from ..attention.rules import Rule
    from ..records.attention import Attention
    from ..variants.masks import Mask
    from .layer import Layer

_SCORES = ("head", "query", "key")


def work_out(
    attention: Attention,
    heads: Heads | None = None,
    rule: Rule | None = None,
    *,
    cell: tuple[int, ...] | None = None,
    language: str = "en",
) -> tuple[Worked, ...]:
    """Every step of every layer, and the arithmetic of one cell where it can be checked by hand.

    With the heads and the rule that an attention was computed from, the steps begin at the vectors and name
    the variants; a saved attention begins at Q, K and V. `cell` is (query, key), (head, query, key) or
    (layer, head, query, key), counted from 0, by default the first. Raises InputError when there is no such
    cell, or it is too large, or the attention was saved without what is needed.

    >>> import numpy as np
    >>> from attn_cli.attention.vectors import attend
    >>> (worked,) = work_out(attend(np.eye(2)))
    >>> [f"{step.name} {step.shape}" for step in worked.steps][-3:]
    ['scaled [head 1, query 2, key 2]', 'weights [head 1, query 2, key 2]', 'output [query 2, d_model 2]']
    """
    layers = [take_apart(attention, i, rule) for i in range(len(attention.layers))]
    at_layer, *place = _place(attention, layers[0], cell)
    return tuple(
        Worked(
            attention.layers[i],
            attention.heads,
            tuple(_steps(layer, attention, heads, rule, language)),
            arithmetic(layer, attention, *place, language=language)
            if i == at_layer and is_small(layer)
            else None,
            attention.provenance,
            words(language),
        )
        for i, layer in enumerate(layers)
    )


def _place(attention: Attention, layer: Layer, cell: tuple[int, ...] | None) -> tuple[int, ...]:
    """Where a cell stands along layer, head, query and key; what is not given is the first."""
    if cell is None:
        return 0, 0, 0, 0
    if not is_small(layer):
        n_key, d_head = layer.key.shape[-2:]
        raise InputError(
            f"the arithmetic of a cell with {n_key} keys and d_head {d_head}",
            hint=f"it is written out for up to {MOST} of each; give a shorter text, a smaller --dim or more --heads",
        )
    known = {
        "layer": attention.layers,
        "head": attention.heads,
        "query": range(len(attention.query_tokens)),
        "key": range(len(attention.key_tokens)),
    }
    if not 2 <= len(cell) <= len(known):
        raise InputError(f"a cell of {len(cell)} numbers", hint="give query,key or head,query,key")
    firsts = [numbers[0] for numbers in known.values()]
    whole = (*firsts[: -len(cell)], *cell)
    for (axis, numbers), number in zip(known.items(), whole, strict=True):
        if number not in numbers:
            raise InputError(f"no {axis} {number}", hint=f"give {numbers[0]} to {numbers[-1]}")
    return tuple(numbers.index(number) for numbers, number in zip(known.values(), whole, strict=True))


# ---- the steps, one after the other -----------------------------------------------------------------


def _steps(
    layer: Layer, attention: Attention, heads: Heads | None, rule: Rule | None, language: str
) -> Iterator[Step]:
    queries, keys = attention.query_tokens, attention.key_tokens
    yield from vectors(layer, attention, heads, language)
    for name, formula, meaning, values in _from_scores_to_weights(layer, rule, language):
        yield Step(name, formula, meaning, _SCORES, values, queries, keys)
    yield from _outputs(layer, attention, heads, language)


def _from_scores_to_weights(
    layer: Layer, rule: Rule | None, language: str
) -> Iterator[tuple[str, str, str, np.ndarray]]:
    last = "scores"
    if layer.dots is None:
        yield "scores", "", _score_in_words(rule, language), layer.scores
    else:
        meaning = _sentences(language, "step_means_scores", "" if layer.scalings else "step_not_scaled")
        values = layer.dots if layer.scalings else layer.scores  # the engine's own, where it keeps them
        yield "scores", "scores = Q · Kᵀ", meaning, values
    if layer.scalings:
        remarks = [scaling.remark.text(language) for scaling in layer.scalings if scaling.remark]
        yield "scaled", f"scaled = {_nested(layer)}", words(language).sentences(*remarks), layer.scores
        last = "scaled"
    if layer.mask is not None:
        formula = f"masked = {say(language, 'step_where_allowed', {'scores': last})}"
        yield "masked", formula, _masks_in_words(rule, language), layer.masked
        last = "masked"
    formula = f"weights = exp({last}) / Σ exp({last})" if layer.is_softmax else ""
    yield "weights", formula, _weights_in_words(layer, rule, language), layer.weights


def _nested(layer: Layer) -> str:
    """All scalings in one formula: 30 · tanh((scores / √d_head) / 30)."""
    formula = "scores"
    for i, scaling in enumerate(layer.scalings):
        formula = scaling.formula.format(f"({formula})" if i else formula)
    return formula


def _outputs(layer: Layer, attention: Attention, heads: Heads | None, language: str) -> Iterator[Step]:
    queries, several = attention.query_tokens, len(layer.weights) > 1
    whole = layer.concatenated if layer.output is None else layer.output
    width, side_by_side = ("query", "d_model"), say(language, "step_side_by_side")
    if several or not layer.is_whole:
        formula, axes = "head_output = weights · V", ("head", "query", "d_value")
        meaning = say(language, "step_means_head_output")
        yield Step("head_output", formula, meaning, axes, layer.head_output, queries, ())
    if layer.is_whole:
        formula = f"output = {side_by_side}" if several else "output = weights · V"
        yield Step("output", formula, "", width, whole, queries, ())
        return
    formula = f"concatenated = {side_by_side}" if several else "concatenated = head_output"
    yield Step("concatenated", formula, "", width, layer.concatenated, queries, ())
    if heads is not None:
        yield from matrices(heads, "o")
    formula = (
        "output = concatenated · W_o" if heads is None else f"output = {affine('concatenated', 'o', heads)}"
    )
    yield Step("output", formula, "", width, whole, queries, ())


# ---- variants, in the words of their documentation --------------------------------------------------


def _sentences(language: str, *keys: str) -> str:
    return say(language, "sentence_space").join(say(language, key) for key in keys if key)


def _score_in_words(rule: Rule | None, language: str) -> str:
    if rule is None:
        return say(language, "step_scores_recorded")
    numbers = {"scale": rule.scale, "softcap": rule.softcap, "temperature": rule.temperature}
    said = [
        in_words(rule.score, language),
        "" if rule.position is None else in_words(rule.position, language),
    ]
    said += [
        say(language, "step_with", {"name": name, "number": f"{number:g}"})
        for name, number in numbers.items()
        if number not in (None, 1)
    ]
    return say(language, "sentence_space").join(filter(None, said))


def _masks_in_words(rule: Rule | None, language: str) -> str:
    groups = rule.masks if rule else ()
    either, both = say(language, "step_or"), say(language, "step_and")
    return both.join(either.join(_mask_in_words(mask, language) for mask in parts) for parts in groups)


def _mask_in_words(mask: Mask, language: str) -> str:
    return say(language, "step_given_mask") if isinstance(mask, Written) else in_words(mask, language)


def _weights_in_words(layer: Layer, rule: Rule | None, language: str) -> str:
    said = [say(language, "step_over_keys")] if layer.is_softmax else []
    if not layer.is_softmax:
        said.append(
            say(language, "step_weights_recorded") if rule is None else in_words(rule.normalise, language)
        )
    if rule and rule.top_k is not None:
        said.append(say(language, "step_top_k", {"k": rule.top_k}))
    if layer.mask is None:
        said.append(say(language, "step_no_mask"))
    elif not layer.mask.any(axis=-1).all():
        said.append(say(language, "step_blind_row"))
    return say(language, "sentence_space").join(said)
