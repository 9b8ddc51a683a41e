"""An SVG picture as a part of a page whose policy admits one style: what its marks say of themselves moves there."""

from __future__ import annotations

import re

_TAG = re.compile(r"<[A-Za-z][^<>]*>")
_SAYS = re.compile(r'(?<=\s)style="([^"]*)"')
_SHEET = re.compile(r"<style\b[^>]*>(.*?)</style>", re.DOTALL)


def inlined(svg: bytes, prefix: str = "m") -> tuple[str, str]:
    """The element of a picture that matplotlib drew, without styles of its own, and the style sheet of all of them.

    A page with a content-security policy shows no `style="…"`; each that is said becomes a class. Of
    several pictures in a page each has a `prefix` of its own.

    >>> inlined(b'<?xml?><svg><text style="fill: red">a</text></svg>')
    ('<svg><text class="m0">a</text></svg>', '.m0 { fill: red }\\n')
    """
    text = svg.decode()
    text = text[text.index("<svg") :].strip()
    own = [sheet.replace("*", "svg *", 1) for sheet in _SHEET.findall(text)]
    names: dict[str, str] = {}

    def named(said: re.Match[str]) -> str:
        return f'class="{names.setdefault(said[1], f"{prefix}{len(names)}")}"'

    text = _TAG.sub(lambda tag: _SAYS.sub(named, tag[0]), _SHEET.sub("", text))
    rules = [f".{name} {{ {said} }}" for said, name in names.items()]
    return text, "".join(f"{rule}\n" for rule in [*own, *rules])
