"""A model → a page that runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .groups import one_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..models import Model
    from ..render.page.questions import Sheet

_EXAMPLES = {"en": "My father is free.", "zh": "我爸爸有空。"}
_WORDS = 6  # of a model's own, where it knows no others


def live_page(
    model: str | Model,
    *,
    text: str = "",
    title: str = "",
    lang: str = "en",
    beside: Sheet | None = None,
    salt: str = "",
) -> bytes:
    """One HTML file that runs the model on what is typed into it; `text` is there when it opens.

    Questions may stand `beside` it; their right answers are hashed with the `salt`.

    Raises InputError for a model that is too large for a page, or that one cannot run.
    """
    from .. import models
    from ..models.portable import portable
    from ..render.page.document import LANGUAGES
    from ..render.page.live import live_page as made
    from .models import loaded

    one_of("lang", lang, tuple(LANGUAGES))
    told = portable(loaded(model))
    tensors = {name: tensor.detach().float().cpu().numpy() for name, tensor in told.tensors.items()}
    try:
        return made(
            told.header,
            tensors,
            told.tokenizer,
            text=text or _example(told.header, lang),
            title=title,
            lang=lang,
            beside=beside,
            salt=salt,
        )
    except InputError as problem:
        raise problem.at("" if model == models.MINI else str(model)) from None


def _example(header: Mapping[str, Any], lang: str) -> str:
    """Something to begin with: a sentence, or some of the only words that a model knows."""
    if header["vocabulary"] is None:
        return _EXAMPLES[lang]
    words = [word for word in header["vocabulary"] if not word.startswith("[")]
    return " ".join(words[:_WORDS])
