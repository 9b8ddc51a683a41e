"""Tables in a terminal, and figures of heads: what is written, where, on which scale."""

import io
import re

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.records.attention import Attention
from attn_cli.records.table import Table
from attn_cli.render.figure.heads import columns_sheet, difference_sheet, similarity_sheet
from attn_cli.render.figure.sheet import Number, Picture, Words
from attn_cli.render.look import Look
from attn_cli.render.terminal.screen import Screen
from attn_cli.render.terminal.tabular import MOST_ROWS, Tabular, lines
from rich.cells import cell_len
from rich.console import Console

TABLE = Table(
    {
        "layer": [0, 0, 1, 1],
        "head": [0, 1, 0, 1],
        "entropy": [0.5, np.nan, 2.25, 0.25],
        "offset": [-3.0, 0.0, 1.0, 0.0],
        "tiny": [1e-9, 2e-5, 0, 0],
        "sink_key": [0, 3, 12, 1],
        "role": ["", "previous token", "broad", "\x1b[31m"],
    },
    provenance="a model",
    units={"entropy": "nats"},
)


def printed(table, width=80, encoding="utf-8"):
    return [text.plain for text in lines(table, Screen(width, False, encoding))]


def test_what_rounds_to_zero_has_no_sign():
    assert printed(Table({"x": [-0.0004, -0.0, -0.25]})) == ["     x", " 0.000", " 0.000", "-0.250"]


def test_a_table_shows_every_number_and_nothing_that_acts():
    assert printed(TABLE) == [
        "layer head entropy offset     tiny sink_key role          ",
        "    0    0   0.500 -3.000 1.00e-09        0               ",
        "    0    1          0.000 2.00e-05        3 previous token",
        "    1    0   2.250  1.000 0.00e+00       12 broad         ",
        r"    1    1   0.250  0.000 0.00e+00        1 \u001b[31m    ",
        "a model",
    ]


def test_numbers_that_do_not_fit_are_named_and_texts_stay():
    header, *_, said, _ = printed(TABLE, 45)
    assert header.split() == ["layer", "head", "entropy", "sink_key", "role"]
    assert said == "offset, tiny left out to fit; a pipe or -o FILE gets everything"


@pytest.mark.parametrize("width", [20, 44, 45, 200])
@pytest.mark.parametrize("token", ["注意力", "a" * 99])
def test_rows_line_up_in_cells(width, token):
    table = Table({"max": [0.5, 0.25], "token": [token, "b"]})
    sizes = {cell_len(line) for line in printed(table, width)[:3]}
    assert len(sizes) == 1


def test_a_sentence_in_the_last_column_goes_on_below_itself():
    said = "one two three four five six seven eight nine ten"
    assert printed(Table({"n": [1, 2], "said": [said, "short"]}), 32) == [
        "n said",
        "1 one two three four five six",
        "  seven eight nine ten",
        "2 short",
    ]
    assert printed(Table({"n": [1], "said": [said]}), 80)[1] == f"1 {said}"


def test_a_long_table_says_how_many_rows_more_there_are():
    *_, more = printed(Table({"n": np.arange(MOST_ROWS + 7)}))
    assert more == "… 7 more rows"
    assert printed(Table({"n": np.arange(MOST_ROWS + 7)}), encoding="ascii")[-1] == ".. 7 more rows"


def test_each_column_is_shaded_by_itself():
    file = io.StringIO()
    Console(file=file, width=80, force_terminal=True, color_system="truecolor").print(
        Tabular(Table({"small": [0.1, 0.2], "large": [100.0, 200.0], "n": [1, 2]}))
    )
    _, _, second = file.getvalue().splitlines()
    grounds = re.findall(r";48;2;(\d+;\d+;\d+)m", second)
    assert len(grounds) == 2  # a number that counts something has no shade
    assert len(set(grounds)) == 1  # both are the largest of their column


# ---- figures -----------------------------------------------------------------------------------------------


