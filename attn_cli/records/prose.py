"""A text in blocks: headings, paragraphs, items, code and tables, as a worksheet for print is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Style = Literal["plain", "code", "strong", "emphasis", "blank"]  # blank: a line to write on


@dataclass(frozen=True)
class Span:
    """A run of characters in one style."""

    text: str
    style: Style = "plain"


@dataclass(frozen=True)
class Block:
    """One block; of a table `rows` holds the header first, of all else `spans` the text."""

    kind: Literal["heading", "paragraph", "item", "code", "table"]
    spans: tuple[Span, ...] = ()
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Prose:
    """A whole text in one language."""

    title: str
    language: str
    blocks: tuple[Block, ...]
