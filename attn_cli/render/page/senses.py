"""What a model has heard, small enough to travel inside a page: a column of its spectrogram for each of a map."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

    from ...records.attention import Attention
    from .weights import Shown

MOST_BANDS = 40  # more than that would be less than a pixel each


def senses(attention: Attention, view: Shown) -> dict[str, Any]:
    """The spectrogram over the columns that a page shows, a byte each, the highest band first.

    >>> from attn_cli.records.attention import Attention
    >>> from .weights import shown
    >>> heard = Attention(("a",), ("0.00s",), [[[[1.0]]]], spectrogram=np.array([[0], [255]]))
    >>> senses(heard, shown(heard, 9))["heard"]["bands"]
    2
    """
    if attention.spectrogram is None:
        return {}
    loud = _means(
        _means(attention.spectrogram, [cell.start for cell in view.columns]).T, _starts(attention)
    ).T
    data = zlib.compress(np.rint(loud[::-1]).astype(np.uint8).tobytes(), 9)
    return {"heard": {"bands": len(loud), "data": base64.b64encode(data).decode()}}


def _starts(attention: Attention) -> list[int]:
    """Where the bands begin that become one."""
    assert attention.spectrogram is not None
    n = len(attention.spectrogram)
    few = min(n, MOST_BANDS)
    return [i * n // few for i in range(few)]


def _means(
    rows: UInt8[np.ndarray, "row place"] | Float[np.ndarray, "row place"], starts: list[int]
) -> Float[np.ndarray, "row part"]:
    """The mean of the places from each start to the next.

    >>> _means(np.array([[0, 2, 4]]), [0, 2]).tolist()
    [[1.0, 4.0]]
    """
    sums = np.add.reduceat(rows.astype(np.float64), starts, axis=1)
    found: np.ndarray = sums / np.diff([*starts, rows.shape[1]])
    return found
