"""Several attentions in one HTML file, with a picker: each is the page that it would be alone, in a frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .document import as_json, as_text, sha256, source
from .page import MAX_BYTES, page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...records.attention import Attention

# What pages of one make share, and is written once: their style and their script.
_SHARED = re.compile(r"(?<=<style>).*?(?=</style>)|(?<=<script type=\"module\">).*?(?=</script>)", re.DOTALL)
_POLICY = re.compile(r"(script|style)-src ([^;\"]*)")


def pages(
    named: Iterable[tuple[str, Attention]], number: int, *, title: str = "", max_bytes: int = MAX_BYTES
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
    shared = _shared_bytes()
    # The picker, and what JSON escapes in parts and pages, take some of the room.
    share = (max_bytes - 3 * shared // 2) * 49 // (50 * number) + shared
    for name, attention in named:
        made = page(attention, title=name, max_bytes=share).decode()
        texts.append({"name": name, "page": _taken_apart(made, parts)})
        for kind, hashes in _POLICY.findall(made):
            allowed[kind] |= dict.fromkeys(hashes.split())
    return _filled(title or f"{len(texts)} texts", texts, list(parts), allowed)


def _shared_bytes() -> int:
    import numpy as np

    from ...records.attention import Attention

    smallest = page(Attention(("a",), ("a",), np.ones((1, 1, 1, 1)))).decode()
    return sum(len(part.encode()) for part in _SHARED.findall(smallest))


def _taken_apart(made: str, parts: dict[str, int]) -> list[str | int]:
    """A page as its own pieces, and between them the numbers of those that are shared."""
    pieces: list[str | int] = []
    place = 0
    for found in _SHARED.finditer(made):
        pieces += [made[place : found.start()], parts.setdefault(found[0], len(parts))]
        place = found.end()
    return [*pieces, made[place:]]


def _filled(title: str, texts: object, parts: list[str], allowed: dict[str, dict[str, None]]) -> bytes:
    """A page in a frame obeys the policy of the file around it as well, so that this one admits its parts."""
    style, script = source("several.css"), source("several.js")
    own = {"script": f"'sha256-{sha256(script)}'", "style": f"'sha256-{sha256(style)}'"}
    filling = {
        "title": as_text(title),
        "style": style,
        "script": script,
        "parts": as_json(parts),
        "texts": as_json(texts),
    }
    filling |= {f"{kind}s": " ".join([said, *allowed[kind]]) for kind, said in own.items()}
    return re.sub(r"\{\{(\w+)\}\}", lambda name: filling[name[1]], source("several.html")).encode()
