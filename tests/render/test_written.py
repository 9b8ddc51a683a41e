"""What a model wrote, in pictures, the terminal and the page: parted from what it was given, each token with its row."""

import dataclasses
import json
import re

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.figure import grid
from attn_cli.render.figure.maps import attention_maps, lay_out, plan_for
from attn_cli.render.figure.parting import PARTING
from attn_cli.render.figure.sheet import Cells, Stroke
from attn_cli.render.look import PLAIN, Look
from attn_cli.render.page.page import page
from attn_cli.render.terminal.blocks import lines as block_lines
from attn_cli.render.terminal.pictures import maps as terminal_maps
from attn_cli.render.terminal.screen import Screen
from attn_cli.render.terminal.written_tokens import lines
from attn_cli.render.text import shading
from attn_cli.render.written_tokens import steps_of

TOKENS = ("the", "cat", "sat", "on", "it")
HEADER = r'<script type="application/json" id="header">(.*?)</script>'
CAUSAL = np.tril(np.ones((5, 5), bool))


def written(**changes):
    """Two tokens after three, the second one not the likeliest; a space alone tells two of its rivals apart."""
    weights = np.tril(np.arange(1.0, 26).reshape(5, 5))[None, None]
    said = {
        "mask": CAUSAL[None, None],
        "written": (0, 0, 0, 1, 1),
        "probabilities": [0, 0, 0, 0.5, 0.125],
        "top_tokens": [[-1, -1]] * 3 + [[0, 1], [2, 3]],
        "top_probabilities": [[0, 0]] * 3 + [[0.5, 0.25], [0.375, 0.25]],
        "candidates": (" on", " at", " a", "a"),
    }
    return Attention(TOKENS, TOKENS, weights, "decoder", **said | changes)


def terminal_maps_of(attention):
    return terminal_maps(attention, PLAIN)


def strokes(attention, **look):
    marks = lay_out(attention_maps(attention, Look(**look) if look else PLAIN)).marks
    return [mark for mark in marks if isinstance(mark, Stroke) and mark.colour == PARTING]


def test_a_map_parts_what_was_given_from_what_was_written():
    attention = written()
    across, down = strokes(attention)
    plan = plan_for(attention_maps(attention))
    (x, y), side = plan.corners[0], plan.grain.width
    np.testing.assert_allclose(across.points, ((x, y + 3 * side), (x + 5 * side, y + 3 * side)))
    np.testing.assert_allclose(down.points, ((x + 3 * side, y), (x + 3 * side, y + 5 * side)))
    assert "lines: where the model's own text begins" in lay_out(attention_maps(attention)).words()


def test_where_nothing_was_written_there_is_no_line():
    assert not strokes(written(written=None, probabilities=None, top_tokens=None, top_probabilities=None))
    assert not strokes(written(written=(1,) * 5, probabilities=[0.5] * 5))  # all of it: a frame parts nothing


def test_each_token_has_the_row_that_it_was_written_from():
    view = shading(written(), None)
    assert view.titles == ("sat → on", "on → it")
    np.testing.assert_array_equal(view.weights, written().weights[0, 0, 2:4])
    np.testing.assert_array_equal(view.hidden, ~CAUSAL[2:4])
    chosen = shading(written(), "sat")
    assert chosen.titles == ("",)
    np.testing.assert_array_equal(chosen.weights, written().weights[0, 0, 2:3])


def test_a_step_names_its_rivals_by_a_space_only_where_that_tells_them_apart():
    first, second = steps_of(written())
    assert (first.token, first.probability, first.likeliest) == ("on", 0.5, (("on", 0.5), ("at", 0.25)))
    assert second.likeliest == ((" a", 0.375), ("a", 0.25))


def test_part_of_a_character_is_called_among_its_rivals_as_in_the_text():
    """By itself it is known by its bytes, and would be another token than the one that was written."""
    made = written(candidates=("<0xE4>", "<0xBD>", " a", "a"))
    assert steps_of(made)[0].likeliest == (("on", 0.5), ("<0xBD>", 0.25))


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, ["", "pos written      p  likeliest", "  3 on       0.500  on 0.500 at 0.250", "  4 it       0.125  ␣a 0.375 a 0.250"]),
        (32, ["", "pos written      p  likeliest", "  3 on       0.500  on 0.500", "  4 it       0.125  ␣a 0.375"]),
    ],
)  # fmt: skip
def test_a_terminal_has_a_line_for_each(width, shown):
    assert [text.plain.rstrip() for text in lines(steps_of(written()), Screen(width, colours=False))] == shown


