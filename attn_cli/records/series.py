"""Columns of numbers, drawn as curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .checks import in_a_line

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, eq=False, repr=False)
class Series:
    """Columns of numbers, a row for each position, distance or dimension, counted from 0."""

    view: str
    index: str  # what the rows count: "pos", "distance", "dim" …
    columns: dict[str, Float[np.ndarray, " n"]]
    column: str  # what the columns count, if anything
    kind: str
    seq_len: int
    dim: int

    def __repr__(self) -> str:
        rows = len(next(iter(self.columns.values()), ()))
        return in_a_line("Series", (("row", rows), ("column", len(self.columns))), self.view, self.kind)

    @property
    def about(self) -> str:
        """Of what, in words; every picture prints it."""
        return f"positional encoding {self.kind}: {self.seq_len} positions × {self.dim} dimensions"

    @property
    def values(self) -> Float[np.ndarray, "n column"]:
        """The columns side by side."""
        return np.stack(list(self.columns.values()), axis=1)
