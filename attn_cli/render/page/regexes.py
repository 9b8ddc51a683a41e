"""Regular expressions of tokenizers (Oniguruma) written as JavaScript has them, with its flag u."""

from __future__ import annotations

import re

from ...errors import InputError

_CATEGORIES = [
    "L",
    "M",
    "N",
    "P",
    "S",
    "Z",
    "C",
    "Lu",
    "Ll",
    "Lt",
    "Lm",
    "Lo",
    "Mn",
    "Mc",
    "Me",
    "Nd",
    "Nl",
    "No",
    "Pc",
    "Pd",
    "Ps",
    "Pe",
    "Pi",
    "Pf",
    "Po",
    "Sm",
    "Sc",
    "Sk",
    "So",
    "Zs",
    "Zl",
    "Zp",
    "Cc",
    "Cf",
]
_SCRIPTS = [
    "Han",
    "Hiragana",
    "Katakana",
    "Hangul",
    "Bopomofo",
    "Latin",
    "Greek",
    "Cyrillic",
    "Arabic",
    "Hebrew",
    "Thai",
    "Devanagari",
]
_SPACE = r"\t-\r\x85\p{Z}"
_CLASSES = {"s": _SPACE, "d": r"\p{Nd}", "w": r"\p{L}\p{M}\p{N}\p{Pc}"}
_ITEM = re.compile(
    r"\\p\{(?P<property>\^?\w+)\}|\\P\{(?P<other>\w+)\}|\\(?P<escaped>.)"
    r"|\(\?i:(?P<either>[\w'|]+)\)|(?P<group>\(\?(?:[:=!]|<[=!]))|(?P<counted>\{\d+(?:,\d*)?\})"
    r"|(?P<set>\[\^?)|(?P<end>\])|(?P<possessive>(?:[*+?]|\{\d+(?:,\d*)?\})\+)|(?P<refused>\(\?|[\^$]|&&)|(?P<plain>.)",
    re.DOTALL,
)
_SYNTAX = "^$\\.*+?()[]{}|/"


def javascript(pattern: str) -> str:
    r"""The pattern as JavaScript writes it.

    Raises InputError where it has something that JavaScript lacks.

    >>> javascript(r"\A▁(?![\p{Han}\s])"), javascript(r"(?i:'s|'t)")
    ('^▁(?![\\p{Script=Han}\\t-\\r\\x85\\p{Z}])', "(?:'[sS]|'[tT])")
    """
    written, inside = [], False
    for item in _ITEM.finditer(pattern):
        if item["set"] and inside:
            raise _refused(pattern)
        inside = bool(item["set"]) or (inside and not item["end"])
        written.append(_item(item, inside, pattern))
    return "".join(written)


def _item(item: re.Match[str], inside: bool, pattern: str) -> str:
    if name := item["property"] or item["other"]:
        negated = name.startswith("^") or bool(item["other"])
        return _property(name.removeprefix("^"), negated, pattern)
    if item["escaped"]:
        return _escaped(item["escaped"], inside, pattern)
    if item["either"]:
        return "(?:" + re.sub(r"[^\W\d_]", lambda c: f"[{c[0].lower()}{c[0].upper()}]", item["either"]) + ")"
    if inside and item["refused"] != "&&":
        return item[0]  # in a set these stand for themselves
    if item["possessive"] or item["refused"]:
        raise _refused(pattern)
    return f"\\{item[0]}" if item["plain"] in ("{", "}") else item[0]


def _property(name: str, negated: bool, pattern: str) -> str:
    if name not in (*_CATEGORIES, *_SCRIPTS):
        raise _refused(pattern)
    return ("\\P{" if negated else "\\p{") + ("Script=" if name in _SCRIPTS else "") + name + "}"


def _escaped(character: str, inside: bool, pattern: str) -> str:
    if (members := _CLASSES.get(character.lower())) and (character.islower() or not inside):
        return members if inside else f"[{members}]" if character.islower() else f"[^{members}]"
    if character in "nrt":
        return f"\\{character}"
    if character in "Az" and not inside:
        return "^" if character == "A" else "$"
    if character.isalnum():
        raise _refused(pattern)
    return f"\\{character}" if character in _SYNTAX or (character == "-" and inside) else character


def _refused(pattern: str) -> InputError:
    return InputError(
        f"a tokenizer with the pattern {pattern[:60]!r}, which JavaScript lacks", hint="give another model"
    )
