"""Tokens as the labels of a user's ticks: as many as have room whenever they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..fonts import texts as fonts
from ..labels import label, stands_upright
from .backend import FuncFormatter, Locator

if TYPE_CHECKING:
    from collections.abc import Sequence

CLOSEST = 1.1  # from one label to the next, for letters of 1
MOST = 200  # labels that are told beforehand that they are no formulas


class EveryNth(Locator):
    """All of n places, or every 2nd, 5th, 10th …: a layout engine may have made the axes smaller meanwhile."""

    def __init__(self, n: int, size: float, *, across: bool) -> None:
        self.n, self.size, self.across = n, size, across

    @property
    def step(self) -> int:
        """How far it is from one place to the next."""
        axes: Any = self.axis.axes  # type: ignore[union-attr]  # a ticker belongs to an axis
        box = axes.get_window_extent()
        room = (box.width if self.across else box.height) / axes.get_figure(root=True).dpi * 72
        steps = (lead * 10**power for power in range(9) for lead in (1, 2, 5))
        return next(s for s in steps if s * room / self.n >= CLOSEST * self.size or s >= self.n)

    def __call__(self) -> list[int]:
        """The places."""
        return list(range(0, self.n, self.step))

    def tick_values(self, vmin: float, vmax: float) -> list[int]:
        """The places, whatever part of them is in view."""
        return self()


def name_ticks(axis: Any, tokens: Sequence[str], *, across: bool = False) -> None:
    """Tokens as the labels of the ticks of an axis; those across stand turned unless they are of ideographs."""
    texts = [fonts.drawable(label(token)) for token in tokens]
    size = axis.get_ticklabels()[0].get_size() if axis.get_ticklabels() else 10.0
    axis.set_major_locator(EveryNth(len(texts), size, across=across))
    axis.set_major_formatter(
        FuncFormatter(lambda x, _: texts[round(x)] if 0 <= round(x) < len(texts) else "")
    )
    turned = across and not all(map(stands_upright, texts))
    for tick in axis.get_major_ticks(min(len(texts), MOST)):
        for one in (tick.label1, tick.label2):
            one.set(parse_math=False, rotation=90 if turned else 0)
            in_fonts(one, texts)


def widest(tokens: Sequence[str], size: float) -> float:
    """The width of the longest label, in points."""
    return max(fonts.width(fonts.drawable(label(token)), size) for token in tokens)


def in_fonts(text: Any, words: Sequence[str]) -> None:
    """A text that the user's font need not have, in the fonts that have it."""
    if not all(word.isascii() for word in words):
        text.set_fontfamily([*text.get_fontfamily(), *fonts.families_for(list(words))])
