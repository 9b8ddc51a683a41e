"""Figures: what is written where, in which colours and fonts, and the bytes of a file."""

import os
import re
import subprocess
import sys
from io import BytesIO
from itertools import combinations, pairwise

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.records.encoding import PositionTable
from attn_cli.render import colour
from attn_cli.render.figure import cells, figure, maps, sheet, ticks
from attn_cli.render.figure.backend import DPI, LineCollection, Text
from attn_cli.render.figure.paper import Paper
from attn_cli.render.fonts import texts as fonts
from attn_cli.render.labels import label
from attn_cli.render.look import Look
from attn_cli.variants.posenc import sinusoidal
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from conftest import REPOSITORY
from hostile import HOSTILE

ENGLISH = ("The", "animal", "didn't", "cross", "the", "street", "because", "it", "was", "too", "tired", ".")
CHINESE = ("Transformer", "用", "注意力", "机制", "處理", "GPT模型", "，", "カタカナ", "한국어")


def attention(queries, keys=None, layers=1, heads=1, **parts):
    keys = keys or queries
    scores = np.random.default_rng(0).normal(size=(layers, heads, len(queries), len(keys)))
    weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    return Attention(tuple(queries), tuple(keys), weights, **parts)


def numbered(n):
    return tuple(f"w{i}" for i in range(n))


def laid_out(record, **options):
    return maps.lay_out(maps.attention_maps(record, **options))


def plan(record):
    return maps.plan_for(maps.attention_maps(record))


def pixels(record):
    return np.asarray(Image.open(BytesIO(figure.save(figure.draw(record), "png"))).convert("RGB"))


# ---- what is written ------------------------------------------------------------------------------


def test_every_token_stands_beside_its_row_and_below_its_column():
    written = laid_out(attention(ENGLISH)).words()
    assert all(written.count(token) == 2 for token in set(ENGLISH))


def test_labels_stand_at_the_middle_of_their_cells():
    settled = plan(attention(ENGLISH))
    assert settled.rows.at == pytest.approx([(i + 0.5) * settled.cells.height for i in range(12)])
    assert settled.columns.at == pytest.approx([(i + 0.5) * settled.cells.width for i in range(12)])


def test_panels_are_titled_by_what_differs():
    assert maps.attention_maps(attention("ab")).titles == ()
    assert maps.attention_maps(attention("ab", heads=2)).titles == ("head 0", "head 1")
    assert maps.attention_maps(attention("ab", layers=2)).titles == ("layer 0", "layer 1")
    grid = maps.attention_maps(attention("ab", layers=2, heads=3))
    assert (grid.titles, grid.side_titles, grid.across) == (
        ("head 0", "head 1", "head 2"),
        ("layer 0", "layer 1"),
        3,
    )


def test_a_selection_keeps_its_numbers():
    chosen = attention("ab", heads=2, layers=1)
    chosen = Attention(("a", "b"), ("a", "b"), chosen.weights, kind="cross", layers=(5,), heads=(3, 7))
    says = maps.attention_maps(chosen)
    assert says.titles == ("head 3", "head 7")
    assert says.subheading == "cross-attention · layer 5"


def test_the_origin_is_printed_and_its_absence_too():
    assert "model bert, layer 3" in laid_out(attention("ab", provenance="model bert, layer 3")).words()
    assert "origin not recorded" in laid_out(attention("ab", provenance=" ")).words()


def test_a_long_origin_is_broken_into_lines():
    words = " ".join(f"word{i}" for i in range(60))
    written = laid_out(attention("ab", provenance=words)).words()
    lines = [text for text in written if "word" in text]
    assert len(lines) > 1
    assert " ".join(lines) == words


def test_small_maps_carry_their_numbers_and_large_ones_do_not():
    record = attention(ENGLISH)
    written = [mark.text for mark in laid_out(record).marks if isinstance(mark, sheet.Number)]
    assert written == [f"{value:.2f}" for value in record.weights.flat]
    assert not [m for m in laid_out(attention(numbered(13))).marks if isinstance(m, sheet.Number)]


def test_each_number_stands_in_its_own_cell():
    record = attention("ab", heads=2)
    settled = plan(record)
    width, height = settled.cells.width, settled.cells.height
    marks = [mark for mark in laid_out(record).marks if isinstance(mark, sheet.Number)]
    for mark, (panel, row, column) in zip(marks, np.ndindex(2, 2, 2), strict=True):
        left, top = settled.corners[panel]
        assert mark.x == left + (column + 0.5) * width
        assert top + row * height < mark.y < top + (row + 1) * height


def test_every_panel_has_a_frame():
    record = attention("ab", heads=2)
    settled = plan(record)
    strokes = [mark for mark in laid_out(record).marks if isinstance(mark, sheet.Stroke)]
    frames = [
        sheet.box(x, y, settled.cells.panel_width, settled.cells.panel_height) for x, y in settled.corners
    ]
    assert set(frames) <= set(strokes)
    (lines,) = figure.draw(record).axes[0].findobj(LineCollection)
    assert len(lines.get_segments()) == len(strokes)


