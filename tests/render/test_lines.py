"""The view of tokens joined by lines: which are joined, how strongly, and from the command line."""

from io import BytesIO

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.records.attention import Attention
from attn_cli.render.figure import figure, lines, sheet
from attn_cli.render.figure.backend import Text
from attn_cli.render.figure.curves import COLOURS
from attn_cli.render.look import Look
from PIL import Image

from hostile import HOSTILE

LINES = Look(view="lines")
WEIGHTS = np.array([[[[1.0, 0.0], [0.5, 0.5]], [[0.04, 0.96], [0.9, 0.1]]]])
RECORD = Attention(("注意", "b"), ("注意", "b"), WEIGHTS, provenance="made up")


def strokes(record=RECORD, look=LINES):
    return [mark for mark in lines.lay_out(record, look).marks if isinstance(mark, sheet.Stroke)]


def test_every_weight_that_can_be_seen_is_a_line_and_the_strongest_lies_over_the_others():
    widths = [stroke.width for stroke in strokes()]
    assert len(widths) == (WEIGHTS >= 0.05).sum() == 6
    assert widths == sorted(widths)
    assert widths[-1] == pytest.approx(lines.THICKEST)


def test_a_line_runs_from_its_query_to_its_key_in_the_colour_of_its_head():
    last = strokes()[-1]  # head 0: 注意 to 注意
    assert last.colour == COLOURS[0]
    words = {(w.text, w.align): w for w in lines.lay_out(RECORD, LINES).marks if isinstance(w, sheet.Words)}
    (x0, y0), (x1, y1) = last.points
    assert words["注意", "right"].x < x0 < x1 < words["注意", "left"].x
    assert y0 == y1
    second = strokes()[-2]  # head 1: 注意 to b, 0.96
    assert second.points[1][1] - second.points[0][1] == pytest.approx(8 * lines.PITCH)


def test_heads_are_named_in_their_colours_and_the_strongest_line_in_numbers():
    words = {w.text: w for w in lines.lay_out(RECORD, LINES).marks if isinstance(w, sheet.Words)}
    assert [words[f"head {i}"].colour for i in (0, 1)] == list(COLOURS[:2])
    assert {"made up", "strongest line: 1; none below 0.05"} <= set(words)


def test_what_all_lines_share_stands_above_them():
    cross = Attention(("a",), ("a",), np.ones((1, 2, 1, 1)), kind="cross", layers=(5,))
    written = [text.get_text() for text in figure.draw(cross, LINES).findobj(Text)]
    assert "cross-attention · layer 5" in written


def test_each_layer_has_a_panel():
    two = Attention(("a",), ("a",), np.ones((2, 1, 1, 1)), layers=(3, 7))
    drawn = lines.lay_out(two, LINES)
    assert {"layer 3", "layer 7"} <= set(drawn.words())
    (first, _), (second, _) = (stroke.points for stroke in strokes(two))
    assert second[0] - first[0] > lines.SPAN


@pytest.mark.parametrize("tokens", [("a", "b"), ("注", "意"), tuple(HOSTILE[:64])])
def test_nothing_lies_beyond_the_sheet(tokens):
    weights = np.full((2, 3, len(tokens), len(tokens)), 1 / len(tokens))
    drawn = lines.lay_out(Attention(tokens, tokens, weights), Look(view="lines", title="A title"))
    from attn_cli.render.fonts import texts as fonts

    for mark in (mark for mark in drawn.marks if isinstance(mark, sheet.Words)):
        width = fonts.width(mark.text, mark.size)
        start = mark.x - {"left": 0, "center": width / 2, "right": width}[mark.align]
        assert start >= 0
        assert start + width <= drawn.width
        assert 0 < mark.y < drawn.height


@pytest.mark.parametrize("shape", [(7, 1, 2, 2), (1, 7, 2, 2), (1, 1, 65, 65)])
def test_what_could_not_be_told_apart_is_refused(shape):
    tokens = tuple(map(str, range(shape[2])))
    with pytest.raises(InputError, match="lines"):
        lines.lay_out(Attention(tokens, tokens, np.ones(shape)), LINES)


def test_the_command_draws_them(run, tmp_path):
    options = ("heatmap", "--text", "注意 a b", "--view", "lines", "--format", "png", "-q")
    done = run(*options, "--style", "dark", "--size", "4x3", cwd=tmp_path)
    assert Image.open(BytesIO(done.output)).size == (864, 648)
    assert done.output == run(*options, "--style", "dark", "--size", "4x3", cwd=tmp_path).output
    colours = {
        colour for _, colour in Image.open(BytesIO(run(*options).output)).convert("RGB").getcolors(2**20)
    }
    assert tuple(bytes.fromhex(COLOURS[0][1:])) in colours


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--view", "line"),
            "unknown --view 'line'; known are map, lines, tokens, grid, image; did you mean 'lines'?",
        ),
        (
            ("--view", "lines", "--cmap", "magma"),
            "--cmap and --color-scale do not apply to --view lines; give --view map",
        ),
    ],
)
def test_what_cannot_be_is_said(run, tmp_path, options, said):
    done = run("heatmap", "--text", "a b", "-q", "-o", "x.png", *options, cwd=tmp_path)
    assert (done.code, done.stderr) == (2, f"attn: error: {said}\n")


def test_the_same_record_gives_the_same_bytes():
    for name in ("png", "svg", "pdf"):
        once, again = (figure.save(figure.draw(RECORD, LINES), name) for _ in range(2))
        assert once == again
