"""A mask alone, drawn as an attention whose weights are 1 where a query may attend and 0 where not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...text.escaping import escape
from ..look import PLAIN
from ..terminal.blocks import BlockMaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure
    from rich.console import RenderableType

    from ...records.attention import Attention
    from ..look import Look
    from .panels import Plan
    from .sheet import Stroke

_UNIT = "permitted"
_FAINT = "#c8c8c8"
_MOST_COUNTED = 40  # cells along a side that have lines between them


def mask_picture(mask: Attention, look: Look = PLAIN) -> RenderableType:
    """The mask in the terminal, a map for each head if heads differ."""
    maps = mask.weights[0]
    titles = [f"head {head}" if len(maps) > 1 else "" for head in mask.heads]
    return BlockMaps(
        maps,
        None,
        rows=mask.query_tokens,
        columns=mask.key_tokens,
        titles=titles,
        across=len(maps),
        unit=_UNIT,
        footer=escape(_said(mask)),
        look=replace(look, style="dark", size=None, dpi=None),
    )


def mask_figure(mask: Attention, look: Look = PLAIN) -> Figure:
    """The mask as a figure; a cell that stands for many pairs shows how many of them are permitted."""
    from .maps import attention_maps, lay_out, plan_for
    from .sheet import draw

    alone = replace(look, no=(*look.no, "numbers"))  # 1 and 0 would say no more than the colours
    maps = attention_maps(mask, alone)
    heads = maps.titles if len(mask.heads) > 1 else ()
    maps = replace(maps, titles=heads, unit=_UNIT, origin=_said(mask), subheading="", barred=False)
    maps = replace(maps, said=("dark: the query may attend to the key",) if not look.night else ())
    laid_out = lay_out(maps)
    counted = max(maps.values.shape[1:]) <= _MOST_COUNTED
    marks = [*laid_out.marks, *(_grid(plan_for(maps)) if counted else ())]
    return draw(replace(laid_out, marks=tuple(marks)), look.pixels)


def _grid(plan: Plan) -> Iterator[Stroke]:
    """Faint lines between the cells, so that they can be counted."""
    from .sheet import Stroke

    cells = plan.cells
    for left, top in plan.corners:
        right, bottom = left + cells.panel_width, top + cells.panel_height
        for i in range(1, cells.values.shape[2]):
            x = left + i * cells.width
            yield Stroke(((x, top), (x, bottom)), _FAINT, 0.3)
        for i in range(1, cells.values.shape[1]):
            y = top + i * cells.height
            yield Stroke(((left, y), (right, y)), _FAINT, 0.3)


def _said(mask: Attention) -> str:
    pairs = mask.weights.size
    permitted = int(mask.weights.sum())
    return f"{mask.provenance}: {permitted:,} of {pairs:,} pairs permitted ({permitted / pairs:.1%})"
