"""Figures of an explanation: methods × tokens, or the text itself once for each method; its tests below."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..explained import ranking, said, shading, shares, unit
from ..fonts.faces import preferring
from ..labels import label
from ..look import PLAIN
from ..page.document import wording
from .heads import side_by_side
from .maps import LONGEST
from .panels import Maps
from .sheet import Sheet, draw
from .text import shaded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...records.explanation import Explanation
    from ..look import Look


def explanation_figure(
    found: Explanation, look: Look = PLAIN, *, view: str = "map", lang: str = "en"
) -> Figure:
    """What each method says of each token, as a share of what it says of the token it puts first.

    `view` is map, a row per method, or tokens, the text shaded by each.
    """
    sheet = explanation_sheet if view == "map" else explanation_text
    with preferring(look.font):
        return draw(sheet(found, look, lang), look.pixels)


def explanation_sheet(found: Explanation, look: Look = PLAIN, lang: str = "en") -> Sheet:
    """Where everything of a map of methods and tokens stands."""
    words = wording(lang)
    output = label(" ".join(found.output), LONGEST)
    maps = Maps(
        np.array(list(shares(found).values()))[None],
        rows=tuple(found.methods),
        columns=tuple(label(token, LONGEST) for token in found.tokens),
        row_name=words["explain_method"],
        column_name=words["explain_token"],
        unit=unit(found, words),
        origin=None,
        titles=(words["explain_title"].format(output=output),),
        look=replace(look, toward=True),
        said=tuple(ranking(found, words)),
    )
    return side_by_side([maps], _origin(found, lang), look)


def explanation_text(found: Explanation, look: Look = PLAIN, lang: str = "en") -> Sheet:
    """Where everything of the text stands, a paragraph for each method."""
    words = wording(lang)
    output = label(" ".join(found.output), LONGEST)
    view = shading(found, words["explain_share"])
    return shaded(
        view,
        replace(look, toward=True),
        unit(found, words),
        len(view.titles),
        subheading=words["explain_title"].format(output=output),
        origin=_origin(found, lang),
        notes=tuple(ranking(found, words)),
    )


def _origin(found: Explanation, lang: str) -> str:
    return "; ".join(filter(None, [found.provenance, *said(found, wording(lang))]))
