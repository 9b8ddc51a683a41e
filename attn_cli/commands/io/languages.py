"""`--lang`: the language of what is said, by default the locale's."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from ...errors import InputError
from .choices import Listed, completion, explain

LANGUAGES = Listed({"en": "English.", "zh": "中文。"})


def lang_option(said: str) -> Any:
    """The option, and what it is the language of."""
    return typer.Option(
        metavar="en|zh", callback=explain(LANGUAGES), autocompletion=completion(LANGUAGES), help=said
    )


Lang = Annotated[str | None, lang_option("Language of what is said (default: the locale's).")]
PageLang = Annotated[str, lang_option("Language of a page (default: en).")]


def language(chosen: str | None, usual: str | None = None) -> str:
    """The language that was asked for, else the usual one, else the locale's if it is spoken here, else English."""
    if chosen is not None:
        if chosen not in LANGUAGES.meanings:
            raise InputError(
                f"language {chosen!r} is not available", hint=f"give {' or '.join(LANGUAGES.meanings)}"
            )
        return chosen
    if usual is not None:
        return usual
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if next(filter(None, names), "").startswith("zh") else "en"
