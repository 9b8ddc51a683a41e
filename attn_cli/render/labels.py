"""Tokens as labels: safe, visible, and short enough to stand beside a row."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from rich.cells import cell_len

from ..records.attention import axis_name
from ..text.characters import clusters
from ..text.escaping import escape

if TYPE_CHECKING:
    from ..records.attention import Attention

KINDS = {
    "encoder": "encoder self-attention",
    "decoder": "decoder self-attention",
    "cross": "cross-attention",
}
LONGEST = 20  # cells, as a terminal counts them: an ideograph is two


def label(token: str, longest: int = LONGEST) -> str:
    r"""A token as it stands beside a row or column: escaped, its outer spaces visible, its end cut off.

    >>> label("a\tb"), label(" the"), label(""), label("incomprehensibilities", 8)
    ('a\\tb', '␣the', '‹empty›', 'incompr…')
    """
    if not token:
        return "‹empty›"
    inner = token.strip(" \u00a0\u3000")
    start = token.index(inner) if inner else len(token)
    marked = "␣" * start + escape(inner) + "␣" * (len(token) - start - len(inner))
    return shorten(marked, longest)


def shorten(text: str, longest: int, ellipsis: str = "…") -> str:
    """The text if it fits in so many cells, else its beginning and an ellipsis.

    >>> shorten("注意力机制", 5)
    '注意…'
    """
    if len(text) * 2 <= longest or cell_len(text) <= longest:
        return text
    kept, room = "", longest - len(ellipsis)
    for cluster in clusters(text[: 4 * longest]):
        room -= cell_len(cluster)
        if room < 0:
            break
        kept += cluster
    return kept + ellipsis


def stands_upright(text: str) -> bool:
    """Whether a label can be set downwards, a character below the other, instead of being turned.

    So can ideographs, kana and Hangul, and whatever is a single character.

    >>> stands_upright("注意"), stands_upright("GPT模型"), stands_upright(".")
    (True, False, True)
    """
    parts = list(clusters(text))
    return len(parts) == 1 or all(unicodedata.east_asian_width(part[0]) in "WF" for part in parts)


def titles(attention: Attention) -> list[str]:
    """Layer and head of every map, one layer after the other, as far as a title is needed to tell.

    >>> from attn_cli.records.attention import Attention
    >>> titles(Attention(("a",), ("a",), [[[[1.0]], [[1.0]]]], heads=(3, 5)))
    ['head 3', 'head 5']
    """
    layers = [axis_name("layer", layer) if _told(attention.layers) else "" for layer in attention.layers]
    heads = [axis_name("head", head) if _told(attention.heads) else "" for head in attention.heads]
    return [" · ".join(filter(None, [layer, head])) for layer in layers for head in heads]


def _told(numbers: tuple[int | str, ...]) -> bool:
    """One of several is told, and what stands for several."""
    return len(numbers) > 1 or isinstance(numbers[0], str)
