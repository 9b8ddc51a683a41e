"""Records drawn into a user's own axes, with matplotlib's own ticks, labels and colour bar.

Nothing is laid out here: the figure is the user's. What is drawn can be asked for as ever: `ax.images[0]`,
`ax.collections`, the labels of the ticks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...records.attention import axis_name
from ...records.queries import place_of
from ...text.escaping import escape
from ..colour import DECADES, MASKED, ramp, scale_of
from ..fonts import texts as fonts
from ..patches import maps_of, middle_of
from ..pooling import block_peaks
from .backend import Bbox, LineCollection, ListedColormap, LogNorm, Normalize
from .lines import FAINTEST, MOST, THICKEST, THINNEST
from .sheet import COLOURS
from .tokenticks import in_fonts, name_ticks, widest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.gridspec import SubplotSpec
    from matplotlib.image import AxesImage

    from ...records.attention import Attention
    from ...records.encoding import PositionTable
    from ...records.series import Series
    from ..look import Look

ROOM, MOST_ROOM = 56, 0.3  # points, and at most which part of the axes, for the colour bar and its numbers
MOST_OF_TOKENS, SMALLEST = 0.36, 6.0  # of the axes, for the tokens on a side of lines; letters in points
NAMED = 2.5  # the letters that stand before and after the tokens of lines, for letters of 1
PART = " · "  # between the parts of a title
WIDE = 1.04  # the letters of a user beside ours
THICK, GAP = 0.05, 0.04  # of the colour bar and before it, for a map of height 1


def map_(ax: Axes, attention: Attention, look: Look) -> None:
    """One layer's one head, its tokens as the labels of the ticks.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> map_(ax, Attention(("it",), ("cat",), [[[[1.0]]]]), PLAIN)
    >>> [tick.get_text() for tick in ax.get_yticklabels()]
    ['it']
    """
    values = _one(attention)
    image = _shaded(ax, values, look, attention.unit)
    image.axes.set_aspect("equal" if 1 not in values.shape else "auto")
    name_ticks(ax.xaxis, attention.key_names, across=True)
    name_ticks(ax.yaxis, attention.query_names)
    ax.set(xlabel="key", ylabel="query")


def grid(ax: Axes, attention: Attention, look: Look) -> None:
    """All heads at a glance: a small map for each, layers down and heads across.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> grid(ax, Attention(("it",), ("cat",), [[[[1.0]], [[1.0]]]]), PLAIN)
    >>> ax.images[0].get_array().shape  # a column between the two
    (1, 3)
    """
    hidden = None if attention.mask is None else np.broadcast_to(~attention.mask, attention.shown.shape)
    shape = attention.shown.shape
    room = ax.get_window_extent()
    block = max(1, math.ceil(shape[0] * shape[2] / room.height), math.ceil(shape[1] * shape[3] / room.width))
    peaks, covered = block_peaks(attention.shown, hidden, block)
    n_layers, n_heads, n_rows, n_columns = peaks.shape
    gap = max(1, round(0.06 * max(n_rows, n_columns)))
    down, across = n_rows + gap, n_columns + gap
    size = n_layers * down - gap, n_heads * across - gap
    sheet: np.ma.MaskedArray[Any, Any] = np.ma.masked_array(np.zeros(size, peaks.dtype), np.ones(size, bool))
    for i, j in np.ndindex(n_layers, n_heads):
        part: np.ma.MaskedArray[Any, Any] = np.ma.masked_array(peaks[i, j], covered[i, j])
        sheet[i * down : i * down + n_rows, j * across : j * across + n_columns] = part
    _shaded(ax, sheet, look, attention.unit).axes.set_aspect("auto")
    ax.set_xticks(np.arange(n_heads) * across + (n_columns - 1) / 2, list(map(str, attention.heads)))
    ax.set_yticks(np.arange(n_layers) * down + (n_rows - 1) / 2, list(map(str, attention.layers)))
    ax.set(xlabel="head", ylabel="layer")


def lines(ax: Axes, attention: Attention, look: Look) -> None:
    """Queries left, keys right, lines as strong as the weights; the heads of one layer by colour.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> lines(ax, Attention(("it",), ("cat",), [[[[1.0]]]]), PLAIN)
    >>> len(ax.collections)
    1
    """
    n_layers, n_heads, n_query, n_key = attention.shown.shape
    if n_layers > 1 or n_heads > len(COLOURS) or max(n_query, n_key) > MOST:
        hint = f"choose one layer, up to {len(COLOURS)} heads and {MOST} tokens"
        raise InputError(
            f"{n_layers} layers × {n_heads} heads are too many for lines in one pair of axes", hint=hint
        )
    part = attention.shown[0] / (float(attention.shown.max()) or 1)
    for head, name in enumerate(attention.heads):
        places = np.argwhere(part[head] >= FAINTEST)
        shares = part[head][tuple(places.T)]
        red, green, blue = (part / 255 for part in bytes.fromhex(COLOURS[head][1:]))
        drawn = LineCollection(
            [((0, query), (1, key)) for query, key in places.tolist()],
            colors=[(red, green, blue, share) for share in shares.tolist()],
            linewidths=THINNEST + (THICKEST - THINNEST) * shares,
            label=axis_name("head", name),
        )
        ax.add_collection(drawn)
    ax.set(xlim=(0, 1), ylim=(max(n_query, n_key) - 0.5, -0.5), ylabel="query")
    ax.set_xticks([])
    name_ticks(ax.yaxis, attention.query_names)
    right = ax.secondary_yaxis("right")
    right.set_ylabel("key")
    name_ticks(right.yaxis, attention.key_names)
    _make_room(ax, right, attention)
    if n_heads > 1 and look.shows("colorbar"):
        legend = ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=n_heads, frameon=False)
        for line in legend.get_lines():
            line.set(alpha=1, linewidth=THICKEST)


def _make_room(ax: Axes, right: Any, attention: Attention) -> None:
    """Keys stand to the right, where a neighbour may begin: tokens get room of their own, and letters that fit it.

    A layout engine makes room by itself.
    """
    figure: Any = ax.get_figure(root=True)
    if figure.get_layout_engine() is not None or ax.get_subplotspec() is None:
        return
    letters, room = float(ax.yaxis.get_ticklabels()[0].get_fontsize()), _room(ax)
    sides = [widest(names, 1) + NAMED for names in (attention.query_names, attention.key_names)]
    letters = max(SMALLEST, min(letters, MOST_OF_TOKENS * room / max(sides)))
    for axes in (ax, right):
        axes.tick_params(axis="y", labelsize=letters)
        axes.yaxis.label.set_fontsize(letters)
    place = ax.get_position()
    before, after = (min(side * letters, MOST_OF_TOKENS * room) / room * place.width for side in sides)
    before = max(0.0, before - _gap(ax))
    ax.set_position((place.x0 + before, place.y0, place.width - before - after, place.height))


def _gap(ax: Axes) -> float:
    """What is free to the left of axes, as a part of the figure: all of it at the edge, else what parts columns."""
    figure: Any = ax.get_figure(root=False)
    spec: Any = ax.get_subplotspec()
    _, _, lefts, rights = spec.get_gridspec().get_grid_positions(figure)
    first = spec.colspan.start
    return float(lefts[first] - (rights[first - 1] if first else 0.0))


def image(ax: Axes, attention: Attention, look: Look) -> None:
    """An image, and over it what one query attends to in one head.

    >>> from attn_cli.records.attention import Attention
    >>> from attn_cli.render.look import PLAIN
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> image(ax, Attention(("[CLS]",), ("0,0", "0,1"), [[[[0.3, 0.7]]]], patches=(1, 2)), PLAIN)
    >>> ax.images[0].get_array().tolist()
    [[0.3, 0.7]]
    """
    query = place_of(look.query_token or middle_of(attention), attention.query_tokens)
    maps = maps_of(attention, query)
    _only_one(maps.shape[0], maps.shape[1])
    extent = (-0.5, maps.shape[3] - 0.5, maps.shape[2] - 0.5, -0.5)
    if attention.image is not None:
        ax.imshow(attention.image.mean(axis=-1), cmap="gray", extent=extent, alpha=0.5)
    values = maps[0, 0]
    shown = _shaded(ax, np.ma.masked_array(values), look, attention.unit)
    shown.set_alpha(np.clip(values / (float(values.max()) or 1), 0, 1) ** 0.7 * 0.85)
    shown.set_extent(extent)
    ax.set(xticks=[], yticks=[])


def table(ax: Axes, table: PositionTable, look: Look) -> None:
    """A table of positions as a map."""
    _shaded(ax, np.ma.masked_array(table.values), look, table.unit).axes.set_aspect("auto")
    ax.set(xlabel=table.columns, ylabel=table.rows)
    named(ax, "", escape(table.about), look)


def curves(ax: Axes, series: Series) -> None:
    """Each column of a series as a curve."""
    spelt = {"pos": "position", "dim": "dimension"}
    for (name, values), colour in zip(series.columns.items(), COLOURS * len(series.columns), strict=False):
        ax.plot(values, color=colour, label=f"{spelt.get(series.column, series.column)} {name}".strip())
    ax.set_xlabel(spelt.get(series.index, series.index))
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


# ---- parts ------------------------------------------------------------------------------------------


def _only_one(n_layers: int, n_heads: int) -> None:
    if n_layers * n_heads != 1:
        hint = "choose one layer and one head, or view 'grid'"
        raise InputError(f"axes hold one map, not {n_layers} layers × {n_heads} heads", hint=hint)


def _one(attention: Attention) -> np.ma.MaskedArray[Any, Any]:
    """The only map, with what is masked hidden."""
    _only_one(*attention.shown.shape[:2])
    values = attention.shown[0, 0]
    hidden = np.zeros(values.shape, bool) if attention.mask is None else ~attention.mask[0, 0]
    return np.ma.masked_array(values, np.broadcast_to(hidden, values.shape))


def _shaded(ax: Axes, values: np.ma.MaskedArray[Any, Any], look: Look, unit: str) -> AxesImage:
    """Values as an image in the colours of a look, with a colour bar unless that is left out."""
    scale = scale_of(values.compressed(), look)
    masked = np.array(MASKED["night" if look.night else "paper"]) / 255
    colours = ListedColormap(ramp(scale.ramp) / 255, scale.ramp).with_extremes(bad=tuple(masked))
    norm = (
        LogNorm(scale.high / 10**DECADES, scale.high, clip=True)
        if scale.log
        else Normalize(scale.low, scale.high)
    )
    shown = ax.imshow(values, cmap=colours, norm=norm, interpolation="nearest")
    if look.shows("colorbar"):
        _bar(ax, shown, unit)
    return shown


def _bar(ax: Axes, shown: AxesImage, unit: str) -> None:
    """A colour bar of its own room beside the map, as tall as the map is when it is drawn."""
    figure, share = ax.get_figure(root=False), min(MOST_ROOM, ROOM / _room(ax))
    bar = figure.colorbar(shown, ax=ax, label=unit, fraction=share, pad=GAP)  # type: ignore[union-attr]
    bar.ax.set_box_aspect(None)
    bar.ax.set_axes_locator(_Beside(ax, bar.ax))


class _Beside:
    """Where a colour bar stands: beside its map. A tight layout asks for the place of both in the user's grid."""

    def __init__(self, ax: Axes, bar: Axes) -> None:
        self.ax, self.bar = ax, bar

    def __call__(self, bar: Any, _: Any) -> Bbox:
        self.ax.apply_aspect()
        place = self.ax.get_position()
        height = self.ax.bbox.height / self.ax.bbox.width * place.width
        left = min(place.x1 + GAP * height, bar.get_position(original=True).x0)
        return Bbox.from_bounds(left, place.y0, THICK * height, place.height)

    def get_subplotspec(self) -> SubplotSpec | None:
        """The cell of the grid that the map and its bar share."""
        return self.bar.get_subplotspec()


