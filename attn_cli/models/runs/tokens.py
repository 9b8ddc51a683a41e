"""What a run reads a text as."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Tokens:
    """A text as the model reads it, and what its tokens are called."""

    numbers: list[int]
    labels: list[str]
