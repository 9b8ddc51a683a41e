"""The steps before the scores: the vectors X, the matrices, and what they make of each other: Q, K and V."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from ..records.worked import Step
from .wording import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..attention.heads import Heads
    from ..records.attention import Attention
    from ..records.encoding import Encoding
    from .layer import Layer


def vectors(layer: Layer, attention: Attention, heads: Heads | None, language: str = "en") -> Iterator[Step]:
    """X and the matrices where they are known, then Q, K and V."""
    formulas = dict.fromkeys("QKV", "")
    meanings = {part: say(language, f"step_means_{part}") for part in "QKV"}
    if heads is not None:
        names = _names(*heads.inputs)
        made_of = zip("QKV", names, strict=True)
        formulas = {part: f"{part} = {affine(x, part.lower(), heads)}" for part, x in made_of}
        meanings = {part: f"{meaning}{_cut(part, heads, language)}" for part, meaning in meanings.items()}
        yield from _inputs(names, heads, language)
        yield from matrices(heads, "q", "k", "v")
    queries, keys = attention.query_tokens, attention.key_tokens
    for part, values, axis, tokens in (
        ("Q", layer.query, "query", queries),
        ("K", layer.key, "key", keys),
        ("V", layer.value, "key", keys),
    ):
        width = "d_value" if part == "V" else "d_head"
        yield Step(part, formulas[part], meanings[part], ("head", axis, width), values, tokens, ())


def matrices(heads: Heads, *parts: str) -> Iterator[Step]:
    """The matrices and biases of these parts, as far as there are any."""
    for field in fields(heads.projection):
        kind, _, part = field.name.partition("_")
        array = getattr(heads.projection, field.name)
        if part in parts and array is not None:
            axes = ("d_in", "d_out") if kind == "W" else ("d_out",)
            yield Step(field.name, "", "", axes, array, (), ())


def affine(x: str, part: str, heads: Heads) -> str:
    """What a projection makes of vectors, in symbols: X · W_q + b_q."""
    product = x if getattr(heads.projection, f"W_{part}") is None else f"{x} · W_{part}"
    return product if getattr(heads.projection, f"b_{part}") is None else f"{product} + b_{part}"


def _names(query: Encoding, key: Encoding, value: Encoding) -> tuple[str, str, str]:
    """What to call the vectors that query, key and value are made of: by one name if they are the same."""
    if not _same(key, value):
        return "X_q", "X_k", "X_v"
    return ("X", "X", "X") if _same(query, key) else ("X_q", "X_kv", "X_kv")


def _same(a: Encoding, b: Encoding) -> bool:
    return a is b or np.array_equal(a.vectors, b.vectors)


def _inputs(names: tuple[str, str, str], heads: Heads, language: str) -> Iterator[Step]:
    """The vectors, each once; not at all where Q, K and V would only repeat them."""
    given_as_qkv = len(set(names)) > 1 and len(heads.query) == 1
    if given_as_qkv and all(getattr(heads.projection, f.name) is None for f in fields(heads.projection)):
        return
    for name, x in dict(zip(names, heads.inputs, strict=True)).items():
        axis = {"X": "token", "X_q": "query"}.get(name, "key")
        meaning = say(language, f"step_vector_for_{axis}")
        yield Step(name, "", meaning, (axis, "d_model"), x.vectors, x.tokens, ())


def _cut(part: str, heads: Heads, language: str) -> str:
    """How the vectors are shared out among the heads, as a sentence to add."""
    n_heads, pieces = len(heads.query), _pieces(part, heads)
    if n_heads == 1:
        return ""
    key = "each" if pieces == n_heads else "one" if pieces == 1 else "shared"
    space = say(language, "sentence_space")
    return f"{space}{say(language, f'step_cut_{key}', {'pieces': pieces, 'n_heads': n_heads})}"


def _pieces(part: str, heads: Heads) -> int:
    """Into how many heads the vectors are cut: keys and values may have fewer than queries."""
    index = "QKV".index(part)
    matrix = getattr(heads.projection, f"W_{part.lower()}")
    width = heads.inputs[index].vectors.shape[1] if matrix is None else matrix.shape[1]
    one_head = (heads.query, heads.key, heads.value)[index].shape[-1]
    return int(width // one_head)
