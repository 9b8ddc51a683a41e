"""A page on one answer: what is said of it, and the picture of it beside the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .document import LANGUAGES, as_text, shell, source
from .drawing import inlined

if TYPE_CHECKING:
    from collections.abc import Sequence


_IMAGES = {"img-src": ["data:"]}  # that the picture holds itself, as its colour bar


def answer_page(
    svg: bytes | None, lines: Sequence[str], title: str, lang: str = "en", *, narrow: bytes | None = None
) -> bytes:
    """One file that needs no network and runs no script; an answer that has no picture has lines alone.

    A phone shows the picture `narrow` instead, whose maps stand below one another.
    """
    drawn = style = ""
    for kind, picture in (("broad", svg), ("narrow", narrow)):
        if picture is not None:
            element, own = inlined(picture, kind)
            drawn += f'<figure class="{kind}">{element}</figure>\n'
            style += own
    name = as_text(title or "attn check")
    said = "".join(f"<p>{as_text(line)}</p>\n" for line in lines)
    body = f"<h1>{name}</h1>\n{said}{drawn}"
    return shell(name, body, LANGUAGES[lang], source("answers.css") + style, also=_IMAGES)
