"""Dates in words, translated: machine translation in miniature."""

from __future__ import annotations

import datetime as dt

import numpy as np

from ...errors import InputError
from ..examples import TASKS, Example, Recipe, learns

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_NUMERALS = "〇一二三四五六七八九"


@TASKS.register
@learns(Recipe(stack="both", attends="cross", steps=300, layers=1, seconds=12))
def dates(rng: np.random.Generator, *, first: int = 1900, last: int = 2099) -> Example:
    """Dates as people write them: 3 May 1979, 1979年5月3日 → 1979-05-03; each part at its counterpart.

        source    3 May 1 9 7 9        May 3 , 1979 · 1979年5月3日 · 一九七九年五月三日
        target    1 9 7 9 - 0 5 - 0 3
        look at   the year's four digits at those of the year, 0 5 at May, 0 3 at 3: a block each

    Raises InputError when the years `first` to `last` are not between 1000 and 9999, in order.

    >>> example = dates(np.random.default_rng(0))
    >>> "".join(example.source), "".join(example.written)
    ('2070年2月15日', '2070-02-15')
    """
    if not 1000 <= first <= last <= 9999:
        raise InputError(f"years {first} to {last}", hint="give 1000 to 9999, the first one first")
    start = dt.date(first, 1, 1).toordinal()
    end = dt.date(last, 12, 31).toordinal()
    date = dt.date.fromordinal(int(rng.integers(start, end + 1)))
    parts = (_english, _american, _chinese, _chinese_in_words)[int(rng.integers(4))](date)
    source = tuple(token for _, tokens in parts for token in tokens)
    said = [part for part, tokens in parts for _ in tokens]
    target = tuple(date.isoformat())
    asked = [*"yyyy", "", *"mm", "", *"dd"]
    expected = np.array([[part == of for of in said] for part in asked])
    return Example(source, target, expected)


# A date as its parts: year, month or day, and its tokens.


def _english(date: dt.date) -> list[tuple[str, tuple[str, ...]]]:
    return [("d", tuple(str(date.day))), ("m", (_MONTHS[date.month - 1],)), ("y", tuple(str(date.year)))]


def _american(date: dt.date) -> list[tuple[str, tuple[str, ...]]]:
    day, month, year = _english(date)
    return [month, ("d", (*day[1], ",")), year]


def _chinese(date: dt.date) -> list[tuple[str, tuple[str, ...]]]:
    parts = {"y": (date.year, "年"), "m": (date.month, "月"), "d": (date.day, "日")}
    return [(part, (*str(n), unit)) for part, (n, unit) in parts.items()]


def _chinese_in_words(date: dt.date) -> list[tuple[str, tuple[str, ...]]]:
    year = (_NUMERALS[int(digit)] for digit in str(date.year))
    return [("y", (*year, "年")), ("m", (*_numeral(date.month), "月")), ("d", (*_numeral(date.day), "日"))]


def _numeral(n: int) -> str:
    """A number below a hundred, as Chinese says it: 二十三."""
    tens, ones = divmod(n, 10)
    said = "" if tens == 0 else "十" if tens == 1 else _NUMERALS[tens] + "十"
    return said + (_NUMERALS[ones] if ones else "")
