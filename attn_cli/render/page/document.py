"""What every page is made of: one file whose script and style are its own, and whose data no browser executes."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from ...text.escaping import escape
from ..colour import ramp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=\w)", re.MULTILINE)
# Whole lines of comment, and indentation: nobody reads them in a page. No template literal has two lines (tested).
_UNREAD = re.compile(r"^[ \t]*(?://.*|/\*(?:(?!\*/)[\s\S])*\*/[ \t]*)\n|^[ \t]+|^\n", re.MULTILINE)
_RAMPS = ("paper", "night", "signed", "signed night")


LANGUAGES = {"en": "en", "zh": "zh-Hans"}  # as HTML names them


def wording(lang: str) -> dict[str, str]:
    """All that pages say in a language.

    Raises InputError for one that they do not speak.
    """
    if lang not in LANGUAGES:
        raise InputError(f"--lang {lang!r}", hint=f"give {' or '.join(LANGUAGES)}")
    said: dict[str, str] = json.loads(source(f"wording/{lang}.json"))
    return said


_SHELL = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="generator" content="attn">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}</body>
</html>
"""


def shell(
    title: str,
    body: str,
    language: str,
    style: str,
    scripts: Iterable[str] = (),
    also: Mapping[str, Iterable[str]] | None = None,
) -> bytes:
    """The whole file around a body of HTML, for every page that attn writes.

    Its policy admits this style, these scripts, what `also` names (`{"img-src": ["data:"]}`), and nothing else.
    """
    sources = {"script-src": _hashes(scripts), "style-src": _hashes([style])}
    for kind, more in (also or {}).items():
        sources[kind] = list(dict.fromkeys([*sources.get(kind, ()), *more]))
    admitted = "".join(f"{kind} {' '.join(ones)}; " for kind, ones in sources.items() if ones)
    policy = f"default-src 'none'; {admitted}base-uri 'none'; form-action 'none'"
    return _SHELL.format(language=language, policy=policy, title=title, style=style, body=body).encode()


def _hashes(texts: Iterable[str]) -> list[str]:
    return [f"'sha256-{sha256(text)}'" for text in texts]


def filled(
    template: str,
    style: str,
    script: str,
    parts: Mapping[str, str],
    lang: str = "en",
    also: Mapping[str, Iterable[str]] | None = None,
) -> bytes:
    """A page whose body is a file of `assets/`, with its script and all that stands in it as {{names}}.

    {{say_…}} are its sentences in the language of the page, which its script has too.
    """
    words = wording(lang)
    said = {f"say_{name}": as_text(sentence) for name, sentence in words.items()}
    every = {"script": script, **said, "wording": as_json(_for_scripts(words)), **parts}
    body = re.sub(r"\{\{(\w+)\}\}", lambda name: every[name[1]], source(template))
    return shell(parts["title"], body, LANGUAGES[lang], style, [script], also)


def still(title: str, body: str, style: str, language: str) -> bytes:
    """A page without a script, for print: its title and body as HTML, and its style of `assets/`."""
    return shell(title, body, language, source(style))


def _for_scripts(words: Mapping[str, str]) -> dict[str, str]:
    """What a script may say: not what columns of tables are, which stands in their pages as text."""
    return {
        name: said
        for name, said in words.items()
        if not name.startswith(("column_", "heading_", "role_", "unit_"))
    }


def script_of(modules: Iterable[str]) -> str:
    """The modules as one script: a page from disk cannot import, so those lines are taken out.

    A module stands after those it imports from.
    """
    whole = "".join(_EXPORT.sub("", _IMPORT.sub("", source(f"{name}.js"))) for name in modules)
    return _UNREAD.sub("", whole)


def style_of(*sheets: str) -> str:
    """The look that pages share, and sheets of their own."""
    return _UNREAD.sub("", "".join(source(name) for name in ("look.css", *sheets)))


def source(name: str) -> str:
    """A file of `assets/`."""
    return resources.files(__package__).joinpath("assets", *name.split("/")).read_text(encoding="utf-8")


def sha256(text: str) -> str:
    """A hash as a content-security policy has it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def as_text(text: str) -> str:
    """Text that is only ever text, whatever is in it."""
    return html.escape(escape(text))


def as_json(value: Any) -> str:
    """ASCII JSON in which nothing can end the element around it, or begin another."""
    text = json.dumps(value, separators=(",", ":"))
    return re.sub("[<>&]", lambda character: f"\\u{ord(character[0]):04x}", text)


def ramps(*others: str) -> dict[str, str]:
    """The colours of a page by day and by night, base64 of RGB."""
    return {name: base64.b64encode(ramp(name).tobytes()).decode() for name in (*_RAMPS, *others)}


def stressed(provenance: str) -> str:
    """Nobody may mistake random numbers for a trained model's."""
    return re.sub(r"\buntrained\b", "<mark>untrained</mark>", provenance)
