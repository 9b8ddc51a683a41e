"""The labels along one side of a panel: as many as can be read at the size of letters, none over another."""

from __future__ import annotations

import bisect
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...text.characters import clusters
from ..fonts import texts as fonts
from ..labels import stands_upright
from .sheet import BASELINE, Stroke, Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .sheet import Mark

CLOSEST = 1.06  # from one label to the next, for letters of 1
OFF = 0.5  # from the panel to its labels, for letters of 1
OVERHANG = 4.0  # how far positions under a panel may reach beyond it
_DOWN = 1.1  # from one ideograph to the next below it, for letters of 1
_TICK = 2.5
_HEAD = re.compile(r"\w+\.\w+")  # as a head is called by its layer and its number
_TIME = re.compile(r"\d+\.\d\ds")  # as frames of a sound are called


@dataclass(frozen=True)
class Ticks:
    """Labels, how far along the panel the middle of each lies, and how they are set."""

    texts: tuple[str, ...]
    at: tuple[float, ...]
    size: float
    thinned: bool
    running: bool = True  # as text runs; if not, turned, or ideograph below ideograph
    reach: float = 0.0  # how far they stand out from the panel


@dataclass(frozen=True)
class Setting:
    """How labels are set: the size of letters, how far they may reach, whether thinned ones are mere positions."""

    size: float
    room: float = math.inf
    brief: bool = False


def beside(labels: Sequence[str], pitch: float, by: Setting) -> Ticks:
    """Labels to the left of rows that are `pitch` points high."""
    ticks = _thinned(labels, pitch, by, 1.5 * CLOSEST * by.size)
    ticks = _cut(ticks, by)
    return replace(ticks, reach=widest(ticks.texts, ticks.size) + OFF * by.size)


def below(labels: Sequence[str], pitch: float, by: Setting) -> Ticks:
    """Labels under columns that are `pitch` points wide: running where all fit so, else turned."""
    longest = labels[-1] if _are_times(labels) else str(len(labels))
    ticks = _thinned(labels, pitch, by, fonts.width(longest, by.size) + 0.5 * by.size)
    if ticks.thinned and by.brief:  # a neighbour's labels begin right beside
        ticks = _within(ticks, len(labels) * pitch + OVERHANG)
    room = (ticks.at[1] - ticks.at[0] if len(ticks.at) > 1 else pitch) - 0.3 * by.size
    if widest(ticks.texts, ticks.size) <= room:
        return replace(ticks, reach=(1 + OFF) * by.size)
    ticks = replace(_cut(ticks, by), running=False)
    depth = max(_depth(text, ticks.size) for text in ticks.texts)
    return replace(ticks, reach=depth + OFF * by.size)


def marks_beside(ticks: Ticks, x: float, y: float) -> Iterator[Mark]:
    """The labels to the left of a panel whose upper left corner this is."""
    for text, at in zip(ticks.texts, ticks.at, strict=True):
        yield Words(text, x - OFF * ticks.size, y + at + BASELINE * ticks.size, ticks.size, "right")
        if ticks.thinned:
            yield Stroke(((x - _TICK, y + at), (x, y + at)))


def marks_below(ticks: Ticks, x: float, y: float) -> Iterator[Mark]:
    """The labels under a panel whose lower left corner this is."""
    for text, at in zip(ticks.texts, ticks.at, strict=True):
        yield from _set_below(text, x + at, y + OFF * ticks.size, ticks)
        if ticks.thinned:
            yield Stroke(((x + at, y), (x + at, y + _TICK)))


def _set_below(text: str, x: float, y: float, ticks: Ticks) -> Iterator[Words]:
    size = ticks.size
    if ticks.running:
        yield Words(text, x, y + 0.85 * size, size, "center")
    elif _upright(text):
        for i, character in enumerate(clusters(text)):
            yield Words(character, x, y + (0.9 + _DOWN * i) * size, size, "center")
    else:
        yield Words(text, x + BASELINE * size, y, size, "right", turned=True)


def widest(texts: Iterable[str], size: float) -> float:
    """The width of the widest text; only the longest few are measured, since measuring takes time."""
    longest = sorted(set(texts), key=lambda text: (len(text.encode()), text))[-12:]
    return max((fonts.width(text, size) for text in longest), default=0.0)


