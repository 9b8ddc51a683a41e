"""The views of an attention. One is one function here, and `view` says all else that is to be known of it.

`--view`, its help, completion, figures, axes, the terminal and the tests know a view by its entry in `VIEWS`. Each
brings in what draws it when it is asked for, so that the list of views costs nothing.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..registry import Registry
from .look import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from rich.console import RenderableType

    from ..records.attention import Attention
    from .figure.sheet import Sheet
    from .look import Look


class View:
    """One view: called, it gives the sheet of a figure.

    `axes` and `terminal` name the functions that draw it there, as `module:function` within this folder. A view
    that is not `shaded` has no use for a colour map; one that `pools` shows many weights as one pixel; one that `marks_query` shows the query of --query-token among
    all others, which every other view leaves out.
    """

    def __init__(
        self,
        sheet: Callable[[Attention, Look], Sheet],
        *,
        axes: str | None,
        terminal: str,
        shaded: bool,
        pools: bool,
        marks_query: bool,
    ) -> None:
        functools.update_wrapper(self, sheet)
        self.__name__ = sheet.__name__
        self.sheet, self.axes, self.terminal = sheet, axes, terminal
        self.shaded, self.pools, self.marks_query = shaded, pools, marks_query

    def __call__(self, attention: Attention, look: Look) -> Sheet:
        """The sheet of a figure."""
        return self.sheet(attention, look)

    def into(self, ax: Axes, attention: Attention, look: Look) -> None:
        """Draw into a user's own axes; raises InputError where this view does not fit into one."""
        if self.axes is None:
            names = ", ".join(name for name, view in VIEWS.items() if view.axes)
            hint = f"leave ax out, or give view {names}"
            raise InputError(f"view {self.__name__!r} cannot be drawn into axes", hint=hint)
        _at(self.axes)(ax, attention, look)

    def screen(self, attention: Attention, look: Look) -> RenderableType:
        """What a terminal shows; its ground is taken to be dark."""
        drawn: RenderableType = _at(self.terminal)(
            attention, replace(look, style="dark", size=None, dpi=None)
        )
        return drawn


VIEWS: Registry[View] = Registry("view")


def view(
    *, axes: str | None, terminal: str, shaded: bool = True, pools: bool = False, marks_query: bool = False
) -> Callable[[Callable[[Attention, Look], Sheet]], View]:
    """Register a view; `View` says what the parts mean."""
    return lambda sheet: VIEWS.register(
        View(sheet, axes=axes, terminal=terminal, shaded=shaded, pools=pools, marks_query=marks_query)
    )


def view_of(attention: Attention, look: Look) -> View:
    """The view that a look names; else over the image where there is one, the text for a chosen query, else a map."""
    if look.view is not None:
        return VIEWS[look.view]
    if attention.image is not None and attention.show != "scores":
        return VIEWS["image"]
    return VIEWS["map" if look.query_token is None else "tokens"]


def with_known_view(look: Look) -> Look:
    """The look itself; raises InputError if its view is unknown, or has no use for what else is chosen."""
    if look.view is None:
        return look
    check("view", look.view, VIEWS)
    chosen = VIEWS[look.view]
    if not chosen.shaded and (look.cmap or look.color_scale != "shared"):
        raise InputError(
            f"--cmap and --color-scale do not apply to --view {look.view}", hint="give --view map"
        )
    if not chosen.pools and look.pool is not None:
        pooling = " or ".join(name for name, view in VIEWS.items() if view.pools)
        raise InputError(f"--pool does not apply to --view {look.view}", hint=f"give --view {pooling}")
    if not chosen.marks_query and look.query_token is not None:
        marking = " or ".join(name for name, view in VIEWS.items() if view.marks_query)
        hint = f"give --view {marking}, or --query-range FROM:TO"
        raise InputError(f"--query-token does not apply to --view {look.view}", hint=hint)
    return look


def marks_query(name: str | None) -> bool:
    """Whether a view, or the one that is chosen where none is named, shows one query among all others.

    >>> marks_query("tokens"), marks_query("map")
    (True, False)
    """
    return name is None or (name in VIEWS and VIEWS[name].marks_query)


def _at(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"{__package__}.{module}"), name)


@view(axes="figure.axes:map_", terminal="terminal.pictures:maps", pools=True)
def map_(attention: Attention, look: Look) -> Sheet:
    """Shaded cells, queries down and keys across, a panel for each head.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> map_(Attention(("it",), ("cat",), [[[[1.0]]]]), PLAIN).words()[:3]
    ['layer 0 · head 0', 'it', 'cat']
    """
    from .figure.maps import attention_maps, lay_out

    return lay_out(attention_maps(attention, look), asked=look.pool)


@view(axes="figure.axes:lines", terminal="terminal.pictures:maps", shaded=False)
def lines(attention: Attention, look: Look) -> Sheet:
    """Queries and keys in two columns, joined by lines as strong as the weights; a colour per head.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> lines(Attention(("it",), ("cat",), [[[[1.0]]]]), PLAIN).words()[:6]
    ['layer 0', 'head 0', 'query', 'it', 'key', 'cat']
    """
    from .figure.lines import lay_out

    return lay_out(attention, look)


@view(axes=None, terminal="terminal.pictures:shaded_text", marks_query=True)
def tokens(attention: Attention, look: Look) -> Sheet:
    """The text itself, shaded by the attention of one query (--query-token), or by the mean of all.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> tokens(Attention(("it",), ("a", "cat"), [[[[0.2, 0.8]]]], "cross"), PLAIN).words()[1:3]
    ['a', 'cat']
    """
    from .figure.text import lay_out

    return lay_out(attention, look)


@view(axes="figure.axes:grid", terminal="terminal.pictures:overview", pools=True)
def grid(attention: Attention, look: Look) -> Sheet:
    """All layers × heads at a glance, a small map for each.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> grid(Attention(("it",), ("cat",), [[[[1.0]], [[1.0]]]]), PLAIN).words()[1:3]
    ['0', '1']
    """
    from .figure.grid import lay_out

    return lay_out(attention, look)


@view(axes="figure.axes:image", terminal="terminal.pictures:patches", marks_query=True)
def image(attention: Attention, look: Look) -> Sheet:
    """An image, and over it what one query attends to: the mean of the heads, and each head.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> image(Attention(("[CLS]",), ("0,0", "0,1"), [[[[0.3, 0.7]]]], patches=(1, 2)), PLAIN).words()[0]
    'layer 0 · head 0 · attention of [CLS]'
    """
    from .figure.image import lay_out

    return lay_out(attention, look)
