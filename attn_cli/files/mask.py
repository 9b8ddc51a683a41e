"""A mask in a file: 0/1, True/False, or what is added to the scores, 0 and −∞."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, note
from . import matrix, reading
from .source import called, opened, split_name

if TYPE_CHECKING:
    from jaxtyping import Bool

_TRUTH = re.compile(r"\b(?:(true)|false)\b", re.IGNORECASE)


def read_mask(path: str, *, encoding: str | None = None) -> Bool[np.ndarray, "query key"]:
    """A mask from a matrix in text, `.npy`, `.npz`, `.pt` or `.safetensors`; a note says how it was written.

    Raises InputError for numbers that are no mask, naming row and column.
    """
    from ..variants.masks import from_matrix, manner

    path, name = split_name(path)
    with opened(path) as file:
        held = reading.chosen(reading.parse(file, path, encoding, masked=True), name)
        array = written(held, path) if isinstance(held, str) else reading.only_array(held)
        mask = from_matrix(array)
        note(f"{called(path)}: read as a mask, {manner(array)}")
        return mask


def written(text: str, path: str) -> np.ndarray:
    """The numbers of a text, or its True and False. Raises InputError where both stand in it.

    >>> written("True,False", "m.csv").tolist()
    [[True, False]]
    """
    truths = _TRUTH.sub(lambda match: "1" if match[1] else "0", text)
    numbers, _ = matrix.numbers(truths, path)
    if truths == text:
        return numbers
    if not np.isin(numbers, (0, 1)).all():
        raise InputError("mixes True and False with numbers", hint="write one or the other")
    return numbers.astype(bool)
