"""What someone worked out, to be judged: numbers in any format, NaN and infinity among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..records.attention import Attention
from ..records.encoding import Encoding, PositionTable
from . import contents
from .decoding import without_option
from .mask import written
from .reading import chosen, parse_as
from .source import opened, split_name

if TYPE_CHECKING:
    from collections.abc import Mapping

Answer = np.ndarray | dict[str, np.ndarray]

_STAGES = ("query", "key", "value", "scores", "mask", "weights", "output")


def read_answer(path: str) -> Answer:
    """One array, or several by name; a text is a matrix, whatever it is called, and True is 1.

    Of a saved attention with one layer, what it holds of query, key, value, scores, mask, weights and output.
    Raises InputError for what holds no numbers; pickles are never run.
    """
    path, name = split_name(path)
    with opened(path) as file, without_option():
        held = chosen(parse_as(contents.kind(file, path), file, path), name)
        if isinstance(held, str):
            return written(held, path)
        if isinstance(held, np.ndarray | Attention | Encoding | PositionTable | dict):
            return numbers_of(held)
        raise InputError("is an image or a sound, expected numbers", hint="give a table of numbers")


def numbers_of(held: np.ndarray | Attention | Encoding | PositionTable | Mapping[str, np.ndarray]) -> Answer:
    """The numbers of a record, or those that are given.

    >>> numbers_of(PositionTable("any", [[0.0, 1.0]])).tolist()
    [[0.0, 1.0]]
    """
    if isinstance(held, Encoding):
        return held.vectors
    if isinstance(held, PositionTable):
        return held.values
    if not isinstance(held, Attention):
        return held if isinstance(held, np.ndarray) else dict(held)
    if len(held.layers) > 1 or held.pooled:
        raise InputError(
            "holds pooled weights" if held.pooled else f"holds {len(held.layers)} layers",
            hint="give the weights of one layer",
        )
    arrays = {stage: getattr(held, stage, None) for stage in _STAGES}
    return {stage: array[0] for stage, array in arrays.items() if array is not None}
