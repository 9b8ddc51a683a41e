"""Pages within a page: each stands in a frame as if it were alone, and what they share is written once."""

from __future__ import annotations

import re

from .document import as_json
from .page import page

# What pages of one make share: their style and their script.
_SHARED = re.compile(r"(?<=<style>).*?(?=</style>)|(?<=<script type=\"module\">).*?(?=</script>)", re.DOTALL)
_POLICY = re.compile(r"((?:script|style|img)-src) ([^;\"]*)")


class Frames:
    """Pages that one file holds.

    A page in a frame obeys the policy of the file around it as well, so that this file has to admit `also`.

    >>> frames = Frames()
    >>> frames.add(b"<p>one</p>"), frames.parts
    (['<p>one</p>'], '[]')
    """

    def __init__(self) -> None:
        self._parts: dict[str, int] = {}
        self.also: dict[str, dict[str, None]] = {"script-src": {}, "style-src": {}}

    def add(self, made: bytes) -> list[str | int]:
        """A page as its own pieces, and between them the numbers of those that are shared."""
        text = made.decode()
        for kind, sources in _POLICY.findall(text):
            self.also.setdefault(kind, {}).update(dict.fromkeys(sources.split()))
        pieces: list[str | int] = []
        place = 0
        for found in _SHARED.finditer(text):
            pieces += [text[place : found.start()], self._parts.setdefault(found[0], len(self._parts))]
            place = found.end()
        return [*pieces, text[place:]]

    @property
    def parts(self) -> str:
        """What pages share, as JSON."""
        return as_json(list(self._parts))


def share(max_bytes: int, number: int, lang: str) -> int:
    """How large each of so many pages of attentions may be that together fill a file."""
    shared = _shared_bytes(lang)
    # What is around them, and what JSON escapes in parts and pages, take some of the room.
    return (max_bytes - 3 * shared // 2) * 49 // (50 * number) + shared


def _shared_bytes(lang: str) -> int:
    import numpy as np

    from ...records.attention import Attention

    smallest = page(Attention(("a",), ("a",), np.ones((1, 1, 1, 1))), lang=lang).decode()
    return sum(len(part.encode()) for part in _SHARED.findall(smallest))
