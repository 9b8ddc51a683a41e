"""Masks by order and by neighbourhood."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from .mask import MASKS, reaches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .mask import Allowed, Positions

_ALL = 2**62  # more keys than there can be


@MASKS.register
@reaches(lambda lo, hi: [(0, hi)])
def causal(query: Positions, key: Positions) -> Allowed:
    """Each query sees its own position and what came before: key ≤ query.

    Vaswani et al. 2017, arXiv:1706.03762, §3.2.3.

    >>> from attn_cli.variants.masks import MASKS, as_matrix
    >>> as_matrix(MASKS.parse("causal"), 2, 3).astype(int).tolist()
    [[1, 1, 0], [1, 1, 1]]
    """
    return key <= query


@MASKS.register
@reaches(lambda lo, hi, length: [(0, max(hi, length))])
def prefix(query: Positions, key: Positions, *, length: int) -> Allowed:
    """The first `length` keys are seen by all, the others causally: key < length or key ≤ query.

    Raffel et al. 2019, arXiv:1910.10683, §3.2.1.

    >>> from attn_cli.variants.masks import MASKS, as_matrix
    >>> as_matrix(MASKS.parse("prefix:length=2"), 3, 3).astype(int).tolist()
    [[1, 1, 0], [1, 1, 0], [1, 1, 1]]
    """
    return (key < length) | (key <= query)


@MASKS.register
@reaches(lambda lo, hi, length: [(0, length)])
def padding(query: Positions, key: Positions, *, length: int) -> Allowed:
    """Only the first `length` keys are real, what follows them is padding: key < length.

    >>> from attn_cli.variants.masks import MASKS, as_matrix
    >>> as_matrix(MASKS.parse("padding:length=1"), 2, 2).astype(int).tolist()
    [[1, 0], [1, 0]]
    """
    return key < length


@MASKS.register
@reaches(lambda lo, hi, lengths: [(_start(lo, lengths), _end(hi - 1, lengths))])
def document(query: Positions, key: Positions, *, lengths: tuple[int, ...]) -> Allowed:
    """Several documents one after the other, a+b+c long; each sees itself, what follows them is one more.

    >>> from attn_cli.variants.masks import MASKS, as_matrix
    >>> as_matrix(MASKS.parse("document:lengths=1+2"), 3, 3).astype(int).tolist()
    [[1, 0, 0], [0, 1, 1], [0, 1, 1]]
    """
    ends = list(accumulate(at_least_1("length", *lengths)))
    return _how_many(ends, query) == _how_many(ends, key)


# ---- neighbours ---------------------------------------------------------------------------------------


@MASKS.register
@reaches(lambda lo, hi, size, ahead: [(lo + ahead - size + 1, hi + ahead)])
def window(query: Positions, key: Positions, *, size: int = 4, ahead: int = 0) -> Allowed:
    """Each query sees `size` neighbouring keys, itself included; `ahead` of them come after it.

    query + ahead − size < key ≤ query + ahead. With ahead = 0 it is the banded layer of GPT-3
    (arXiv:2005.14165, §2.1). Beltagy et al. 2020, arXiv:2004.05150.

    >>> from attn_cli.variants.masks import MASKS, as_matrix
    >>> as_matrix(MASKS.parse("window:size=2"), 3, 3).astype(int).tolist()
    [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    """
    _check_window(size, ahead)
    return (key <= query + ahead) & (key > query + ahead - size)


@MASKS.register
@reaches(lambda lo, hi, size, gap, ahead: [(lo - (size - ahead - 1) * gap, hi + ahead * gap)])
def dilated(
    query: Positions,
    key: Positions,
    *,
    size: int = 4,
    gap: int = 2,
    ahead: int = 0,
) -> Allowed:
    """A window with holes: `size` keys, itself included, every `gap` positions; `ahead` of them after it.

    Beltagy et al. 2020, arXiv:2004.05150, §3.1.

    >>> from attn_cli.variants.masks import MASKS, as_matrix
    >>> as_matrix(MASKS.parse("dilated:size=2,gap=2"), 4, 4)[3].astype(int).tolist()
    [0, 1, 0, 1]
    """
    _check_window(size, ahead)
    at_least_1("gap", gap)
    back = query - key
    return (back % gap == 0) & (back >= -ahead * gap) & (back < (size - ahead) * gap)


@MASKS.register
@reaches(lambda lo, hi, size: [(lo // size * size, (hi - 1) // size * size + size)])
def block(query: Positions, key: Positions, *, size: int = 4) -> Allowed:
    """The sequence in blocks of `size`, each sees itself: ⌊key / size⌋ = ⌊query / size⌋.

    Qiu et al. 2019, arXiv:1911.02972.

    >>> from attn_cli.variants.masks import MASKS, as_matrix
    >>> as_matrix(MASKS.parse("block:size=2"), 3, 3).astype(int).tolist()
    [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    """
    at_least_1("size", size)
    return query // size == key // size


@MASKS.register
@reaches(
    lambda lo, hi, tokens: [(0, _ALL)] if any(lo <= t < hi for t in tokens) else [(t, t + 1) for t in tokens]
)
def global_(query: Positions, key: Positions, *, tokens: tuple[int, ...] = (0,)) -> Allowed:
    """The tokens at these positions, a+b+c, see all and are seen by all.

    Longformer is `window:size=…,ahead=…|global:tokens=…`. Beltagy et al. 2020, arXiv:2004.05150, §3.1.

    >>> from attn_cli.variants.masks import MASKS, as_matrix
    >>> as_matrix(MASKS.parse("global:tokens=0"), 3, 3).astype(int).tolist()
    [[1, 1, 1], [1, 0, 0], [1, 0, 0]]
    """
    return _among(tokens, query) | _among(tokens, key)


def _how_many(ends: Sequence[int], position: Any) -> Any:
    """How many of the ends are at or before a position: the number of its document."""
    return sum(position >= end for end in ends)


def _start(position: int, lengths: Sequence[int]) -> int:
    return max((end for end in accumulate(lengths) if end <= position), default=0)


def _end(position: int, lengths: Sequence[int]) -> int:
    return min((end for end in accumulate(lengths) if end > position), default=_ALL)


def _among(tokens: Sequence[int], position: Any) -> Any:
    return sum(position == token for token in tokens) > 0


def _check_window(size: int, ahead: int) -> None:
    if size < 1 or not 0 <= ahead < size:
        raise InputError(
            f"a window of size {size} with {ahead} ahead", hint="give size ≥ 1 and 0 ≤ ahead < size"
        )


def at_least_1(name: str, *numbers: int) -> tuple[int, ...]:
    """The numbers, or an InputError that names the smallest."""
    if min(numbers) < 1:
        raise InputError(f"{name} {min(numbers)}", hint="give at least 1")
    return numbers
