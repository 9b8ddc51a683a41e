"""The words of a worksheet in a language, for whatever prints it."""

from __future__ import annotations

import functools

from ...records.worked import Words
from . import say, sentences

_TERM = "term_"


@functools.cache
def words(language: str) -> Words:
    """What stands around the numbers of worked steps.

    >>> words("zh").term("scores"), words("en").term("scores")
    ('分数 scores', 'scores')
    """
    known = sentences(language)
    return Words(
        language=language,
        title=known["worksheet_title"],
        rounding=known["worksheet_rounding"],
        shape=known["worksheet_shape"],
        layer=known["worksheet_layer"],
        head=known["worksheet_head"],
        hidden=known["worksheet_hidden"],
        cell=known["worksheet_cell"],
        stop=say(language, "stop"),
        space=say(language, "sentence_space"),
        dimension=known["worksheet_dimension"],
        terms={key.removeprefix(_TERM): text for key, text in known.items() if key.startswith(_TERM)},
    )
