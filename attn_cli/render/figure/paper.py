"""The paper that every view is drawn on: a heading above, the panels, a colour bar beside, notes below.

A view brings a `Block`, made for the room that is left; here everything gets its place. Paper of a given size
is filled; else it is as large as the content takes. Lengths are in points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ...errors import InputError
from ...text.escaping import escape
from ..fonts import texts as fonts
from ..look import PLAIN
from .sheet import INK, LEADING, QUIET, Sheet, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..look import Look
    from .bar import Bar
    from .sheet import Mark

UNKNOWN = "origin not recorded"
PAGE, WIDE, TALL = 504.0, 1008.0, 1000.0  # without a size: width of a sheet, at most; height of all panels
MARGIN, EDGE, GAP = 12.0, 5.0, 10.0  # around a sheet, around one of a given size; between panels
HEADING, NOTE = 1.25, 0.75  # sizes of type, for letters of 1
NARROWEST = 240.0  # lines at the foot of a narrow sheet
_ATTEMPTS = 6  # at a room that leaves enough for what stands around it


@dataclass(frozen=True)
class Room:
    """Where panels may be: exactly so large on paper of a given size, else at most about so large."""

    width: float
    height: float
    fixed: bool


@dataclass(frozen=True)
class Frame:
    """Where the panels lie within a block."""

    left: float
    top: float
    right: float
    bottom: float


class Block(Protocol):
    """What a view draws: its panels and whatever belongs to them."""

    @property
    def width(self) -> float:
        """All that it takes across."""

    @property
    def height(self) -> float:
        """All that it takes down."""

    @property
    def frame(self) -> Frame:
        """Where its panels lie: the heading begins over them, the colour bar stands beside them."""

    @property
    def bar(self) -> Bar | None:
        """What its colours mean."""

    @property
    def notes(self) -> Sequence[str]:
        """What is said at the foot, beside the origin of the numbers; nothing in it acts any more."""

    def marks(self, x: float, y: float) -> Iterable[Mark]:
        """Everything, from this corner."""


@dataclass(frozen=True)
class Paper:
    """How a sheet looks before anything is on it. Lengths are declared for letters of 8 points and grow with these."""

    look: Look = PLAIN

    @property
    def letters(self) -> float:
        """The size of labels."""
        return self.look.letters

    @property
    def heading(self) -> float:
        """The size of the title."""
        return HEADING * self.look.letters

    @property
    def note(self) -> float:
        """The size of what stands at the foot."""
        return NOTE * self.look.letters

    @property
    def fixed(self) -> bool:
        """Whether the size is given."""
        return self.look.inches is not None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height; if none is given, those of a page."""
        inches = self.look.inches
        return (inches[0] * 72, inches[1] * 72) if inches else (self.of(PAGE), self.of(TALL))

    @property
    def margin(self) -> float:
        """Around everything."""
        return self.of(EDGE if self.fixed else MARGIN)

    @property
    def pixel(self) -> float:
        """The width of a pixel."""
        return 72 / self.look.pixels

    def of(self, length: float) -> float:
        """A length that grows with the letters."""
        return length * self.look.letters / 8

    def whole(self, length: float) -> float:
        """At least this length, in whole pixels."""
        return math.ceil(length / self.pixel - 1e-6) * self.pixel


@dataclass(frozen=True, eq=False)
class Laid:
    """A block on its paper, with what stands around it."""

    paper: Paper
    block: Block
    heading: tuple[Words, ...]
    notes: tuple[Words, ...]
    x: float  # the upper left corner of the block
    y: float
    width: float  # of the sheet
    height: float

    def sheet(self) -> Sheet:
        """Everything in its place."""
        frame = self.block.frame
        bar = self.block.bar.marks(
            self.x + frame.right, self.y + frame.top, self.y + frame.bottom, self.paper
        ) if self.block.bar else ()  # fmt: skip
        marks = (*self.heading, *self.block.marks(self.x, self.y), *bar, *self.notes)
        look = self.paper.look
        said = look.title or next((word.text for word in self.heading), "attention")
        return Sheet(self.width, self.height, marks, look.night, escape(said), look.text_as)


