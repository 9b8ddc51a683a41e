"""What the lab says to people, in every language: sentences by their keys, and a text for every mistake."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

from ...errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .text import Text

LANGUAGES = ("en", "zh")
GROUPS = ("scaling", "softmax", "masks", "heads", "roles", "positions")  # of mistakes, a module of texts each


def say(language: str, key: str, values: Mapping[str, Any] | None = None) -> str:
    """The sentence of a key, with these values in its places; a value may be a sentence itself.

    >>> say("en", "axis_query", {"i": 3})
    'query 3'
    """
    given = {name: x.text(language) if hasattr(x, "text") else x for name, x in (values or {}).items()}
    return sentences(language)[key].format(**given)


def mistake_text(language: str, name: str) -> Text:
    """What there is to say of a mistake.

    >>> mistake_text("en", "no_scale").title
    'The scores are not scaled'
    """
    return mistakes(language)[name]


def group_of(name: str) -> str:
    """The group that a mistake is in, which names its page, too.

    >>> group_of("no_scale")
    'scaling'
    """
    return next(room for room in GROUPS if name in _room("en", room).TEXTS)


@functools.cache
def sentences(language: str) -> Mapping[str, str]:
    """All sentences of a language by their keys. Raises InputError for a language that is not spoken."""
    rooms = ("sentences", "pages", "steps", "course")
    return {key: text for room in rooms for key, text in _room(language, room).SENTENCES.items()}


@functools.cache
def mistakes(language: str) -> Mapping[str, Text]:
    """All texts on mistakes by their ids."""
    return {name: text for room in GROUPS for name, text in _room(language, room).TEXTS.items()}


def _room(language: str, name: str) -> Any:
    if language not in LANGUAGES:
        raise InputError(f"no texts in {language!r}", hint=f"give {' or '.join(LANGUAGES)}")
    return importlib.import_module(f".{language}.{name}", __name__)
