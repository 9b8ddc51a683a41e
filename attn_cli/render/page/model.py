"""The weights of a model made ready to travel inside a page: in 16 bits where those are exact or 32 do not fit."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

LARGEST_HALF = 65504.0


def pack_model(tensors: Mapping[str, Float[np.ndarray, ...]], room: int) -> tuple[dict[str, Any], bytes]:
    """What a reader must know of the tensors, and their numbers, compressed, in at most `room` bytes.

    Raises InputError when they do not fit.

    >>> header, data = pack_model({"norm.weight": np.array([1.0, 0.5], dtype=np.float32)}, room=100)
    >>> header, zlib.decompress(data).hex()
    ({'store': 'f2', 'tensors': [['norm.weight', 2]], 'rounded': False}, '003c0038')
    """
    names = [[name, *tensor.shape] for name, tensor in tensors.items()]
    numbers = np.concatenate([np.asarray(tensor, np.float32).ravel() for tensor in tensors.values()])
    halves = numbers.clip(-LARGEST_HALF, LARGEST_HALF).astype("<f2")
    exact = bool((halves.astype(np.float32) == numbers).all())
    for store, array in (("f4", numbers.astype("<f4")), ("f2", halves)):
        if (store == "f4" and exact) or array.nbytes * 0.8 > room:
            continue
        if len(data := zlib.compress(array.tobytes(), 6)) <= room:
            return {"store": store, "tensors": names, "rounded": store == "f2" and not exact}, data
    raise InputError(
        f"{numbers.size:,} weights are too many for one page", hint=f"give a model of at most {room // 2:,}"
    )
