"""Which queries, keys and heads are wanted: chosen before it is decided whether the weights of all can be held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """Places among all queries, keys and heads, counted from 0 and rising; None stands for all.

    Queries keep the positions that they have among all, for masks and encodings. Keys are chosen after the
    softmax, so that rows sum to less than 1, unless they are renormalised.
    """

    queries: Sequence[int] | None = None
    keys: Sequence[int] | None = None
    heads: Sequence[int] | None = None
    renormalise: bool = False
    said: str = ""  # of all this, in words, for the provenance


ALL = Wanted()


def taken(each: Sequence[T], places: Sequence[int] | None) -> tuple[T, ...]:
    """What stands at these places.

    >>> taken(("a", "b", "c"), [0, 2]), taken(("a",), None)
    (('a', 'c'), ('a',))
    """
    return tuple(each) if places is None else tuple(each[place] for place in places)


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
