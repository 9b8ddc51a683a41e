"""Arrays as Python prints them, copied from a terminal or a notebook: `[[0.5 0.5]]`, `tensor([[0.5, 0.5]])`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from . import cells
from .json_ import nested_array
from .memory import allow

if TYPE_CHECKING:
    import numpy as np

_WRAPPED = re.compile(r"\s*(?:torch\.|np\.|numpy\.)?(?:tensor|array|Array)\(\s*(?=\[)")
_BARE = re.compile(r"\s*(?=\[(?:\s*\[)+([^,\[\]]+)\])")  # the first row without a comma: JSON has them
_ENDS = {_WRAPPED: re.compile(r"\s*(?:,\s*\w+\s*=.*)?\)\s*"), _BARE: re.compile(r"\s*")}
_TRUTHS = ("True", "False")
_PART = re.compile(r"[\[\]]|[^\[\]\s,]+")


def parse(text: str) -> np.ndarray | None:
    """The array that a text prints, None for any other text.

    Raises InputError for an array that was shortened in printing, and for rows of different lengths.

    >>> parse("tensor([[0.5, 0.5],\\n        [1.0, 0.0]], device='cpu')").tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    >>> parse("[[1. 2.]\\n [3. 4.]]").tolist(), parse("[1] Vaswani et al."), parse("[[link]] to")
    ([[1.0, 2.0], [3.0, 4.0]], None, None)
    """
    start = _WRAPPED.match(text)
    if start is None:
        start = _BARE.match(text)
        if start is None or not all(map(_is_value, start[1].replace("...", "").split())):
            return None
    end = text.rfind("]") + 1
    if not _ENDS[start.re].fullmatch(text, end):
        return None
    allow(len(text) + 100 * (text.count("[") + text.count(" ")))
    nested = _nested(_PART.findall(text, start.end(), end))
    return None if nested is None else nested_array("the array", nested)


def _is_value(part: str) -> bool:
    return part in _TRUTHS or cells.is_number(part)


def _nested(parts: list[str]) -> list[Any] | None:
    """The lists that brackets and numbers spell; None if they spell none."""
    open_lists: list[list[Any]] = [[]]
    for part in parts:
        if part == "[":
            open_lists.append([])
        elif part == "]":
            if len(open_lists) == 1:
                return None
            closed = open_lists.pop()
            open_lists[-1].append(closed)
        elif part == "...":
            raise InputError(
                "is an array shortened in printing (...)", hint="save it: numpy.save or torch.save"
            )
        elif _is_value(part):
            open_lists[-1].append(part == "True" if part in _TRUTHS else float(part))
        else:
            return None
    return open_lists[0][0] if len(open_lists) == 1 and len(open_lists[0]) == 1 else None
