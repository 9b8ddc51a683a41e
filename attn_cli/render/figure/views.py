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
    """Shaded cells, queries down and keys across, a panel for each head.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> map_(Attention(("it",), ("cat",), [[[[1.0]]]]), PLAIN).words()[:3]
    ['layer 0 · head 0', 'it', 'cat']
    """
    from .maps import attention_maps, lay_out

    return lay_out(attention_maps(attention, look))


@VIEWS.register
def lines(attention: Attention, look: Look) -> Sheet:
    """Queries and keys in two columns, joined by lines as strong as the weights; a colour per head.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> lines(Attention(("it",), ("cat",), [[[[1.0]]]]), PLAIN).words()[:6]
    ['layer 0', 'head 0', 'query', 'it', 'key', 'cat']
    """
    from .lines import lay_out

    return lay_out(attention, look)


@VIEWS.register
def tokens(attention: Attention, look: Look) -> Sheet:
    """The text itself, shaded by the attention of one query (--query-token), or of all in the mean.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> tokens(Attention(("it",), ("a", "cat"), [[[[0.2, 0.8]]]], "cross"), PLAIN).words()[1:3]
    ['a', 'cat']
    """
    from .text import lay_out

    return lay_out(attention, look)


@VIEWS.register
def grid(attention: Attention, look: Look) -> Sheet:
    """All layers × heads at a glance, a small map for each.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> grid(Attention(("it",), ("cat",), [[[[1.0]], [[1.0]]]]), PLAIN).words()[1:3]
    ['0', '1']
    """
    from .grid import lay_out

    return lay_out(attention, look)


@VIEWS.register
def image(attention: Attention, look: Look) -> Sheet:
    """An image, and over it what one query attends to: the mean of the heads, and each head.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> image(Attention(("[CLS]",), ("0,0", "0,1"), [[[[0.3, 0.7]]]], patches=(1, 2)), PLAIN).words()[0]
    'layer 0 · head 0 · attention of [CLS]'
    """
    from .image import lay_out

    return lay_out(attention, look)
