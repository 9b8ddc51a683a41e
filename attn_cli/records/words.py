"""Attention between words: which tokens are pieces of one, and the weights that they have together."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..text.characters import one_line
from ..text.pieces import SPACES, joined, plain
from ..text.tokenizers import word_spans
from .fields import changed, held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .attention import Attention

_SPECIAL = re.compile(r"<.*>|\[.*\]")
_SPACE, _BEFORE_SPACE, _NO_WORD = -1, -2, -3  # in place of the number of a word
_FURTHEST = 16  # characters that a tokenizer may leave out between two tokens


def words_in(text: str, tokens: Sequence[str]) -> tuple[int, ...] | None:
    """A number for the word of each token, None where the text does not hold these tokens one after the other.

    Words are those of `--tokenizer word`. A special token stands alone, a space with what follows it.

    >>> words_in("unbelievable, 注意", ("[CLS]", "un", "believable", ",", "注", "意"))
    (1, 2, 2, 3, 4, 5)
    """
    ends = list(_ends(one_line(text), tokens))
    if 2 * sum(end is not None for end in ends) < len(ends):
        return None
    goes_on = [
        before is not None and end is not None and before[1] in (_SPACE, end[0])
        for before, end in zip([None, *ends], ends, strict=False)
    ]
    return tuple(np.cumsum(np.logical_not(goes_on)).tolist())


def _ends(text: str, tokens: Sequence[str]) -> Iterator[tuple[int, int] | None]:
    """The words in which each token begins and ends, None for what is not in the text."""
    words, place = _word_of_each_character(text), 0
    for token in tokens:
        characters = plain(token).strip()
        at = text.find(characters, place, place + len(characters) + _FURTHEST)
        if at < 0 and characters[0] in SPACES:
            characters = characters[1:]
            at = text.find(characters, place, place + len(characters) + _FURTHEST)
        if not characters:
            yield _BEFORE_SPACE, _SPACE
        elif at < 0:
            yield None
        else:
            last = at + len(characters) - 1
            place = last + (joined([token]) == plain(token))  # part of a character: the next is there too
            yield words[at], words[last]


def _word_of_each_character(text: str) -> list[int]:
    numbers = [_NO_WORD] * len(text)
    for number, (start, end) in enumerate(word_spans(text)):
        numbers[start:end] = [number] * (end - start)
    return numbers


def merged(attention: Attention) -> Attention:
    """The attention between words: weights summed over the pieces of a key, averaged over those of a query.

    Rows that summed to 1 still do. Numbers that belong to single pieces are left out, and a word is permitted
    where any of its pieces is. Raises InputError if token boundaries are unknown.

    >>> from attn_cli.records.attention import Attention
    >>> weights = np.array([[[[0.5, 0.25, 0.25], [1, 0, 0], [0, 0, 1]]]])
    >>> words = merged(Attention(("a", "un", "##do"), ("a", "un", "##do"), weights))
    >>> words.query_tokens, words.weights.tolist()
    (('a', 'undo'), [[[[0.5, 0.5], [0.5, 0.5]]]])
    """
    if attention.pooled:
        raise InputError(
            "cannot merge into words: the weights are pooled over positions", hint="give a shorter text"
        )
    if attention.show != "weights":
        raise InputError(f"--words does not apply to --show {attention.show}", hint="leave it out")
    queries = _groups(attention.query_tokens, attention.query_words)
    keys = _groups(attention.key_tokens, attention.key_words)
    changes = {
        part.name: _MERGED[part.traits.merged](value, queries, keys) if part.traits.merged else None
        for part, value in held(attention)
        if {"query", "key"} & {*part.axes, part.traits.whole}
    }
    changes |= {
        "query_tokens": tuple(_called(attention.query_tokens, group) for group in queries),
        "key_tokens": tuple(_called(attention.key_tokens, group) for group in keys),
        "provenance": "; ".join(filter(None, (attention.provenance, "pieces merged to words"))),
    }
    found: Attention = changed(attention, **changes)
    return found


def _summed(weights: np.ndarray, queries: Sequence[Sequence[int]], keys: Sequence[Sequence[int]]) -> Any:
    exact = np.result_type(weights, np.float32)
    sums = np.add.reduceat(weights, [group[0] for group in keys], axis=3, dtype=exact)
    return np.stack([sums[:, :, group].mean(axis=2) for group in queries], axis=2)


def _any(mask: np.ndarray, queries: Sequence[Sequence[int]], keys: Sequence[Sequence[int]]) -> Any:
    of_keys = np.logical_or.reduceat(mask, [group[0] for group in keys], axis=3)
    return np.logical_or.reduceat(of_keys, [group[0] for group in queries], axis=2)


def _product(chances: np.ndarray, queries: Sequence[Sequence[int]], keys: Sequence[Sequence[int]]) -> Any:
    return np.multiply.reduceat(chances, [group[0] for group in queries])


def _all(marks: Sequence[int], queries: Sequence[Sequence[int]], keys: Sequence[Sequence[int]]) -> Any:
    return tuple(min(marks[place] for place in group) for group in keys)


_MERGED: dict[str, Callable[..., Any]] = {"sum": _summed, "any": _any, "product": _product, "all": _all}


def _groups(tokens: Sequence[str], words: Sequence[int] | None) -> list[list[int]]:
    """The places of the pieces of each word; neighbours of one number are one word."""
    numbers = _by_marks(tokens) if words is None else words
    return [list(places) for _, places in groupby(range(len(tokens)), key=lambda place: numbers[place])]


def _by_marks(tokens: Sequence[str]) -> list[int]:
    """A number for the word of each token, by the marks that tokenizers leave: ## goes on, Ġ and ▁ begin."""
    goes_on = [token.startswith("##") for token in tokens]
    begins = [token.startswith(tuple(SPACES)) for token in tokens]
    if not any(goes_on) and not any(begins):
        hint = "read the text again with --model DIR"
        raise InputError("cannot merge into words: token boundaries are unknown", hint=hint)
    if not any(goes_on):
        alone = [bool(_SPECIAL.fullmatch(token)) for token in tokens]
        after = [False, *alone[:-1]]
        goes_on = [not any(either) for either in zip(begins, alone, after, strict=True)]
    return np.cumsum(np.logical_not(goes_on)).tolist()


def _called(tokens: Sequence[str], places: Sequence[int]) -> str:
    """The word of some pieces; of one piece, that."""
    first, *rest = (tokens[place] for place in places)
    if not rest:
        return first
    word = joined([first.lstrip(SPACES), *(piece.removeprefix("##") for piece in rest)])
    return word.strip() or word
