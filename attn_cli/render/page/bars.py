"""Figures of single queries and keys for a page whose cells stand for several weights; of others its script finds them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

from ..single_tokens import LOWEST, single_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from ...records.attention import Attention
    from .weights import Shown


def bars(over: Sequence[Attention], view: Shown) -> dict[str, Any]:
    """Bars of each row and column of all heads, a byte each, or whether the page may work them out.

    A row has the mean of its queries, a column the largest of its keys. Of several steps, whose scales would differ,
    there are none where they would have to come with the page.
    """
    if max(view.block) == 1 and not over[0].pooled:
        return {"sums": all(each.show == "weights" for each in over)}
    found = single_tokens(over[0]) if len(over) == 1 else None
    if found is None:
        return {}
    starts = [[cell.start for cell in cells] for cells in (view.rows, view.columns)]
    sizes = [*map(len, view.rows)]
    entropy, heaviest = (
        np.add.reduceat(each, starts[0], axis=1) / sizes for each in (found.entropy, found.heaviest)
    )
    mass = np.maximum.reduceat(found.mass, starts[1], axis=1)
    packed = {"entropy": _bytes(entropy), "heaviest": _bytes(heaviest), "mass": _bytes(mass)}
    return {"bars": packed | {"most": found.most, "lowest": LOWEST, "highest": found.highest}}


def _bytes(parts: Float[np.ndarray, "head cell"]) -> str:
    return base64.b64encode(np.rint(255 * parts.clip(0, 1)).astype(np.uint8).tobytes()).decode()
