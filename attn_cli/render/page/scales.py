"""Where the colours of a page end: of maps of many cells short of the few largest, as in pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..colour import MANY, top_of

if TYPE_CHECKING:
    from jaxtyping import Float

    from .weights import Shown


def ends(view: Shown) -> dict[str, Any]:
    """For a header: where the colours of all heads end, what share of cells lies beyond and how far, and each head's end.

    A scale that reaches its largest weight has None; of small maps all do.

    >>> from attn_cli.render.page.weights import Shown
    >>> weights = np.full((2, 60, 60), 0.01)
    >>> weights[0, :, 0] = 0.5
    >>> view = Shown(weights, np.zeros((2, 60, 60), bool), [range(i, i + 1) for i in range(60)], [])
    >>> ends(view)
    {'ends': {'all': [0.085, 0.00833, 0.5], 'heads': [0.11, None]}}
    """
    if max(view.weights.shape[1:]) < MANY:
        return {}
    seen = ~view.hidden
    every = view.weights[seen] if view.hidden.any() else view.weights
    heads = [_end(head[mask]) for head, mask in zip(view.weights, seen, strict=True)]
    return {"ends": {"all": _told(every), "heads": heads}}


def _end(values: Float[np.ndarray, "*n"]) -> float | None:
    top = top_of(values)
    return top if top < float(np.abs(values).max(initial=0)) else None


def _told(values: Float[np.ndarray, "*n"]) -> list[float] | None:
    if (top := _end(values)) is None:
        return None
    sizes = np.abs(values)
    farthest = float(values.flat[sizes.argmax()])
    share = float((sizes > top * (1 + 1e-6)).mean())
    return [top, float(f"{share:.3g}"), float(f"{farthest:.3g}")]
