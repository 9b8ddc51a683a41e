"""Right answers as a page holds them: not readable, but enough to judge what is typed.

A number is hashed at each count of decimals that it may be typed with; a word is hashed as it is compared. Whoever
tries all answers finds them, so this is for learning and not for marking. `assets/live/judging.js` reads it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

MOST_DECIMALS = 6
_FNV_BASIS, _FNV_PRIME, _WORD = 0xCBF29CE484222325, 0x100000001B3, 2**64 - 1


def sealed(right: Any, salt: str) -> dict[str, Any]:
    """What a page knows of a right answer: an array, a number, a word, or several words of which each is right.

    >>> sealed("L1H0", "a")
    {'words': ['39367d80c342d54b']}
    >>> told = sealed(np.array([[0.25, 0.75]]), "a")
    >>> told["rows"], told["columns"], told["least"], len(told["numbers"]), len(told["numbers"][0])
    (1, 2, 2, 2, 5)
    """
    if isinstance(right, str | tuple | list):
        words = (right,) if isinstance(right, str) else right
        return {"words": [hashed(salt, str(word)) for word in words]}
    numbers = np.atleast_2d(np.asarray(right, dtype=float))
    numbers = numbers.reshape(-1, numbers.shape[-1])
    finite = numbers[np.isfinite(numbers)]
    whole = bool((finite == np.rint(finite)).all())
    single = numbers.size == 1
    least = 0 if whole else _least(abs(float(numbers[0, 0]))) if single else 2
    return {
        "rows": numbers.shape[0],
        "columns": numbers.shape[1],
        "whole": whole,
        "least": least,  # decimals that must be typed
        "slack": 0 if whole or single else 1,  # units of the last decimal, for what was rounded on the way
        "numbers": [
            [hashed(f"{salt} {i} {n}", cell(x, n)) for n in range(least, 1 if whole else MOST_DECIMALS + 1)]
            for i, x in enumerate(numbers.ravel().tolist())
        ],
    }


def hashed(salt: str, text: str) -> str:
    """FNV-1a of 64 bits, as 16 hexadecimal digits. Fowler, Noll & Vo; RFC 9923.

    >>> hashed("", "")
    'af639d4c8601817f'
    """
    value = _FNV_BASIS
    for byte in f"{salt} {text}".encode():
        value = (value ^ byte) * _FNV_PRIME & _WORD
    return f"{value:016x}"


def cell(number: float, decimals: int) -> str:
    """A number rounded, as it is hashed: in units of its last decimal.

    >>> cell(0.875, 2), cell(-0.874, 2), cell(float("-inf"), 2)
    ('88', '-87', '-Infinity')
    """
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return str(math.floor(number * 10.0**decimals + 0.5))


def _least(size: float) -> int:
    """Decimals whose last unit is at most a fifth of a number: half of it may be wrong by a tenth."""
    return min(MOST_DECIMALS, max(0, math.ceil(-math.log10(size / 5))))
