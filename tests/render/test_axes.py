"""Drawing into a user's own axes: what can be asked of them afterwards."""

import itertools

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.records.attention import Attention
from attn_cli.records.encoding import PositionTable
from attn_cli.render import colour
from attn_cli.render.figure import figure
from attn_cli.render.look import Look
from attn_cli.render.views import VIEWS
from attn_cli.variants.posenc import POSENCS
from attn_cli.variants.posenc import VIEWS as SERIES
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

TOKENS = ("The", "$cat$", "注意")


def attention(layers=1, heads=1, tokens=TOKENS, **parts):
    n = len(tokens)
    weights = np.random.default_rng(0).dirichlet(np.ones(n), size=(layers, heads, n))
    return Attention(tokens, tokens, weights, provenance="made up", **parts)


@pytest.fixture
def ax():
    return Figure(figsize=(5, 4)).subplots()


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_a_map_is_an_image_whose_ticks_are_the_tokens(ax):
    record = attention()
    assert figure.draw(record, ax=ax) is ax.figure
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), record.weights[0, 0])
    assert labels(ax.xaxis) == labels(ax.yaxis) == ["The", "$cat$", "注意"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("key", "query")
    assert image.norm.vmin == 0
    assert image.norm.vmax == record.weights.max()
    assert image.cmap(1.0)[:3] == pytest.approx(colour.ramp("paper")[-1] / 255)
    assert [text.get_text() for text in ax.texts] == ["made up"]
    assert ax.get_title() == "layer 0 · head 0"


@pytest.mark.parametrize(
    ("tokens", "layout"), [(TOKENS, None), (tuple("abcdefghijkl"), None), (TOKENS, "tight")]
)
def test_axes_side_by_side_keep_out_of_each_others_way(tokens, layout):
    """The bar is as tall as the map; nothing of the left axes lies on the right ones, title and foot included.

    A tight layout knows the bar, and does not warn of it.
    """
    drawn = Figure(figsize=(8, 4), layout=layout)
    left, right = drawn.subplots(1, 2)
    for ax in (left, right):
        figure.draw(attention(tokens=tokens), Look(title="encoder self-attention · layer 0 · head 0"), ax=ax)
    FigureCanvasAgg(drawn).draw()
    bars = drawn.axes[2:]
    for ax, bar in zip((left, right), bars, strict=True):
        extent, beside = ax.get_window_extent(), bar.get_window_extent()
        assert (beside.y0, beside.y1) == pytest.approx((extent.y0, extent.y1))
        assert extent.x1 < beside.x0
        assert ax.title.get_window_extent().x1 < beside.x1
    assert max(one.get_tightbbox().x1 for one in (left, bars[0])) < right.get_tightbbox().x0


def test_what_is_drawn_can_be_drawn(ax, recwarn):
    """Tokens are no formulas, and Chinese has a font, whatever the user's is."""
    figure.draw(attention(), Look(title="标题 $x$"), ax=ax)
    FigureCanvasAgg(ax.figure).draw()
    assert not recwarn.list


def test_what_is_masked_is_hidden(ax):
    mask = np.tri(3, dtype=bool)[None, None]
    figure.draw(attention(mask=mask), ax=ax)
    np.testing.assert_array_equal(ax.images[0].get_array().mask, ~mask[0, 0])


def test_parts_can_be_left_out(ax):
    figure.draw(attention(), Look(no=("colorbar", "title", "provenance")), ax=ax)
    assert len(ax.figure.axes) == 1
    assert not ax.get_title()
    assert not ax.texts


def test_several_heads_need_a_grid(ax):
    record = attention(2, 3)
    with pytest.raises(InputError, match="axes hold one map, not 2 layers × 3 heads; choose one"):
        figure.draw(record, ax=ax)
    figure.draw(record, Look(view="grid"), ax=ax)
    (image,) = ax.images
    values = image.get_array()
    assert labels(ax.xaxis) == ["0", "1", "2"]
    assert labels(ax.yaxis) == ["0", "1"]
    assert values.shape == (2 * 3 + 1, 3 * 3 + 2)
    np.testing.assert_array_equal(values[4:, 8:], record.weights[1, 2])
    assert values.mask[3].all()
    assert values.mask[:, 3].all()


def test_lines_are_collections_one_for_each_head(ax):
    record = attention(heads=2)
    figure.draw(record, Look(view="lines"), ax=ax)
    assert [lines.get_label() for lines in ax.collections] == ["head 0", "head 1"]
    seen = (record.weights[0, 1] >= 0.05 * record.weights.max()).sum()
    assert len(ax.collections[1].get_segments()) == seen
    assert labels(ax.yaxis) == list(TOKENS)


def test_an_image_lies_under_the_weights(ax):
    record = attention(
        tokens=("[CLS]", "0,0", "0,1"), patches=(1, 2), image=np.full((4, 8, 3), 200, np.uint8)
    )
    figure.draw(record, ax=ax)
    under, over = ax.images
    np.testing.assert_array_equal(over.get_array(), record.weights[0, 0, :1, 1:])
    assert under.get_extent() == over.get_extent()


def test_labels_thin_out_where_the_axes_are_small():
    small = Figure(figsize=(2, 2)).subplots()
    figure.draw(attention(tokens=tuple(f"w{i}" for i in range(60))), ax=small)
    assert 2 <= len(labels(small.yaxis)) < 20
    assert labels(small.yaxis)[0] == "w0"


def test_labels_thin_out_where_a_layout_made_the_axes_small():
    tokens = tuple(f"token {i}" for i in range(12))
    drawn = Figure(figsize=(3, 5), layout="constrained")
    for ax in drawn.subplots(2):
        figure.draw(attention(tokens=tokens), ax=ax)
    FigureCanvasAgg(drawn).draw()
    for ax in drawn.axes[:2]:
        boxes = [one.get_window_extent() for one in ax.get_yticklabels()]
        assert len(boxes) >= 2
        assert all(below.y1 <= above.y0 for above, below in itertools.pairwise(boxes))


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_lines_side_by_side_keep_out_of_each_others_way(layout):
    drawn = Figure(figsize=(9, 3), layout=layout)
    left, right = drawn.subplots(1, 2)
    for ax in (left, right):
        figure.draw(attention(tokens=("incomprehensible", "b", "c")), Look(view="lines"), ax=ax)
    FigureCanvasAgg(drawn).draw()
    assert left.get_tightbbox().x1 < right.get_tightbbox().x0


def test_tables_and_curves_of_positions_have_axes_too(ax):
    table = PositionTable("sinusoidal", POSENCS.parse("sinusoidal")(8, 6))
    figure.draw(table, ax=ax)
    np.testing.assert_array_equal(ax.images[0].get_array(), table.values)
    other = Figure().subplots()
    series = SERIES.parse("curves:dims=0+1")("sinusoidal", POSENCS.parse("sinusoidal"), 8, 6)
    figure.draw(series, ax=other)
    np.testing.assert_array_equal(other.lines[1].get_ydata(), table.values[:, 1])


@pytest.mark.parametrize("view", [view for view in VIEWS if VIEWS[view].axes is None])
def test_other_views_say_that_they_have_no_axes(ax, view):
    with pytest.raises(InputError, match=f"view '{view}' cannot be drawn into axes; leave ax out, or give"):
        figure.draw(attention(), Look(view=view), ax=ax)
