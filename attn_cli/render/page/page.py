"""Attention as one HTML file to explore: it opens from disk, needs no network, and runs nothing but its own script.

The sources are in `assets/`: the page, its style, and one JavaScript module for each thing that it does. What
comes from the record is text in the page, and JSON and base64 in elements that no browser executes; the
content-security policy admits this one script and this one style, by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from ...text.escaping import escape
from ..written import steps_of
from .document import as_json, as_text, filled, ramps, script_of, source, stressed
from .weights import Packed, Shown, pack, shown

if TYPE_CHECKING:
    from ...records.attention import Attention

MAX_BYTES = 10_000_000

# Joined in this order: a module stands after those it imports from.
MODULES = (
    "record", "colours", "raster", "words", "viewport", "canvas", "axes", "sheet", "map", "grid",
    "readout", "tokenlist", "lines", "tokens", "compare", "controls", "app",
)  # fmt: skip
_KINDS = {
    "self": "self-attention",
    "encoder": "encoder self-attention",
    "decoder": "decoder self-attention",
    "cross": "cross-attention",
}


def page(attention: Attention, *, title: str = "", max_bytes: int = MAX_BYTES) -> bytes:
    """One self-contained HTML file of at most `max_bytes`, for any number of heads and tokens.

    Up to 1 MiB, weights are in it as they are; more are rounded as finely as `max_bytes` allows, and the page
    states the error. Beyond 2.5 cells for each byte, a cell is the mean of a block of weights.

    >>> from attn_cli.records.attention import Attention
    >>> page(Attention(("a",), ("a",), [[[[1.0]]]]), title="One")[:15]
    b'<!doctype html>'
    """
    view = shown(attention, most_cells=max_bytes * 5 // 2)
    frame = _fill(attention, view, title, Packed({}, b""))
    room = (max_bytes - len(frame) - 100) * 3 // 4  # base64 writes 3 bytes as 4 characters
    return _fill(attention, view, title, pack(view, room))


def _fill(attention: Attention, view: Shown, title: str, packed: Packed) -> bytes:
    parts = {
        "title": as_text(title or "Attention"),
        "summary": as_text(_summary(attention, view)),
        "provenance": stressed(as_text(attention.provenance or "origin not recorded")),
        "header": as_json(_header(attention, view) | packed.header),
        "weights": base64.b64encode(packed.data).decode(),
    }
    return filled("page.html", source("page.css"), script_of(MODULES), parts)


def _header(attention: Attention, view: Shown) -> dict[str, Any]:
    """What the page must know to read and label the weights; keys are left out where they are the queries."""
    queries = _labels(attention.query_tokens, view.rows)
    keys = _labels(attention.key_tokens, view.columns)
    return {
        "layers": attention.layers,
        "heads": attention.heads,
        "queries": queries,
        "keys": None if keys == queries and attention.one_text else keys,
        "block": view.block,
        **_written(attention),
        "ramps": ramps(),
    }


def _written(attention: Attention) -> dict[str, Any]:
    """What a model wrote itself: the first row and column of it, and for each token what it might have been."""
    if not (steps := steps_of(attention)):
        return {}
    each = [
        {
            "row": step.at,
            "p": step.probability,
            "likeliest": [[escape(name), p] for name, p in step.likeliest],
        }
        for step in steps
    ]
    return {"began": attention.began, "written": each}


def _labels(tokens: tuple[str, ...], cells: list[range]) -> list[str]:
    """A token for each cell; the first and the last of one that stands for several."""
    ends = (
        tokens[cell[0]] if len(cell) == 1 else f"{tokens[cell[0]]} … {tokens[cell[-1]]}" for cell in cells
    )
    return [escape(token) for token in ends]


def _summary(attention: Attention, view: Shown) -> str:
    n_query, n_key = len(attention.query_tokens), len(attention.key_tokens)
    cells = f" in {len(view.rows)} × {len(view.columns)} cells" if max(view.block) > 1 else ""
    size = _count(n_query, "token") if n_query == n_key else f"{n_query} queries × {n_key} keys"
    heads = f"{_count(len(attention.layers), 'layer')} × {_count(len(attention.heads), 'head')}"
    what = ", ".join(filter(None, [_KINDS.get(attention.kind), attention.caption]))
    return " · ".join(filter(None, [heads, f"{size}{cells}", what]))


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
