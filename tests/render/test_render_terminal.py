"""Pictures and tables in a terminal: they fit, line up, and print nothing that acts."""

import io
import re

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.records.encoding import Encoding, PositionTable
from attn_cli.render import colour
from attn_cli.render.look import Look
from attn_cli.render.terminal import terminal
from attn_cli.render.terminal.screen import Screen
from attn_cli.variants.posenc import sinusoidal
from rich.cells import cell_len
from rich.console import Console

from hostile import HOSTILE

ENGLISH = ("The", "animal", "didn't", "cross", "the", "street", "because", "it", "was", "tired")
CHINESE = ("Transformer", "用", "注意力", "机制", "GPT模型", "，", "カタカナ", "한국어")
LONG = tuple(f"w{i}" for i in range(100))
STYLES = re.compile(r"\x1b\[[0-9;]*m")


def attention(queries, keys=None, layers=1, heads=1, **parts):
    keys = keys or queries
    scores = np.random.default_rng(0).normal(size=(layers, heads, len(queries), len(keys)))
    weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    return Attention(tuple(queries), tuple(keys), weights, **parts)


class Window(io.TextIOWrapper):
    """A stream that says it is a terminal's."""

    def isatty(self):
        return True


def printed(renderable, width=80, *, colours="truecolor", no_color=False, encoding="utf-8", height=1000):
    """What a console of this size and kind would print."""
    raw = io.BytesIO()
    file = Window(raw, encoding=encoding, newline="\n")
    console = Console(
        file=file,
        width=width,
        height=height,
        force_terminal=True,
        color_system=colours,
        no_color=no_color,
        legacy_windows=False,
    )
    console.print(renderable)
    file.flush()
    return raw.getvalue().decode(encoding)


def plain(renderable, width=80, **kind):
    return STYLES.sub("", printed(renderable, width, **kind))


def cells(renderable, width=80):
    """Every printed character with its background or None, line by line."""
    return [[(c, ground) for c, ground, _ in line] for line in styled(renderable, width)]


def styled(renderable, width=80):
    """Every printed character with its background and its colour, line by line."""

    def rgb(colour):
        return colour and tuple(colour.triplet)

    console = Console(
        file=io.StringIO(), width=width, height=1000, force_terminal=True, color_system="truecolor"
    )
    return [
        [(c, s.style and rgb(s.style.bgcolor), s.style and rgb(s.style.color)) for s in line for c in s.text]
        for line in console.render_lines(renderable, pad=False)
    ]


RECORDS = {
    "english": attention(ENGLISH, heads=4, provenance="seed 0"),
    "chinese": attention(CHINESE, heads=2, mask=np.tri(8, dtype=bool)[None, None], provenance="来源：模型"),
    "hostile": attention(HOSTILE, provenance="\x1b[31m[/red]"),
    "cross": attention(CHINESE, ENGLISH, kind="cross"),
    "crowd": attention(ENGLISH, layers=6, heads=12),
    "long": attention([f"w{i}" for i in range(300)]),
    "one": attention(["a"], ["b"]),
}
PRINTERS = {
    "picture": terminal.attention_picture,
    "table": terminal.attention_table,
    "encoding": lambda record: terminal.encoding_table(Encoding(record.query_tokens, record.weights[0, 0])),
}


@pytest.mark.parametrize("printer", PRINTERS)
@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize(
    "kind",
    [
        {"width": 80},
        {"width": 200},
        {"width": 40, "no_color": True},
        {"width": 80, "colours": None},
        {"width": 80, "encoding": "ascii"},
        {"width": 80, "encoding": "ascii", "no_color": True},
        {"width": 80, "encoding": "gbk"},
    ],
    ids=str,
)
def test_everything_fits_its_encoding_and_its_width_and_nothing_acts(name, printer, kind):
    text = plain(PRINTERS[printer](RECORDS[name]), **kind)
    assert all(cell_len(line) <= kind["width"] for line in text.splitlines())
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text.replace("\n", ""))
    assert not set(text) & set("\u202e\u2066\u2028\ud800")


def test_tokens_are_printed_as_they_are_escaped():
    text = plain(terminal.attention_picture(attention(["[/red]", "\x1b[31m", "</script>", ":smile:", "\t"])))
    assert all(token in text for token in ("[/red]", r"\u001b[31m", "</script>", ":smile:", r"\t"))


# ---- pictures -------------------------------------------------------------------------------------