@pytest.mark.parametrize(
    ("peak", "text"), [(0.5, "0.50"), (5.0, "5.00"), (50.0, "50.0"), (500.0, "500"), (-5.0, "−5.00")]
)
def test_numbers_have_three_digits_and_a_true_minus(peak, text):
    filled = cells.filled(cells.grain_in((90, 90), (2, 2), Paper()), np.full((1, 2, 2), peak))
    assert {number.text for number in cells.numbers(filled, [(0, 0)], 8)} == {text}


def test_masked_cells_are_grey_have_no_number_and_are_explained():
    mask = np.tri(4, dtype=bool)[None, None]
    record = attention("abcd", mask=mask)
    drawn = laid_out(record)
    assert "masked" in drawn.words()
    assert len([m for m in drawn.marks if isinstance(m, sheet.Number)]) == mask.sum()
    shades = plan(record).cells.colours()[0]
    assert (shades[~mask[0, 0]] == colour.MASKED["paper"]).all()
    assert not (shades[mask[0, 0]] == colour.MASKED["paper"]).all(axis=-1).any()


def test_hidden_weights_do_not_set_the_scale():
    weights = np.array([[[[0.2, 9.0], [0.1, 0.3]]]])
    record = Attention(("a", "b"), ("a", "b"), weights, mask=np.tri(2, dtype=bool)[None, None])
    assert plan(record).cells.scale.high == 0.3


@pytest.mark.parametrize(
    ("low", "high", "ticks_"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (0, 0.004, [0, 0.001, 0.002, 0.003, 0.004]),
        (0, 70, [0, 20, 40, 60]),
    ],
)
def test_the_colour_bar_has_round_numbers(low, high, ticks_):
    assert ticks.round_ticks(low, high)[0] == pytest.approx(ticks_)


# ---- fitting --------------------------------------------------------------------------------------

SHAPES = {
    "3": attention(("Transformer", "is", "powerful")),
    "12": attention(ENGLISH, heads=4, provenance="hash embeddings, dim 64, seed 0; " * 5),
    "chinese": attention(CHINESE, heads=2, mask=np.tri(9, dtype=bool)[None, None]),
    "hostile": attention([token for token in HOSTILE if token.isascii()][:30]),
    "30": attention(numbered(30), heads=8),
    "300": attention(numbered(300)),
    "grid": attention(ENGLISH, layers=6, heads=12),
    "cross": attention(CHINESE, ENGLISH, heads=3, kind="cross"),
    "row": attention(["q"], numbered(90)),
    "column": attention(numbered(90), ["k"]),
}


@pytest.mark.parametrize("name", SHAPES)
def test_no_text_is_clipped_or_lies_on_another(name):
    drawn = figure.draw(SHAPES[name], Look(title="A title 标题 $x$"))
    renderer = FigureCanvasAgg(drawn).get_renderer()
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in drawn.findobj(Text) if t.get_text()]
    width, height = drawn.get_size_inches() * DPI
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    for (one, a), (other, b) in combinations(boxes, 2):
        assert min(a.x1, b.x1) - max(a.x0, b.x0) < 1 or min(a.y1, b.y1) - max(a.y0, b.y0) < 3, (one, other)


def test_labels_thin_out_to_round_positions():
    settled = plan(attention(numbered(300)))
    assert settled.rows.thinned
    assert settled.rows.texts[:3] == ("0 w0", "10 w10", "20 w20")
    spacing = settled.rows.at[1] - settled.rows.at[0]
    assert spacing >= ticks.CLOSEST * settled.rows.size == ticks.CLOSEST * 8


def test_small_panels_with_many_tokens_show_positions_only():
    settled = plan(attention(numbered(60), heads=16))
    assert settled.columns.texts == ("0", "20", "40")
    assert settled.columns.running


def test_a_page_grows_where_that_lets_every_label_stand():
    texts = plan(attention(numbered(24), heads=8)).columns.texts
    assert texts == numbered(24)


def test_sizes_stay_within_bounds():
    assert laid_out(attention("ab", layers=100, heads=2)).height < 5000
    for n, heads in ((1, 1), (2, 4), (512, 1), (512, 12), (3000, 1)):
        record = Attention(numbered(n), numbered(n), np.full((1, heads, n, n), 1 / n))
        drawn = laid_out(record)
        assert 100 < drawn.width <= maps.WIDE + 150
        assert 80 < drawn.height <= maps.TALL + 150


