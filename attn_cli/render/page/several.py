"""Several attentions in one HTML file, with a picker: each is the page that it would be alone, in a frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .document import as_json, as_text, filled, source, wording
from .page import MAX_BYTES, page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...records.attention import Attention

# What pages of one make share, and is written once: their style and their script.
_SHARED = re.compile(r"(?<=<style>).*?(?=</style>)|(?<=<script type=\"module\">).*?(?=</script>)", re.DOTALL)
_POLICY = re.compile(r"(script|style)-src ([^;\"]*)")


def pages(
    named: Iterable[tuple[str, Attention]],
    number: int,
    *,
    title: str = "",
    max_bytes: int = MAX_BYTES,
    lang: str = "en",
    pool: str | None = None,
) -> bytes:
    """One self-contained file of `number` attentions, each under its name; they share the room of one page.

    >>> from attn_cli.records.attention import Attention
    >>> one = Attention(("a",), ("a",), [[[[1.0]]]])
    >>> pages([("first", one), ("second", one)], 2).startswith(b"<!doctype html>")
    True
    """
    parts: dict[str, int] = {}
    allowed: dict[str, dict[str, None]] = {"script": {}, "style": {}}
    texts = []
    shared = _shared_bytes(lang)
    # The picker, and what JSON escapes in parts and pages, take some of the room.
    share = (max_bytes - 3 * shared // 2) * 49 // (50 * number) + shared
    for name, attention in named:
        made = page(attention, title=name, max_bytes=share, lang=lang, pool=pool).decode()
        texts.append({"name": name, "page": _taken_apart(made, parts)})
        for kind, hashes in _POLICY.findall(made):
            allowed[kind] |= dict.fromkeys(hashes.split())
    title = title or wording(lang)["several_title"].format(n=len(texts))
    return _filled(title, texts, list(parts), allowed, lang)


def _shared_bytes(lang: str) -> int:
    import numpy as np

    from ...records.attention import Attention

    smallest = page(Attention(("a",), ("a",), np.ones((1, 1, 1, 1))), lang=lang).decode()
    return sum(len(part.encode()) for part in _SHARED.findall(smallest))


def _taken_apart(made: str, parts: dict[str, int]) -> list[str | int]:
    """A page as its own pieces, and between them the numbers of those that are shared."""
    pieces: list[str | int] = []
    place = 0
    for found in _SHARED.finditer(made):
        pieces += [made[place : found.start()], parts.setdefault(found[0], len(parts))]
        place = found.end()
    return [*pieces, made[place:]]


def _filled(
    title: str, texts: object, parts: list[str], allowed: dict[str, dict[str, None]], lang: str
) -> bytes:
    """A page in a frame obeys the policy of the file around it as well, so that this one admits its parts."""
    filling = {"title": as_text(title), "parts": as_json(parts), "texts": as_json(texts)}
    also = {f"{kind}-src": hashes for kind, hashes in allowed.items()}
    return filled("several.html", source("several.css"), source("several.js"), filling, lang, also)
