"""Queries in blocks, each with the keys that it can reach, and one thread for each block."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from jaxtyping import Float
    from torch import Tensor

    from ...variants.intervals import Interval
    from ..rules import Rule

MOST_ROWS = 256  # under a window of few keys, more rows would mean more that is masked
CACHED = 2**25  # bytes of a block's weights: fewer make thin matrix products
MOST_CACHED = 2**28  # of all threads together

T = TypeVar("T")


@dataclass(frozen=True)
class Block:
    """Some queries, and the keys that any of them can reach."""

    rows: slice
    reach: list[Interval]

    def reached(self, x: Float[Tensor, "*maps key d"]) -> Float[Tensor, "*maps reached d"]:
        """What belongs to these keys; a view if they stand side by side."""
        pieces = [x[..., lo:hi, :] for lo, hi in self.reach] or [x[..., :0, :]]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=-2)


def in_blocks(
    rule: Rule, places: Sequence[int], n_key: int, room: int, most: int = MOST_ROWS
) -> Iterator[Block]:
    """The queries at these positions, cut into blocks of at most `room` weights and `most` rows, but of one at least.

    >>> from ..rules import Rule
    >>> [block.rows for block in in_blocks(Rule(), range(6), n_key=6, room=12)]
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    start = 0
    while start < len(places):
        n_rows = 1
        while 2 * n_rows <= most and _n_weights(rule, places[start : start + 2 * n_rows], n_key) <= room:
            n_rows *= 2
        stop = min(start + n_rows, len(places))
        yield Block(slice(start, stop), _reach(rule, places[start:stop], n_key))
        start = stop


def _n_weights(rule: Rule, places: Sequence[int], n_key: int) -> int:
    return len(places) * sum(hi - lo for lo, hi in _reach(rule, places, n_key))


def _reach(rule: Rule, places: Sequence[int], n_key: int) -> list[Interval]:
    return rule.reach(places[0], places[-1] + 1, n_key)


def shape_of_blocks(
    rule: Rule, n_heads: int, n_query: int, key: Float[Tensor, "layer head key d_head"]
) -> tuple[int, int, int]:
    """How many heads a block has together, how many weights of each, and how many rows at most."""
    n_bytes, most = _room_on(key.device)
    room = n_bytes // key.itemsize
    # On a CPU one head after the other finds more in the cache; a GPU wants much to do at a time.
    fitting = max(1, room // (min(most, n_query) * key.shape[-2])) if key.is_cuda else 1
    together = n_heads if rule.of_heads else min(n_heads, fitting)
    return together, room // together, most


def _room_on(device: torch.device) -> tuple[int, int]:
    """How many bytes the weights of a block may take, and how many rows it may have."""
    if device.type == "cuda":  # scores, weights and what is between them, of two threads
        return torch.cuda.mem_get_info(device)[0] // 16, 4 * MOST_ROWS
    if device.type == "cpu":
        return min(CACHED, MOST_CACHED // torch.get_num_threads()), MOST_ROWS
    return 2**28, MOST_ROWS


def in_order(
    work: Callable[[Block], T], blocks: Iterable[Block], device: torch.device
) -> Iterator[tuple[Block, T]]:
    """Each block with what work makes of it, in order; on a CPU, a block for each thread at a time.

    A block has one thread: all threads on one block would wait for each other after every small step. A GPU has
    two, so that it weighs one block while the sums of another are taken from it.

    >>> from ..rules import Rule
    >>> blocks = in_blocks(Rule(), range(4), n_key=4, room=8)
    >>> [rows for _, rows in in_order(lambda block: block.rows, blocks, torch.device("cpu"))]
    [slice(0, 2, None), slice(2, 4, None)]
    """
    before = torch.get_num_threads()
    n_threads = {"cpu": before, "cuda": 2}.get(device.type, 1)
    if n_threads == 1:
        yield from ((block, work(block)) for block in blocks)
        return
    begun: deque[tuple[Block, Future[T]]] = deque()
    try:
        with ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as threads:
            for block in blocks:
                begun.append((block, threads.submit(work, block)))
                if len(begun) > n_threads:
                    first, result = begun.popleft()
                    yield first, result.result()
            yield from ((block, result.result()) for block, result in begun)
    finally:
        torch.set_num_threads(before)  # torch takes the number that a thread sets for that of new ones
