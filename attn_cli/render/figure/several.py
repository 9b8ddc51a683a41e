"""Several blocks on one paper, each with a colour bar of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
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
    def step(self) -> tuple[float, float]:
        """From one block to the next, across and down."""
        apart = self.paper.of(APART)
        width = max(part.width + beside(self.paper, part) for part in self.parts)
        height = max(depth(self.paper, part) for part in self.parts)
        return self.paper.whole(width + apart), self.paper.whole(height + apart)

    @property
    def width(self) -> float:
        """Of everything."""
        return min(self.across, len(self.parts)) * self.step[0] - self.paper.of(APART)

    @property
    def height(self) -> float:
        """Of everything."""
        return math.ceil(len(self.parts) / self.across) * self.step[1] - self.paper.of(APART)

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
        across, down = self.step
        for i, part in enumerate(self.parts):
            row, column = divmod(i, self.across)
            left, top = x + column * across, y + row * down
            yield from part.marks(left, top)
            if part.bar:
                frame = part.frame
                yield from part.bar.marks(left + frame.right, top + frame.top, top + frame.bottom, self.paper)


def fit_several(fits: Sequence[Fit], paper: Paper, room: Room) -> Several:
    """Each block as large as it takes, or on paper of a given size as its share of the room lets it be."""
    if not paper.fixed:
        parts = tuple(fit(paper, room) for fit in fits)
        step = Several(paper, parts, 1).step[0]
        usual = max(1, int(paper.of(WIDEST) // step))
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
    return Several(paper, tuple(_within(fit, paper, *share) for fit in fits), across)


def _within(fit: Fit, paper: Paper, width: float, height: float) -> Block:
    """A block that leaves room for its colour bar."""
    block = fit(paper, Room(width, height, fixed=True))
    for _ in range(2):
        taken = beside(paper, block)
        if block.width + taken > width:
            block = fit(paper, Room(width - taken, height, fixed=True))
    return block
