"""The text itself, shaded by the attention of a query: on a sheet and in a terminal."""

import io
import json
import re
from itertools import pairwise

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.records.attention import Attention
from attn_cli.records.queries import place_of
from attn_cli.render import colour, text
from attn_cli.render.figure import figure, sheet
from attn_cli.render.figure import text as text_sheet
from attn_cli.render.fonts import texts as fonts
from attn_cli.render.look import Look
from attn_cli.render.terminal import terminal
from rich.cells import cell_len
from rich.console import Console

from hostile import HOSTILE

WORDS = ("The", "anim", "al", "was", "tired", ".")
PIECES = (0, 1, 1, 2, 3, 4)
CHINESE = tuple("小猫没有过马路，因为它太累了。")
STYLES = re.compile(r"\x1b\[[0-9;]*m")


def attention(tokens=WORDS, heads=1, layers=1, **parts):
    n = len(tokens)
    weights = np.random.default_rng(0).dirichlet(np.ones(n), size=(layers, heads, n))
    return Attention(tuple(tokens), tuple(tokens), weights, **parts)


def laid_out(record, query=None, **look):
    return text_sheet.lay_out(record, Look(view="tokens", query_token=query, **look))


def marks(drawn, kind):
    return [mark for mark in drawn.marks if isinstance(mark, kind)]


def grounds(drawn):
    """The colours under the tokens, in the order of the text."""
    return [s.colour for s in marks(drawn, sheet.Stroke) if len(s.points) == 2 and s.width > 5]


def printed(record, query=None, width=80, colours="truecolor", *, no_color=False, encoding="utf-8", **look):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    kind = {"width": width, "color_system": colours, "no_color": no_color}
    console = Console(file=file, force_terminal=True, legacy_windows=False, **kind)
    console.print(terminal.attention_picture(record, Look(view="tokens", query_token=query, **look)))
    file.flush()
    return raw.getvalue().decode(encoding)


# ---- what is said ---------------------------------------------------------------------------------


def written(tokens, words=None):
    spaces = {"nothing": "", "break": "|", "space": " "}
    return "".join(spaces[piece.before] + piece.text for piece in text.running(tokens, words))


@pytest.mark.parametrize(
    ("tokens", "words", "expected"),
    [
        (WORDS, PIECES, "The animal was tired."),
        (("[CLS]", "un", "##do", "it", "!"), None, "[CLS] undo it!"),
        (("Hello", " world", "s", ",", " you"), None, "Hello worlds, you"),
        (("▁Hello", "▁wor", "ld"), None, "Hello world"),
        (("它", "累", "了", "。", "GPT", "模型"), None, "它|累|了。|GPT|模型"),
        (("(", "a", ")", "b"), None, "(a) b"),
        (("", " "), None, "‹empty› ␣"),
    ],
)
def test_tokens_run_as_the_text_that_they_make_up(tokens, words, expected):
    assert written(tokens, words) == expected


def test_a_query_is_named_by_its_position_or_by_itself():
    tokens = ("▁to", "▁be", "7", "##to", "▁注", "▁be")
    assert place_of("2", tokens) == 2
    assert place_of("7", tokens) == 2
    assert place_of("注", tokens) == 4
    with pytest.raises(InputError, match="occurs 2 times; give one of the positions 1, 5"):
        place_of("be", tokens)
    with pytest.raises(InputError, match=r"no query .9.*; give a position, 0 to 5, or a token"):
        place_of("9", tokens)


def test_a_query_gives_its_row_and_no_query_the_mean_of_all():
    record = attention(heads=2)
    row = text.shading(record, "was")
    assert row.weights.tolist() == record.weights[0, :, 3].tolist()
    assert (row.own, row.said) == (3, "weight from query 3, was")
    mean = text.shading(record, None)
    assert mean.weights == pytest.approx(record.weights[0].mean(axis=1))
    assert (mean.own, mean.said) == (None, "mean weight from all 6 queries")


