"""The colour bar: which colour is which number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..colour import MASKED, ramp
from ..fonts import texts as fonts
from .sheet import BASELINE, QUIET, Picture, Stroke, Words, box
from .ticks import number, round_ticks, widest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..colour import Scale
    from .paper import Paper
    from .sheet import Mark

THICK, LONG, APART = 7.0, 130.0, 14.0  # of the bar, and from the panels to it, for letters of 8
SHORTEST = 40.0


@dataclass(frozen=True)
class Bar:
    """What the colours mean: their scale, what is counted, and what hidden cells are, if there are any."""

    name: str
    scale: Scale
    hidden: str = ""
    colours: tuple[tuple[int, ...], ...] = ()  # of the 256 steps, where they are not those of the ramp
    clipped: bool = False  # whether the last colour also stands for what lies beyond it

    def width(self, paper: Paper) -> float:
        """From the panels to the end of the longest text."""
        beside = paper.of(THICK) + paper.of(4) + widest([text for _, text in self._ticks()], paper.letters)
        masked = paper.of(THICK + 4) + fonts.width(self.hidden, paper.letters) if self.hidden else 0.0
        return paper.of(APART) + max(beside, masked, fonts.width(self.name, paper.letters))

    def marks(self, right: float, top: float, bottom: float, paper: Paper) -> Iterator[Mark]:
        """Upright, to the right of panels that end there; the top value uppermost, round numbers beside it."""
        x, top = paper.whole(right + paper.of(APART)), paper.whole(top)
        height = self._height(bottom - top, paper)
        thick = paper.whole(paper.of(THICK))
        yield from self._ramp(x, top, thick, height, paper.pixel, upright=True)
        yield Words(self.name, x, top - 0.75 * paper.letters, paper.letters, colour=QUIET)
        for tick, text in self._ticks(height / paper.letters / 1.5):
            y = top + height * (1 - float(self.scale.part(np.array(tick))))
            yield Stroke(((x + thick, y), (x + thick + 2, y)))
            yield Words(text, x + thick + paper.of(4), y + BASELINE * paper.letters, paper.letters)
        if self.hidden:
            yield from self._hidden(x, top + height + paper.letters, paper)

    def depth(self, room: float, paper: Paper) -> float:
        """How far it reaches down beside panels of this height."""
        return self._height(room, paper) + (2.2 * paper.letters if self.hidden else 0.5 * paper.letters)

    def _height(self, room: float, paper: Paper) -> float:
        room -= 2.2 * paper.letters if self.hidden else 0
        return paper.whole(min(paper.of(LONG), max(room, paper.of(SHORTEST))))

    def lying(self, x: float, y: float, paper: Paper) -> Iterator[Mark]:
        """From left to right, with its numbers below it and its name after it."""
        x, y, thick, long = map(paper.whole, (x, y, paper.of(THICK), paper.of(LONG)))
        size = paper.letters
        yield from self._ramp(x, y, long, thick, paper.pixel, upright=False)
        ticks = self._ticks()
        apart = max(fonts.width(text, size) for _, text in ticks) + 0.7 * size
        for tick, text in self._ticks(long / apart):
            at = x + long * float(self.scale.part(np.array(tick)))
            yield Stroke(((at, y + thick), (at, y + thick + 2)))
            middle = max(at, x + fonts.width(text, size) / 2)  # the first begins where the bar does
            yield Words(text, middle, y + thick + 3 + size, size, "center")
        after = x + long + paper.of(6)
        yield Words(self.name, after, y + thick / 2 + BASELINE * size, size, colour=QUIET)
        if self.hidden:
            after += fonts.width(self.name, size) + paper.of(APART)
            yield from self._hidden(after, y, paper)

    def _ticks(self, most: float = 5.5) -> list[tuple[float, str]]:
        """The numbers beside the bar; where it is clipped, the last one tells so."""
        ticks = bar_ticks(self.scale, most)
        if not self.clipped:
            return ticks
        ends = [(self.scale.high, f"≥ {self.scale.high:.2g}")]
        if self.scale.signed:
            ends.append((self.scale.low, f"≤ −{self.scale.high:.2g}"))
        apart = (self.scale.high - self.scale.low) / most * 0.8
        return [tick for tick in ticks if all(abs(tick[0] - end) > apart for end, _ in ends)] + ends

    def _hidden(self, x: float, y: float, paper: Paper) -> Iterator[Mark]:
        x, y, side = map(paper.whole, (x, y, paper.of(THICK)))
        n = round(side / paper.pixel)
        yield Picture(
            np.full((n, n, 3), MASKED["night" if paper.look.night else "paper"], np.uint8), x, y, paper.pixel
        )
        yield Words(
            self.hidden, x + side + paper.of(4), y + side / 2 + BASELINE * paper.letters, paper.letters
        )

    def lying_width(self, paper: Paper) -> float:
        """How far it reaches where it lies."""
        hidden = paper.of(APART + THICK + 4) + fonts.width(self.hidden, paper.letters) if self.hidden else 0.0
        return paper.of(LONG + 7) + fonts.width(self.name, paper.letters) + hidden

    def _ramp(
        self, x: float, y: float, width: float, height: float, pixel: float, *, upright: bool
    ) -> Iterator[Mark]:
        wide, high = round(width / pixel), round(height / pixel)
        shades = np.rint(np.linspace(255, 0, high) if upright else np.linspace(0, 255, wide)).astype(int)
        steps = np.array(self.colours, dtype=np.uint8) if self.colours else ramp(self.scale.ramp)
        colours = steps[shades]
        lying = colours[:, None].repeat(wide, axis=1) if upright else colours[None].repeat(high, axis=0)
        yield Picture(lying, x, y, pixel)
        yield box(x, y, width, height)


def bar_ticks(scale: Scale, most: float = 5.5) -> list[tuple[float, str]]:
    """Round numbers beside a colour bar; on a logarithmic scale, powers of ten."""
    if scale.log:
        powers = range(math.ceil(math.log10(scale.low) - 1e-9), math.floor(math.log10(scale.high) + 1e-9) + 1)
        return [(10.0**power, f"{10.0**power:g}") for power in powers]
    ticks, decimals = round_ticks(scale.low, scale.high, min(most, 5.5))
    return [(tick, number(tick, decimals)) for tick in ticks]
