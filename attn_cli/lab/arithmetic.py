"""The arithmetic of one cell, term by term: from a dot product to the first numbers of the output."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from ..records.worked import Arithmetic, Line, equals, rounded
from .wording import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..records.attention import Attention
    from .layer import Layer

    Say = Callable[..., str]  # the sentence of a key, with these values in its places

MOST = 8  # keys, and numbers of a head, that a person adds up by hand
_FIRST = 2  # numbers of the output
_LARGEST = (
    -2.0,
    20.0,
)  # the range of a row's largest score in which four decimals of e^score are enough to divide by


def is_small(layer: Layer) -> bool:
    """Whether a cell of this layer can be checked by hand."""
    return layer.key.shape[-2] <= MOST and layer.key.shape[-1] <= MOST


def arithmetic(
    layer: Layer, attention: Attention, head: int, query: int, key: int, *, language: str = "en"
) -> Arithmetic:
    """How the weight of one key for one query comes about.

    >>> import numpy as np
    >>> from attn_cli.attention.vectors import attend
    >>> from attn_cli.lab.layer import take_apart
    >>> attention = attend(np.eye(2))
    >>> print(*(line.text for line in arithmetic(take_apart(attention, 0), attention, 0, 0, 0).lines), sep="\\n")
    1·1 + 0·0 = 1
    1 / √2 ≈ 1 / 1.4142 ≈ 0.7071
    e^0.7071 ≈ 2.0281, e^0 = 1
    2.0281 + 1 ≈ 3.0281
    2.0281 / 3.0281 ≈ 0.6698
    0.6698·1 + 0.3302·0 ≈ 0.6698
    0.6698·0 + 0.3302·1 ≈ 0.3302
    """
    tell = functools.partial(say, language)
    lines = [
        *_score(layer, head, query, key, tell),
        *_weight(layer, head, query, key, tell),
        *_output(layer, head, query, tell),
    ]
    tokens = attention.query_tokens[query], attention.key_tokens[key]
    return Arithmetic(attention.heads[head], query, key, *tokens, tuple(lines))


def _score(layer: Layer, head: int, query: int, key: int, tell: Say) -> Iterator[Line]:
    if layer.dots is None:
        score = float(layer.scores[head, query, key])
        yield Line(tell("line_score"), rounded(score), score, tell("line_dots_only"))
    else:
        x = float(layer.dots[head, query, key])
        products = _products(layer.query[head, query], layer.key[head, key], x)
        yield Line(tell("line_dots"), products, x)
        for scaling in layer.scalings:
            before, x = x, scaling.apply(x)
            text = f"{scaling.written.format(_factor(before))} {equals(before, x)} {rounded(x)}"
            remark = tell(scaling.remark.key, scaling.remark.values) if scaling.remark else ""
            yield Line(tell(f"line_{scaling.name}"), text, x, remark)
    if layer.mask is not None:
        may = tell("line_may" if layer.mask[head, query, key] else "line_may_not")
        yield Line(tell("line_mask"), may, float(layer.masked[head, query, key]))


def _weight(layer: Layer, head: int, query: int, key: int, tell: Say) -> Iterator[Line]:
    row = layer.masked[head, query].astype(float).tolist()
    weight = float(layer.weights[head, query, key])
    if max(row) == -math.inf:
        yield Line(tell("line_weight"), tell("line_no_key"), weight)
        return
    if not layer.is_softmax:
        yield Line(tell("line_weight"), rounded(weight), weight, tell("line_softmax_only"))
        return
    if not _LARGEST[0] <= max(row) <= _LARGEST[1]:
        highest = max(row)
        row = [score - highest for score in row]
        yield Line(tell("line_largest"), tell("line_taken", {"largest": rounded(highest)}), highest)
    parts = [math.exp(score) for score in row]
    powers = ", ".join(f"e^{rounded(s)} {equals(s, p)} {rounded(p)}" for s, p in zip(row, parts, strict=True))
    yield Line(tell("line_exponentials"), powers, parts[key])
    total = sum(parts)
    summed = f"{' + '.join(map(rounded, parts))} {equals(*parts, total)} {rounded(total)}"
    yield Line(tell("line_sum"), summed, total)
    divided = f"{rounded(parts[key])} / {rounded(total)}"
    result = f"{divided} {equals(parts[key], total, weight)} {rounded(weight)}"
    yield Line(tell("line_weight"), result, weight)


def _output(layer: Layer, head: int, query: int, tell: Say) -> Iterator[Line]:
    weights, values = layer.weights[head, query], layer.value[head].T
    of_head = "" if len(layer.weights) == 1 and layer.is_whole else tell("line_this_head")
    for i, (value, x) in enumerate(
        zip(values[:_FIRST], layer.head_output[head, query].tolist(), strict=False)
    ):
        yield Line(tell("line_output", {"i": i}), _products(weights, value, x), x, of_head)


def _products(xs: Sequence[float], ys: Sequence[float], total: float) -> str:
    terms = " + ".join(f"{_factor(x)}·{_factor(y)}" for x, y in zip(xs, ys, strict=True))
    return f"{terms} {equals(*xs, *ys, total)} {rounded(total)}"


def _factor(x: float) -> str:
    return rounded(x) if x >= 0 else f"({rounded(x)})"
