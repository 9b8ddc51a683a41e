"""Chunks of a text that do not see each other, as one layer: their vectors one after the other, and their rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, ClassVar

import torch

from .mask_matrices import Added, Written
from .rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from ..variants.scores import Score
    from .layers import Layer


def joined(pieces: Sequence[Layer]) -> Layer:
    """One layer's attention to the pieces of a text, each of which was read by itself, as that to all of it."""
    if len(pieces) == 1:
        return pieces[0]
    query, key, value = (
        torch.cat([getattr(piece, name) for piece in pieces], dim=-2) for name in ("query", "key", "value")
    )
    rule = apart([piece.rule for piece in pieces], [piece.key.shape[-2] for piece in pieces])
    return replace(pieces[0], query=query, key=key, value=value, rule=rule)


def apart(rules: Sequence[Rule], lengths: Sequence[int]) -> Rule:
    """The rules of pieces of these lengths as one, in which no piece sees another.

    >>> apart([Rule.parse(mask=["causal"])] * 2, [1, 2]).reach(1, 2, 3)
    [(1, 2)]
    """
    alone = Rule.parse(mask=[f"document:lengths={'+'.join(map(str, lengths))}"]).masks
    masks = rules[0].masks
    if any(isinstance(mask, Written) for rule in rules for parts in rule.masks for mask in parts):
        masks = ((WrittenApart(_places(lengths), tuple(rules)),),)
    position = rules[0].position
    if isinstance(position, Added):
        position = AddedApart(_places(lengths), tuple(rules))
    return replace(rules[0], masks=masks + alone, position=position)


def _places(lengths: Sequence[int]) -> tuple[range, ...]:
    """Where the tokens of each piece stand in the whole.

    >>> _places([2, 3])
    (range(0, 2), range(2, 5))
    """
    return tuple(range(*ends) for ends in pairwise(accumulate(lengths, initial=0)))


@dataclass(frozen=True, eq=False)
class _Apart:
    """What differs from piece to piece, asked by the positions in the whole."""

    places: tuple[range, ...]
    rules: tuple[Rule, ...]

    def blocks(
        self, query_pos: Int[Tensor, " q"], key_pos: Int[Tensor, " k"]
    ) -> Iterator[tuple[Rule, slice, slice, Tensor, Tensor]]:
        """Each piece that is there, its rows and columns, and where these stand within the piece."""
        for place, rule in zip(self.places, self.rules, strict=True):
            rows, columns = (_within(place, at) for at in (query_pos, key_pos))
            if rows.start < rows.stop and columns.start < columns.stop:
                yield rule, rows, columns, query_pos[rows] - place.start, key_pos[columns] - place.start


def _within(place: range, at: Int[Tensor, " seq"]) -> slice:
    """Which of some rising positions are of a piece."""
    return slice(*torch.searchsorted(at, at.new_tensor([place.start, place.stop])).tolist())


class WrittenApart(_Apart):
    """The masks of all pieces."""

    def __call__(self, query: Int[Tensor, "q 1"], key: Int[Tensor, " k"]) -> Bool[Tensor, "q k"]:
        allowed = torch.zeros(len(query), key.shape[-1], dtype=torch.bool, device=key.device)
        for rule, rows, columns, query_pos, key_pos in self.blocks(query[:, 0], key):
            nothing = key.new_zeros(1, 1)
            permitted = rule.allowed(nothing, nothing, query_pos, key_pos)
            allowed[rows, columns] = True if permitted is None else permitted
        return allowed


class AddedApart(_Apart):
    """What is added to the scores of all pieces; nothing between two of them."""

    of_heads: ClassVar = True

    def __call__(
        self,
        score: Score,
        query: Float[Tensor, "... q d_head"],
        key: Float[Tensor, "... k d_head"],
        query_pos: Int[Tensor, " q"],
        key_pos: Int[Tensor, " k"],
    ) -> Float[Tensor, "... q k"]:
        scores = score(query, key)
        for rule, rows, columns, *at in self.blocks(query_pos, key_pos):
            assert isinstance(rule.position, Added)
            scores[..., rows, columns] += rule.position.at(*at)
        return scores
