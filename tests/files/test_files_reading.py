"""What a file holds is told by its bytes; each bad input is one clear line that names the place."""

from __future__ import annotations

import io
import json
import os
import re
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from attn_cli import files
from attn_cli.errors import AttnNote, InputError
from attn_cli.records.attention import Attention
from attn_cli.records.encoding import Encoding, PositionTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str | bytes], str]:
    """A file in the current folder, so that messages hold its bare name."""
    monkeypatch.chdir(tmp_path)

    def make(name: str, content: str | bytes) -> str:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    return make


def refusal(call: Callable[..., object], *args: object, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        call(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---- text ---------------------------------------------------------------------------------------------

SENTENCE = "注意力 is all\nyou need 😀\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_with_and_without_a_mark(make: Callable, encoding: str) -> None:
    assert files.read_text(make("s.txt", SENTENCE.encode(encoding))) == SENTENCE


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_wider_text_with_and_without_a_mark_is_read_and_said(make: Callable, encoding: str) -> None:
    name = encoding[:6].upper()
    with pytest.warns(AttnNote, match=rf"^s\.txt: read as {name}; --encoding sets it$"):
        assert files.read_text(make("s.txt", SENTENCE.encode(encoding))) == SENTENCE


def test_gb18030_is_read_and_said(make: Callable) -> None:
    with pytest.warns(AttnNote, match=r"^s\.txt: read as GB18030; --encoding sets it$"):
        assert files.read_text(make("s.txt", SENTENCE.encode("gb18030"))) == SENTENCE


def test_encoding_decides_in_silence(make: Callable) -> None:
    path = make("s.txt", "é注意".encode("gb18030"))
    assert files.read_text(path, encoding="gb18030") == "é注意"
    assert files.read_text(make("l.txt", "café\n".encode("latin-1")), encoding="latin-1") == "café\n"
    assert files.read_text(make("b.txt", b"\xef\xbb\xbfa"), encoding="utf-8") == "a"


def test_bytes_that_are_no_text_are_named(make: Callable) -> None:
    assert refusal(files.read_text, make("s.txt", b"ok\ncaf\xe9 au lait")) == (
        "s.txt:2: is neither UTF-8 nor GB18030: byte 0xe9 at offset 6; give --encoding NAME"
    )
    assert refusal(files.read_text, "s.txt", encoding="ascii") == (
        "s.txt:2: is not ascii: byte 0xe9 at offset 6; give --encoding NAME"
    )
    assert refusal(files.read_text, make("z.txt", b"a\nb\0c")) == (
        "z.txt:2: contains a NUL character, so it is not text; give a text file"
    )


def test_utf8_that_was_cut_is_not_taken_for_gb18030(make: Callable) -> None:
    assert refusal(files.read_text, make("s.txt", "注\n意".encode()[:-1])) == (
        "s.txt:2: ends within a UTF-8 character: byte 0xe6 at offset 4; give --encoding NAME"
    )


@pytest.mark.parametrize("name", ["no-such", "hex", "zip", "rot13", "a\0b", "undefined", "idna"])
def test_an_unknown_encoding_is_named(make: Callable, name: str) -> None:
    message = refusal(files.read_text, make("s.txt", "é"), encoding=name)
    assert repr(name) in message or f"is not {name}" in message


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
def test_line_ends_become_one(make: Callable, ends: str) -> None:
    assert files.read_text(make("s.txt", f"a{ends}{ends}b{ends}")) == "a\n\nb\n"


def test_other_separators_of_lines_stay(make: Callable) -> None:
    assert files.read(make("s.txt", "a\u2028b\x0bc\x85")) == "a\u2028b\x0bc\x85"


@pytest.mark.parametrize("call", [files.read, files.read_text, files.read_matrix, files.read_arrays])
def test_nothing_to_read(make: Callable, call: Callable) -> None:
    assert refusal(call, make("e.txt", "")) == "e.txt: is empty; put some text or numbers in it"
    assert refusal(call, make("b.txt", " \n\t\n")).startswith("b.txt: contains only whitespace; put some")
    assert refusal(call, make("m.txt", b"\xef\xbb\xbf")).startswith(
        "m.txt: contains only whitespace; put some"
    )
    assert refusal(call, "sentence.txt") == "sentence.txt: no such file; check its name and folder"
    make("sentance.txt", "x")
    assert refusal(call, "sentence.txt") == "sentence.txt: no such file; did you mean 'sentance.txt'?"
    assert refusal(call, "no-folder/x.txt") == "no-folder/x.txt: no such file; check its name and folder"
    assert refusal(call, ".") == ".: is a directory, not a file"
    assert refusal(call, "sentance.txt/x") == "sentance.txt/x: cannot be read: not a directory"
    assert refusal(call, "/dev/null") == "/dev/null: is empty; put some text or numbers in it"


def test_a_file_that_may_not_be_read(make: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", forbidden)
    assert refusal(files.read, "x.txt") == "x.txt: cannot be read: permission denied"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def pipe(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    pipe("注意\r\n".encode())
    assert files.read("-") == "注意\n"
    pipe(b"pos\ttoken\t0\n0\ta\t1.5\n")
    assert files.read("-").vectors.tolist() == [[1.5]]
    pipe(b"1,2\n3\n")
    assert refusal(files.read, "-").startswith("standard input:2: 1 columns, line 1 has 2")
    pipe(b"")
    assert refusal(files.read, "-").startswith("standard input: is empty; pipe something in")
    monkeypatch.setattr(sys, "stdin", None)
    assert refusal(files.read, "-").startswith("standard input: is empty; pipe something in")


def test_a_fifo_is_read_to_its_end(make: Callable) -> None:
    os.mkfifo("pipe.npy")
    buffer = io.BytesIO()
    np.save(buffer, np.eye(2))
    writer = threading.Thread(target=lambda: files.write("pipe.npy", [buffer.getvalue()]))
    writer.start()
    assert files.read("pipe.npy").tolist() == [[1.0, 0.0], [0.0, 1.0]]
    writer.join()


# ---- what is what -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.txt", "3 1 4 1 5"),
        ("s.txt", "3,1,4,1,5"),
        ("s", "3 1 4 1 5"),
        ("s", "one,two"),
        ("s.md", "1\t2"),
        ("s.txt", "[/red]"),
        ("s.txt", "[1] Vaswani et al."),
        ("s.txt", "[1]"),
        ("s.txt", '["a", "b"]'),
        ("s.txt", "{curly}"),
        ("s.txt", '{"a": "b"}'),
        ("s.txt", '{"quoted" words}'),
        ("s.txt", "[[link]] to"),
        ("s.txt", "pos\ttoken"),
        ("s.txt", "layer head query_pos query 0:The"),
        ("s.txt", "PK is a name"),
    ],
)
def test_prose_stays_prose(make: Callable, name: str, content: str) -> None:
    assert files.read(make(name, content)) == content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.csv", "1,2\n3,4\n"),
        ("q.CSV", "1,2\r\n3,4\r\n\r\n"),
        ("q.csv", '"1","2"\n3, 4'),
        ("q.tsv", "1\t2\n3\t4\n"),
        ("q", "1,2\n3,4"),
        ("q", "1.0\t2e0\n+3\t4\n"),
        ("q.json", "[[1, 2], [3, 4.0]]"),
        ("q.txt", " [[1, 2],\n [3, 4]]\n"),
        ("q.json", '{"q": [[1, 2], [3, 4]]}'),
        ("q.csv", b"\xef\xbb\xbf1,2\n3,4\n"),
        ("q.csv", "1,2\n3,4\n".encode("utf-16")),
    ],
)
@pytest.mark.filterwarnings("ignore:.*read as UTF-16")
def test_a_matrix_by_bytes_and_suffix(make: Callable, name: str, content: str | bytes) -> None:
    path = make(name, content)
    for read in (files.read, files.read_matrix):
        assert read(path).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert files.read_matrix(path).dtype == np.float64


