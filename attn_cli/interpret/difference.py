"""How two attentions differ, layer by layer and head by head: what `attn diff` prints."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, note
from ..records.table import Table
from ..records.words import merged
from ..registry import Registry
from . import divergence
from .assignment import assignment

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from ..records.attention import Attention

    Maps = Float[np.ndarray, "*maps query key"]
    OfMaps = Float[np.ndarray, "*maps"]

Measure = Callable[..., Any]

_SPECIAL = re.compile(r"<.*>|\[.*\]")

MEASURES: Registry[Measure] = Registry("measure")


@MEASURES.register
def max_(ours: Maps, theirs: Maps) -> OfMaps:
    """Largest difference of any query and key: max |ours − theirs|.

    >>> max_(np.array([[1.0, 0.0]]), np.array([[0.75, 0.25]])).tolist()
    0.25
    """
    return abs(ours - theirs).max(axis=(-2, -1))


@MEASURES.register
def mean(ours: Maps, theirs: Maps) -> OfMaps:
    """Mean difference over all queries and keys: mean |ours − theirs|.

    >>> mean(np.array([[1.0, 0.0, 0.0]]), np.array([[0.25, 0.75, 0.0]])).tolist()
    0.5
    """
    return abs(ours - theirs).mean(axis=(-2, -1))


@MEASURES.register
def js(ours: Maps, theirs: Maps) -> OfMaps:
    """Jensen–Shannon divergence in nats, mean over queries; rows are scaled to sum to 1.

    A query to which either gives nothing is left out; numbers below 0 have no divergence.

    >>> js(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.0, 1.0], [0.5, 0.5]])).tolist()  # ln 2 and 0
    0.34657359027997264
    """
    sums = [maps.sum(axis=-1, keepdims=True) for maps in (ours, theirs)]
    shares = [maps / np.where(s > 0, s, 1) for maps, s in zip((ours, theirs), sums, strict=True)]
    both = (sums[0] > 0) & (sums[1] > 0)
    apart = np.where(both[..., 0], divergence.jensen_shannon(*shares), 0).sum(axis=-1)
    n = both[..., 0].sum(axis=-1)
    negative = ((ours < 0) | (theirs < 0)).any(axis=(-2, -1))
    return apart / np.where(negative | (n == 0), np.nan, n)


@MEASURES.register
def correlation(ours: Maps, theirs: Maps) -> OfMaps:
    """Pearson correlation over all queries and keys; empty where either map is the same everywhere.

    >>> round(float(correlation(np.array([[1.0, 0.0, 0.5]]), np.array([[0.0, 1.0, 0.5]]))), 12)
    -1.0
    """
    a, b = (maps - maps.mean(axis=(-2, -1), keepdims=True) for maps in (ours, theirs))
    spread = np.sqrt((a**2).sum(axis=(-2, -1)) * (b**2).sum(axis=(-2, -1)))
    tiny = np.finfo(np.float64).eps * max(abs(ours).max(), abs(theirs).max(), 1) ** 2
    return (a * b).sum(axis=(-2, -1)) / np.where(spread > tiny, spread, np.nan)


def difference(ours: Attention, theirs: Attention, *, match: bool = False) -> Table:
    """A row per layer and head: max, mean, where the largest difference stands, js, correlation.

    `query` and `key` are positions, of cells the first. Layers and heads are compared in their order. With
    `match` the heads of each layer may be permuted, so that their mean differences sum to the least, and
    `matched` is the head of the second that was matched. Raises InputError for attentions of
    different sizes; see `aligned` for those of different tokens.

    >>> from attn_cli.records.attention import Attention
    >>> heads = np.array([[[[1.0, 0.0]], [[0.5, 0.5]]]])
    >>> a, b = (Attention(("x",), ("x", "y"), w) for w in (heads, heads[:, ::-1]))
    >>> difference(a, b)["max"].tolist(), difference(a, b, match=True)["matched"].tolist()
    ([0.5, 0.5], [1, 0])
    """
    check_sizes(ours, theirs)
    matched = matching(ours, theirs) if match else None
    a, b = (each.shown.astype(np.float64) for each in (ours, in_order(theirs, matched)))
    masked = np.isinf(a) & (a == b)  # scores of −∞ on both sides are no difference
    a, b = np.where(masked, 0, a), np.where(masked, 0, b)
    places = abs(a - b).reshape(*a.shape[:2], -1).argmax(axis=-1)
    rows, columns = np.divmod(places, a.shape[3])
    numbers = {name: measure(a, b).ravel() for name, measure in MEASURES.items()}
    columns_of: dict[str, Any] = {
        "layer": np.repeat(np.array(ours.layers, dtype=object), len(ours.heads)),
        "head": np.tile(np.array(ours.heads, dtype=object), len(ours.layers)),
        "max": numbers.pop("max"),
        "mean": numbers.pop("mean"),
        "query": np.array([cell[0] for cell in ours.query_cells])[rows.ravel()],
        "key": np.array([cell[0] for cell in ours.key_cells])[columns.ravel()],
        **numbers,
    }
    if matched is not None:
        columns_of["matched"] = np.array(theirs.heads, dtype=object)[matched].ravel()
    for name in ("layer", "head", "matched"):
        if name in columns_of and all(isinstance(value, int) for value in columns_of[name]):
            columns_of[name] = columns_of[name].astype(np.int64)
    said = f"{ours.provenance or 'the first'} − {theirs.provenance or 'the second'}"
    return Table(columns_of, "diff", said, {"js": "nats"})


def check_sizes(ours: Attention, theirs: Attention) -> None:
    """Refuse attentions that differ in layers, heads, queries or keys, saying in which.

    >>> from attn_cli.records.attention import Attention
    >>> one = Attention(("a",), ("a",), np.ones((1, 1, 1, 1)))
    >>> check_sizes(one, one)
    """
    hints = {
        "layers": "choose as many of each: --layer 0, last or mean",
        "heads": "choose as many of each: --head 0 or mean",
        "queries": "give the same text",
        "keys": "give the same text",
    }
    for axis, (name, hint) in enumerate(hints.items()):
        a, b = ours.shown.shape[axis], theirs.shown.shape[axis]
        if a != b:
            raise InputError(f"{name}: {a} in the first, {b} in the second", hint=hint)


def matching(ours: Attention, theirs: Attention) -> Int[np.ndarray, "layer head"]:
    """For each layer, the head of theirs for each of ours that makes the sum of mean differences least.

    >>> from attn_cli.records.attention import Attention
    >>> heads = np.array([[[[1.0, 0.0]], [[0.5, 0.5]]]])
    >>> a, b = (Attention(("x",), ("x", "y"), w) for w in (heads, heads[:, ::-1]))
    >>> matching(a, b).tolist()
    [[1, 0]]
    """
    costs = (
        np.array([[abs(mine - other).mean() for other in others] for mine in heads])
        for heads, others in zip(ours.shown, theirs.shown, strict=True)
    )
    return np.array([assignment(cost) for cost in costs])


def in_order(theirs: Attention, matched: Int[np.ndarray, "layer head"] | None) -> Attention:
    """The second attention with the weights of its heads in the order in which they were matched.

    >>> from attn_cli.records.attention import Attention
    >>> heads = np.array([[[[1.0, 0.0]], [[0.5, 0.5]]]])
    >>> in_order(Attention(("x",), ("x", "y"), heads), np.array([[1, 0]])).weights[0, 0].tolist()
    [[0.5, 0.5]]
    """
    if matched is None:
        return theirs
    shown: Any = np.take_along_axis(theirs.shown, matched[:, :, None, None], axis=1)
    return type(theirs)(
        theirs.query_tokens,
        theirs.key_tokens,
        kind=theirs.kind,
        provenance=theirs.provenance,
        layers=theirs.layers,
        pooled=theirs.pooled,
        show=theirs.show,
        **{theirs.show: shown},
    )


def aligned(ours: Attention, theirs: Attention) -> tuple[Attention, Attention]:
    """Both unchanged if their tokens agree; else both merged to words, if their words agree.

    Raises InputError that names the first place at which the words differ, or their number.

    >>> from attn_cli.records.attention import Attention
    >>> a = Attention(("x",), ("x",), np.ones((1, 1, 1, 1)))
    >>> aligned(a, a) == (a, a)
    True
    """
    if _same_tokens(ours, theirs):
        return ours, theirs
    if ours.pooled or theirs.pooled:
        raise InputError(
            "the two differ in their tokens, and pooled maps have no words", hint="give less text"
        )
    a, b = (_between_words(each) for each in (ours, theirs))
    try:
        for axis in ("query", "key"):
            _check_words(axis, getattr(a, f"{axis}_tokens"), getattr(b, f"{axis}_tokens"))
    except InputError as problem:
        if ours.kind == theirs.kind or "unknown" in (ours.kind, theirs.kind):
            raise
        kinds = f"kind {ours.kind} in the first, {theirs.kind} in the second: {problem.what}"
        raise InputError(kinds, hint="choose one kind for both with --kind") from None
    note(
        "the tokens of the two differ, so words are compared: weights summed over keys, averaged over queries"
    )
    return a, replace(b, query_tokens=a.query_tokens, key_tokens=a.key_tokens)


def _same_tokens(ours: Attention, theirs: Attention) -> bool:
    return (ours.query_tokens, ours.key_tokens) == (theirs.query_tokens, theirs.key_tokens)


def _between_words(attention: Attention) -> Attention:
    """Merged to words; where word boundaries are unknown, each token is a word."""
    marked = any(token.startswith(("##", "Ġ", "▁")) for token in attention.key_tokens)
    return merged(attention) if marked or attention.key_words is not None else attention


def _check_words(axis: str, ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    plain = [[word.strip(" Ġ▁").casefold() for word in words] for words in (ours, theirs)]
    for i, (a, b) in enumerate(zip(*plain, strict=False)):
        if a != b:
            what = f"{axis} {i} is {ours[i]!r} in the first and {theirs[i]!r} in the second"
            special = any(_SPECIAL.fullmatch(words[i]) for words in (ours, theirs))
            hint = "leave special tokens out: --special drop" if special else "give the same text to both"
            raise InputError(what, hint=hint)
    if len(ours) != len(theirs):
        more = max(ours, theirs, key=len)[min(len(ours), len(theirs)) :]
        special = all(_SPECIAL.fullmatch(word) for word in more)
        hint = "leave special tokens out: --special drop" if special else "give inputs of the same length"
        raise InputError(
            f"{len(ours)} words as {axis} in the first and {len(theirs)} in the second", hint=hint
        )


def largest(table: Table) -> float:
    """The largest difference of all layers and heads: what --fail-over is compared with.

    >>> largest(Table({"max": [0.5, 0.25]}))
    0.5
    """
    return float(table["max"].max())