def _room(ax: Axes) -> float:
    """The width of axes as they are now, in points."""
    return ax.get_window_extent().width / ax.get_figure(root=True).dpi * 72  # type: ignore[union-attr]


def _given(ax: Axes) -> float:
    """The width of the place that axes have been given in their figure, labels included, in points."""
    figure: Any = ax.get_figure(root=False)
    spec = ax.get_subplotspec()
    return 0.0 if spec is None else spec.get_position(figure).width * figure.bbox.width / figure.dpi * 72


def _fitting(words: str, text: Any, ax: Axes) -> str:
    """Words in as many lines as keep them over or under their own axes; the user's letters may be wide."""
    size, room, lines = WIDE * text.get_size(), max(_room(ax), _given(ax)), [""]
    for part in words.split(PART):  # which stay whole where they can
        if fonts.width(longer := f"{lines[-1]}{PART}{part}".removeprefix(PART), size) <= room:
            lines[-1] = longer
        else:
            lines += fonts.lines(part, size, room)
    return "\n".join(map(fonts.drawable, filter(None, lines)))


def named(ax: Axes, subheading: str, origin: str, look: Look) -> None:
    """The title over the axes, and under them where the numbers come from."""
    if look.shows("title") and (look.title or subheading):
        title = ax.set_title(_fitting(escape(look.title) or subheading, ax.title, ax))
        title.set_parse_math(False)
        in_fonts(title, [title.get_text()])
    if look.shows("provenance"):
        under = ax.annotate(
            "",
            xy=(0.5, 0),
            xycoords=ax.get_legend() or ax.xaxis.label,
            xytext=(0, -3),
            textcoords="offset points",
            horizontalalignment="center",
            verticalalignment="top",
            fontsize="x-small",
            color="gray",
            annotation_clip=False,
            parse_math=False,
        )
        under.set_text(_fitting(origin, under, ax))
        in_fonts(under, [under.get_text()])