def test_a_matrix_that_is_asked_for_needs_no_suffix(make: Callable) -> None:
    assert files.read_matrix(make("w.txt", " 1.0e+00  2\n3 4\n")).tolist() == [
        [1, 2],
        [3, 4],
    ]  # numpy.savetxt
    assert files.read_matrix(make("one.csv", "1\n2\n")).tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,2\n3\n", "q.csv:2: 1 columns, line 1 has 2; give every line the same"),
        ("1,2\n3,4,5\n", "q.csv:2: 3 columns, line 1 has 2; give every line the same"),
        ("1,2\n3,x\n", "q.csv:2: column 2 holds 'x', expected a number; "),
        ("a,b\n1,2\n", "q.csv:1: column 1 holds 'a', expected a number; "),
        ("1,,3\n", "q.csv:1: column 2 holds nothing, expected a number; "),
        ("1,2\n\n3,4\n", "q.csv:2: a blank line; remove it"),
        ("1,2\n3,nan\n", "q.csv:2: column 2 holds nan; replace it with a finite number"),
        ("1,2\n-inf,4\n", "q.csv:2: column 1 holds -inf; replace it with a finite number"),
        ("1,1e999\n", "q.csv:1: column 2 holds inf; replace it with a finite number"),
        ("1,1_000\n", "q.csv:1: column 2 holds '1_000', expected a number; "),
        ("1|2\n", "q.csv:1: column 1 holds '1|2', expected a number; "),
        ("1,\x1b[31m\n", "q.csv:1: column 2 holds '\\x1b[31m', expected a number; "),
        (f"1,{'x' * 999}\n", f"q.csv:1: column 2 holds '{'x' * 40}…', expected a number; "),
    ],
)
def test_a_bad_matrix_names_line_and_column(make: Callable, content: str, message: str) -> None:
    for read in (files.read, files.read_matrix):
        assert refusal(read, make("q.csv", content)).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "[[1, 2], [3]]",
            "q.json: the matrix: row 2 holds 1 numbers, row 1 holds 2; give every row as many numbers",
        ),
        ("[[1, 2], 3]", "q.json: the matrix: row 2 holds 0 numbers, row 1 holds 2; "),
        ('[[1, "2"]]', "q.json: the matrix: an entry is not a number; "),
        ("[[1, null]]", "q.json: the matrix: an entry is not a number; "),
        ("[[1, NaN]]", "q.json: numbers hold nan at row 0, column 1 (counted from 0); "),
        ("[[1, 2]\n[3, 4]]", "q.json:2: is not JSON: expecting ',' delimiter at column 1; "),
        ('{"a": "b"}', "q.json: contains JSON that is neither a record nor numbers; "),
        ('{"a": [[1]], "b": "c"}', "q.json: 'b' holds neither numbers nor tokens; leave it out"),
        ("7", "q.json: contains JSON that is neither a record nor numbers; "),
        ("[" * 100_000, "q.json: is not valid JSON; "),
        ("[[" + "1" * 5000 + "]]", "q.json: is not valid JSON; "),
        ('{"a": [[1e999]]}', "q.json: a hold inf at row 0, column 0 (counted from 0); "),
    ],
)
def test_bad_json_is_one_line(make: Callable, content: str, message: str) -> None:
    assert refusal(files.read, make("q.json", content)).startswith(message)


