"""A page on one answer: what is said of it, and the picture of it beside the truth."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PAGE = """<!doctype html>
<html lang="{lang}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
svg {{ max-width: 100%; height: auto; }}
p {{ margin: 0.2rem 0; }}
p:first-of-type {{ font-size: 1.3rem; font-weight: 600; }}
</style>
<h1>{title}</h1>
{lines}
{picture}
</html>
"""


def answer_page(svg: bytes, lines: Sequence[str], title: str, lang: str = "en") -> bytes:
    """One file that needs no network and runs no script."""
    picture = svg.decode()
    return _PAGE.format(
        lang=lang,
        title=html.escape(title or "attn check"),
        lines="\n".join(f"<p>{html.escape(line)}</p>" for line in lines),
        picture=picture[picture.index("<svg") :],
    ).encode()
