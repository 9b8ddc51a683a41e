"""Records as matplotlib figures, and figures as the bytes of a PNG, SVG or PDF file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import InputError
from ...records.attention import Attention
from ...records.encoding import PositionTable
from ...records.explanation import Explanation
from ...records.series import Series
from ...records.table import Table
from ...text.escaping import escape
from ..fonts.faces import preferring
from ..fonts.texts import embeds_as_text, named_for_people
from ..look import PLAIN
from ..views import view_of, with_known_view
from . import curves, maps, positions
from .backend import Drawn, Text, encode
from .paper import UNKNOWN
from .sheet import draw as drawn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..look import Look
    from .sheet import Sheet


Drawable = Attention | PositionTable | Series | Table | Explanation


def draw(record: Drawable, look: Look = PLAIN, ax: Axes | None = None) -> Figure:
    """The figure of a record; or the record drawn into the given axes, whose figure is returned.

    An attention is drawn in the view that `look.view` names, else in the one that suits it. Where the numbers
    come from is printed at the foot.
    """
    if isinstance(record, (Table, Explanation)):
        return _found(record, look, ax)
    with preferring(with_known_view(look).font):
        if ax is not None:
            return _into(ax, record, look)
        return drawn(_sheet(record, look), look.pixels)


def _found(record: Table | Explanation, look: Look, ax: Axes | None) -> Figure:
    """What was found of heads or tokens; it has several maps, so it needs a figure of its own."""
    from .explained import explanation_figure
    from .heads import table_figure

    what, views = ("a table", ()) if isinstance(record, Table) else ("an explanation", ("map", "tokens"))
    if look.view is not None and look.view not in views:
        hint = f"give {' or '.join(views)}" if views else "leave it out"
        raise InputError(f"--view {look.view} does not apply to {what}", hint=hint)
    for option in ("pool", "query_token"):
        if getattr(look, option) is not None:
            raise InputError(f"--{option.replace('_', '-')} does not apply to {what}", hint="leave it out")
    if ax is not None:
        raise InputError(f"{what} has maps of its own", hint="leave ax out")
    if isinstance(record, Table):
        return table_figure(record, look)
    return explanation_figure(record, look, view=look.view or "map")


def _into(ax: Axes, record: Attention | PositionTable | Series, look: Look) -> Figure:
    from . import axes

    if isinstance(record, PositionTable):
        axes.table(ax, record, look)
    elif isinstance(record, Series):
        axes.curves(ax, record)
    else:
        view_of(record, look).into(ax, record, look)
        axes.named(ax, maps.which(record), escape(record.provenance.strip()) or UNKNOWN, look)
    figure: Figure = ax.get_figure(root=True)  # type: ignore[assignment]
    return figure


def _sheet(record: Attention | PositionTable | Series, look: Look) -> Sheet:
    if isinstance(record, PositionTable):
        return maps.lay_out(positions.table_maps(record, look))
    if isinstance(record, Series):
        return positions.lay_out(record, look)
    return view_of(record, look)(record, look)


def curves_figure(
    rows: Mapping[str, tuple[Sequence[float], Sequence[float]]], look: Look = PLAIN, *, provenance: str = ""
) -> Figure:
    """Training, step by step: each name has its steps and its values.

    Names with "loss" in them share the upper panel, all others, which are shares from 0 to 1, the lower.
    """
    with preferring(look.font):
        return drawn(curves.lay_out(rows, look, provenance=provenance), look.pixels)


def save(figure: Figure, format: str) -> bytes:  # noqa: A002 (matplotlib's word)
    """A figure as the bytes of a `png`, `jpg`, `svg` or `pdf` file; the same figure gives the same bytes."""
    title, as_text = "", "text"
    if isinstance(figure, Drawn):
        title, as_text, families = figure.said, figure.text_as, set(figure.families)
    else:
        texts = [text for text in figure.findobj(Text) if text.get_text()]
        families = {name for text in texts for name in text.get_fontfamily()}
    settings = {
        "pdf.fonttype": 42 if embeds_as_text(families) else 3,
        "svg.fonttype": "none" if as_text == "text" else "path",
    }
    data = encode(figure, format, settings, title)
    return named_for_people(data) if format == "svg" and as_text == "text" else data