def test_a_picture_has_the_colours_of_the_weights_in_their_places():
    weights = np.array([[[[0.1, 0.2], [0.3, 0.4]]]])
    record = Attention(("a", "b"), ("a", "b"), weights)
    lines = cells(terminal.attention_picture(record))
    scale = colour.scale_for(weights, night=True)
    expected = [[tuple(int(p) for p in rgb) for rgb in row] for row in scale.colours(weights[0, 0])]
    seen = [[c[1] for c in line if c[1]] for line in lines[1:7]]  # two cells of 3 lines by 6 columns each
    assert seen == [[row[0]] * 6 + [row[1]] * 6 for row in expected for _ in range(3)]


def test_two_rows_share_a_line_where_cells_are_small():
    record = attention([f"w{i}" for i in range(60)])
    lines = plain(terminal.attention_picture(record)).splitlines()
    labelled = [line for line in lines if re.match(r" *\d+ w\d+", line)]
    assert len(labelled) == 30
    assert labelled[1].split()[:2] == ["2", "w2"]
    assert "▄" in labelled[0]


def test_of_two_rows_in_a_line_the_first_is_above():
    weights = np.zeros((1, 1, 60, 60))
    weights[..., 0, 0], weights[..., 1, 0] = 0.5, 1.0
    record = Attention(RECORDS["long"].query_tokens[:60], RECORDS["long"].key_tokens[:60], weights)
    first = next(cell for line in styled(terminal.attention_picture(record)) for cell in line if cell[1])
    upper, lower = (tuple(map(int, colour.ramp("night")[shade])) for shade in (128, 255))
    assert first == ("▄", upper, lower)


@pytest.mark.parametrize("no_color", [False, True])
def test_labels_of_any_script_leave_the_maps_aligned(no_color):
    lines = printed(terminal.attention_picture(attention(CHINESE)), no_color=no_color).splitlines()
    rows = [
        line
        for line in lines
        if re.search(r"\d (Transformer|用|注意力|机制|GPT模型|，|カタカナ|한국어)", line)
    ]
    assert len(rows) == 8
    edges = set()
    for row in rows:
        start = row.index("|") if no_color else re.search(r"\x1b\[[0-9;]*4[0-9;]*8;2", row).start()
        edges.add(cell_len(STYLES.sub("", row[:start])))
    assert len(edges) == 1


def test_ideographs_stand_over_their_columns():
    lines = plain(terminal.attention_picture(attention(tuple("注意力机制让模型知道")))).splitlines()
    assert lines[0].strip() == "注意力机制让模型知道"


def test_many_heads_fit_the_window_a_line_for_each_query_where_it_is_tall_enough():
    picture = terminal.attention_picture(attention(ENGLISH, layers=3, heads=4, provenance="seed 0"))
    tall, low = (plain(picture, 120, height=height).splitlines() for height in (60, 24))
    assert len(tall) < 60 - 2  # the name of the file and the prompt
    for i, token in enumerate(ENGLISH):
        assert sum(line.lstrip().startswith(f"{i} {token}") for line in tall) == 3, (
            token
        )  # once for each layer
    assert len(low) <= 24 - 3
    assert sum(line.count("H3") for line in low) == 3  # no head is left out
    one = plain(terminal.attention_picture(attention(ENGLISH)), 80, height=24).splitlines()
    assert len(one) <= 24 - 2


@pytest.mark.parametrize(
    ("width", "height", "layers", "tokens", "kind"),
    [
        (80, 24, 1, ENGLISH, {}),
        (80, 24, 6, ENGLISH, {}),
        (80, 24, 6, CHINESE, {"no_color": True}),
        (80, 24, 12, LONG, {}),
        (120, 40, 1, LONG, {"no_color": True}),
        (120, 40, 6, CHINESE, {"encoding": "ascii"}),
        (120, 40, 12, ENGLISH, {}),
        (200, 50, 1, CHINESE, {}),
        (200, 50, 6, LONG, {}),
        (200, 50, 12, ENGLISH, {"no_color": True}),
    ],
)
def test_no_window_scrolls_away_and_maps_that_are_left_out_are_counted(width, height, layers, tokens, kind):
    picture = terminal.attention_picture(attention(tokens, layers=layers, heads=12))
    lines = plain(picture, width, height=height, **kind).splitlines()
    assert len(lines) <= height - 3  # the command, the name of the file and the prompt
    seen = len(
        re.findall(r"\bH\d+|head \d+(?= |$)", " ".join(line for line in lines if "maps shown" not in line))
    )
    cut = re.search(r"(\d+) of (\d+) maps shown, up to (?:layer (\d+) . )?head \d+; choose", " ".join(lines))
    assert seen == (int(cut[1]) if cut else 12 * layers)
    assert cut is None or (layers == 12 and (width, height) != (200, 50)) or kind


def test_a_pipe_into_which_colours_are_forced_is_no_window():
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True)
    console.print(terminal.attention_picture(RECORDS["crowd"]))
    assert "maps shown" not in console.file.getvalue()


