"""Masks and additions to the scores that are written out as matrices, asked by positions as all others are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from ..variants.scores import Score


@dataclass(frozen=True, eq=False)
class Written:
    """A mask written out, one for all heads or one for each; asked like any other by positions.

    >>> import torch
    >>> Written(torch.tensor([[True, False]]))(torch.tensor([[1]]), torch.tensor([[0, 1]]))
    tensor([[ True, False]])
    """

    table: Bool[Tensor, "*#head query key"]

    def __call__(self, query: Int[Tensor, "q 1"], key: Int[Tensor, "1 k"]) -> Bool[Tensor, "*#head q k"]:
        n_query, n_key = self.table.shape[-2:]
        return self.table.to(key.device)[..., query - (n_key - n_query), key]


@dataclass(frozen=True, eq=False)
class Added:
    """Numbers that are added to the scores, written out, as T5 does by distance: asked like any other position."""

    of_heads: ClassVar = True
    table: Float[Tensor, "#head query key"]

    def __call__(
        self,
        score: Score,
        query: Float[Tensor, "... q d_head"],
        key: Float[Tensor, "... k d_head"],
        query_pos: Int[Tensor, " q"],
        key_pos: Int[Tensor, " k"],
    ) -> Float[Tensor, "... q k"]:
        return score(query, key) + self.at(query_pos, key_pos)

    def at(self, query_pos: Int[Tensor, " q"], key_pos: Int[Tensor, " k"]) -> Float[Tensor, "#head q k"]:
        """What is added for these queries and keys."""
        n_query, n_key = self.table.shape[-2:]
        return self.table[:, (query_pos - (n_key - n_query))[:, None], key_pos]