def test_a_page_knows_where_writing_began_and_every_step():
    header = json.loads(re.search(HEADER, page(written()).decode())[1])
    assert header["began"] == [3, 3]
    likeliest = [["on", 0.5], ["at", 0.25]]
    assert header["written"][0] == {"row": 3, "from": 2, "token": "on", "p": 0.5, "likeliest": likeliest}
    plain = page(Attention(TOKENS, TOKENS, written().weights)).decode()
    assert '"written"' not in re.search(HEADER, plain)[1]


def test_a_page_whose_cells_are_several_tokens_knows_the_cells_in_which_each_was_written():
    weights = np.full((1, 1, 2, 2), 0.25)
    attention = dataclasses.replace(written(), weights=weights, mask=None, pooled=True)
    header = json.loads(re.search(HEADER, page(attention).decode())[1])
    assert header["queries"] == ["the … cat", "sat … it"]
    assert header["began"] == [1 + 1 / 3, 1 + 1 / 3]  # the second of three tokens
    assert [(step["from"], step["token"]) for step in header["written"]] == [(1, "on"), (1, "it")]


def translated():
    """Two tokens of an answer, each with a row of its own over the text that it answers."""
    rivals = {"top_tokens": [[0], [1]], "top_probabilities": [[0.5], [0.75]], "candidates": ("el", "fin")}
    weights = np.array([[[[0.75, 0.25, 0], [0, 0.5, 0.5]]]])
    return Attention(("el", "fin"), TOKENS[:3], weights, "cross", probabilities=[0.5, 0.75], **rivals)


def test_a_token_that_looks_at_another_text_has_its_own_row():
    header = json.loads(re.search(HEADER, page(translated()).decode())[1])
    assert [(step["row"], step["from"]) for step in header["written"]] == [(0, 0), (1, 1)]
    view = shading(translated(), None)
    assert view.titles == ("el", "fin")
    np.testing.assert_array_equal(view.weights, translated().weights[0, 0])
    assert not strokes(translated())  # the model has written all of it


def test_small_maps_of_all_heads_part_it_too():
    sheet = grid.lay_out(written(), Look(view="grid"))
    across, down = [mark for mark in sheet.marks if isinstance(mark, Stroke) and mark.colour == PARTING]
    [cells] = [mark for mark in sheet.marks if isinstance(mark, Cells)]
    [(x, y)], side = cells.corners, 5 * cells.width
    np.testing.assert_allclose(across.points, ((x, y + 0.6 * side), (x + side, y + 0.6 * side)))
    np.testing.assert_allclose(down.points, ((x + 0.6 * side, y), (x + 0.6 * side, y + side)))
    assert "lines: where the model's own text begins" in sheet.words()
    whole = grid.lay_out(
        written(written=None, probabilities=None, top_tokens=None, top_probabilities=None), PLAIN
    )
    assert not [mark for mark in whole.marks if isinstance(mark, Stroke) and mark.colour == PARTING]


def test_a_map_in_a_terminal_has_lines_beside_what_was_written():
    """A row is a line of two characters a cell, or in colours half a line of one: the line may begin half way."""
    plain = Screen(40, colours=False)
    shown = [text.plain.rstrip() for text in block_lines(terminal_maps_of(written()), plain)]
    rule = next(text for text in shown if "─" in text)
    first = next(text for text in shown if text.startswith("0 the"))
    assert [text[: first.index("|")][-1] for text in shown if text[:1].isdigit()] == [" ", " ", " ", "│", "│"]
    width = (first.rindex("|") - first.index("|") - 1) // 5
    assert rule.index("─") == first.index("|") + 1 + 3 * width
    assert rule.count("─") == 2 * width
    long = Attention(
        "a" * 21,
        "a" * 21,
        np.eye(21)[None, None],
        written=(0,) * 11 + (1,) * 10,
        probabilities=[0] * 11 + [1] * 10,
    )
    coloured = [
        text.plain for text in block_lines(terminal_maps_of(long), Screen(60, colours=True, height=20))
    ]
    assert [text[6] for text in coloured if text[:2].strip().isdigit()] == [" "] * 5 + ["╷"] + ["│"] * 5
    assert any("what the model wrote itself" in text for text in coloured)
    whole = terminal_maps_of(Attention(TOKENS, TOKENS, written().weights))
    assert not any("│" in text.plain or "─" in text.plain for text in block_lines(whole, plain))
