"""The views of an attention. One is one function here: `--view`, its help, completion and the tests know it by that.

Each brings in what draws it when it is asked for, so that the list of views costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...registry import Registry
from ..look import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...records.attention import Attention
    from ..look import Look
    from .sheet import Sheet

VIEWS: Registry[Callable[[Attention, Look], Sheet]] = Registry("view")


def with_known_view(look: Look) -> Look:
    """The look itself; raises InputError if its view is unknown."""
    if look.view is not None:
        check("view", look.view, VIEWS)
    return look


@VIEWS.register
def map_(attention: Attention, look: Look) -> Sheet:
    """Shaded cells, queries down and keys across, a panel for each head."""
    from .maps import attention_maps, lay_out

    return lay_out(attention_maps(attention, look))


@VIEWS.register
def lines(attention: Attention, look: Look) -> Sheet:
    """Queries and keys in two columns, joined by lines as strong as the weights; a colour for each head."""
    from .lines import lay_out

    return lay_out(attention, look)


@VIEWS.register
def tokens(attention: Attention, look: Look) -> Sheet:
    """The text itself, shaded by the attention that one query gives (--query-token), or all in the mean."""
    from .text import lay_out

    return lay_out(attention, look)


@VIEWS.register
def grid(attention: Attention, look: Look) -> Sheet:
    """All layers × heads at a glance, a small map for each."""
    from .grid import lay_out

    return lay_out(attention, look)


@VIEWS.register
def image(attention: Attention, look: Look) -> Sheet:
    """An image, and over it what one query attends to: the mean of the heads, and each head."""
    from .image import lay_out

    return lay_out(attention, look)
