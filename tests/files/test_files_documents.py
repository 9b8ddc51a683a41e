"""Tables in Markdown and LaTeX: rounded and aligned for people, and read back as what they are."""

from __future__ import annotations

import numpy as np
import pytest
from attn_cli import files
from attn_cli.errors import AttnNote, InputError
from attn_cli.files import TABLES, rounding
from attn_cli.files.rounding import padded, rounder, width
from attn_cli.records.attention import Attention
from attn_cli.records.encoding import Encoding, PositionTable
from attn_cli.records.table import Table
from hypothesis import given
from hypothesis import strategies as st

from hostile import HOSTILE

PLAIN = [text for text in HOSTILE if text.isprintable() and text.strip() == text != ""]
WEIGHTS = np.random.default_rng(0).random((2, 3, len(PLAIN), len(PLAIN)))
WEIGHTS /= WEIGHTS.sum(axis=-1, keepdims=True)
ATTENTION = Attention(
    PLAIN, PLAIN, WEIGHTS, provenance="a [model]: 50% $x$ | & {y}", layers=(1, 4), heads=(0, "mean", 7)
)


@pytest.fixture(autouse=True)
def _in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(record, name, **options):
    return b"".join(files.FORMATS[name](record, **options)).decode()


def read(content, name="t.md"):
    files.write(name, [content.encode()])
    return files.read(name)


def refusal(content, name="t.md"):
    with pytest.raises(InputError) as caught:
        read(content, name)
    return str(caught.value)


# ---- written ---------------------------------------------------------------------------------------------


def test_markdown_of_weights_is_aligned():
    attention = Attention(("The", "猫"), ("The", "猫"), [[[[0.25, 0.75], [1.0, 0.0]]]], provenance="by hand")
    assert written(attention, "md").splitlines() == [
        "layer 0, head 0: by hand",
        "",
        "| query |    The |     猫 |",
        "| ----- | -----: | -----: |",
        "| The   | 0.2500 | 0.7500 |",
        "| 猫    | 1.0000 | 0.0000 |",
    ]
    assert written(attention, "md", digits=2).splitlines()[4] == "| The   | 0.25 | 0.75 |"
    assert written(attention, "md", digits=0).splitlines()[4] == "| The   | 0.25 | 0.75 |"


def test_latex_of_weights_is_aligned_and_has_no_dollar():
    attention = Attention(("a",), ("a", "b"), [[[[0.25, 0.75]]]], layers=(3,))
    text = written(attention, "tex")
    assert text.splitlines()[3:6] == [r"query &      a &      b \\", r"\hline", r"a     & 0.2500 & 0.7500 \\"]
    assert (
        r"\caption{layer 3, head 0}" in text
    )  # which layer and head it is stands there however it was chosen
    assert "$" not in text


def test_only_a_minus_and_an_exponent_are_math():
    text = written(Encoding(("a", "b"), np.array([[0.5, -0.25], [-0.5, 0.0]])), "tex")
    assert r"a     &    0.5000 & $-0.2500$ \\" in text
    assert "$-0.5000$" in text
    assert r"$1\times10^{-9}$" in written(Encoding(("a",), np.array([[1e-9]])), "tex")


@pytest.mark.parametrize(
    ("numbers", "digits", "wanted"),
    [
        ([0.5, 1 / 3, 1.0, 0.0], 4, ["0.5000", "0.3333", "1.0000", "0.0000"]),
        ([0.5, 1 / 3], 2, ["0.50", "0.33"]),
        ([0.012, 0.001], 3, ["0.0120", "0.0010"]),
        ([12.345, -0.5], 4, ["12.35", "-0.50"]),
        ([-1e-6, 0.5], 3, ["0.000", "0.500"]),
        ([1.0, 0.0, 1.0], 4, ["1", "0", "1"]),
        ([12345.6, 1e-9, 1 / 3], 4, ["1.235e+04", "1e-09", "0.3333"]),
        ([0.1, 1 / 3], 0, ["0.1", "0.3333333333333333"]),
        ([-np.inf, 0.5], 4, ["-inf", "0.5000"]),
        ([0.0], 4, ["0"]),
    ],
)
def test_numbers_of_a_table_have_as_many_decimals(numbers, digits, wanted):
    write = rounder(np.array(numbers), digits)
    assert [write(number) for number in numbers] == wanted


