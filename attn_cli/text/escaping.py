"""Tokens made safe to print, and read back."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Any

_ESCAPES = {"\t": r"\t", "\n": r"\n", "\r": r"\r", "\\": r"\\"}


_UNESCAPES = {text: c for c, text in _ESCAPES.items()}


_ESCAPED = re.compile(r"\\(?:u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4}|.)", re.DOTALL)


# The marks that change the direction of the text around them; they have no look of their own.
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


# What acts in JSON: controls that it does not escape by itself, direction marks, halves of surrogate pairs.
_ACTING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escape(token: str) -> str:
    r"""A token on one line with nothing in it that acts: a tab becomes `\t`, the escape character `\u001b`.

    Controls, line separators, direction marks and lone surrogates are escaped, and the backslash itself.

    >>> print(escape("a\tb\x1b[31m"))
    a\tb\u001b[31m
    """
    return (
        token if token.isascii() and token.isprintable() and "\\" not in token else "".join(map(_safe, token))
    )


def unescape(text: str) -> str:
    r"""The token that `escape` was given; a backslash that starts no escape stands for itself.

    >>> unescape(escape("a\\b\x00")) == "a\\b\x00"
    True
    """
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda m: _UNESCAPES.get(m[0]) or _from_code(m[0]), text)


def json_text(value: Any) -> str:
    r"""A value as JSON in which nothing acts on a terminal or an editor.

    >>> print(json_text({"a": "注\x7f"}))
    {"a": "注\u007f"}
    """
    import json

    text = json.dumps(value, ensure_ascii=False)
    return _ACTING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _from_code(escaped: str) -> str:
    return chr(int(escaped[2:], 16)) if escaped[1] in "uU" and len(escaped) > 2 else escaped


@functools.cache
def _safe(c: str) -> str:
    if c in _ESCAPES:
        return _ESCAPES[c]
    if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") or c in _REORDERING:
        return f"\\u{ord(c):04x}"
    return c