def test_broken_json_that_began_as_ours_is_no_prose(make: Callable) -> None:
    assert "is not JSON" in refusal(files.read, make("w", '{"type": "attention", "vers'))
    assert "is not JSON" in refusal(files.read, make("w", "[[0.5, 0.5], [0.1"))


def test_arrays_keep_their_type(make: Callable) -> None:
    for dtype in ("float16", "float32", "float64", ">f4"):
        np.save("a.npy", np.array([[0.1, 2.0]], dtype))
        read = files.read_matrix("a.npy")
        assert read.dtype == np.dtype(dtype).newbyteorder("=")
        assert read.tolist() == np.array([[0.1, 2.0]], dtype).tolist()
        assert read.flags.writeable
    np.save("a.npy", np.asfortranarray([[1, 2], [3, 4]]))
    assert files.read_matrix("a.npy").tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_bfloat16_becomes_float32(make: Callable) -> None:
    import torch
    from safetensors.torch import save_file

    values = torch.tensor([[1.0, -2.5], [3e38, 0.0]], dtype=torch.bfloat16)
    save_file({"flags": torch.ones(3, dtype=torch.bool), "x": values}, "a.safetensors")
    arrays = files.read_arrays("a.safetensors")
    assert arrays["x"].dtype == np.float32
    assert arrays["x"].tolist() == values.tolist()
    assert arrays["flags"].tolist() == [True, True, True]


def test_one_array_is_a_matrix_and_several_are_named(make: Callable) -> None:
    np.savez("one.npz", w=np.eye(2))
    np.savez_compressed("two.npz", a=np.eye(2), b=np.ones(3, int))
    assert files.read("one.npz").tolist() == files.read_matrix("one.npz").tolist() == [[1, 0], [0, 1]]
    assert set(files.read("two.npz")) == {"a", "b"}
    assert refusal(files.read_matrix, "two.npz").startswith(
        "two.npz: holds 2 arrays (a, b), expected one matrix; "
    )
    assert {name: a.tolist() for name, a in files.read_arrays("two.npz").items()} == {
        "a": [[1, 0], [0, 1]],
        "b": [1, 1, 1],
    }
    assert list(files.read_arrays("one.npz")) == ["w"]
    make("a.json", json.dumps({"W_q": [[1]], "b_q": [2]}))
    assert files.read_arrays("a.json")["b_q"].tolist() == [2]
    assert refusal(files.read_arrays, make("q.csv", "1,2")).startswith("q.csv: holds no arrays by name; ")


def test_not_finite_arrays_name_the_place(make: Callable) -> None:
    np.save("a.npy", np.array([[1, 2], [np.nan, 3]]))
    np.savez("a.npz", v=np.array([[1, np.inf]]), w=np.eye(1))
    assert refusal(files.read, "a.npy").startswith(
        "a.npy: numbers hold nan at row 1, column 0 (counted from 0)"
    )
    assert refusal(files.read, "a.npz").startswith("a.npz: v hold inf at row 0, column 1 (counted from 0)")