def lay_out(
    look: Look,
    fit: Callable[[Paper, Room], Block],
    *,
    subheading: str = "",
    origin: str | None = "",
) -> Laid:
    """Fit a block to the paper. `origin` says where the numbers come from; None where that is no question."""
    paper = Paper(look)
    notes = [] if origin is None else [escape(origin.strip()) or UNKNOWN]
    top = right = bottom = 0.0
    for attempt in range(_ATTEMPTS):
        wide, high = paper.size
        room = Room(wide - 2 * paper.margin - right, high - 2 * paper.margin - top - bottom, paper.fixed)
        if min(room.width, room.height) < 2 * paper.letters:
            break
        block = fit(paper, room)
        heading = _heading(paper, look.title, subheading, block.frame.left)
        foot = _notes(paper, block, [*notes, *block.notes])
        wanted = _height(heading), beside(paper, block), _height(foot)
        if not paper.fixed:
            return _natural(paper, block, heading, foot)
        if block.width <= room.width + 1 and depth(paper, block) <= room.height + 1 and attempt and (
            wanted[0] <= top and wanted[1] <= right and wanted[2] <= bottom
        ):  # fmt: skip
            return _centred(paper, block, heading, foot)
        top, right, bottom = (max(pair) for pair in zip((top, right, bottom), wanted, strict=True))
    raise too_small(paper)


def too_small(paper: Paper) -> InputError:
    """What is said where the content does not fit paper of a given size."""
    width, height = paper.look.inches or (0, 0)
    hint = "give a larger --size, a smaller --font-size, or fewer panels or tokens"
    return InputError(
        f"this does not fit {width:g} × {height:g} inches at {paper.letters:g} points", hint=hint
    )


Line = tuple[str, float, str]  # a text, its size, its colour


def _heading(paper: Paper, title: str, subheading: str, left: float) -> list[Line]:
    if not paper.look.shows("title"):
        return []
    room = paper.size[0] - 2 * paper.margin - left * paper.fixed
    parts = ((escape(title), paper.heading, INK), (subheading, paper.letters, QUIET))
    return [(line, size, colour) for text, size, colour in parts for line in fonts.lines(text, size, room)]


def _notes(paper: Paper, block: Block, texts: Iterable[str]) -> list[Line]:
    """What is said at the foot. On a sheet of its own size it is no reason to be wider than the panels, within reason."""
    if not paper.look.shows("provenance"):
        return []
    room = paper.size[0] - 2 * paper.margin
    if not paper.fixed:
        room = min(room, max(block.width + beside(paper, block), paper.of(NARROWEST)))
    return [(line, paper.note, QUIET) for text in texts for line in fonts.lines(text, paper.note, room)]


def _height(lines: Sequence[Line]) -> float:
    """Of a heading with what parts it from the panels, or of notes with what parts these from them."""
    return sum(size * LEADING for _, size, _ in lines) + (0.5 * lines[0][1] if lines else 0)


def _set(lines: Sequence[Line], x: float, y: float) -> Iterator[Words]:
    """Lines below one another, from this corner."""
    for text, size, colour in lines:
        yield Words(text, x, y + size, size, colour=colour)
        y += size * LEADING


def beside(paper: Paper, block: Block) -> float:
    """How far the colour bar reaches beyond the block."""
    if block.bar is None:
        return 0.0
    return max(0.0, block.frame.right + block.bar.width(paper) - block.width)


def depth(paper: Paper, block: Block) -> float:
    """How far down the block and its colour bar reach."""
    if block.bar is None:
        return block.height
    frame = block.frame
    return max(block.height, frame.top + block.bar.depth(frame.bottom - frame.top, paper))


def _natural(paper: Paper, block: Block, heading: Sequence[Line], notes: Sequence[Line]) -> Laid:
    """A sheet as large as what is on it."""
    x, y = paper.whole(paper.margin), paper.whole(paper.margin + _height(heading))
    above = tuple(_set(heading, x + block.frame.left, paper.margin))
    below = y + depth(paper, block) + 0.5 * paper.note
    foot = tuple(_set(notes, paper.margin, below))
    right = max(x + block.width + beside(paper, block), *(_end(word) for word in (*above, *foot)), 0)
    bottom = foot[-1].y if foot else y + depth(paper, block)
    size = math.ceil(right + paper.margin), math.ceil(bottom + paper.margin)
    return Laid(paper, block, above, foot, x, y, *size)


def _centred(paper: Paper, block: Block, heading: Sequence[Line], notes: Sequence[Line]) -> Laid:
    """In the middle of paper of a given size."""
    width, height = paper.size
    taken = block.width + beside(paper, block)
    high = _height(heading) + depth(paper, block) + _height(notes)
    x = paper.whole((width - taken) / 2) - paper.pixel
    start = (height - high) / 2
    y = paper.whole(start + _height(heading)) - paper.pixel
    x, y = max(x, 0.0), max(y, 0.0)
    above = tuple(_set(heading, x + block.frame.left, start))
    widest = max((fonts.width(text, size) for text, size, _ in notes), default=0)
    left = max(paper.margin, min(x, width - paper.margin - widest))
    foot = tuple(_set(notes, left, y + depth(paper, block) + 0.5 * paper.note))
    return Laid(paper, block, above, foot, x, y, width, height)


def _end(word: Words) -> float:
    return word.x + fonts.width(word.text, word.size)
