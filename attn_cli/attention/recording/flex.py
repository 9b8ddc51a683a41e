"""The two functions that FlexAttention is told, as parts of a `Rule`: each of a single score, asked of a block.

Dong et al. 2024, arXiv:2412.05496.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Bool, Float, Int
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class _Told:
    """A function of (…, example, head, query, key), and the numbers of these."""

    function: Callable[..., Tensor]
    example: Int[Tensor, ""]
    heads: Int[Tensor, " head"]
    n_query: int
    n_key: int

    def _ask(
        self, scores: tuple[Tensor, ...], query_pos: Tensor, key_pos: Tensor
    ) -> Float[Tensor, "head q k"]:
        """One call of the function for all cells, as torch does it: it is written for single numbers."""
        from torch._dynamo._trace_wrapped_higher_order_op import TransformGetItemToIndex

        queries, some = query_pos - (self.n_key - self.n_query), [0] * len(scores)
        each = torch.vmap(self.function, in_dims=(*some, None, None, None, 0))
        each = torch.vmap(each, in_dims=(*some, None, None, 0, None))
        each = torch.vmap(each, in_dims=(*some, None, 0, None, None))
        with TransformGetItemToIndex():  # or a table could not be asked for a number that vmap holds
            return each(*scores, self.example, self.heads, queries, key_pos)

    def only(self, heads: list[int]) -> _Told:
        """The same for some of the heads."""
        return replace(self, heads=self.heads[heads])


class Changed(_Told):
    """A function that changes scores.

    >>> zero = torch.tensor(0)
    >>> mod = Changed(lambda score, b, h, q, k: score + q - k, zero, torch.arange(1), 2, 2)
    >>> mod(lambda q, k: torch.zeros(1, 2, 2), None, None, torch.arange(2), torch.arange(2))
    tensor([[[ 0., -1.],
             [ 1.,  0.]]])
    """

    of_heads: ClassVar = True

    def __call__(
        self,
        score: Callable[[Tensor, Tensor], Tensor],
        query: Float[Tensor, "*layer head q d_head"],
        key: Float[Tensor, "*layer head k d_head"],
        query_pos: Int[Tensor, " q"],
        key_pos: Int[Tensor, " k"],
    ) -> Float[Tensor, "*layer head q k"]:
        raw = score(query, key)
        return self._ask((raw.reshape(-1, *raw.shape[-2:]),), query_pos, key_pos).reshape(raw.shape)


class Asked(_Told):
    """A function that says where a query may attend.

    >>> asked = Asked(lambda b, h, q, k: k <= q + h, torch.tensor(0), torch.arange(2), 1, 2)
    >>> asked(torch.tensor([[1]]), torch.tensor([[0, 1]]))
    tensor([[[[ True, False]],
    <BLANKLINE>
             [[ True,  True]]]])
    """

    def __call__(self, query: Int[Tensor, "q 1"], key: Int[Tensor, "*one k"]) -> Bool[Tensor, "1 head q k"]:
        return self._ask((), query.flatten(), key.flatten())[None]