def test_a_query_of_another_text_is_shown_in_it():
    cross = Attention(("猫",), ("the", "cat"), np.array([[[[0.2, 0.8]]]]), kind="cross")
    view = text.shading(cross, "0")
    assert ([piece.text for piece in view.queries], view.own) == (["猫"], None)
    assert {"query", "猫", "cat"} <= set(laid_out(cross, "0").words())
    assert "query: 猫" in STYLES.sub("", printed(cross, "0"))


def test_means_over_positions_shade_no_text():
    pooled = Attention(tuple("abcd"), tuple("abcd"), np.full((1, 1, 2, 2), 0.25), pooled=True)
    with pytest.raises(InputError, match="pooled over positions"):
        text.shading(pooled, None)


# ---- on a sheet -----------------------------------------------------------------------------------


def test_each_token_stands_on_the_colour_of_its_weight():
    record = attention()
    expected = colour.scale_for(record.weights[0, 0, 1]).colours(record.weights[0, 0, 1])
    assert grounds(laid_out(record, "1")) == ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in expected]


def test_the_query_has_a_frame_and_strong_weights_a_number():
    record = attention()
    drawn = laid_out(record, "1")
    frames = [s for s in marks(drawn, sheet.Stroke) if s.colour == text_sheet.OWN]
    assert len(frames) == 1
    token = next(word for word in marks(drawn, sheet.Words) if word.text == "anim")
    (left, top), (right, bottom) = frames[0].points[0], frames[0].points[2]
    assert left < token.x < right
    assert top < token.y < bottom
    row = record.weights[0, 0, 1]
    strong = [f"{weight:.2f}" for weight in row if weight >= text_sheet.FAINTEST * row.max()]
    assert [number.text for number in marks(drawn, sheet.Number)] == strong


def test_masked_tokens_are_grey_and_explained():
    drawn = laid_out(attention(mask=np.tri(6, dtype=bool)[None, None]), "2")
    grey = "#{:02x}{:02x}{:02x}".format(*colour.MASKED["paper"])
    assert [ground == grey for ground in grounds(drawn)] == [False] * 3 + [True] * 3
    assert "masked" in drawn.words()


def test_each_head_has_a_paragraph_with_its_name():
    drawn = laid_out(attention(heads=2, layers=2))
    names = [f"layer {layer} · head {head}" for layer in (0, 1) for head in (0, 1)]
    assert [word for word in drawn.words() if "head" in word] == names
    assert drawn.words().count("tired") == 4
    assert len(grounds(drawn)) == 24


def test_a_scale_for_each_panel_is_of_its_peak():
    drawn = laid_out(attention(heads=3), "0", color_scale="panel")
    darkest = "#{:02x}{:02x}{:02x}".format(*colour.ramp("paper")[-1])
    assert grounds(drawn).count(darkest) == 3
    assert "of its peak" in drawn.words()


@pytest.mark.parametrize(
    "tokens", [WORDS * 50, CHINESE * 40, tuple(HOSTILE), ("x" * 500, "y"), ("שלום", "לכולם", ",", "אני") * 30]
)
def test_lines_are_no_wider_than_the_sheet_and_tokens_lie_beside_one_another(tokens):
    drawn = laid_out(attention(tokens))
    for mark in marks(drawn, sheet.Words):
        width = fonts.width(mark.text, mark.size)
        start = mark.x - {"left": 0, "center": width / 2, "right": width}[mark.align]
        assert start >= 0
        assert start + width <= drawn.width
    assert drawn.width <= text_sheet.PAGE + 1
    boxes = text_sheet.place(text.running(tokens, None), 8, 480)
    for line in {place.line for place in boxes}:
        spans = sorted((place.x, place.x + place.width) for place in boxes if place.line == line)
        assert all(end < start for (_, end), (start, _) in pairwise(spans))


def test_a_hebrew_text_begins_at_the_right():
    first, second, *_ = text_sheet.place(text.running(("שלום", "לכולם"), None), 8, 480)
    assert first.x > second.x