@given(st.lists(st.floats(-1e3, 1e3), min_size=1), st.integers(3, 8))
def test_rounding_is_off_by_no_more_than_half_of_the_last_digit(numbers, digits):
    write = rounder(np.array(numbers), digits)
    peak = max(map(abs, numbers))
    for number in numbers:
        assert abs(float(write(number)) - number) <= max(peak, abs(number)) * 10.0 ** (1 - digits)


def test_widths_count_what_an_editor_shows():
    assert [width(text) for text in ("a", "猫", "e\u0301", "")] == [1, 2, 1, 0]
    assert padded(["猫", "1", "long"], [3, 2, 2]) == ["猫 ", " 1", "long"]


@pytest.mark.parametrize("digits", [-1, 18])
def test_digits_that_no_number_has(digits):
    with pytest.raises(InputError, match="give 1 to 17, or 0 for all"):
        rounding.check_digits(digits)


@pytest.mark.parametrize(("name", "wanted"), [("tsv", "0\ta\t0.333\t2.0"), ("csv", "0,a,0.333,2.0")])
def test_digits_round_what_is_for_machines_too(name, wanted):
    encoding = Encoding(("a",), np.array([[1 / 3, 2.0]]))
    short = files.with_digits(files.FORMATS[name], 3, name)
    assert b"".join(short(encoding)).decode().splitlines()[1] == wanted
    assert repr(1 / 3) in b"".join(files.with_digits(files.FORMATS[name], None, name)(encoding)).decode()


def test_digits_apply_where_numbers_are_read_by_people():
    encoding = Encoding(("a",), np.array([[1 / 3]]))
    assert b"| 0.33 |" in b"".join(files.with_digits(files.FORMATS["md"], 2, "md")(encoding))
    assert b"0\ta\t0\t0.33\n" in b"".join(files.with_digits(files.FORMATS["tidy"], 2, "tidy")(encoding))
    assert b"| 0.33 |" in b"".join(files.with_digits(TABLES["md"], 2, "md")(Table({"x": [1 / 3]})))
    for name in ("npz", "npy", "safetensors", "json"):
        with pytest.raises(
            InputError, match=f"--digits does not apply to {name}; write tsv, csv, tidy, md or tex"
        ):
            files.with_digits(files.FORMATS[name], 2, name)


# ---- read back -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["md", "tex"])
@pytest.mark.parametrize("digits", [0, 4])
def test_our_own_tables_come_back_with_tokens_layers_heads_and_origin(name, digits):
    back = read(written(ATTENTION, name, digits=digits), f"t.{name}")
    assert np.abs(back.weights - WEIGHTS).max() <= (0 if digits == 0 else 1e-4)
    assert back.query_tokens == back.key_tokens == tuple(PLAIN)
    assert (back.layers, back.heads, back.provenance) == ((1, 4), (0, "mean", 7), ATTENTION.provenance)


@pytest.mark.parametrize("name", ["md", "tex"])
def test_encodings_positions_and_scores_come_back(name):
    encoding = Encoding(
        ("3", "1"), np.array([[1.5, -2.0], [0.25, 1e-9]]), "by hand"
    )  # tokens that are numbers
    back = read(written(encoding, name, digits=0), f"t.{name}")
    assert (back.tokens, back.provenance) == (encoding.tokens, "by hand")
    assert (back.vectors == encoding.vectors).all()
    table = PositionTable("sinusoidal", np.array([[0.0, 1.0], [0.84, 0.54]]))
    assert (read(written(table, name, digits=0), f"t.{name}").values == table.values).all()
    scores = np.array([[[[1.5, -np.inf], [0.0, -3.0]]]])
    scored = Attention(("a", "b"), ("a", "b"), np.full((1, 1, 2, 2), 0.5), scores=scores, show="scores")
    back = read(written(scored, name), f"t.{name}")
    assert back.show == "scores"
    assert (back.scores == scores).all()


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("|x|y|\n|-|-|\n|1|2|\n|3|4|", [[1, 2], [3, 4]]),
        ("x | y\n--- | ---\n1 | 2\n3 | 4\n", [[1, 2], [3, 4]]),
        ("A caption\n\n| x | y |\n| :-- | :-: |\n| **1** | `2` |\n| $3$ | 4 |\n", [[1, 2], [3, 4]]),
        ("| x | y |\n|---+---|\n| 1 | \u22122 |\n| 3e0 | $1.5 \\times 10^{-3}$ |\n", [[1, -2], [3, 0.0015]]),
        ("| 1 | 2 |\n| 3 | 4 |\n", [[1, 2], [3, 4]]),
        (r"\begin{tabular}{cc} x & y \\ \hline 1 & 2 \\ 3 & 4 \end{tabular}", [[1, 2], [3, 4]]),
        (r"\begin{tabular*}{3cm}{@{}c c@{}}\toprule x & y \\\midrule 1 & 2 \\[2pt] $-3$ & 4 \\\bottomrule\end{tabular*}", [[1, 2], [-3, 4]]),
        (r"\begin{bmatrix} 0.5 & 0.5 \\ 0 & 1 \end{bmatrix}", [[0.5, 0.5], [0, 1]]),
        (r"\[ \begin{array}{cc} 0.5 & \mathbf{0.5} \\ \num{1e-3} & 1 \end{array} \]", [[0.5, 0.5], [0.001, 1]]),
        ("% a comment & so on\n\\begin{table}[h]\\centering\\begin{tabular}{rr}\nx & y \\\\ % the head\n1 & 2 \\\\\n\\end{tabular}\\caption{c}\\end{table}", [[1, 2]]),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*the names of its columns are left out")
