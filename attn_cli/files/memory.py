"""How much memory reading may take: asked before anything is allocated, by every reader.

What a file declares costs nothing to write down: 1.5 MB of zip unpack to 1.5 GB, a header of 120 bytes to any
number. So a reader computes what it will need from sizes alone, and asks `allow` first.
"""

from __future__ import annotations

import math
import os
import re
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_AXES = 8  # [batch, layer, head, query, key] are five
_UNKNOWN = 8 * 2**30  # bytes that a machine is taken to have which does not say
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_limit: int | None = None


def limit_memory(n_bytes: int | None) -> None:
    """Let reading take at most so many bytes; None is the default again, half of the machine's memory."""
    global _limit
    if n_bytes is not None and n_bytes < 1:
        raise InputError(f"{n_bytes} bytes of memory", hint="give a size such as 2G")
    _limit = n_bytes


def most_memory() -> int:
    """How many bytes reading may take."""
    return _machine() // 2 if _limit is None else _limit


def parse_size(text: str) -> int:
    """Bytes from a number with or without a unit, K, M, G or T, each 1,024 times the one before.

    >>> parse_size("2G") == parse_size("2 GiB") == 2 * 1024**3, parse_size("1.5k"), parse_size("100")
    (True, 1536, 100)
    """
    if not (match := _SIZE.fullmatch(text.strip())):
        raise InputError(f"{text!r} is not a size", hint="give bytes, or a size such as 512M or 2G")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def allow(n_bytes: int, what: str = "reading it") -> None:
    """Refuse what needs more memory than there may be taken; `what` is what needs it.

    >>> allow(10**18)
    Traceback (most recent call last):
    attn_cli.errors.InputError: reading it needs 931,322,574.6 GiB of memory, ...
    """
    if n_bytes > (most := most_memory()):
        raise InputError(
            f"{what} needs {_spelt(n_bytes)} of memory, at most {_spelt(most)} may be used",
            hint="give less of it, or raise --max-memory",
        )


def allow_text(n_bytes: int) -> None:
    """Refuse a text of so many bytes whose characters, and a copy of them, do not fit."""
    allow(3 * n_bytes)


def allow_array(axes: Sequence[int], itemsize: int, *, whose: str = "") -> int:
    """How many numbers such an array holds; too many of them, or too many axes, are refused.

    >>> allow_array((2, 3), 8)
    6
    """
    if len(axes) > MOST_AXES:
        what = f"{whose} has {len(axes)} axes" if whose else f"has {len(axes)} axes"
        raise InputError(f"{what}, at most {MOST_AXES} are read", hint="save [layer, head, query, key]")
    allow(math.prod(max(n, 1) for n in axes) * itemsize)
    return math.prod(axes)


def _machine() -> int:
    """The bytes of memory that this process could have: the machine's, or its container's share of it."""
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        machine = _UNKNOWN
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            return min(machine, int(file.read()))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return machine


def _spelt(n_bytes: int) -> str:
    """Bytes for people.

    >>> _spelt(1536), _spelt(3 * 2**30)
    ('1.5 KiB', '3.0 GiB')
    """
    unit = next((u for u in "KMG" if n_bytes < 1024 * _UNITS[u]), "G")
    return f"{n_bytes / _UNITS[unit]:,.1f} {unit}iB"
