"""Several attentions in one HTML file, with a picker: each is the page that it would be alone, in a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .document import as_json, as_text, filled, script_of, style_of, wording
from .frames import Frames, share
from .page import MAX_BYTES, page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ...records.attention import Attention


def pages(
    named: Iterable[tuple[str, Attention]],
    number: int,
    *,
    title: str = "",
    max_bytes: int = MAX_BYTES,
    lang: str = "en",
    pool: str | None = None,
    figures_of: Callable[[Attention], Mapping[str, Any]] = lambda _: {},
    vectors: bool = True,
) -> bytes:
    """One self-contained file of `number` attentions, each under its name; they share the room of one page.

    `figures_of` gives the figures by which the heads of each are sorted.

    >>> from attn_cli.records.attention import Attention
    >>> one = Attention(("a",), ("a",), [[[[1.0]]]])
    >>> pages([("first", one), ("second", one)], 2).startswith(b"<!doctype html>")
    True
    """
    frames, texts = Frames(), []
    room = share(max_bytes, number, lang)
    for name, attention in named:
        figures = figures_of(attention)
        made = page(
            attention, title=name, max_bytes=room, lang=lang, pool=pool, figures=figures, vectors=vectors
        )
        texts.append({"name": name, "page": frames.add(made)})
    filling = {
        "title": as_text(title or wording(lang)["several_title"].format(n=len(texts))),
        "parts": frames.parts,
        "texts": as_json(texts),
    }
    script = script_of(("frame", "several"))
    return filled("several.html", style_of("several.css"), script, filling, lang, frames.also)