def test_long_inputs_are_averaged_exactly_and_say_so():
    record = attention(numbered(2601))
    settled = plan(record)
    factor = settled.cells.factor
    assert factor > 1
    assert settled.cells.values[0, 1, 2] == pytest.approx(
        record.weights[0, 0, factor : 2 * factor, 2 * factor : 3 * factor].mean(), abs=1e-15
    )
    last = record.weights[0, 0, 2601 // factor * factor :, :factor]
    assert 0 < len(last) < factor
    assert settled.cells.values[0, -1, 0] == pytest.approx(last.mean(), abs=1e-15)
    assert f"each cell is the mean of {factor} × {factor} weights" in laid_out(record).words()


def test_ideographs_stay_upright_where_words_are_turned():
    words = {m.text: m for m in laid_out(attention(CHINESE)).marks if isinstance(m, sheet.Words)}
    assert words["Transformer"].turned
    assert words["GPT模型"].turned
    assert not words["注"].turned  # 注意力 set downwards, a character at a time
    assert words["注"].x == words["意"].x == words["力"].x
    assert words["注"].y < words["意"].y < words["力"].y


# ---- colours --------------------------------------------------------------------------------------


def luminance(rgb):
    part = np.asarray(rgb) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize(("name", "sign"), [("paper", -1), ("night", 1)])
def test_ramps_read_in_grey_and_step_evenly(name, sign):
    light = luminance(colour.ramp(name)) ** (1 / 3)
    assert (np.diff(light) * sign > 0).all()
    steps = np.linalg.norm(np.diff(colour.ramp(name).astype(float), axis=0), axis=1)
    assert steps.max() < 5


@pytest.mark.parametrize("name", ["paper", "night", "signed", "signed night"])
def test_numbers_can_be_read_on_every_shade(name):
    ground, ink = luminance(colour.ramp(name)), luminance(colour.ink(colour.ramp(name)))
    contrast = (np.maximum(ground, ink) + 0.05) / (np.minimum(ground, ink) + 0.05)
    assert contrast.min() > 3.5


def test_zero_is_the_bottom_of_weights_and_the_middle_of_signed_numbers():
    assert colour.scale_for(np.array([0.2, 0.4])) == colour.Scale(0.0, 0.4, "paper")
    assert colour.scale_for(np.array([-0.1, 0.4])) == colour.Scale(-0.4, 0.4, "signed")
    assert colour.scale_for(np.zeros(3)) == colour.Scale(0.0, 1.0, "paper")


def test_all_panels_share_one_scale_and_the_cells_have_its_colours():
    weights = np.zeros((1, 2, 2, 2))
    weights[0, 0], weights[0, 1] = [[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.6], [0.7, 0.8]]
    record = Attention(("a", "b"), ("a", "b"), weights)
    settled, image = plan(record), pixels(record)
    assert settled.cells.scale == colour.Scale(0.0, 0.8, "paper")
    shades = settled.cells.scale.colours(weights[0])
    for panel, (x, y) in enumerate(settled.corners):
        for row, column in np.ndindex(2, 2):
            # Near the corner of a cell, away from frame and number.
            at = [(y + row * settled.cells.height) * 3 + 5, (x + column * settled.cells.width) * 3 + 5]
            assert image[round(at[0]), round(at[1])].tolist() == shades[panel, row, column].tolist()


def test_a_png_has_three_pixels_to_a_point():
    drawn = laid_out(attention(ENGLISH))
    assert pixels(attention(ENGLISH)).shape == (drawn.height * 3, drawn.width * 3, 3)


# ---- tokens are never more than text --------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::attn_cli.errors.AttnWarning")  # no font draws some of them
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_hostile_tokens_are_drawn_as_they_are(suffix):
    drawn = figure.draw(attention(HOSTILE), Look(title=HOSTILE[0]))
    written = [text.get_text() for text in drawn.findobj(Text)]
    assert r"$\\frac{1}{2}$" in written
    assert "[/red]" in written
    assert r"\u001b[31m" in written
    assert not any(c in text for text in written for c in "\x1b\n\t\u202e")
    data = figure.save(drawn, suffix)
    if suffix == "svg":
        assert b"<script" not in data.lower()
        assert b"onload" not in data.replace(b"svg/onload", b"").replace(b"&lt;svg/onload", b"")


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        ("", "‹empty›"),
        ("  ", "␣␣"),
        (" the", "␣the"),
        ("the ", "the␣"),
        ("a b", "a b"),
        ("x" * 50, "x" * 19 + "…"),
    ],
)
def test_labels_show_what_cannot_be_seen(token, shown):
    assert label(token) == shown


# ---- the same bytes, whatever is around -----------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_figure_gives_the_same_bytes_without_a_date(suffix):
    first, second = (figure.save(figure.draw(attention(CHINESE)), suffix) for _ in range(2))
    assert first == second
    assert not re.search(rb"(Creation|Mod)Date|dc:date|20[2-9]\d-\d\d", first)