def cut(text: str, size: float, room: float) -> str:
    """The text if it fits the room, else as much of its beginning as does, and an ellipsis.

    >>> cut("incomprehensibilities", 8, 40)
    'incomp…'
    """
    if fonts.width(text, size) <= room:
        return text
    parts = list(clusters(text))
    beginnings = ["".join(parts[:n]) + "…" for n in range(1, len(parts))]
    fitting = bisect.bisect(beginnings, room, key=lambda beginning: fonts.width(beginning, size))
    return beginnings[fitting - 1] if fitting else "…"


def _cut(ticks: Ticks, by: Setting) -> Ticks:
    room = by.room - OFF * by.size
    if widest(ticks.texts, by.size) <= room:
        return ticks
    return replace(ticks, texts=tuple(cut(text, by.size, room) for text in ticks.texts))


def _within(ticks: Ticks, end: float) -> Ticks:
    """Only the labels that end before this place."""
    kept = [
        (text, at)
        for text, at in zip(ticks.texts, ticks.at, strict=True)
        if at + fonts.width(text, ticks.size) / 2 <= end
    ]
    kept = kept or [("", 0.0)]
    return replace(ticks, texts=tuple(text for text, _ in kept), at=tuple(at for _, at in kept))


def _thinned(labels: Sequence[str], pitch: float, by: Setting, among_positions: float) -> Ticks:
    """Every label, or every 2nd, 5th, 10th … where more cannot be read; those then say their position.

    Mere positions need not stand as close as they could, since they can be counted on; nor need times.
    """
    step = _step(len(labels), pitch, CLOSEST * by.size)
    if step > 1 and _are_times(labels):
        shown = range(0, len(labels), _step(len(labels), pitch, among_positions))
        at = tuple((i + 0.5) * pitch for i in shown)
        return Ticks(tuple(labels[i] for i in shown), at, by.size, thinned=True)
    if step > 1 and (by.brief or all(label == str(i) for i, label in enumerate(labels))):
        labels, step = [""] * len(labels), _step(len(labels), pitch, among_positions)
    shown = range(0, len(labels), step)
    whole = step == 1 or _are_heads(labels)
    texts = tuple(labels[i] if whole else f"{i} {labels[i]}".rstrip() for i in shown)
    return Ticks(texts, tuple((i + 0.5) * pitch for i in shown), by.size, step > 1)


def _are_times(labels: Sequence[str]) -> bool:
    """Whether labels are moments of a sound, which say by themselves where they stand.

    >>> _are_times(["0.00s", "0.02s"]), _are_times(["s", "0.02s"])
    (True, False)
    """
    return all(_TIME.fullmatch(label) for label in labels)


def _are_heads(labels: Sequence[str]) -> bool:
    """Whether labels are heads, each once, which have no position beside their name.

    >>> _are_heads(["0.0", "2.1"]), _are_heads(["0.0", "0.0"]), _are_heads(["the", "0.0"])
    (True, False, False)
    """
    return len(set(labels)) == len(labels) and all(_HEAD.fullmatch(label) for label in labels)


def _step(n: int, pitch: float, closest: float) -> int:
    return next(step for step in _round_numbers() if step * pitch >= closest - 1e-6 or step >= n)


def _round_numbers() -> Iterator[int]:
    return (lead * 10**power for power in range(9) for lead in (1, 2, 5))


def _depth(text: str, size: float) -> float:
    return len(list(clusters(text))) * _DOWN * size if _upright(text) else fonts.width(text, size)


def _upright(text: str) -> bool:
    """Whether a label is set downwards where others are turned: ideographs, not a letter among words."""
    return not text.isascii() and stands_upright(fonts.drawable(text))  # codes of what cannot be drawn run on


def number(value: float, decimals: int) -> str:
    """A number as print has it, with a true minus sign.

    >>> number(-0.5, 2)
    '−0.50'
    """
    return f"{value:.{decimals}f}".replace("-", "−")


def round_ticks(low: float, high: float, most: float = 5.5) -> tuple[list[float], int]:
    """Round numbers from low to high, zero among them, fewer than `most` steps; and the decimals they need.

    >>> round_ticks(0, 0.91)
    ([0.0, 0.2, 0.4, 0.6, 0.8], 1)
    """
    size = math.floor(math.log10(high - low))
    steps = (lead * 10.0**power for power in (size - 1, size, size + 1) for lead in (1, 2, 5))
    step = next(step for step in steps if (high - low) / step < most or step > high - low)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [round(i * step, decimals) for i in range(first, last + 1)], decimals