def test_pieces_of_a_word_stay_in_one_line():
    tokens, words = ("aaaa", "bbbb", "cccc"), (0, 1, 1)
    boxes = text_sheet.place(text.running(tokens, words), 8, 50)
    assert [place.line for place in boxes] == [0, 1, 1]


def test_ink_on_a_dark_ground_is_that_of_the_cell():
    drawn = figure.draw(attention(), Look(view="tokens", style="dark"))
    colours = {t.get_text(): t.get_color() for t in drawn.findobj(figure.Text)}
    strongest = WORDS[int(attention().weights.mean(axis=2).argmax())]
    assert colours[strongest] == "#202020"  # night's strongest weight is light


def test_too_long_a_text_is_answered():
    names, weights = tuple(map(str, range(1001))), np.zeros((1, 4, 1, 1001))
    with pytest.raises(
        InputError, match="4,004 tokens over all heads, at most 4,000 can be read; choose some"
    ):
        laid_out(Attention(("q",), names, weights))


# ---- in a terminal --------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", [WORDS * 20, CHINESE * 8, tuple(HOSTILE)], ids=["en", "zh", "hostile"])
@pytest.mark.parametrize(
    "kind",
    [{"width": 80}, {"width": 40, "no_color": True}, {"width": 30, "colours": "256"}, {"encoding": "ascii"}],
    ids=str,
)
def test_a_text_fits_its_window_and_nothing_acts(tokens, kind):
    shown = STYLES.sub("", printed(attention(tokens, heads=2), "0", **kind))
    assert all(cell_len(line) <= kind.get("width", 80) for line in shown.splitlines())
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown.replace("\n", ""))


def test_tokens_are_shaded_where_they_stand():
    shown = printed(attention(query_words=PIECES, key_words=PIECES), "3")
    assert STYLES.sub("", shown).splitlines()[0] == "The animal was tired."
    scale = colour.scale_for(attention().weights[0, 0, 3], night=True)
    rgb = ";".join(map(str, scale.colours(attention().weights[0, 0, 3])[3]))
    assert re.search(rf"\x1b\[1;4;[0-9;]*48;2;{rgb}mwas", shown)  # the query is bold and underlined
    assert "weight from query 3, was" in shown


def test_without_colours_shades_stand_below_the_tokens():
    weights = np.array([[[[0.0, 0.5, 1.0]]]])
    lines = printed(Attention(("q",), ("a", "注意", "b"), weights), "0", no_color=True).splitlines()
    assert [STYLES.sub("", line) for line in lines[1:3]] == ["a注意b", " ▒▒▒▒█"]


def test_long_words_are_cut_and_lines_break_between_words():
    lines = STYLES.sub("", printed(attention(("a" * 60, "bb", "cc")), width=24)).splitlines()
    assert lines[:2] == ["a" * 23 + "…", "bb cc"]


# ---- from the command line ------------------------------------------------------------------------


def test_a_query_alone_asks_for_the_text(run, tmp_path):
    same = ("heatmap", "--text", "a b c", "--model", "none", "--embed", "onehot", "--query-token", "1")
    run(*same, "-o", "x.svg", cwd=tmp_path)
    run(*same, "--view", "tokens", "-o", "y.svg", cwd=tmp_path)
    assert (tmp_path / "x.svg").read_bytes() == (tmp_path / "y.svg").read_bytes()
    shown = run(*same, "--color", "always", cwd=tmp_path).stdout
    assert "weight from query 1, b" in shown


def test_one_query_alone_has_one_row(run, tmp_path):
    done = run("attend", "--text", "a b", "--query-token", "b", "-q", "--format", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["query_tokens"] == ["b"]
    done = run(
        "heatmap", "--text", "a b", "--view", "map", "--query-token", "b", "-q", "-o", "x.png", cwd=tmp_path
    )
    assert (done.code, done.stderr) == (0, "")
