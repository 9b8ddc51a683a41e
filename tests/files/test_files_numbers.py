"""Numbers are read as numbers, whatever separates them; a text that merely holds numbers stays a text."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from attn_cli import files
from attn_cli.errors import AttnNote, InputError
from attn_cli.records.attention import Attention
from attn_cli.records.encoding import Encoding, PositionTable
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MATRIX = np.random.default_rng(0).normal(size=(3, 4))


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, content: str | bytes) -> str:
    files.write(name, [content.encode() if isinstance(content, str) else content])
    return name


def saved(**options: object) -> str:
    out = io.StringIO()
    np.savetxt(out, MATRIX, **options)
    return out.getvalue()


def refusal(path: str) -> str:
    with pytest.raises(InputError) as caught:
        files.read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---- a bare matrix --------------------------------------------------------------------------------------

SAVED = [
    saved(),
    saved(delimiter="\t"),
    saved(delimiter=","),
    saved(delimiter=", "),
    saved(delimiter=";"),
    saved(delimiter=" ; "),
    saved(delimiter="    "),
    saved(fmt="%24.17g"),
    saved(fmt="%+.18E"),
    saved(header="a header\nof two lines"),
    saved(header="made by hand", comments="% ", footer="the end"),
    saved(newline=" \n"),
    saved(newline=",\n", delimiter=","),
    saved(newline="\r\n"),
    "\n\n" + saved() + "\n\n",
    saved(delimiter=";").replace(".", ","),
    saved(delimiter="\t").replace(".", ","),
    saved().replace(".", ","),
    str(MATRIX.tolist()),
    np.array2string(MATRIX, floatmode="unique"),
    f"array({np.array2string(MATRIX, floatmode='unique', separator=', ')})",
    f"tensor({MATRIX.tolist()}, dtype=torch.float64, grad_fn=<SoftmaxBackward0>)",
]


@pytest.mark.parametrize("name", ["w.txt", "w.dat", "w.csv", "w", "-"])
@pytest.mark.parametrize("content", SAVED)
def test_what_numpy_saves_comes_back_whatever_separates_it(
    monkeypatch: pytest.MonkeyPatch, content: str, name: str
) -> None:
    if name == "-":
        from types import SimpleNamespace

        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content.encode())))
        assert (files.read("-") == MATRIX).all()
        return
    for read in (files.read, files.read_matrix):
        assert (read(write(name, content)) == MATRIX).all()


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("1.0\n2\n", [[1], [2]]),
        ("0.5 0.5\n1 0\n", [[0.5, 0.5], [1, 0]]),
        ("1.5e+00 2.5e-01\n", [[1.5, 0.25]]),
        ("0,5;1\n1;0\n", [[0.5, 1], [1, 0]]),
        ("1,5 2,5\n3,5 4\n", [[1.5, 2.5], [3.5, 4]]),
        ("[[1.]\n [2.]]\n", [[1], [2]]),
        ("[[True False]\n [True True]]\n", [[1, 0], [1, 1]]),
        ("tensor([[1, 0],\n        [1, 1]], device='cuda:0')\n", [[1, 0], [1, 1]]),
    ],
)
def test_numbers_by_hand(content: str, wanted: list[list[float]]) -> None:
    assert files.read(write("w.txt", content)).tolist() == wanted


@pytest.mark.parametrize(
    "content",
    ["1.5，-2.5，3\n", "１．５，－２．５，３\n", "1.5； −2.5； 3\n", "1.5,−2.5，3\n", "1，5;－2,5;3\n"],
)
def test_marks_of_a_chinese_keyboard_are_read(content: str) -> None:
    assert files.read_matrix(write("w.csv", content)).tolist() == [[1.5, -2.5, 3]]
    assert files.read_answer(write("w.csv", content)).tolist() == [[1.5, -2.5, 3]]


def test_whole_numbers_in_lines_of_one_length_are_a_matrix_and_that_is_said() -> None:
    path = write("w.txt", "1 0 0\n0 1 0\n")
    with pytest.warns(
        AttnNote, match=r"^w\.txt: lines of 3 whole numbers are read as a matrix, not as text$"
    ):
        assert files.read(path).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert files.read(path, as_text=True) == "1 0 0\n0 1 0\n"
    assert files.read_text(path) == "1 0 0\n0 1 0\n"


@pytest.mark.parametrize(
    "content",
    [
        "3 1 4 1 5",
        "3 1 4 1 5\n",
        "3 1 4 1 5\n9 2 6\n",
        "3\n1\n4\n",
        "3.14",
        "3.14 2.71",
        "0.5, 0.25",
        "1e5",
        "1.5e3\n",
        "In 1984 there were 3.5 million\nof them in 12 places.",
        "1. Take off the lid.\n2. Pour.",
        "loss 0.5",
        "Results\nloss 0.5 0.3",
        "nan nan\ninf inf",
        "Infinity\nnan",
        "# 3\n",
        "# Title\n\nprose",
        "a,b\nc,d",
        "query 0:The",
        "0:The 1:cat",
        "0:The 1:cat\nand more words",
        "1,000\n2,000",
        "3.1.4 2\n1.1.1 3",
        "0x1p3 0x1p4\n0x1p3 0x1p4",
        "tensor([a, b])",
        "array([1, 2]) is how NumPy prints",
        "[[link]] [[other]]",
        "[1. 2. 3.]",
        "12:30\n12:45",
        "2024-01-01 0.5 0.5",
    ],
)
def test_a_text_that_merely_holds_numbers_is_a_text(content: str) -> None:
    for name in ("s.txt", "s.md"):
        assert files.read(write(name, content)) == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1.5 2\n3\n", "w.txt:2: 1 columns, line 1 has 2; give every line the same"),
        ("# x\n1.5 2\n3\n", "w.txt:3: 1 columns, line 2 has 2; give every line the same"),
        ("1.5 2\n\n3 4.5\n", "w.txt:2: a blank line; remove it"),
        ("1.5 2\n# slice\n3 4.5\n", "w.txt:2: a comment between rows; give one matrix, without it"),
        ("1.5 nan\n3 4.5\n", "w.txt:1: column 2 holds nan; replace it with a finite number"),
        ("the cat sat\n0.1 0.2 0.7\n0.3 0.3 0.4\n", "w.txt:1: has a line of names above its numbers; "),
        ("a;b\n0.1;0.9\n0.5;0.5\n", "w.txt:1: has a line of names above its numbers; "),
        (",the,cat\nthe,0.1,0.9\ncat,0.5,0.5\n", "w.txt: has names before its numbers"),
        (
            "the 0.5 -1.5\ncat 0.5 1e-3\n",
            "w.txt: has names before its numbers, but no header that attn writes; ",
        ),
        (
            "0\t0\t0\tThe\t0.5\t0.5\n0\t0\t1\tcat\t0.5\t0.5\n",
            "w.txt: has names before its numbers",
        ),
        ("query\tkey\tweight\nThe\tcat\t0.5\n", "w.txt: has names before its numbers"),
        (
            "[[0.1 0.2 ... 0.3]\n ...\n [0.1 0.2 ... 0.3]]",
            "w.txt: is an array shortened in printing (...); save",
        ),
        ("tensor([[0.1, 0.2],\n [0.3]])", "w.txt: the array: row 2 holds 1 numbers, row 1 holds 2; "),
        ("# nothing\n", "w.csv: holds only comments; put some numbers in it"),
    ],
)
def test_a_table_that_is_none_is_refused_in_a_line(content: str, message: str) -> None:
    assert refusal(write(message[: message.index(":") if ":" in message else None], content)).startswith(
        message
    )


@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=4), min_size=2, max_size=4).filter(
        lambda rows: len({len(row) for row in rows}) == 1
    ),
    st.sampled_from([" ", "  ", "\t", ";", ",", ", "]),
)
def test_floats_are_read_to_the_last_bit(rows: list[list[float]], mark: str) -> None:
    text = "\n".join(mark.join(map(repr, row)) for row in rows)
    from attn_cli.files import matrix

    found = matrix.find(text, "w.txt")
    assert found is not None
    assert found.tolist() == rows


def test_torch_prints_what_is_read_back() -> None:
    weights = torch.softmax(torch.tensor([[1.0, 2.0], [0.5, -1.0]]), dim=1)
    assert np.abs(files.read(write("w.txt", repr(weights))) - weights.numpy()).max() < 1e-4


# ---- what cut and awk leave of our tables -----------------------------------------------------------------

WORDS = ("The", "cat", "a\tb")
WEIGHTS = np.array([[0.25, 0.5, 0.25], [1.0, 0.0, 0.0], [0.5, 0.25, 0.25]])
ONE = Attention(WORDS, WORDS, WEIGHTS[None, None])
TWO = Attention(WORDS, WORDS, np.stack([WEIGHTS, WEIGHTS[::-1]])[None])


def table(record: Attention | Encoding | PositionTable, name: str = "tsv") -> list[list[str]]:
    mark = "," if name == "csv" else "\t"
    return [line.split(mark) for line in b"".join(files.FORMATS[name](record)).decode().splitlines()]


def joined(rows: list[list[str]], mark: str = "\t") -> str:
    return "".join(mark.join(row) + "\n" for row in rows)


@pytest.mark.parametrize("mark", ["\t", ",", " "])
@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_the_first_columns_cut_off(first: int, mark: str) -> None:
    path = write("w", joined([row[first:] for row in table(ONE)], mark))
    with pytest.warns(AttnNote, match=r"^w: layer.* missing; rows are counted in their order$"):
        cut = files.read(path)
    assert cut.weights.tolist() == ONE.weights.tolist()
    assert cut.key_tokens == WORDS
    assert cut.query_tokens == (WORDS if first < 4 else ("0", "1", "2"))
    assert cut.kind == "unknown"
    assert (cut.layers, cut.heads) == ((0,), (0,))


def test_a_column_cut_out_of_the_middle() -> None:
    path = write("w", joined([row[:2] + row[3:] for row in table(TWO)]))
    with pytest.warns(AttnNote, match="query_pos missing"):
        cut = files.read(path)
    assert cut.weights.tolist() == TWO.weights.tolist()
    assert cut.query_tokens == WORDS


def test_several_heads_without_their_numbers_are_refused() -> None:
    message = refusal(write("w", joined([row[3:] for row in table(TWO)])))
    assert message == (
        "w: 6 rows that repeat 2 times, without their layer and head; keep all columns, or one head"
    )
    assert "a second row for layer 0, head 0, query_pos 0" in _read_with_notes(
        write("w", joined([row[2:] for row in table(TWO)]))
    )


@pytest.mark.filterwarnings("ignore::attn_cli.errors.AttnNote")
def _read_with_notes(path: str) -> str:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return refusal(path)


@pytest.mark.parametrize(("kept", "n"), [([0], 1), ([0, 1], 2), ([1], 1), ([0, 2], 2), ([2], 1)])
@pytest.mark.parametrize("name", ["tsv", "tidy"])
def test_rows_that_awk_left_out(kept: list[int], n: int, name: str) -> None:
    header, *rows = table(ONE, name)
    path = write("w", joined([header, *(row for row in rows if int(row[2]) in kept)]))
    if kept[-1] == len(kept) - 1:
        left = files.read(path)
    else:
        with pytest.warns(AttnNote, match=rf"^w: has rows for {n} of the positions 0 to {kept[-1]}$"):
            left = files.read(path)
    assert left.weights[0, 0].tolist() == WEIGHTS[kept].tolist()
    assert left.query_tokens == tuple(WORDS[i] for i in kept)
    assert left.key_tokens == WORDS
    assert left.kind == "unknown"  # a table does not say, and sizes do not tell


def test_rows_of_some_heads_alone_are_refused() -> None:
    assert refusal(write("w", joined(table(TWO)[:6]))) == (
        "w: no row for layer 0, head 1, query_pos 2; give every one, or the rows of one head"
    )
    assert files.read(write("w", joined(table(TWO)[:4]))).heads == (0,)


def test_the_first_keys_cut_off_are_refused() -> None:
    path = write("w", joined([row[:4] + row[5:] for row in table(ONE)]))
    assert refusal(path) == "w:1: column '1', expected 0; number the columns from 0"


ENCODED = Encoding(WORDS, MATRIX)


def test_an_encoding_cut_and_left_out() -> None:
    path = write("e", joined([row[1:] for row in table(ENCODED)]))
    with pytest.warns(AttnNote, match="^e: pos missing; rows are counted in their order$"):
        cut = files.read(path)
    assert cut.tokens == WORDS
    assert (cut.vectors == MATRIX).all()
    path = write("e", joined([row for row in table(ENCODED) if row[0] != "1"]))
    with pytest.warns(AttnNote, match="^e: has rows for 2 of the positions 0 to 2$"):
        assert files.read(path).tokens == ("The", "a\tb")


@pytest.mark.parametrize("name", ["e", "e.csv", "e.txt"])
def test_the_numbers_of_dimensions_are_no_vector(name: str) -> None:
    path = write(name, joined([row[2:] for row in table(ENCODED)]))
    with pytest.warns(AttnNote, match=rf"^{name}: line 1 numbers the columns and is skipped$"):
        assert (files.read(path) == MATRIX).all()
    two = [["0", "1"], ["0.5", "0.5"]]  # a matrix of weights by hand may well begin so
    assert files.read(write("w.csv", joined(two, ","))).tolist() == [[0, 1], [0.5, 0.5]]


def test_positions_left_out_are_refused() -> None:
    rows = table(PositionTable("", MATRIX))
    assert "pos 2, where 0 to 1 should be there" in refusal(write("p", joined([*rows[:2], rows[3]])))


def test_a_pipe_cut_by_cut_is_drawn_with_its_words(run: Callable) -> None:
    tsv = run("attend", "--text", "the cat sat").stdout
    cut = "".join("\t".join(line.split("\t")[3:]) + "\n" for line in tsv.splitlines())
    done = run("heatmap", "--format", "tsv", stdin=cut)
    assert done.stdout == tsv
    assert done.stderr == (
        "attn: note: standard input: layer, head, query_pos missing; rows are counted in their order\n"
    )


def test_five_numbers_are_five_tokens_for_a_command(run: Callable) -> None:
    write("five.txt", "3 1 4 1 5\n")
    for given_as in (["five.txt"], ["--text", "3 1 4 1 5"]):
        done = run("encode", *given_as, "--dim", "2", cwd=".")
        assert [line.split("\t")[1] for line in done.stdout.splitlines()] == [
            "token",
            "3",
            "1",
            "4",
            "1",
            "5",
        ]
    write("rows.txt", saved())
    assert len(run("encode", "rows.txt", cwd=".").stdout.splitlines()) == 4
