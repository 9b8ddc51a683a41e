"""Several blocks on one paper, each with a colour bar of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from .paper import Frame, Room, beside, depth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .paper import Block, Paper
    from .sheet import Mark

    Fit = Callable[[Paper, Room], Block]

WIDEST, APART = 1076.0, 10.0  # of blocks side by side, and between them; for letters of 8
SHAPE = 1.2  # width of the room of a block for a height of 1, where they share a given size


@dataclass(frozen=True, eq=False)
class Several:
    """Blocks in rows of so many."""

    paper: Paper
    parts: tuple[Block, ...]
    across: int

    bar = None

    @property
    def places(self) -> tuple[list[float], list[float]]:
        """Where the columns and the rows of blocks begin, and at last where these end."""
        apart = self.paper.of(APART)
        columns = [self.parts[i :: self.across] for i in range(self.across)]
        rows = [self.parts[i : i + self.across] for i in range(0, len(self.parts), self.across)]
        widths = [max(part.width + beside(self.paper, part) for part in column) for column in columns]
        heights = [max(depth(self.paper, part) for part in row) for row in rows]
        across, down = (
            [0.0, *accumulate(self.paper.whole(length + apart) for length in lengths)]
            for lengths in (widths, heights)
        )
        return across, down

    @property
    def width(self) -> float:
        """Of everything."""
        return self.places[0][-1] - self.paper.of(APART)

    @property
    def height(self) -> float:
        """Of everything."""
        return self.places[1][-1] - self.paper.of(APART)

    @property
    def frame(self) -> Frame:
        """From the panels of the first block to the end."""
        first = self.parts[0].frame
        return Frame(first.left, first.top, self.width, self.height)

    @property
    def notes(self) -> list[str]:
        """Those of all, each once."""
        return list(dict.fromkeys(note for part in self.parts for note in part.notes))

    def marks(self, x: float, y: float) -> Iterator[Mark]:
        """Everything, from this corner."""
        across, down = self.places
        for i, part in enumerate(self.parts):
            left, top = x + across[i % self.across], y + down[i // self.across]
            yield from part.marks(left, top)
            if part.bar:
                frame = part.frame
                yield from part.bar.marks(left + frame.right, top + frame.top, top + frame.bottom, self.paper)


def fit_several(fits: Sequence[Fit], paper: Paper, room: Room) -> Several:
    """Each block as large as it takes, or on paper of a given size as its share of the room lets it be."""
    if not paper.fixed:
        parts = tuple(fit(paper, room) for fit in fits)
        widest = max(part.width + beside(paper, part) for part in parts) + paper.of(APART)
        usual = max(1, int(paper.of(WIDEST) // widest))
        return Several(paper, parts, min(paper.look.columns or usual, len(parts)))
    n, apart = len(fits), paper.of(APART)

    def misshapen(across: int) -> float:
        return abs(math.log(room.width / across / (room.height / math.ceil(n / across)) / SHAPE))

    across = min(paper.look.columns or min(range(1, n + 1), key=misshapen), n)
    down = math.ceil(n / across)
    share = (
        (room.width + apart) / across - apart - paper.pixel,
        (room.height + apart) / down - apart - paper.pixel,
    )
    bars = 0.0
    for _ in range(3):
        parts = tuple(fit(paper, Room(share[0] - bars, share[1], fixed=True)) for fit in fits)
        if all(part.width + beside(paper, part) <= share[0] for part in parts):
            break
        bars = max(beside(paper, part) for part in parts)
    return Several(paper, parts, across)
