"""The arithmetic of one cell, term by term: from a dot product to the first numbers of the output."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..records.worked import Arithmetic, Line, equals, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..records.attention import Attention
    from .layer import Layer

MOST = 8  # keys, and numbers of a head, that a person adds up by hand
_FIRST = 2  # numbers of the output
_LARGEST = (
    -2.0,
    20.0,
)  # the range of a row's largest score in which four decimals of e^score are enough to divide by


def is_small(layer: Layer) -> bool:
    """Whether a cell of this layer can be checked by hand."""
    return layer.key.shape[-2] <= MOST and layer.key.shape[-1] <= MOST


def arithmetic(layer: Layer, attention: Attention, head: int, query: int, key: int) -> Arithmetic:
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
    lines = [
        *_score(layer, head, query, key),
        *_weight(layer, head, query, key),
        *_output(layer, head, query),
    ]
    tokens = attention.query_tokens[query], attention.key_tokens[key]
    return Arithmetic(attention.heads[head], query, key, *tokens, tuple(lines))


def _score(layer: Layer, head: int, query: int, key: int) -> Iterator[Line]:
    if layer.dots is None:
        score = float(layer.scores[head, query, key])
        yield Line("score", rounded(score), score, "its terms are written out for dot products only")
    else:
        x = float(layer.dots[head, query, key])
        yield Line("dot product", _products(layer.query[head, query], layer.key[head, key], x), x)
        for scaling in layer.scalings:
            before, x = x, scaling.apply(x)
            text = f"{scaling.written.format(_factor(before))} {equals(before, x)} {rounded(x)}"
            yield Line(scaling.name, text, x, scaling.remark)
    if layer.mask is not None:
        may = "may attend" if layer.mask[head, query, key] else "may not attend: the score becomes -∞"
        yield Line("mask", may, float(layer.masked[head, query, key]))


def _weight(layer: Layer, head: int, query: int, key: int) -> Iterator[Line]:
    row = layer.masked[head, query].astype(float).tolist()
    weight = float(layer.weights[head, query, key])
    if max(row) == -math.inf:
        yield Line("weight", "0: no key is allowed", weight)
        return
    if not layer.is_softmax:
        yield Line("weight", rounded(weight), weight, "its terms are written out for softmax only")
        return
    if not _LARGEST[0] <= max(row) <= _LARGEST[1]:
        highest = max(row)
        row = [score - highest for score in row]
        text = f"{rounded(highest)} is taken from every score of the row, which changes no weight"
        yield Line("largest", text, highest)
    parts = [math.exp(score) for score in row]
    powers = ", ".join(f"e^{rounded(s)} {equals(s, p)} {rounded(p)}" for s, p in zip(row, parts, strict=True))
    yield Line("exponentials", powers, parts[key])
    total = sum(parts)
    yield Line("sum", f"{' + '.join(map(rounded, parts))} {equals(*parts, total)} {rounded(total)}", total)
    divided = f"{rounded(parts[key])} / {rounded(total)}"
    yield Line("weight", f"{divided} {equals(parts[key], total, weight)} {rounded(weight)}", weight)


def _output(layer: Layer, head: int, query: int) -> Iterator[Line]:
    weights, values = layer.weights[head, query], layer.value[head].T
    of_head = "" if len(layer.weights) == 1 and layer.is_whole else "of this head alone"
    for i, (value, x) in enumerate(
        zip(values[:_FIRST], layer.head_output[head, query].tolist(), strict=False)
    ):
        yield Line(f"output {i}", _products(weights, value, x), x, of_head)


def _products(xs: Sequence[float], ys: Sequence[float], total: float) -> str:
    terms = " + ".join(f"{_factor(x)}·{_factor(y)}" for x, y in zip(xs, ys, strict=True))
    return f"{terms} {equals(*xs, *ys, total)} {rounded(total)}"


def _factor(x: float) -> str:
    return rounded(x) if x >= 0 else f"({rounded(x)})"