def test_tables_of_others_are_numbers(content, wanted):
    assert read(content, "t.txt").tolist() == wanted
    assert files.read_matrix("t.txt").tolist() == wanted


def test_names_of_rows_are_tokens_and_those_of_columns_are_said_to_be_left_out():
    with pytest.warns(
        AttnNote, match=r"^t\.md: a table of numbers \[2, 2\]; the names of its columns are left out$"
    ):
        back = read("| word | x | y |\n|---|--:|--:|\n| the | 1 | 2 |\n| a\\|b | 3 | 4 |\n")
    assert back.tokens == ("the", "a|b")
    assert back.vectors.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "content",
    [
        "# A title\n\nSome prose | with a pipe.\n",
        "| a | b |\n|---|---|\n| x | y |\n",
        "Much\nmore\nprose\nthan\ntable\nhere\n\n| x |\n|--|\n| 1 |\n",
        "\\documentclass{article}\n\\begin{document}\nMuch more prose than table, which is what a paper is.\n"
        "\\begin{tabular}{c}x\\\\1\\end{tabular}\n\\end{document}",
        "\\begin{tabular} without an end",
        "cat | grep x",
        "|",
        "| |\n|-|",
        "---|---",
    ],
)
def test_a_text_with_a_table_in_it_is_a_text(content):
    assert read(content) == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("| x | y |\n|---|---|\n| 1 | 2 |\n| 3 | n/a |\n", "t.md:1: a table whose row 2 holds 'n/a', expected a number"),
        ("| x | y |\n|---|---|\n| 1 | 2 |\n| 3 | 4 | 5 |\n", "t.md:1: a table in which row 2 has 3 cells, row 1 has 2"),
        ("|x|\n|-|\n|1|\n\n|x|\n|-|\n|1|\n", "t.md: holds 2 these tables are not the heads of one attention; give one table"),
        ("| query | a |\n|-|-|\n| a | 1 |\n\n| query | a |\n|-|-|\n| a | 1 |\n", "t.md: these tables do not say their layer and head; keep the captions"),
        ("layer 0, head 0\n\n|query|a|\n|-|-|\n|a|1|\n\nlayer 0, head 0\n\n|query|a|\n|-|-|\n|a|1|\n", "t.md: these tables are not the heads of one"),
        ("layer 0, head 0\n\n|query|a|\n|-|-|\n|a|1|\n\nlayer 0, head 1\n\n|query|b|\n|-|-|\n|a|1|\n", "t.md: these tables are not the heads of one"),
    ],
)  # fmt: skip
def test_a_broken_document_is_refused_in_a_line(content, message):
    assert refusal(content).startswith(message)


@pytest.mark.parametrize("part", ["\\begin{tabular}", "|-", "| a ", "\\caption{", "{", "-" * 9, "\\&", "$"])
def test_documents_without_end_take_no_time_without_end(part):
    """Some two million characters: a pattern that goes back over them would not come back."""
    text = "\\begin{tabular}{c}|\n" + part * (2_000_000 // len(part)) + "\n|-|\n"
    try:
        assert isinstance(read(text, "t.txt"), str)
    except InputError as problem:
        assert len(str(problem)) < 300  # noqa: PT017


def test_a_worksheet_is_not_taken_for_text(run):
    run("steps", "--text", "a b", "-o", "steps.md", cwd=".")
    with pytest.raises(InputError, match="these tables are not the heads of one attention"):
        files.read("steps.md")
