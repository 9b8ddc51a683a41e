"""What may be chosen about a figure, from the command line to the pixels."""

import json
from io import BytesIO

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render import colour
from attn_cli.render.figure import maps, sheet
from attn_cli.render.look import CMAPS, Look, parse_size
from matplotlib import colormaps
from PIL import Image

# Two heads: the first has weights of 0.25 at most, the second of 1.
WEIGHTS = np.array([[[[0.25, 0.0], [0.025, 0.25]], [[1.0, 0.0], [0.0001, 0.5]]]])
RECORD = Attention(("注", "b"), ("注", "b"), WEIGHTS, provenance="made up")


@pytest.fixture
def draw(tmp_path, run):
    """`draw("--style", "dark")` is the picture that `attn heatmap` makes of that record, and its bytes."""
    fields = {
        "type": "attention",
        "schema_version": 1,
        "query_tokens": ("注", "b"),
        "key_tokens": ("注", "b"),
    }
    (tmp_path / "a.json").write_text(json.dumps(fields | {"weights": WEIGHTS.tolist()}))

    def heatmap(*options):
        done = run("heatmap", "a.json", "--format", "png", *options, cwd=tmp_path)
        assert done.stderr == ""
        return Image.open(BytesIO(done.output)).convert("RGB"), done.output

    return heatmap


def cells_of(**chosen):
    return maps.plan_for(maps.attention_maps(RECORD, Look(**chosen))).cells


def shade(name, part):
    return colour.ramp(name)[round(part * 255)].tolist()


def written(**chosen):
    return maps.lay_out(maps.attention_maps(RECORD, Look(**chosen))).words()


@pytest.mark.parametrize(
    "options",
    [
        ("--title", "标题"),
        ("--cmap", "magma"),
        ("--color-scale", "log"),
        ("--color-scale", "panel"),
        ("--size", "4x3"),
        ("--dpi", "100"),
        ("--style", "slide"),
        ("--style", "dark"),
    ],
)
def test_every_option_changes_the_picture_and_always_in_the_same_way(draw, options):
    assert draw(*options)[1] == draw(*options)[1] != draw()[1]


def test_a_title_is_text_and_nothing_else():
    assert "$x$ [b] 标题" in written(title="$x$ [b] 标题")


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (("--size", "4x3"), (864, 648)),
        (("--size", "4x3", "--dpi", "100"), (400, 300)),
        (("--style", "slide"), (1920, 1080)),
        (("--style", "slide", "--size", "2x2", "--font-size", "6"), (288, 288)),
    ],
)
def test_a_size_is_kept_to_the_pixel(draw, options, size):
    assert draw(*options)[0].size == size


def test_everything_stays_on_a_sheet_of_another_size():
    for size in ((8.0, 2.0), (2.0, 8.0)):
        drawn = maps.lay_out(maps.attention_maps(RECORD, Look(size=size)))
        assert (drawn.width, drawn.height) == (size[0] * 72, size[1] * 72)
        for mark in drawn.marks:
            places = mark.points if isinstance(mark, sheet.Stroke) else None
            places = places or (mark.corners if isinstance(mark, sheet.Cells) else [(mark.x, mark.y)])
            assert all(0 <= x <= drawn.width and 0 <= y <= drawn.height for x, y in places)


def test_a_dark_picture_has_light_text_on_a_dark_ground(draw):
    pixels = np.asarray(draw("--style", "dark")[0])
    assert pixels[0, 0].tolist() == [0x14, 0x14, 0x14]
    assert (pixels == 0xEE).all(axis=-1).any()
    assert cells_of(style="dark").scale.ramp == "night"


def test_each_panel_may_have_a_scale_of_its_own():
    colours = cells_of(color_scale="panel").colours()
    assert colours[0, 0, 0].tolist() == colours[1, 0, 0].tolist() == shade("paper", 1)
    assert cells_of().colours()[0, 0, 0].tolist() == shade("paper", 0.25)
    assert "of its peak" in written(color_scale="panel")


def test_numbers_in_cells_stay_the_weights_themselves():
    drawn = maps.lay_out(maps.attention_maps(RECORD, Look(color_scale="panel")))
    numbers = [mark.text for mark in drawn.marks if isinstance(mark, sheet.Number)]
    assert numbers[:4] == ["0.25", "0.00", "0.03", "0.25"]


def test_a_logarithmic_scale_counts_factors_and_ends_at_four_decades():
    colours = cells_of(color_scale="log").colours()
    assert colours[1, 0, 0].tolist() == shade("paper", 1)
    assert colours[1, 1, 0].tolist() == colours[0, 0, 1].tolist() == shade("paper", 0)
    expected = shade("paper", 1 + np.log10(0.025) / 4)
    assert colours[0, 1, 0].tolist() == expected
    assert {"1", "0.1", "0.01", "0.001", "0.0001"} <= set(written(color_scale="log"))


@pytest.mark.parametrize("name", CMAPS)
def test_every_map_of_colours_gets_steadily_lighter_or_darker(name):
    light = (colour.ramp(name) / 255) ** 2.2 @ [0.2126, 0.7152, 0.0722]
    steps = np.diff(light[::5])  # of neighbours, rounding to whole numbers may turn the order
    assert (steps >= 0).all() or (steps <= 0).all()
    assert cells_of(cmap=name).colours()[1, 0, 0].tolist() == colour.ramp(name)[-1].tolist()


def test_maps_of_matplotlib_are_as_they_are_there():
    assert colour.ramp("viridis")[128].tolist() == list(colormaps["viridis"](128, bytes=True)[:3])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--cmap", "virids"), "unknown --cmap 'virids'; known are paper, ember"),
        (("--cmap", "virids"), "did you mean 'viridis'?"),
        (("--style", "drak"), "known are paper, slide, dark; did you mean 'dark'?"),
        (("--color-scale", "each"), "known are shared, panel, log"),
        (("--size", "4"), "give WIDTHxHEIGHT in inches, 0.5 to 100 each, as 6x4"),
        (("--size", "0x4"), "--size '0x4'"),
        (("--size", "100x100", "--dpi", "1200"), "more than 100 million pixels"),
        (("--cmap", "magma", "-o", "x.html"), "--cmap does not apply to html; write png, svg, pdf"),
        (("--title", "a", "-o", "x.tsv"), "--title does not apply to tsv"),
    ],
)
def test_what_cannot_be_is_said(run, tmp_path, options, said):
    options = options if "-o" in options else (*options, "-o", "x.png")
    done = run("heatmap", "--text", "a b", "-q", *options, cwd=tmp_path)
    assert done.code == 2
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_signed_numbers_have_no_logarithm(run, tmp_path):
    (tmp_path / "w.csv").write_text("-1,2\n3,4\n")
    done = run("heatmap", "--weights", "w.csv", "--color-scale", "log", "-o", "x.png", cwd=tmp_path)
    assert "needs numbers above zero" in done.stderr


def test_a_page_has_the_title(run, tmp_path):
    run("heatmap", "--text", "a b", "-q", "--title", "<b>标题", "-o", "x.html", cwd=tmp_path)
    assert "<title>&lt;b&gt;标题" in (tmp_path / "x.html").read_text("utf-8")


def test_sizes_are_width_and_height():
    assert parse_size("6.5x4") == (6.5, 4.0)