def test_a_streamed_map_counts_tokens_not_its_own_cells():
    tokens = tuple(f"w{i}" for i in range(1000))
    record = Attention(tokens, tokens, np.full((1, 1, 100, 100), 0.001), pooled=True)
    lines = plain(terminal.attention_picture(record), 80, height=24).splitlines()
    assert lines[0].split() == ["0", "200", "400", "600", "800"]
    assert lines[2].split()[:2] == ["80", "w80…"]  # a line is two cells of 4 × 10 tokens
    assert lines[-3].startswith("weight")
    assert " 0.001 " in lines[-3]
    assert lines[-2] == "each cell is the mean of 40 × 40 weights"


def test_panels_stand_side_by_side_as_far_as_they_fit():
    picture = terminal.attention_picture(RECORDS["english"])
    assert "head 0 " in (wide := plain(picture, 200).splitlines()[0])
    assert "head 3" in wide
    narrow = [line.split() for line in plain(picture, 40).splitlines() if "head" in line]
    assert narrow == [["head", "0"], ["head", "1"], ["head", "2"], ["head", "3"]]


def test_a_crowd_of_maps_is_titled_in_short():
    lines = plain(terminal.attention_picture(RECORDS["crowd"])).splitlines()
    assert "L0 H0" in lines[0]
    assert sum("L5 H11" in line for line in lines) == 1


def test_without_colours_shades_say_how_strong():
    record = Attention(("a", "b"), ("a", "b"), np.array([[[[0.0, 0.5], [0.75, 1.0]]]]))
    lines = plain(terminal.attention_picture(record), no_color=True).splitlines()
    assert lines[1].endswith("|      ▒▒▒▒▒▒|")
    assert lines[4].endswith("|▓▓▓▓▓▓██████|")


def test_no_colour_is_printed_where_none_is_wanted():
    for renderable in (
        terminal.attention_picture(RECORDS["english"]),
        terminal.attention_table(RECORDS["english"]),
    ):
        assert not re.search(r"\x1b\[[0-9;]*(3[0-8]|4[0-8])[;m]", printed(renderable, no_color=True))


def test_a_terminal_of_sixteen_colours_gets_those():
    assert "38;2;" not in printed(terminal.attention_picture(RECORDS["english"]), colours="standard")


def test_long_maps_are_averaged_and_say_so():
    text = plain(terminal.attention_picture(RECORDS["long"]))
    assert "each cell is the mean of 5 × 5 weights" in text


def test_a_picture_ends_with_its_scale_and_its_origin():
    lines = plain(terminal.attention_picture(RECORDS["english"])).splitlines()
    top = RECORDS["english"].weights.max()
    assert re.match(rf"weight 0\.00 .* {top:.2f} ", lines[-2])
    assert lines[-1] == "seed 0"
    assert "origin not recorded" in plain(terminal.attention_picture(RECORDS["one"]))


def test_keys_that_are_not_the_queries_are_listed():
    text = plain(terminal.attention_picture(RECORDS["cross"]))
    assert "keys: 0 The  1 animal  2 didn't" in text


def test_masked_cells_have_a_shade_of_their_own():
    picture = terminal.attention_picture(RECORDS["chinese"])
    grounds = [ground for line in cells(picture) for _, ground in line]
    assert grounds.count(colour.MASKED["night"]) > 28
    assert "masked" in plain(picture)


def test_where_two_rows_share_a_line_both_are_named_if_there_is_room():
    lines = plain(terminal.attention_picture(attention(ENGLISH, layers=3, heads=4))).splitlines()
    assert lines[2].startswith("0 The animal")
    assert sum("didn't cross" in line for line in lines) == 3
    narrow = plain(terminal.attention_picture(attention(ENGLISH, layers=3, heads=4)), 57)
    assert "The animal" not in narrow  # a row of maps would have to be broken for it


def test_a_crowd_of_long_maps_is_a_few_screenfuls():
    crowd = attention([f"w{i}" for i in range(128)], layers=6, heads=12)
    for width, across in ((80, 6), (200, 12)):
        lines = plain(terminal.attention_picture(crowd), width).splitlines()
        assert lines[0].count("H") == across
        assert len(lines) < 110


def test_blocks_at_the_edge_are_not_much_smaller_than_the_others():
    lines = plain(terminal.attention_picture(attention([f"w{i}" for i in range(300)]), Look(view="grid")))
    assert "each cell is the mean of 15 × 15 weights" in lines  # of 13 or 14 the last would hold 1 or 6


