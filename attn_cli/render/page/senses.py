"""What a model has heard or seen, small enough to travel inside a page: a spectrogram over a map, an image."""

from __future__ import annotations

import base64
import io
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ...records.queries import place_of
from ..patches import middle_of

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

    from ...records.attention import Attention
    from .weights import Shown

MOST_BANDS = 40  # more than that would be less than a pixel each


def senses(attention: Attention, view: Shown) -> dict[str, Any]:
    """What a page's header has of a sound and of an image."""
    return _heard(attention, view) | _seen(attention, view)


def _seen(attention: Attention, view: Shown) -> dict[str, Any]:
    """The image, how many patches it has, and the query to show first; nothing where cells are several patches.

    >>> from attn_cli.records.attention import Attention
    >>> from .weights import shown
    >>> seen = Attention(("cat",), ("[CLS]", "0,0", "0,1"), [[[[0.5, 0.3, 0.2]]]], patches=(1, 2))
    >>> _seen(seen, shown(seen, 9))
    {'image': {'patches': (1, 2), 'query': 0, 'size': (2, 1), 'data': None}}
    """
    if attention.patches is None or attention.pooled or max(view.block) > 1 or attention.show == "scores":
        return {}
    rows, columns = attention.patches
    query = place_of(middle_of(attention), attention.query_tokens)
    said: dict[str, Any] = {"patches": (rows, columns), "query": query, "size": (columns, rows), "data": None}
    if attention.image is not None:
        high, wide, _ = attention.image.shape
        said |= {"size": (wide, high), "data": base64.b64encode(_packed(attention.image)).decode()}
    return {"image": said}


def _packed(pixels: UInt8[np.ndarray, "height width 3"]) -> bytes:
    """An image as PNG or as JPEG, whichever is smaller: a drawing or a photograph."""
    from PIL import Image as Pillow

    ways = []
    for format_, options in (("PNG", {"optimize": True}), ("JPEG", {"quality": 85})):
        buffer = io.BytesIO()
        Pillow.fromarray(pixels).save(buffer, format_, **options)
        ways.append(buffer.getvalue())
    return min(ways, key=len)


def _heard(attention: Attention, view: Shown) -> dict[str, Any]:
    """The spectrogram over the columns that a page shows, a byte each, the highest band first.

    >>> from attn_cli.records.attention import Attention
    >>> from .weights import shown
    >>> heard = Attention(("a",), ("0.00s",), [[[[1.0]]]], spectrogram=np.array([[0], [255]]))
    >>> _heard(heard, shown(heard, 9))["heard"]["bands"]
    2
    """
    if attention.spectrogram is None:
        return {}
    starts = _starts(attention)
    loud = _means(_means(attention.spectrogram, [cell.start for cell in view.columns]).T, starts).T
    data = zlib.compress(np.rint(loud[::-1]).astype(np.uint8).tobytes(), 9)
    said: dict[str, Any] = {"bands": len(loud), "data": base64.b64encode(data).decode()}
    if attention.frequencies is not None:
        said["frequencies"] = np.round(_means(attention.frequencies[None], starts)[0, ::-1], 1).tolist()
    return {"heard": said}


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
