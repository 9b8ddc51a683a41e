"""Attention as one HTML file to explore: it opens from disk, needs no network, and runs nothing but its own script.

The sources are in `assets/`: the page, its style, and one JavaScript module for each thing that it does. What
comes from the record is text in the page, and JSON and base64 in elements that no browser executes; the
content-security policy admits this one script and this one style, by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...text.escaping import escape
from ..text import running
from ..written_tokens import beginning, cell_of, steps_of
from .bars import bars
from .document import as_json, as_text, filled, ramps, script_of, stressed, style_of, wording
from .over_steps import labels, origin, training, views_of
from .scales import ends
from .senses import senses
from .vectors import pack_vectors
from .weights import Packed, Shown, pack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from jaxtyping import Float

    from ...records.attention import Attention

MAX_BYTES = 10_000_000
LARGEST_BYTES = 12_900_000  # of a page that would otherwise make one cell of several tokens

MOST_STEPS, FEWEST_STEPS = 60, 6  # of a training, in one page
MOST_CELLS = 120_000_000  # of all steps, before they are pooled: in memory they are half a GiB

# Joined in this order: a module stands after those it imports from.
MODULES = (
    "wording", "inflating", "record", "words", "colours", "raster", "scales", "bars", "heard", "viewport", "canvas", "axes", "svg", "sheet", "map", "grid",
    "readout", "overlay", "stepper", "training", "writing", "sight", "extras", "tokenlist", "tracing", "lines", "tokens", "compare", "controls", "sorting",
    "strips", "arithmetic", "vectors", "qk", "growing", "views", "hold", "pointed", "link", "saving", "finding", "app",
)  # fmt: skip
_SPECIAL = re.compile(r"\[(?:CLS|SEP|PAD|MASK|UNK|[a-z]{2,5})\]|</?s>|<pad>|<\|\w+\|>")
_RECORDED = re.compile(r"recorded(?: from|:) (.+?), step \d")  # of what program and module
_PLACE = re.compile(r"\d+\.\d\ds|\d+,\d+")  # a moment of a sound, a patch of an image
_TITLED = 60  # characters of the text that a title shows


@dataclass(frozen=True)
class _Beside:
    """What a page has beside its weights: more of its header, and vectors in base64."""

    header: dict[str, Any]
    vectors: str


def page(
    attention: Attention,
    *,
    title: str = "",
    max_bytes: int | None = None,
    lang: str = "en",
    pool: str | None = None,
    figures: Mapping[str, Float[np.ndarray, "layer head"]] | None = None,
    steps: Sequence[tuple[int, Attention]] = (),
    vectors: bool = True,
    grows: bool = False,
) -> bytes:
    """One self-contained HTML file of at most `max_bytes` (10 MB), for any number of heads and tokens.

    Up to 1 MiB, weights are in it as they are; more are rounded as finely as `max_bytes` allows, and the page
    states the error. Beyond 2.5 cells for each byte, a cell stands for a block of weights: the page has their
    mean and the largest, and shows `pool` of them first. Where nothing else is asked for, a page may rather be
    larger, of at most LARGEST_BYTES, up to 3 cells for each. Heads can be sorted and filtered by `figures`. With
    `steps` of a training, each with what it was then, a slider goes through them; `attention` is one of them, and all
    have its sizes.
    Where `vectors` of queries and keys are known and few, it shows how their products give the scores.
    In a notebook it `grows`: it tells its frame how high it is.

    >>> from attn_cli.records.attention import Attention
    >>> page(Attention(("a",), ("a",), [[[[1.0]]]]), title="One")[:15]
    b'<!doctype html>'
    """
    most_cells = (max_bytes or MAX_BYTES) * 5 // 2
    cells = attention.shown.size * max(1, len(steps))
    if max_bytes is None and cells > most_cells:
        max_bytes, most_cells = LARGEST_BYTES, 3 * LARGEST_BYTES
    own = [each for _, each in steps] or [attention]
    views = views_of(own, most_cells // len(own), pool)
    (view, *_) = views.values()
    most = (max_bytes or MAX_BYTES) if max(view.block) == 1 else 0
    pairs = pack_vectors(attention, most, wanted=vectors and not steps)
    header = {"figures": _figures(figures or {}), "vectors": pairs.header}
    header |= training(attention, view, steps) | bars(own, view) | senses(attention, view)
    beside = _Beside(header | ({"grows": True} if grows else {}), pairs.text)
    tops = {name: ends(each) for name, each in views.items()}
    bare = {name: Packed(top, b"") for name, top in tops.items()}
    frame = _fill(attention, view, title, bare, beside, lang)
    told = len(views) * (200 + 8 * len(view.weights))  # what the header says of each head
    room = ((max_bytes or MAX_BYTES) - len(frame) - told) * 3 // 4  # base64 writes 3 bytes as 4 characters
    packed = {name: pack(each, room // len(views)) for name, each in views.items()}
    packed = {name: Packed(each.header | tops[name], each.data) for name, each in packed.items()}
    return _fill(attention, view, title, packed, beside, lang)


def most_steps(attention: Attention) -> int:
    """As many steps of a training as a page can hold without that tokens share a cell, but some in any case."""
    size = attention.shown.size
    fewest = max(2, min(FEWEST_STEPS, MOST_CELLS // size))
    return max(fewest, min(MOST_STEPS, MAX_BYTES * 5 // 2 // size))


def _fill(
    attention: Attention,
    view: Shown,
    title: str,
    packed: Mapping[str, Packed],
    beside: _Beside,
    lang: str,
) -> bytes:
    words = wording(lang)
    pools = [{"pool": name, **each.header} for name, each in packed.items()]
    bytes_ = [base64.b64encode(each.data).decode() for each in packed.values()]
    parts = {
        "title": as_text(title or _title(attention, words)),
        "summary": as_text(_summary(attention, view, words)),
        "provenance": stressed(as_text(origin(attention, beside.header) or words["unknown_origin"])),
        "header": as_json(_header(attention, view) | beside.header | pools[0] | {"others": pools[1:]}),
        "weights": " ".join(bytes_),
        "vectors": beside.vectors,
    }
    return filled("page.html", style_of("page.css"), script_of(MODULES), parts, lang)


def _figures(figures: Mapping[str, Float[np.ndarray, "layer head"]]) -> dict[str, list[float | None]]:
    """A number for each head, to four digits; nothing where there is none."""
    return {
        name: [None if math.isnan(number) else float(f"{number:.4g}") for number in numbers.ravel().tolist()]
        for name, numbers in figures.items()
    }


def _title(attention: Attention, words: Mapping[str, str]) -> str:
    """What is attended to: the text; where tokens have no names, what was recorded or else how many they are."""
    tokens = attention.query_tokens
    if list(tokens) == list(map(str, range(len(tokens)))):
        if recorded := _RECORDED.match(attention.provenance):
            return words["page_title"].format(tokens=recorded[1].replace(": ", " · "))
        return words["page_title"].format(tokens=_count("tokens", len(tokens), words))
    if len(tokens) > 2 and all(map(_PLACE.fullmatch, tokens)):
        tokens = (tokens[0], "…", tokens[-1])
        return words["page_title"].format(tokens=" ".join(tokens))
    return words["page_title"].format(tokens=_beginning(attention))


def _beginning(attention: Attention) -> str:
    """What a title shows of a text: the text as it runs, without special tokens around it."""
    tokens, words = attention.query_tokens[: 2 * _TITLED], attention.query_words
    around = [_SPECIAL.fullmatch(token) and token not in ("[MASK]", "[UNK]") for token in tokens]
    kept = [i for i, is_around in enumerate(around) if not is_around] or range(len(tokens))
    pieces = running([tokens[i] for i in kept], words and [words[i] for i in kept])
    written = "".join(" " * (piece.before == "space") + piece.text for piece in pieces).strip()
    return written if len(written) <= _TITLED else f"{written[:_TITLED].rstrip()}…"


def _header(attention: Attention, view: Shown) -> dict[str, Any]:
    """What the page must know to read and label the weights; keys are left out where they are the queries."""
    queries = labels(attention.query_tokens, view.rows)
    keys = labels(attention.key_tokens, view.columns)
    return {
        "layers": attention.layers,
        "heads": attention.heads,
        "queries": queries,
        "keys": None if keys == queries and attention.one_text else keys,
        "block": view.block,
        "special": _special(attention, view),
        **_written(attention, view),
        **({} if attention.unit in ("weight", "maximum") else {"measure": attention.unit}),
        "ramps": ramps(),
    }


def _special(attention: Attention, view: Shown) -> list[int]:
    """The keys that are special tokens, by their names where nothing else tells, unless a cell is several."""
    if max(view.block) > 1 or attention.pooled:
        return []
    named = [i for i, token in enumerate(attention.key_tokens) if _SPECIAL.fullmatch(token)]
    marked = [i for i, mark in enumerate(attention.special or ()) if mark]
    return named if attention.special is None else marked


def _written(attention: Attention, view: Shown) -> dict[str, Any]:
    """What a model wrote itself: where in the map it begins, and of each token from which row it was written.

    Each also has its place in the text, its probability, and the likeliest tokens there.
    """
    if not (steps := steps_of(attention)):
        return {}
    each = [
        {
            "row": step.at,
            "from": cell_of(view.rows, max(0, step.row)),
            "token": escape(step.token),
            "p": step.probability,
            "likeliest": [[escape(name), p] for name, p in step.likeliest],
        }
        for step in steps
    ]
    return {"began": beginning(attention, view.rows, view.columns), "written": each}


def _summary(attention: Attention, view: Shown, words: Mapping[str, str]) -> str:
    n_query, n_key = len(attention.query_tokens), len(attention.key_tokens)
    cells = words["page_cells"].format(rows=len(view.rows), columns=len(view.columns))
    two = f"{_count('n_queries', n_query, words)} × {_count('n_keys', n_key, words)}"
    size = (_count("tokens", n_query, words) if n_query == n_key else two) + (
        cells if max(view.block) > 1 else ""
    )
    heads = (
        f"{_count('layers', len(attention.layers), words)} × {_count('heads', len(attention.heads), words)}"
    )
    what = ", ".join(filter(None, [words.get(f"kind_{attention.kind}"), attention.caption]))
    return " · ".join(filter(None, [heads, size, what]))


def _count(what: str, n: int, words: Mapping[str, str]) -> str:
    return words[f"page_{what}_1" if n == 1 else f"page_{what}"].format(n=n)
