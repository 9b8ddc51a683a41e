"""What is kept of one attention: all weights where they are few, else pooled maps and figures of rows and keys."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from .. import layers
from ..heads import as_layer
from ..streaming import drain, stream
from ..streaming.blocking import MOST_ROWS, Block
from ..streaming.kept import Kept
from ..streaming.rows import in_tiles

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from ..streaming import Streamed
    from .call_inputs import Given

Keep = Literal["maps", "vectors", "rows", "figures"]

_COARSE = 2**14  # maps: with so many, each has 32 × 32 cells, which is what `rows` keeps beside the rows


@dataclass(frozen=True, eq=False)
class Numbers:
    """The numbers of one attention, for some heads."""

    n_query: int
    n_key: int
    weights: Float[np.ndarray, "head row column"] | None = None  # cells, where there are fewer than tokens
    mask: Bool[np.ndarray, "#head query key"] | None = None
    entropy: Float[np.ndarray, "head query"] | None = None
    mass: Float[np.ndarray, "head key"] | None = None
    top_keys: Int[np.ndarray, "head query top"] | None = None
    top_weights: Float[np.ndarray, "head query top"] | None = None
    maxima: Float[np.ndarray, "head row column"] | None = None  # where cells stand for several tokens
    figures: Float[np.ndarray, "head figure"] | None = None  # FIGURES, in this order
    # With `vectors`, where all weights are there; of attention by hand scores, query and key are not known.
    scores: Float[np.ndarray, "head query key"] | None = None
    query: Float[np.ndarray, "head query d_head"] | None = None
    key: Float[np.ndarray, "head key d_head"] | None = None
    value: Float[np.ndarray, "head key d_value"] | None = None

    @property
    def pooled(self) -> bool:
        """Whether cells stand for several tokens."""
        return self.weights is not None and self.weights.shape[1:] != (self.n_query, self.n_key)

    @property
    def n_bytes(self) -> int:
        """How much memory they take."""
        return sum(x.nbytes for f in fields(self) if isinstance(x := getattr(self, f.name), np.ndarray))


FIGURES = ("entropy", "heaviest", "distance", "first key")


def numbers(given: Given, keep: Keep = "maps", *, n_maps: int = 1) -> Numbers:
    """What is kept of an attention; `n_maps` are to be expected beside each other, this one's included.

    >>> from .call_inputs import Given
    >>> x = torch.eye(3)[None]
    >>> numbers(Given(x, x)).weights.shape, numbers(Given(x, x), "figures").figures.round(2).tolist()
    ((1, 3, 3), [[1.06, 0.47, 0.0, 0.33]])
    """
    n_heads, n_query, n_key = given.shape
    n_bytes = max(n_maps, n_heads) * n_query * n_key * (8 if given.tensor.dtype == torch.float64 else 4)
    if keep in ("maps", "vectors") and n_bytes <= layers.MOST_DENSE:
        allowed = given.allowed
        mask = None if allowed is None else allowed.cpu().numpy()
        dense = Numbers(n_query, n_key, as_layer(given.dense())[0], mask)
        return dense if keep == "maps" else replace(dense, **_vectors(given))
    pooled = _pooled(given, n_maps if keep in ("maps", "vectors") else max(n_maps, _COARSE))
    if keep == "figures":
        return Numbers(n_query, n_key, figures=_figures(pooled))
    return Numbers(
        n_query,
        n_key,
        pooled.weights[0],
        entropy=pooled.entropy[0],
        mass=pooled.mass[0],
        top_keys=pooled.top_keys[0],
        top_weights=pooled.top_weights[0],
        maxima=None if pooled.maxima is None else pooled.maxima[0],
    )


def _vectors(given: Given) -> dict[str, Any]:
    """What the weights are made of, and what they weigh."""
    made = {"scores": given.scores(), "query": given.query, "key": given.key, "value": given.values}
    return {name: as_layer(x)[0] for name, x in made.items() if x is not None}


def _pooled(given: Given, n_maps: int) -> Streamed:
    """The engine of any length, which is not asked for an output."""
    if given.weights is not None:
        return _pooled_by_hand(given.weights, n_maps)
    assert given.query is not None
    assert given.key is not None
    nothing = given.key[None, ..., :0]
    return drain(stream(given.query[None], given.key[None], nothing, given.rule, n_maps=n_maps))


def _pooled_by_hand(weights: Float[Tensor, "head query key"], n_maps: int) -> Streamed:
    """The same of weights that the program holds anyway, a block of rows after the other."""
    n_heads, n_query, n_key = weights.shape
    precise = torch.float64 if weights.dtype == torch.float64 else torch.float32
    with torch.inference_mode(False):
        query, value = (
            torch.empty(1, n_heads, n, 0, dtype=precise, device=weights.device) for n in (n_query, n_key)
        )
        kept = Kept(query, value, n_maps)
    part, keys = (0, slice(0, n_heads)), torch.arange(n_key, device=weights.device)
    for start in range(0, n_query, MOST_ROWS):
        block = Block(slice(start, min(start + MOST_ROWS, n_query)), [(0, n_key)])
        some = weights[:, block.rows].to(precise)
        rows = in_tiles(some, some[..., :0])
        kept.fill(part, block, keys, rows)
        kept.sum_up(kept.additions(part, block, rows))
    return kept.finish(precise)


def _figures(pooled: Streamed) -> Float[np.ndarray, "head figure"]:
    """Of each head, means over its queries: entropy, heaviest weight, how far its key is, weight of the first key."""
    heaviest = pooled.top_keys[0, :, :, 0]
    n_query, n_key = heaviest.shape[1], pooled.mass.shape[2]
    distance = np.abs(np.arange(n_key - n_query, n_key) - heaviest)
    rows = (pooled.entropy[0], pooled.top_weights[0, :, :, 0], distance)
    return np.stack([*(x.mean(axis=1) for x in rows), pooled.mass[0, :, 0] / n_query], axis=1)
