"""The catalogue of mistakes in attention: one function each, in place of one step of `lab/pipeline.py`."""

from . import heads, masks, positions, roles, scaling, softmax
from .catalogue import MISTAKES, in_place_of, made, mistake_id, replaced, specs, tried

__all__ = [
    "MISTAKES", "heads", "in_place_of", "made", "masks", "mistake_id", "positions", "replaced", "roles", "scaling",
    "softmax", "specs", "tried",
]  # fmt: skip