def test_a_matrix_has_two_axes_and_numbers(make: Callable) -> None:
    np.save("a.npy", np.ones((2, 2, 2)))
    assert refusal(files.read_matrix, "a.npy").startswith(
        "a.npy: holds numbers [2, 2, 2], expected a matrix; "
    )
    np.save("a.npy", np.ones((0, 3)))
    assert refusal(files.read_matrix, "a.npy").startswith("a.npy: holds numbers [0, 3], expected a matrix; ")
    np.save("a.npy", np.array([["x"]]))
    assert refusal(files.read_matrix, "a.npy").startswith("a.npy: holds <U1, expected numbers; ")
    np.save("a.npy", np.array([[1j]]))
    assert refusal(files.read_matrix, "a.npy").startswith("a.npy: holds complex128, expected numbers; ")


def test_records_that_are_one_matrix(make: Callable) -> None:
    weights = np.array([[0.25, 0.75]])
    one = Attention(("a",), ("b", "c"), weights[None, None])
    two = Attention(("a",), ("b", "c"), np.stack([weights, weights])[None])
    for record, wanted in [
        (one, weights),
        (Encoding(("a",), weights), weights),
        (PositionTable("", weights), weights),
    ]:
        files.write("r.tsv", files.FORMATS["tsv"](record))
        assert files.read_matrix("r.tsv").tolist() == wanted.tolist()
    files.write("r.npz", files.FORMATS["npz"](two))
    assert refusal(files.read_matrix, "r.npz").startswith(
        "r.npz: holds weights [1, 2, 1, 2], expected one matrix; "
    )
    assert set(files.read_arrays("r.npz")) == {"weights"}


# ---- tables that attn wrote, broken -------------------------------------------------------------------

HEADER = "layer\thead\tquery_pos\tquery\t0:a\t1:b\n"
FIRST = "0\t0\t0\ta\t1\t0\n"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (HEADER, "t.tsv: has a header but no rows; "),
        (HEADER + FIRST + "0\t0\t1\tb\t1\n", "t.tsv:3: 5 columns, line 1 has 6; "),
        (HEADER + FIRST + "0\t0\t1\tb\t1\tx\n", "t.tsv:3: column 6 holds 'x', expected a number; "),
        (HEADER + FIRST + "0\t0\t1\tb\tnan\t1\n", "t.tsv:3: column 5 holds nan; "),
        (HEADER + FIRST + "0\tx\t1\tb\t1\t0\n", "t.tsv:3: head 'x', expected a whole number; "),
        (HEADER + FIRST + FIRST, "t.tsv:3: a second row for layer 0, head 0, query_pos 0; "),
        (HEADER + FIRST + "0\t0\t-2\tc\t1\t0\n", "t.tsv:3: query_pos -2, where 0 to 1 should be there; "),
        (HEADER + FIRST + "0\t1\t1\tb\t1\t0\n", "t.tsv: no row for layer 0, head 0, query_pos 1; "),
        (HEADER + FIRST + "0\t1\t0\tb\t1\t0\n", "t.tsv:3: query_pos 0 is 'b' here and 'a' above; "),
        (HEADER.replace("1:b", "2:b") + FIRST, "t.tsv:1: column '2', expected 1; "),
        ("pos\ttoken\t0\n0\ta\tinf\n", "t.tsv:2: column 3 holds inf; "),
        ("pos\t0\t1\n0\t1\t2\n2\t3\t4\n", "t.tsv:3: pos 2, where 0 to 1 should be there; "),
        ("pos\ttoken\tdim\tvalue\n0\ta\t0\t1\n0\ta\t1\t1\n1\tb\t0\t1\n", "t.tsv: no row for pos 1, dim 1; "),
        ("pos,token,0\n0,a,b,1\n", "t.tsv:2: 4 columns, line 1 has 3; "),
    ],
)  # fmt: skip
def test_a_broken_table_names_the_place(make: Callable, table: str, message: str) -> None:
    assert refusal(files.read, make("t.tsv", table)).startswith(message)


def test_a_table_of_few_rows_and_huge_labels_is_refused_at_once(make: Callable) -> None:
    rows = "".join(f"{i}\t{i}\t0\ta\t1\t0\n" for i in range(3000))  # 3000 × 3000 of layer and head
    assert refusal(files.read, make("t.tsv", HEADER + rows)) == (
        "t.tsv: no row for layer 0, head 1, query_pos 0; give every one, or the rows of one head"
    )


def test_a_backslash_that_escapes_nothing_stands_for_itself(make: Callable) -> None:
    for token in ("\\Uffffffff", "\\u00", "\\d", "\\"):
        assert files.read(make("t.tsv", f"pos\ttoken\t0\n0\t{token}\t1\n")).tokens == (token,)


def test_messages_are_placed_once(make: Callable) -> None:
    message = refusal(files.read, make("q.csv", "1,x"))
    assert len(re.findall(r"q\.csv", message)) == 1
