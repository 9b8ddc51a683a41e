"""Rows of weights as they pass while a long text is streamed, for whoever counts something in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from .layer_inputs import Sides
    from .wanted_parts import Wanted


@dataclass(frozen=True, eq=False)
class Seen:
    """Whole rows of some heads of a layer. Queries and keys are counted among those that are wanted."""

    layer: int  # its number
    head: int  # the first
    query: Int[np.ndarray, " row"]
    key: Int[np.ndarray, " key"]  # those that any of the queries can reach, rising
    weights: Float[np.ndarray, "head row key"]
    allowed: Bool[np.ndarray, "#head row key"] | None
    lengths: (
        Float[np.ndarray, "head key"] | None
    )  # what arrives of each key for a weight of 1, where it is known


class Watch(Protocol):
    """Counts something in rows that pass. Threads may see at once; what they make of it is taken in order."""

    def begin(self, sides: Sides, wanted: Wanted) -> None:
        """Before the first row: whose rows they are."""

    def see(self, rows: Seen) -> Any:
        """Make something of some rows."""

    def take(self, made: Any) -> None:
        """Put it to the rest."""


@dataclass(frozen=True, eq=False)
class Eye:
    """Shows the rows of one layer to a watch."""

    watch: Watch
    layer: int
    columns: Sequence[int] | None = None  # of the keys that count; None: all
    lengths: Float[np.ndarray, "head key"] | None = None

    def see(
        self,
        head: int,
        rows: slice,
        keys: Int[Tensor, " reached"],
        weights: Float[Tensor, "head row reached"],
        allowed: Bool[Tensor, "... row reached"] | None,
    ) -> Any:
        """What the watch makes of these rows of some heads, the first of which is `head`."""
        lengths = None
        if self.lengths is not None:
            lengths = self.lengths[head : head + len(weights), keys.cpu().numpy()]
        if self.columns is not None:
            columns = torch.tensor(self.columns, device=keys.device)
            there = torch.isin(keys, columns)
            keys, weights = torch.searchsorted(columns, keys[there]), weights[..., there]
            allowed = None if allowed is None else allowed[..., there]
            lengths = None if lengths is None else lengths[:, there.cpu().numpy()]
        return self.watch.see(
            Seen(
                self.layer,
                head,
                torch.arange(rows.start, rows.stop).numpy(),
                keys.cpu().numpy(),
                weights.cpu().numpy(),
                None if allowed is None else allowed.reshape(-1, *allowed.shape[-2:]).cpu().numpy(),
                lengths,
            )
        )

    def take(self, made: Sequence[Any]) -> None:
        """Put what was made of rows to the rest."""
        for each in made:
            self.watch.take(each)

    def see_nothing(self, head: int, rows: slice, query: Float[Tensor, "head row d_head"]) -> Any:
        """What the watch makes of rows that can reach no key."""
        weights = query.new_zeros(*query.shape[:2], 1)
        keys = torch.tensor([0 if self.columns is None else self.columns[0]], device=query.device)
        return self.see(head, rows, keys, weights, weights.bool())