@pytest.mark.parametrize(
    ("scale", "legend"), [("shared", "weight 0.00"), ("panel", "of its peak 0.00"), ("log", "weight 1e-04")]
)
def test_a_picture_has_the_colour_scale_that_was_asked_for(scale, legend):
    weights = np.array([[[[0.0, 1.0]], [[0.25, 0.5]]]])
    record = Attention(("q",), ("a", "b"), weights)
    picture = terminal.attention_picture(record, Look(color_scale=scale, title="A title"))
    assert plain(picture).splitlines()[0] == "A title"
    assert legend in plain(picture)
    ramp = colour.ramp("night")
    top = tuple(map(int, ramp[255]))
    shades = [ground for _, ground in cells(picture)[3] if ground]
    assert shades.count(top) == (
        12 if scale == "panel" else 6
    )  # the peaks of both heads, or of the first alone


def test_a_terminal_of_256_colours_gets_those():
    # in colours of its own, as Rich remembers for a style what another console made of it
    shown = printed(terminal.attention_picture(RECORDS["english"], Look(cmap="cividis")), colours="256")
    assert "48;5;" in shown
    assert "48;2;" not in shown


def test_a_picture_says_which_attention_of_several_it_is():
    assert "cross-attention · origin not recorded" in plain(terminal.attention_picture(RECORDS["cross"]))


# ---- tables ---------------------------------------------------------------------------------------


def test_a_table_has_every_number_to_four_decimals():
    record = attention(ENGLISH)
    rows = plain(terminal.attention_table(record), 120).splitlines()[1:11]
    for i, row in enumerate(rows):
        position, token, *numbers = row.split()
        assert (int(position), token) == (i, ENGLISH[i])
        assert numbers == [f"{weight:.4f}" for weight in record.weights[0, 0, i]]


def test_the_columns_of_a_table_line_up_under_wide_tokens():
    lines = plain(terminal.attention_table(attention(CHINESE)), 120).splitlines()[:9]
    assert len({cell_len(line) for line in lines}) == 1


def test_cells_are_shaded_by_their_weight():
    record = Attention(("a", "b"), ("a", "b"), np.array([[[[0.25, 0.75], [0.5, 0.5]]]]))
    line = cells(terminal.attention_table(record))[1]
    scale = colour.scale_for(record.weights, night=True)
    shades = list(dict.fromkeys(ground for _, ground in line if ground))
    assert shades == [tuple(int(p) for p in rgb) for rgb in scale.colours(np.array([0.25, 0.75]))]


def test_columns_that_do_not_fit_are_left_out_in_the_middle_and_counted():
    text = plain(terminal.attention_table(RECORDS["long"]))
    header, first, *_ = text.splitlines()
    left, right = re.match(r"pos query +((?:w\d+ +)+)… 29\d more +(.*)", header).groups()
    assert left.split()[0] == "w0"
    assert right.split()[-1] == "w299"
    shown = len(left.split()) + len(right.split())
    assert f"… {300 - shown} more" in header
    assert len(re.findall(r"\d\.\d{4}", first)) == shown
    assert f"261 of 300 queries and {300 - shown} of 300 keys left out to fit" in text
    assert "… 261 more" in text.splitlines()[21]


def test_each_head_has_a_table_with_its_name():
    lines = plain(terminal.attention_table(attention("ab", layers=2, heads=2))).splitlines()
    titles = [line for line in lines if line.startswith("layer")]
    assert titles == ["layer 0 · head 0", "layer 0 · head 1", "layer 1 · head 0", "layer 1 · head 1"]


def test_an_encoding_shows_its_tokens_and_its_origin():
    record = Encoding(("注意", "b"), np.array([[1.0, -0.5], [0.25, 2.0]]), "hash, dim 2")
    assert plain(terminal.encoding_table(record)).splitlines() == [
        "pos token       0       1",
        "  0 注意   1.0000 -0.5000",
        "  1 b      0.2500  2.0000",
        "hash, dim 2",
    ]


def test_a_positional_encoding_shows_its_positions():
    lines = plain(terminal.position_table(PositionTable("sinusoidal", sinusoidal(128, 4)))).splitlines()
    assert lines[0].split() == ["pos", "0", "1", "2", "3"]
    assert lines[2].split() == ["1", "0.8415", "0.5403", "0.0100", "1.0000"]
    assert "89 of 128 positions left out to fit; a pipe or -o FILE gets everything" in lines[-1]


# ---- the screen -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", "注意力…"), ("gbk", "注意力…"), ("ascii", "\\u6c.."), ("latin-1", "\\u6c..")],
)
def test_a_label_takes_what_the_encoding_has(encoding, shown):
    assert Screen(80, True, encoding).label("注意力机制", 7 if "注" in shown else 6) == shown
