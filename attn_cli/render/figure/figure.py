"""Records as matplotlib figures, and figures as the bytes of a PNG, SVG or PDF file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ...records.attention import axis_name
from ...text.escaping import escape
from ..fonts.faces import preferring
from ..fonts.texts import embeds_as_text
from ..labels import KINDS, label
from ..look import PLAIN, usual_view
from . import curves, grid, image, lines, sheet
from . import text as text_sheet
from .backend import Text, encode
from .maps import Maps, lay_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from ...records.attention import Attention
    from ...records.encoding import PositionTable
    from ..look import Look


def attention_figure(attention: Attention, look: Look = PLAIN) -> Figure:
    """One panel for each head, queries down and keys across, on one colour scale that starts at zero.

    Several layers stand below one another. Where the weights come from is printed at the foot. Long inputs
    are averaged in blocks down to the pixels there are, and say so; labels thin out to what can be read.
    """
    return sheet.draw(lay_out(attention_maps(attention, look)), look.pixels)


def lines_figure(attention: Attention, look: Look = PLAIN) -> Figure:
    """Queries and keys in two columns, joined by lines as strong as the weights; heads by colour."""
    return sheet.draw(lines.lay_out(attention, look, _which(attention)), look.pixels)


def image_figure(attention: Attention, look: Look = PLAIN) -> Figure:
    """An image, and over it what one query attends to: the mean of the heads, and each head."""
    return sheet.draw(image.lay_out(attention, look, _which(attention)), look.pixels)


def tokens_figure(attention: Attention, look: Look = PLAIN) -> Figure:
    """The text itself, shaded by the attention that one query gives, or all in the mean."""
    return sheet.draw(text_sheet.lay_out(attention, look, _which(attention)), look.pixels)


def grid_figure(attention: Attention, look: Look = PLAIN) -> Figure:
    """All layers × heads at a glance, a small map each."""
    return sheet.draw(grid.lay_out(attention, look, _which(attention)), look.pixels)


DRAWN = {
    "map": attention_figure,
    "lines": lines_figure,
    "tokens": tokens_figure,
    "grid": grid_figure,
    "image": image_figure,
}


def view(attention: Attention, look: Look) -> Figure:
    """The figure that `look.view` names; else the one that suits the attention."""
    with preferring(look.font):
        return DRAWN[look.view or usual_view(attention, look)](attention, look)


def position_figure(table: PositionTable) -> Figure:
    """A positional encoding: positions down, dimensions across, colours centred on zero."""
    n_positions, n_dims = table.values.shape
    maps = Maps(
        table.values[None],
        rows=tuple(map(str, range(n_positions))),
        columns=tuple(map(str, range(n_dims))),
        row_name="position",
        column_name="dimension",
        unit="value",
        footer=f"positional encoding {escape(table.kind)}: {n_positions} positions × {n_dims} dimensions",
        square=False,
    )
    return sheet.draw(lay_out(maps))


def curves_figure(
    rows: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, title: str = "", provenance: str = ""
) -> Figure:
    """Training, step by step: each name has its steps and its values.

    Names with "loss" in them share the upper panel, all others, which are shares from 0 to 1, the lower.
    """
    return sheet.draw(curves.lay_out(rows, heading=escape(title), footer=escape(provenance)))


def save(figure: Figure, format: str) -> bytes:  # noqa: A002 (matplotlib's word)
    """A figure as the bytes of a `png`, `svg` or `pdf` file; the same figure gives the same bytes."""
    families = {name for text in figure.findobj(Text) if text.get_text() for name in text.get_fontfamily()}
    return encode(figure, format, {"pdf.fonttype": 42 if embeds_as_text(families) else 3})


def attention_maps(attention: Attention, look: Look = PLAIN) -> Maps:
    """What the picture of an attention says."""
    n_layers, n_heads, n_query, n_key = attention.weights.shape
    layers = tuple(axis_name("layer", layer) for layer in attention.layers)
    heads = tuple(axis_name("head", head) for head in attention.heads)
    hidden = None
    if attention.mask is not None:
        shape = (n_layers, n_heads, *attention.mask.shape[2:])
        hidden = np.broadcast_to(~attention.mask, shape).reshape(-1, *shape[2:])
    return Maps(
        attention.weights.reshape(-1, n_query, n_key),
        rows=tuple(map(label, attention.query_tokens)),
        columns=tuple(map(label, attention.key_tokens)),
        row_name="query",
        column_name="key",
        unit=attention.unit,
        footer=escape(attention.provenance.strip()) or "origin not recorded",
        hidden=hidden,
        across=n_heads if n_layers > 1 and n_heads > 1 else _side_by_side(n_layers * n_heads),
        titles=heads if n_heads > 1 else layers if n_layers > 1 else (),
        side_titles=layers if n_layers > 1 and n_heads > 1 else (),
        heading=escape(look.title),
        look=look,
        subheading=_which(attention),
    )


def _which(attention: Attention) -> str:
    """Kind, layer and head, as far as the panels' titles leave them open and they are not the plain first."""
    alone = [
        axis_name(name, numbers[0])
        for name, numbers in (("layer", attention.layers), ("head", attention.heads))
        if len(numbers) == 1
    ]
    first = attention.layers == (0,) and attention.heads[0] == 0
    return " · ".join([*filter(None, [KINDS.get(attention.kind)]), *([] if first else alone)])


def _side_by_side(n: int) -> int:
    """How many of n panels stand in a row: as near to a square as leaves no gap, or a small one.

    >>> [_side_by_side(n) for n in (1, 2, 3, 4, 6, 7, 8, 12, 16)]
    [1, 2, 3, 2, 3, 3, 4, 4, 4]
    """
    least = math.ceil(math.sqrt(n))
    return next((k for k in range(least, 2 * least) if n % k == 0), least)
