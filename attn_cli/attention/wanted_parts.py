"""Which queries, keys and heads are wanted: chosen before it is decided whether the weights of all can be held."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from .streamed_rows import Watch

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """Places among all queries, keys and heads, counted from 0 and rising; None stands for all.

    Queries keep the positions that they have among all, for masks and encodings. Keys are chosen after the
    softmax, so that rows sum to less than 1.
    """

    queries: Sequence[int] | None = None
    keys: Sequence[int] | None = None
    heads: Sequence[int] | None = None
    over: Sequence[int] | None = None  # keys; each row is divided by what it gives to these
    said: str = ""  # of all this, in words, for the provenance
    watch: Watch | None = None  # who counts something in the rows, where they are streamed

    def settled(self, n_heads: int) -> Wanted:
        """The same, with heads that were counted from the last, as −1, counted from the first.

        >>> Wanted(heads=[-1, 0]).settled(4).heads
        [0, 3]
        """
        if self.heads is None:
            return self
        if missing := [head for head in self.heads if not -n_heads <= head < n_heads]:
            raise InputError(f"no head {missing[0]} in this attention", hint=f"it has 0 to {n_heads - 1}")
        return replace(self, heads=sorted({head % n_heads for head in self.heads}))


ALL = Wanted()


def taken(each: Sequence[T], places: Sequence[int] | None) -> tuple[T, ...]:
    """What stands at these places.

    >>> taken(("a", "b", "c"), [0, 2]), taken(("a",), None)
    (('a', 'c'), ('a',))
    """
    return tuple(each) if places is None else tuple(each[place] for place in places)


def narrowed(weights: Float[Tensor, "... head query key"], wanted: Wanted) -> Float[Tensor, "... h q k"]:
    """The wanted heads, queries and keys of weights that are all there.

    >>> narrowed(torch.tensor([[[0.25, 0.25, 0.5]]]), Wanted(keys=[0, 2]))
    tensor([[[0.2500, 0.5000]]])
    """
    rows = along(along(weights, -3, wanted.heads), -2, wanted.queries)
    return of_keys(rows, wanted)


def of_keys(weights: Float[Tensor, "... key"], wanted: Wanted) -> Float[Tensor, "... k"]:
    """Of each row the wanted keys, divided by what it gives to some where that is wanted, and is not 0.

    >>> of_keys(torch.tensor([[0.25, 0.25, 0.5]]), Wanted(keys=[2], over=[0, 2]))
    tensor([[0.6667]])
    """
    chosen = along(weights, -1, wanted.keys)
    if wanted.over is None:
        return chosen
    sums = along(weights, -1, wanted.over).sum(dim=-1, keepdim=True)
    return chosen / sums.masked_fill(sums == 0, 1)


def along(x: Tensor, axis: int, places: Sequence[int] | None) -> Tensor:
    """These places of an axis; a view where they stand side by side.

    >>> along(torch.arange(6).reshape(2, 3), 1, [0, 2])
    tensor([[0, 2],
            [3, 5]])
    """
    if places is None:
        return x
    if places[-1] - places[0] == len(places) - 1:
        return x.narrow(axis, places[0], len(places))
    return x.index_select(axis, torch.tensor(places, device=x.device))
