"""Sets of whole numbers as intervals: the keys that a mask may let a block of queries reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Interval = tuple[int, int]  # from the first to before the second


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The numbers in any of the intervals, as disjoint intervals in order.

    >>> union([(5, 8), (0, 2), (1, 3), (4, 4)])
    [(0, 3), (5, 8)]
    """
    joined: list[Interval] = []
    for lo, hi in sorted(i for i in intervals if i[0] < i[1]):
        if joined and lo <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(hi, joined[-1][1]))
        else:
            joined.append((lo, hi))
    return joined


def intersection(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval]:
    """The numbers in both of two lists of disjoint intervals, in order.

    >>> intersection([(0, 3), (5, 8)], [(2, 6)])
    [(2, 3), (5, 6)]
    """
    both = [(max(a, c), min(b, d)) for a, b in left for c, d in right]
    return [(lo, hi) for lo, hi in both if lo < hi]
