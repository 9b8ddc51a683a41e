"""All layers × heads at a glance: which map stands where, in which colours, and how large."""

import io
from dataclasses import replace

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render import colour
from attn_cli.render.figure import figure, grid, sheet
from attn_cli.render.figure.backend import Text
from attn_cli.render.fonts import texts as fonts
from attn_cli.render.look import Look
from attn_cli.render.pooling import block_peaks
from attn_cli.render.terminal import terminal
from attn_cli.render.views import VIEWS
from PIL import Image
from rich.console import Console


def attention(layers, heads, n, n_key=None, **parts):
    n_key = n_key or n
    weights = np.random.default_rng(0).dirichlet(np.ones(n_key), size=(layers, heads, n))
    names = tuple(f"w{i}" for i in range(max(n, n_key)))
    return Attention(names[:n], names[:n_key], weights, **parts)


def laid_out(record, **look):
    return grid.lay_out(record, Look(view="grid", **look))


def picture(drawn):
    return next(mark for mark in drawn.marks if isinstance(mark, sheet.Cells))


def frames(drawn):
    """The upper left and lower right corners of the maps."""
    strokes = (m for m in drawn.marks if isinstance(m, sheet.Stroke) and len(m.points) == 5)
    return [(s.points[0], s.points[2]) for s in strokes if s.width == grid.FRAME]


def test_each_map_has_the_colours_of_its_weights_in_its_place():
    record = attention(2, 3, 4)
    drawn = laid_out(record)
    pixels, scale = picture(drawn), colour.scale_for(record.weights)
    assert len(frames(drawn)) == 6
    assert (pixels.rgb == scale.colours(record.weights).reshape(-1, 4, 4, 3)).all()
    assert list(pixels.corners) == [corner for corner, _ in frames(drawn)]
    (left, top), (right, bottom) = frames(drawn)[0]
    assert (4 * pixels.width, 4 * pixels.height) == pytest.approx((right - left, bottom - top))


def test_rows_are_layers_and_columns_are_heads_with_their_numbers():
    drawn = laid_out(replace(attention(2, 3, 4), layers=(5, 9), heads=(0, 4, 7)))
    places = {word.text: word for word in drawn.marks if isinstance(word, sheet.Words)}
    corners = [corner for corner, _ in frames(drawn)]
    assert [corner[1] for corner in corners] == sorted(corner[1] for corner in corners)
    assert places["0"].x < places["4"].x < places["7"].x
    assert places["5"].y < places["9"].y
    assert {"head", "layer", "in each map 4 queries down, 4 keys across"} <= set(places)


def test_where_weights_are_more_than_pixels_the_largest_is_seen():
    weights = np.zeros((1, 12, 400, 400))
    weights[..., 399] = 1.0
    names = tuple(map(str, range(400)))
    drawn = laid_out(Attention(names, names, weights))
    pixels = picture(drawn)
    assert pixels.rgb.shape[2] < 400
    assert (pixels.rgb[0, :, -1] == colour.ramp("paper")[-1]).all()
    assert any("each pixel is the largest of" in word for word in drawn.words())


def test_of_scores_the_one_farthest_from_zero_is_seen_and_what_is_hidden_is_not():
    values = np.array([[1.0, -3.0, 9.0], [2.0, 0.5, 9.0]])
    peaks, hidden = block_peaks(values, np.array([[False, False, True]] * 2), 2)
    assert (peaks.tolist(), hidden.tolist()) == ([[-3.0, 0.0]], [[False, True]])


@pytest.mark.parametrize(
    "shape", [(1, 1, 3), (1, 16, 5), (24, 1, 5), (12, 12, 40), (32, 32, 24), (2, 2, 3, 90)]
)
def test_any_number_of_heads_fits_a_sheet(shape):
    drawn = laid_out(attention(*shape), title="A title")
    for mark in (mark for mark in drawn.marks if isinstance(mark, sheet.Words) and not mark.turned):
        width = fonts.width(mark.text, mark.size)
        start = mark.x - {"left": 0, "center": width / 2, "right": width}[mark.align]
        assert start >= 0
        assert start + width <= drawn.width
        assert mark.y < drawn.height
    assert drawn.width < grid.WIDE + 60
    assert all(right - left <= grid.LARGEST + 1 for (left, _), (right, _) in frames(drawn))


def test_masked_cells_are_grey():
    record = attention(1, 2, 4, mask=np.tri(4, dtype=bool)[None, None])
    pixels = picture(laid_out(record)).rgb
    grey = (pixels == colour.MASKED["paper"]).all(axis=-1)
    assert grey.mean() == 6 / 16


def test_a_scale_for_each_map():
    drawn = laid_out(attention(2, 2, 4), color_scale="panel")
    assert (picture(drawn).rgb == colour.ramp("paper")[-1]).all(axis=-1).sum() > 0
    assert "of its peak" in drawn.words()


def test_every_view_has_a_figure_and_an_overview_can_be_written(run, tmp_path):
    assert list(VIEWS) == ["map", "lines", "tokens", "grid", "image"]
    done = run("heatmap", "--text", "a b c", "--view", "grid", "--dpi", "72", "-o", "x.png", cwd=tmp_path)
    assert done.code == 0
    drawn = laid_out(attention(3, 4, 3))
    with Image.open(tmp_path / "x.png") as image:
        size = image.size
    assert abs(size[1] - drawn.height) < 40
    assert {"0", "3"} <= {
        text.get_text() for text in figure.draw(attention(3, 4, 3), Look(view="grid")).findobj(Text)
    }


def test_a_terminal_shows_maps_without_labels():
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    console.print(terminal.attention_picture(attention(6, 12, 64), Look(view="grid")))
    lines = console.file.getvalue().splitlines()
    assert sum("H11" in line for line in lines) == 6
    assert not any("w1" in line for line in lines)
    assert len(lines) < 150
