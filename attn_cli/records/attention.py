"""Attention as it flows between commands: weights with all that is known of their making.

Records are frozen, hold NumPy arrays and are checked when they are made: whoever has one may rely on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

import numpy as np

from ..errors import InputError
from .checks import as_tokens, fits, numbers, settle, shape
from .encoding import Encoding, Image, PositionTable

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, UInt8

Kind = Literal["self", "encoder", "decoder", "cross"]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Attention:
    """Attention weights of every layer and head, with whatever of their making is known.

    `layers` and `heads` hold the numbers that the axes had where the weights come from, so that a
    selection keeps its names; one that stands for several is called `mean` or `max`. `mask` is True where a query may attend to a key.

    The weights of a long input are `pooled`: means over cells of neighbouring queries and keys, of which
    there are at most as many as tokens (`query_cells`, `key_cells`). All else is then left out but the
    output, which has a row for each query as ever, and figures of single rows and columns.

    >>> pooled = Attention(("a", "b", "c"), ("a", "b"), np.full((1, 1, 2, 2), 0.5), pooled=True)
    >>> pooled.query_cells, pooled.query_names
    ([range(0, 1), range(1, 3)], ('a', '1-2:b…'))
    """

    query_tokens: tuple[str, ...]
    key_tokens: tuple[str, ...]
    weights: Float[np.ndarray, "layer head query key"]
    kind: Kind = "self"
    provenance: str = ""  # where the weights come from; every picture prints it
    scores: Float[np.ndarray, "layer head query key"] | None = None
    norms: Float[np.ndarray, "layer head query key"] | None = (
        None  # ‖weight · value · W_o‖; pooled as weights are
    )
    mask: Bool[np.ndarray, "#layer #head query key"] | None = None
    output: Float[np.ndarray, "layer query d_model"] | None = None
    query: Float[np.ndarray, "layer head query d_head"] | None = None
    key: Float[np.ndarray, "layer head key d_head"] | None = None
    value: Float[np.ndarray, "layer head key d_value"] | None = None
    layers: tuple[int | str, ...] = field(default=())
    heads: tuple[int | str, ...] = field(default=())
    pooled: bool = False
    entropy: Float[np.ndarray, "layer head query"] | None = None  # −Σ w ln w of each row
    mass: Float[np.ndarray, "layer head key"] | None = None  # what each key receives from all queries
    top_keys: Int[np.ndarray, "layer head query top"] | None = None  # heaviest first; −1 beyond the last
    top_weights: Float[np.ndarray, "layer head query top"] | None = None
    query_words: tuple[int, ...] | None = None  # neighbouring tokens of one number are pieces of one word
    key_words: tuple[int, ...] | None = None
    are_scores: bool = False  # what stands in the place of the weights, to be shown: scores before the mask
    are_norms: bool = False  # or norms
    patches: tuple[int, ...] | None = (
        None  # rows and columns: the last keys are an image's patches, row by row
    )
    image: UInt8[np.ndarray, "height width 3"] | None = None  # that image, as large as it takes to be drawn

    def __post_init__(self) -> None:
        settle(self, "query_tokens", as_tokens(self.query_tokens))
        settle(self, "key_tokens", as_tokens(self.key_tokens))
        axes = ("layer", "head", "query", "key")
        settle(self, "weights", numbers("weights", self.weights, axes))
        n_layers, n_heads, n_rows, n_columns = self.weights.shape
        for axis, size, tokens in (("query", n_rows, self.query_tokens), ("key", n_columns, self.key_tokens)):
            if size > len(tokens) or (size < len(tokens) and not self.pooled):
                raise InputError(
                    f"weights {shape(self.weights)} have {size} along {axis}, but there are {len(tokens)} tokens",
                    hint=f"give one {axis} token for each",
                )
        if self.kind not in get_args(Kind):
            raise InputError(f"unknown kind {self.kind!r}", hint=f"known are {', '.join(get_args(Kind))}")
        self._check_words()
        settle(self, "layers", tuple(self.layers) or tuple(range(n_layers)))
        settle(self, "heads", tuple(self.heads) or tuple(range(n_heads)))
        if (len(self.layers), len(self.heads)) != (n_layers, n_heads):
            raise InputError(
                f"{len(self.layers)} layers × {len(self.heads)} heads, weights {shape(self.weights)}"
            )
        self._check_parts(n_layers, n_heads, len(self.query_tokens), len(self.key_tokens))
        self._check_image()

    @property
    def unit(self) -> str:
        """What its numbers are, in a word."""
        return "score" if self.are_scores else "norm" if self.are_norms else "weight"

    @property
    def query_cells(self) -> list[range]:
        """The positions of the queries that each row of the weights is the mean of."""
        return cells(len(self.query_tokens), self.weights.shape[2])

    @property
    def key_cells(self) -> list[range]:
        """The positions of the keys that each column of the weights is the mean of."""
        return cells(len(self.key_tokens), self.weights.shape[3])

    @property
    def query_names(self) -> tuple[str, ...]:
        """What each row is called: by its token; where it is the mean of several, `0-31:The…`."""
        return _names(self.query_tokens, self.query_cells)

    @property
    def key_names(self) -> tuple[str, ...]:
        """What each column is called, as rows are."""
        return _names(self.key_tokens, self.key_cells)

    def _check_words(self) -> None:
        for name, tokens in (("query_words", self.query_tokens), ("key_words", self.key_tokens)):
            if (words := getattr(self, name)) is None:
                continue
            if len(words) != len(tokens) or not all(type(number) is int for number in words):
                raise InputError(
                    f"{name} of length {len(words)} for {len(tokens)} tokens", hint="give a number each"
                )
            settle(self, name, tuple(words))

    def _check_parts(self, n_layers: int, n_heads: int, n_query: int, n_key: int) -> None:
        expected: dict[str, tuple[int | None, ...]] = {
            "scores": (n_layers, n_heads, n_query, n_key),
            "norms": self.weights.shape,
            "output": (n_layers, n_query, None),
            "query": (n_layers, n_heads, n_query, None),
            "key": (n_layers, n_heads, n_key, None),
            "value": (n_layers, n_heads, n_key, None),
            "entropy": (n_layers, n_heads, n_query),
            "mass": (n_layers, n_heads, n_key),
            "top_keys": (n_layers, n_heads, n_query, None),
            "top_weights": (n_layers, n_heads, n_query, None),
        }
        for name, wanted in expected.items():
            if (array := getattr(self, name)) is None:
                continue
            # Scores may hold -inf where a mask forbids, so only their shape is checked.
            array = np.asarray(array) if name in ("scores", "top_keys") else numbers(name, array, wanted)
            if not fits(array.shape, wanted):
                raise InputError(f"{name} {shape(array)} do not fit weights {shape(self.weights)}")
            settle(self, name, array)
        if self.pooled and (self.scores is not None or self.mask is not None):
            raise InputError("pooled weights beside scores or a mask", hint="leave these out")
        if self.top_keys is not None and self.top_keys.dtype.kind != "i":
            raise InputError(f"top_keys of type {self.top_keys.dtype}, expected whole numbers")
        if self.mask is not None:
            mask, full = np.asarray(self.mask), (n_layers, n_heads, n_query, n_key)
            if (
                mask.dtype != bool
                or mask.ndim != 4
                or not all(got in (1, size) for got, size in zip(mask.shape, full, strict=True))
            ):
                raise InputError(
                    f"mask {mask.dtype} {shape(mask)} does not fit weights {shape(self.weights)}"
                )
            settle(self, "mask", mask)

    def _check_image(self) -> None:
        if self.patches is not None:
            settle(self, "patches", tuple(self.patches))
            whole = len(self.patches) == 2 and all(type(n) is int and n > 0 for n in self.patches)
            if not whole or math.prod(self.patches) > len(self.key_tokens):
                raise InputError(f"patches {list(self.patches)} among {len(self.key_tokens)} keys")
        if self.image is not None:
            if self.patches is None:
                raise InputError("an image without its patches", hint="give both")
            settle(self, "image", Image(self.image).pixels)


Record = Encoding | Attention | PositionTable


def cells(n: int, n_cells: int) -> list[range]:
    """n positions cut into cells as equal as whole numbers allow: cell i begins at ⌊i·n / n_cells⌋.

    >>> cells(5, 2)
    [range(0, 2), range(2, 5)]
    """
    edges = [i * n // n_cells for i in range(n_cells + 1)]
    return [range(*edge) for edge in pairwise(edges)]


def axis_name(axis: str, number: int | str) -> str:
    """What a layer or a head is called in a picture.

    >>> axis_name("head", 3), axis_name("head", "mean")
    ('head 3', 'mean of heads')
    """
    return f"{axis} {number}" if isinstance(number, int) else f"{number} of {axis}s"


def _names(tokens: tuple[str, ...], places: list[range]) -> tuple[str, ...]:
    return tuple(
        tokens[place[0]] if len(place) == 1 else f"{place[0]}-{place[-1]}:{tokens[place[0]]}…"
        for place in places
    )
