"""Tokens with vectors, tables of positions, pictures and sounds: what attention is computed from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .checks import as_tokens, counted, in_a_line, numbers, settle, shape
from .fields import traits

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8


@dataclass(frozen=True, eq=False, repr=False)
class Encoding:
    """Tokens and one vector for each.

    >>> Encoding(("a", "b"), np.eye(2)).vectors.shape
    (2, 2)
    """

    tokens: tuple[str, ...]
    vectors: Float[np.ndarray, "seq_len d_model"]
    provenance: str = ""  # how the vectors were made: "hash embeddings, dim 64, seed 0"

    def __post_init__(self) -> None:
        settle(self, "tokens", as_tokens(self.tokens))
        settle(self, "vectors", numbers("vectors", self.vectors, ("seq_len", "d_model")))
        if len(self.tokens) != len(self.vectors):
            raise InputError(
                f"{len(self.tokens)} tokens, but vectors {shape(self.vectors)}", hint="give one row per token"
            )

    def __repr__(self) -> str:
        sizes = zip(("token", "dimension"), self.vectors.shape, strict=True)
        return in_a_line("Encoding", sizes, provenance=self.provenance)


@dataclass(frozen=True, eq=False, repr=False)
class Image:
    """A picture that a model may look at: red, green and blue of each pixel, from 0 to 255.

    >>> Image([[[255, 0, 0], [0, 0, 255]]]).pixels.shape
    (1, 2, 3)
    """

    pixels: UInt8[np.ndarray, "height width 3"]

    def __post_init__(self) -> None:
        pixels = np.asarray(self.pixels)
        if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape or pixels.dtype.kind not in "iu":
            raise InputError(
                f"an image {shape(pixels)} of {pixels.dtype}, expected [height, width, 3] whole numbers"
            )
        if pixels.min() < 0 or pixels.max() > 255:
            raise InputError("an image with numbers beyond 0 to 255")
        settle(self, "pixels", pixels.astype(np.uint8, copy=False))

    def __repr__(self) -> str:
        height, width, _ = self.pixels.shape
        return f"Image([{height} × {width} pixels])"


@dataclass(frozen=True, eq=False, repr=False)
class Sound:
    """What a model may hear: samples of one channel, as a rule from −1 to 1, so many a second.

    >>> Sound([0.0, 0.5, 0.0, -0.5], 8).seconds
    0.5
    """

    samples: Float[np.ndarray, " sample"]
    rate: int

    def __post_init__(self) -> None:
        if type(self.rate) is not int or self.rate < 1:
            raise InputError(
                f"a sound of {self.rate} samples a second", hint="give a whole number, at least 1"
            )
        samples = numbers("samples", self.samples, ("sample",))
        settle(self, "samples", samples.astype(np.float32, copy=False))

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return len(self.samples) / self.rate

    def __repr__(self) -> str:
        return f"Sound([{self.seconds:.2f} seconds, {self.rate:,} samples a second])"


@dataclass(frozen=True, eq=False, repr=False)
class PositionTable:
    """One row of numbers per position; or per distance, or query, as `rows` says of some kinds."""

    kind: str
    values: Float[np.ndarray, "seq_len d"]
    rows: str = field(default="position", metadata=traits(implied=True))
    columns: str = field(default="dimension", metadata=traits(implied=True))
    unit: str = field(default="value", metadata=traits(implied=True))

    def __post_init__(self) -> None:
        settle(self, "values", numbers("values", self.values, ("seq_len", "d")))

    @property
    def about(self) -> str:
        """Of what, in words; every picture prints it."""
        sizes = map(counted, self.values.shape, (self.rows, self.columns))
        return f"positional encoding {self.kind}: {' × '.join(sizes)}"

    def __repr__(self) -> str:
        sizes = zip((self.rows, self.columns), self.values.shape, strict=True)
        return in_a_line("PositionTable", sizes, provenance=self.kind)