def test_each_column_is_a_map_of_layers_and_heads_on_a_scale_of_its_own():
    sheet = columns_sheet(TABLE, ["entropy", "offset"])
    words = sheet.words()
    assert [word for word in words if word in ("entropy", "offset", "nats", "layer", "head")] == [
        *("entropy", "head", "layer", "nats"),
        *("offset", "head", "layer"),
    ]
    assert words[-1] == "a model"
    assert "unknown" in words  # a head of which nothing is known
    first, second = (
        mark for mark in sheet.marks if isinstance(mark, Words) and mark.text in ("entropy", "offset")
    )
    assert first.x < second.x
    assert first.y == second.y


def test_many_columns_stand_in_rows():
    table = Table({"layer": [0], "head": [0], **{f"c{i}": [float(i)] for i in range(15)}})
    sheet = columns_sheet(table, [f"c{i}" for i in range(15)], Look(title="All"))
    places = [
        (mark.x, mark.y) for mark in sheet.marks if isinstance(mark, Words) and mark.text.startswith("c")
    ]
    assert len(places) == len(set(places)) == 15
    assert len({y for _, y in places}) > 1
    assert all(mark.x >= 0 for mark in sheet.marks if isinstance(mark, Words | Picture))
    assert sheet.words()[0] == "All"


def test_heads_of_several_kinds_have_a_map_each_on_one_scale():
    columns = {"kind": ["encoder", "encoder", "cross", "cross"], "layer": [0] * 4, "head": [0, 1, 0, 1]}
    sheet = columns_sheet(Table({**columns, "zero": [0.25, 0.5, 1.0, 0.0]}), ["zero"])
    numbers = [mark.text for mark in sheet.marks if isinstance(mark, Number) and len(mark.text) == 4]
    assert numbers == ["0.25", "0.50", "1.00", "0.00"]
    titles = [mark for mark in sheet.marks if isinstance(mark, Words) and mark.text.endswith(": zero")]
    assert [mark.text for mark in titles] == ["encoder: zero", "cross: zero"]
    assert titles[0].y < titles[1].y


def test_what_has_no_layers_and_heads_has_no_figure():
    with pytest.raises(InputError, match="a figure needs a row per layer and head"):
        columns_sheet(Table({"query": [0], "max": [1.0]}), ["max"])
    with pytest.raises(InputError, match="column 'role' holds no numbers; choose another with --column"):
        columns_sheet(TABLE, ["role"])


def test_a_difference_stands_beside_both_maps():
    a = Attention(("a", "b"), ("a", "b"), np.array([[[[1.0, 0.0], [0.5, 0.5]]]]))
    b = Attention(("a", "b"), ("a", "b"), np.array([[[[0.25, 0.75], [0.5, 0.5]]]]))
    sheet = difference_sheet(a, b, ("mine.npz", "theirs.npz"))
    words = sheet.words()
    for text in ("L0 H0 first", "L0 H0 second", "layer 0 head 0", "weight", "difference"):
        assert text in words
    assert {"first: mine.npz", "second: theirs.npz"} <= set(words)
    assert "−0.5" in words  # the scale of the difference has two sides
    many = Attention(("a",), ("a",), np.ones((1, 25, 1, 1)))
    with pytest.raises(InputError, match="25 heads side by side; at most 24"):
        difference_sheet(many, many, ("a", "b"))


def test_divergences_are_a_map_with_the_names_of_heads():
    sheet = similarity_sheet(np.array([[0.0, 0.5], [0.5, 0.0]]), ["0.0", "0.1"], "a model")
    assert {"0.0", "0.1", "JS, nats", "a model"} <= set(sheet.words())


def test_names_of_heads_that_are_thinned_have_no_position_before_them():
    names = [f"{i // 4}.{i % 4}" for i in range(16)]
    sheet = similarity_sheet(np.zeros((16, 16)), names, "a model", Look(size=(2.0, 1.5)))
    said = set(sheet.words())
    assert "0.0" in said
    assert not said >= set(names)
    assert not any(f"{i} {name}" in said for i, name in enumerate(names))
