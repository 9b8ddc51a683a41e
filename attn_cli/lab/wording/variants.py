"""What variants do, in a sentence: in English that of their documentation, in other languages one of these texts."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ...registry import function_of, summary
from . import say

if TYPE_CHECKING:
    from collections.abc import Callable


def in_words(chosen: Callable[..., Any], language: str = "en") -> str:
    """What a score, mask, position or normalisation does; what it is called where nothing is said of it.

    >>> from attn_cli.variants.masks import MASKS
    >>> in_words(MASKS.parse("causal"))
    'Each query sees its own position and what came before: key ≤ query.'
    >>> in_words(MASKS.parse("causal"), "zh")
    '每个查询看自己的位置和它之前的位置：key ≤ query。'
    """
    if (own := _translated(function_of(chosen), language)) or (own := summary(chosen)):
        return own
    spec = getattr(chosen, "spec", None)
    return say(language, "step_as_given") if spec is None else f"{spec}{say(language, 'stop')}"


def _translated(function: Callable[..., Any], language: str) -> str:
    """The text of a registered function; a function of the user's own has none, whatever its name is."""
    if language == "en":
        return ""
    texts: dict[str, dict[str, str]] = importlib.import_module(f".{language}.variants", __package__).TEXTS
    for registry, of in texts.items():
        module, _, name = registry.partition(":")
        known = getattr(importlib.import_module(f"...variants.{module}", __package__), name)
        for spec, text in of.items():
            if known[spec] is function:
                return text
    return ""
