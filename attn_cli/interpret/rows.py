"""Attention in blocks of whole rows. A statistic sees nothing else, so any length can be streamed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..records.fields import how_to_get
from . import divergence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Bool, Float, Int

    from ..records.attention import Attention

MOST = 2**20  # weights of a block, all layers and heads together: what is computed from them fits the cache


@dataclass(frozen=True, eq=False)
class Rows:
    """Some queries of every layer and head, with all keys that any of them can reach.

    Positions count the keys, so that query 5 stands where key 5 does. A number stands for each token, the same
    for equal ones; `tokens` and `special` are None where they are unknown. Texts of one length may stand before the
    layers: then masks, tokens and special tokens have that axis too.
    """

    weights: Float[np.ndarray, "*maps row key"]  # maps: [text,] layer, head
    query: Int[np.ndarray, " row"]  # positions
    key: Int[np.ndarray, " key"]  # positions, ascending
    n_query: int  # of the whole attention
    n_key: int
    permitted: Bool[np.ndarray, "*#maps row key"] | None = None  # None: every key
    tokens: Int[np.ndarray, "*#maps n_key"] | None = None
    special: Bool[np.ndarray, "*#maps n_key"] | None = None

    @cached_property
    def distance(self) -> Int[np.ndarray, "row key"]:
        """How far each key is from each query: below 0 before it, above 0 after it."""
        return self.key - self.query[:, None]

    @cached_property
    def n_permitted(self) -> Int[np.ndarray, "*#maps row"]:
        """How many keys each query may attend to; a row of zeros has none."""
        if self.permitted is not None:
            return self.permitted.sum(axis=-1)
        return np.where(self.weights.any(axis=-1), len(self.key), 0)

    @cached_property
    def entropy(self) -> Float[np.ndarray, "*maps row"]:
        """Entropy of each row, −Σ w ln w: two statistics want it, and its logarithms take the time."""
        return divergence.entropy(self.weights)

    @cached_property
    def repeats(self) -> Bool[np.ndarray, "*#maps row n_key"] | None:
        """Where an earlier key has the query's own token; None where tokens are unknown."""
        if self.tokens is None:
            return None
        own = self.tokens[..., self.query.clip(0, self.n_key - 1)]
        same = own[..., :, None] == self.tokens[..., None, :]
        return same & (np.arange(self.n_key) < self.query[:, None])

    def at(self, position: Int[np.ndarray, " row"]) -> Float[np.ndarray, "*maps row"]:
        """The weight of one key for each query: 0 where it is out of reach, NaN where there is no such key.

        >>> rows = Rows(np.array([[[[0.25, 0.75], [1.0, 0.0]]]]), np.arange(2), np.arange(2), 2, 2)
        >>> rows.at(rows.query - 1).tolist()
        [[[nan, 1.0]]]
        """
        place = np.searchsorted(self.key, position).clip(max=len(self.key) - 1)
        found = self.weights[..., np.arange(len(position)), place]
        reached = np.where(self.key[place] == position, found, 0)
        return np.where((position >= 0) & (position < self.n_key), reached, np.nan)

    def share(self, chosen: Bool[np.ndarray, "*#maps #row key"]) -> Float[np.ndarray, "*maps row"]:
        """The weight on the chosen keys of each query."""
        return np.einsum("...rk,...rk->...r", self.weights, chosen.astype(self.weights.dtype))


def blocks(
    attention: Attention,
    *,
    show: str = "weights",
    special: Sequence[int] | None = None,
    permitted: Bool[np.ndarray, "#layer #head query key"] | None = None,
) -> Iterator[Rows]:
    """The rows of an attention, so many at a time that a block stays small.

    `show` names what is looked at: weights, or norms, whose rows are then scaled to sum to 1. `special` marks the
    keys that are special tokens, as the record does unless told. Raises InputError for pooled maps, and for norms
    that are not there.

    >>> from attn_cli.records.attention import Attention
    >>> [block.weights.shape for block in blocks(Attention(("a", "b"), ("a", "b"), np.full((1, 1, 2, 2), 0.5)))]
    [(1, 1, 2, 2)]
    """
    numbers = of(attention, show)
    n_layers, n_heads, n_query, n_key = numbers.shape
    n_rows = max(1, MOST // (n_layers * n_heads * n_key))
    tokens = numbered(attention.key_tokens) if attention.one_text else None
    query = np.arange(n_key - n_query, n_key) if attention.one_text else np.arange(n_query)
    known = attention.special if special is None else special
    marks = None if known is None else np.asarray(known, dtype=bool)
    for start in range(0, n_query, n_rows):
        rows = slice(start, start + n_rows)
        yield Rows(
            scaled(numbers[:, :, rows], show),
            query[rows],
            np.arange(n_key),
            n_query,
            n_key,
            None if permitted is None else permitted[:, :, rows],
            tokens,
            marks,
        )


def of(attention: Attention, show: str = "weights") -> Float[np.ndarray, "layer head query key"]:
    """The numbers that `show` names: weights, norms or scores.

    Raises InputError for maps that are pooled, and for numbers that are not there.

    >>> from attn_cli.records.attention import Attention
    >>> of(Attention(("a",), ("a",), np.ones((1, 1, 1, 1)))).tolist()
    [[[[1.0]]]]
    """
    if attention.pooled:
        raise InputError(
            f"the maps of {len(attention.query_tokens):,} tokens are pooled, and single weights are gone",
            hint="give the text or the vectors instead of the saved record",
        )
    numbers: np.ndarray | None = getattr(attention, show)
    if numbers is None:
        raise InputError(f"this attention has no {show}", hint=how_to_get(show))
    return numbers


def permitted(attention: Attention) -> Bool[np.ndarray, "#layer #head query key"] | None:
    """Which keys each query may attend to; None where that is every key.

    A table holds no mask: it is taken to be causal where all heads give 0 to every key after the query, and some
    head gives more to every other key.

    >>> from attn_cli.records.attention import Attention
    >>> permitted(Attention(("a", "b"), ("a", "b"), np.full((1, 1, 2, 2), 0.5))) is None
    True
    """
    if attention.mask is not None or attention.pooled:
        return attention.mask
    n_query, n_key = attention.weights.shape[2:]
    causal = np.tri(n_query, n_key, n_key - n_query, dtype=bool)
    if not attention.one_text or causal.all() or n_key < n_query:
        return None
    return causal[None, None] if (attention.weights.any(axis=(0, 1)) == causal).all() else None


def numbered(tokens: Sequence[str]) -> Int[np.ndarray, " token"]:
    """A number for each token, the same for equal ones.

    >>> numbered(("a", "b", "a")).tolist()
    [0, 1, 0]
    """
    numbers = {token: i for i, token in reversed(list(enumerate(tokens)))}
    return np.array([numbers[token] for token in tokens])


def scaled(numbers: Float[np.ndarray, "*maps key"], show: str) -> Float[np.ndarray, "*maps key"]:
    """In float64; the rows of norms sum to 1.

    >>> scaled(np.array([3.0, 1.0]), "norms").tolist()
    [0.75, 0.25]
    """
    exact = numbers.astype(np.float64)
    if show == "weights":
        return exact
    sums = exact.sum(axis=-1, keepdims=True)
    return exact / np.where(sums == 0, 1, sums)
