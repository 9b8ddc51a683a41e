"""What a run reads a text as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...transformer.writing import Writer


@dataclass(frozen=True, eq=False)
class Tokens:
    """A text as the model reads it, and what its tokens are called."""

    numbers: list[int]
    labels: list[str]
    writer: Writer | None = None  # who wrote them, and the end if it came to that; None: they were given
