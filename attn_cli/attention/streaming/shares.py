"""The rows of a long attention divided among processes: each streams some of them, and their results are merged.

Every process has all vectors. Rows are dealt out in stripes, so that under a causal mask, where later rows have more
keys, all have equally much to do. Sums are added, maxima compared, and figures of rows put side by side.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ...errors import InputError
from .blocking import MOST_ROWS, Block, in_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from ..rules import Rule
    from .kept import Kept


@dataclass(frozen=True)
class Share:
    """Which of several processes this one is; the first has all of it in the end."""

    rank: int = 0
    size: int = 1

    def blocks(
        self, rule: Rule, places: Sequence[int], n_key: int, room: int, most: int = MOST_ROWS
    ) -> Iterator[Block]:
        """The blocks of this process's rows, of at most `room` weights and `most` rows.

        >>> from ..rules import Rule
        >>> [block.rows for block in Share(1, 2).blocks(Rule(), range(700), 700, 2**20)]
        [slice(256, 512, None)]
        """
        if self.size == 1:
            yield from in_blocks(rule, places, n_key, room, most)
            return
        for start in range(self.rank * most, len(places), self.size * most):
            for block in in_blocks(rule, places[start : start + most], n_key, room, most):
                yield Block(slice(start + block.rows.start, start + block.rows.stop), block.reach)

    def put_together(self, kept: Kept) -> None:
        """Merge what all processes have kept, in the first.

        Raises InputError where another process has ended.
        """
        if self.size == 1:
            return
        from torch.distributed import ReduceOp

        kept.top_keys += 1  # rows of others are −1
        try:
            group = _on_cpu()
            for array in (kept.sums, kept.mass, kept.norms):
                _reduce(array, ReduceOp.SUM, group)
            for cells in (kept.maxima, kept.mask.view(np.uint8)):
                _reduce(cells, ReduceOp.MAX, group)
            for tensor in (kept.output, kept.entropy, kept.top_weights, kept.top_keys):
                _reduce(tensor, ReduceOp.SUM, group)
            kept.seeing = _reduce(kept.seeing.byte(), ReduceOp.MIN, group).bool()
        except RuntimeError:
            raise InputError("another process has ended", hint="look for its error") from None
        kept.top_keys -= 1


def _on_cpu() -> object:
    """A group of processes that can exchange memory of the CPU; NCCL exchanges that of GPUs alone."""
    import torch.distributed as processes

    return None if processes.get_backend() == "gloo" else processes.new_group(backend="gloo")


def _reduce(x: Tensor | np.ndarray | None, how: object, group: object) -> Tensor:
    """Put the numbers of all processes into those of the first."""
    if x is None:
        return torch.empty(0)
    ours = torch.from_numpy(x) if isinstance(x, np.ndarray) else x
    there = ours.cpu()
    torch.distributed.reduce(there, 0, how, group)  # type: ignore[arg-type]
    if there is not ours:
        ours.copy_(there)
    return ours


_share: ContextVar[Share] = ContextVar("share", default=Share())  # noqa: B039 (frozen)


def share() -> Share:
    """The share of this process.

    >>> share()
    Share(rank=0, size=1)
    """
    return _share.get()


@contextmanager
def shared(rank: int, size: int) -> Iterator[None]:
    """Within this context `size` processes stream together, and this one is number `rank`.

    >>> with shared(1, 2):
    ...     share()
    Share(rank=1, size=2)
    """
    before = _share.set(Share(rank, size))
    try:
        yield
    finally:
        _share.reset(before)