def test_save_leaves_matplotlib_as_it_was():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    figure.save(figure.draw(PositionTable("sinusoidal", sinusoidal(4, 4))), "svg")
    assert dict(mpl.rcParams) == before


SCRIPT = """
import sys, hashlib, numpy as np
from attn_cli.records.attention import Attention
from attn_cli.render.figure import figure
drawn = figure.draw(Attention(("注", "b"), ("注", "b"), np.full((1, 2, 2, 2), 0.5)))
for suffix in ("png", "svg", "pdf"):
    print(hashlib.sha256(figure.save(drawn, suffix)).hexdigest())
"""


def hashes(cwd, **env):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_settings_of_the_user_and_the_folder_change_nothing(tmp_path):
    plain, broken, loud, closed = (tmp_path / name for name in ("plain", "broken", "loud", "closed"))
    for folder in (plain, broken, loud, closed):
        folder.mkdir()
    (broken / "matplotlibrc").write_bytes(b"\xff\xfe not a style")
    (loud / "matplotlibrc").write_text(
        "nonsense: 1\nno colon\ntext.usetex: True\nsavefig.bbox: tight\nfont.size: 40\naxes.facecolor: red\n"
    )
    expected = hashes(plain, PYTHONHASHSEED="0")
    elsewhere = {"PYTHONHASHSEED": "1", "TZ": "Asia/Shanghai"}
    assert hashes(broken, MPLBACKEND="bogus", **elsewhere) == expected
    nowhere = {"HOME": str(closed / "none"), "MPLCONFIGDIR": "/proc/attn"}
    assert hashes(loud, MPLBACKEND="module://nonsense", **nowhere) == expected


# ---- positional encodings and training ------------------------------------------------------------


def test_a_positional_encoding_has_positions_down_and_dimensions_across():
    table = PositionTable("sinusoidal", sinusoidal(128, 512))
    written = [text.get_text() for text in figure.draw(table).findobj(Text)]
    assert {"position", "dimension", "120", "500", "−1.0", "1.0"} <= set(written)
    assert "positional encoding sinusoidal: 128 positions × 512 dimensions" in written


def test_curves_are_named_where_they_end():
    curves = {"loss": ([0, 10, 20], [2.0, 1.0, 0.25]), "exact match": ([0, 20], [0.0, 1.0])}
    drawn = figure.curves_figure(curves, Look(title="reverse"), provenance="seed 0")
    written = [text.get_text() for text in drawn.findobj(Text)]
    assert {"loss 0.25", "exact match 1", "reverse", "seed 0", "step", "20"} <= set(written)


def test_curves_run_from_their_first_value_to_their_last():
    from attn_cli.render.figure.curves import HEIGHT, WIDTH, lay_out
    from attn_cli.render.figure.sheet import COLOURS

    drawn = lay_out({"loss": ([0, 10, 20], [2.0, 1.0, 0.0])}, provenance="x")
    (curve,) = [m for m in drawn.marks if isinstance(m, sheet.Stroke) and m.colour == COLOURS[0]]
    (x0, top), (x1, middle), (x2, bottom) = curve.points
    assert (x1 - x0, x2 - x0) == (WIDTH / 2, WIDTH)
    assert (middle - top, bottom - top) == (HEIGHT / 2, HEIGHT)


# ---- many panels ----------------------------------------------------------------------------------


def test_positions_under_one_panel_keep_clear_of_those_under_the_next():
    record = attention(numbered(512), layers=1, heads=12)
    drawn = maps.lay_out(
        maps.attention_maps(Attention(record.query_tokens, record.key_tokens, record.weights))
    )
    below = [word for word in drawn.marks if isinstance(word, sheet.Words) and word.text.isdecimal()]
    lowest = max(word.y for word in below)
    ends = sorted(
        (word.x - width / 2, word.x + width / 2)
        for word in below
        if word.y == lowest
        for width in [fonts.width(word.text, word.size)]
    )
    assert len(ends) >= 8
    assert all(right + 1 < left for (_, right), (left, _) in pairwise(ends))


def test_titles_of_small_panels_are_short():
    written = laid_out(attention(numbered(24), layers=32, heads=32)).words()
    assert {"H10", "H31", "L10", "L31"} <= set(written)


def test_pixels_are_drawn_as_they_are_whatever_the_resolution():
    rgb = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    drawn = sheet.draw(sheet.Sheet(30, 20, (sheet.Picture(rgb, 6, 3, 2.0),)), dpi=72 * 3)
    found = np.asarray(Image.open(BytesIO(figure.save(drawn, "png"))).convert("RGB"))
    assert found.shape == (60, 90, 3)
    assert (found[9:33, 18:48] == rgb.repeat(6, axis=0).repeat(6, axis=1)).all()
    assert (found[:9] == 255).all()
    assert (found[33:] == 255).all()
