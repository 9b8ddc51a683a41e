"""No reader takes memory on the word of a header: sizes are known and weighed before anything is allocated."""

from __future__ import annotations

import io
import itertools
import json
import struct
import sys
import tracemalloc
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from attn_cli import files
from attn_cli.errors import InputError
from attn_cli.files import archive, memory
from attn_cli.records.attention import Attention
from attn_cli.records.encoding import Encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SEVERAL = ["npy", "npz", "safetensors", "json", "tsv", "csv", "tidy"]


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    files.limit_memory(None)


def refused(call: Callable[..., object], *arguments: object, bytes_at_most: int = 2_000_000) -> str:
    """The line of a refusal that took next to no memory."""
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as caught:
            call(*arguments)
        assert tracemalloc.get_traced_memory()[1] < bytes_at_most
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write(name: str, content: bytes) -> str:
    with open(name, "wb") as file:
        file.write(content)
    return name


# ---- the budget -----------------------------------------------------------------------------------------


def test_the_budget_is_half_of_the_machine_until_one_is_set() -> None:
    assert 2**20 < memory.most_memory() < 2**50
    files.limit_memory(1000)
    assert memory.most_memory() == 1000
    files.limit_memory(None)
    assert memory.most_memory() > 2**20
    with pytest.raises(InputError, match="give a size such as 2G"):
        files.limit_memory(0)


@pytest.mark.parametrize("text", ["", "G", "-1", "2 X", "1e9", "2GG", "nan"])
def test_what_is_no_size_is_answered(text: str) -> None:
    with pytest.raises(InputError, match="is not a size; give bytes, or a size such as 512M or 2G"):
        memory.parse_size(text)


@pytest.mark.parametrize("name", SEVERAL)
def test_what_does_not_fit_is_refused_before_it_is_read(name: str) -> None:
    table = Encoding(tuple(f"token{i}" for i in range(200)), np.random.default_rng(0).normal(size=(200, 600)))
    path = f"e.{name}" if name != "tidy" else "e.tsv"
    files.write(path, files.FORMATS[name](table))
    assert files.read_matrix(path).shape == (200, 600) if name != "tidy" else True
    files.limit_memory(400_000)
    message = refused(
        files.read, path, bytes_at_most=5_000_000 if name in ("csv", "tsv", "tidy", "json") else 400_000
    )
    assert message.startswith(f"{path}: ")
    assert message.endswith(
        "of memory, at most 390.6 KiB may be used; give less of it, or raise --max-memory"
    )


def test_a_text_an_image_and_a_vector_file_too() -> None:
    from PIL import Image

    files.limit_memory(100_000)
    write("s.txt", b"word " * 10_000)
    for read in (files.read, files.read_text):
        assert refused(read, "s.txt").startswith("s.txt: reading it needs 146.5 KiB of memory, ")
    Image.new("RGB", (300, 300)).save("i.png")
    assert refused(files.read, "i.png").startswith("i.png: reading it needs 1.4 MiB of memory, ")


def test_a_line_without_end_is_no_word_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    from attn_cli.files import word_vectors

    kept = word_vectors._no_longer_than
    monkeypatch.setattr(word_vectors, "_no_longer_than", lambda file: kept(file, 1000))
    write("v.txt", b"a 1 2\nb " + b"1 " * 1000)
    assert refused(files.read_vectors, "v.txt", ["b"]) == (
        "v.txt: line 2 is longer than 1,000 bytes; give word2vec or GloVe text"
    )


class Endless:
    """A pipe whose writer never stops."""

    def read(self, n_bytes: int) -> bytes:
        assert n_bytes > 0, "asked for all of it"
        return b"x" * n_bytes


def test_a_pipe_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Endless()))
    files.limit_memory(3 * 2**20)
    assert refused(files.read, "-", bytes_at_most=12 * 2**20) == (
        "standard input: what comes through the pipe needs 4.0 MiB of memory, at most 3.0 MiB may be used; "
        "give less of it, or raise --max-memory"
    )


# ---- archives -------------------------------------------------------------------------------------------


def npy_header(shape: str, descr: str = "'<f8'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as written:
        for name, content in members.items():
            written.writestr(name, content)
    return buffer.getvalue()


BOMB = zipped({"weights.npy": npy_header("(1000, 1000)") + bytes(8_000_000)})


@pytest.mark.parametrize("through_a_pipe", [False, True])
def test_a_bomb_is_refused_from_a_file_and_through_a_pipe(
    monkeypatch: pytest.MonkeyPatch, through_a_pipe: bool
) -> None:
    monkeypatch.setattr(archive, "MOST_INFLATED", 2**20)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(BOMB)))
    path = "-" if through_a_pipe else write("a.npz", BOMB)
    for read in (files.read, files.read_matrix, files.read_arrays):
        sys.stdin.buffer.seek(0)
        assert refused(read, path, bytes_at_most=200_000).partition(": ")[2] == (
            f"inflates to 8,000,128 bytes from {len(BOMB):,}, more than 100 times its size; "
            "save it with numpy.savez, not compressed"
        )


def test_what_inflates_little_is_read_up_to_the_budget() -> None:
    numbers = np.random.default_rng(0).normal(size=(300, 300)).round(1)
    np.savez_compressed("a.npz", a=numbers)
    assert (files.read("a.npz") == numbers).all()
    files.limit_memory(500_000)
    assert "needs 703.2 KiB of memory" in refused(files.read, "a.npz")


def with_size(content: bytes, declared: int) -> bytes:
    """The archive, its directory declaring another size for its first member."""
    place = content.index(b"PK\x01\x02") + 24
    return content[:place] + struct.pack("<I", declared) + content[place + 4 :]


@pytest.mark.parametrize("declared", [0, 100, 1000, 2**31])
def test_a_directory_that_lies_about_sizes_gains_nothing(declared: int) -> None:
    files.limit_memory(2**33)
    message = refused(files.read, write("a.npz", with_size(BOMB, declared)))
    assert message.startswith("a.npz: ")


def test_the_same_bytes_as_a_thousand_members_are_counted_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """What zip bombs without nesting do: every entry of the directory leads to one and the same stream."""
    monkeypatch.setattr(archive, "MOST_INFLATED", 2**20)
    start = BOMB.index(b"PK\x01\x02")
    end = BOMB.index(b"PK\x05\x06")
    entries = BOMB[start:end] * 1000
    closing = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1000, 1000, len(entries), start, 0)
    assert "inflates to 8,000,128,000 bytes" in refused(
        files.read, write("a.npz", BOMB[:start] + entries + closing), bytes_at_most=4_000_000
    )


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_inflate_without_bounds_are_refused(compression: int) -> None:
    content = zipped({"a\x1b.npy": npy_header("(1000, 1000)") + bytes(8_000_000)}, compression)
    assert refused(files.read, write("a.npz", content)) == (
        "a.npz: its member a\\u001b.npy is compressed by another method than deflate; write it with numpy.savez"
    )


# ---- shapes that are none -------------------------------------------------------------------------------

DEEP = "[" * 65 + "1.5" + "]" * 65
MANY = f"({'1, ' * 65})"


def safetensors(shape: list[int], n_bytes: int) -> bytes:
    header = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, n_bytes]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(n_bytes)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.npy", npy_header(MANY) + bytes(8)),
        ("a.npz", zipped({"a.npy": npy_header(MANY) + bytes(8)})),
        ("a.safetensors", safetensors([1] * 65, 4)),
        ("a.json", DEEP.encode()),
        ("b.json", f'{{"a": {DEEP}}}'.encode()),
    ],
)
def test_an_array_of_65_axes(name: str, content: bytes) -> None:
    message = refused(files.read, write(name, content))
    assert "has 65 axes, at most 8 are read; save [layer, head, query, key]" in message
    assert message.startswith(f"{name}: ")


@pytest.mark.parametrize("shape", ["(0, 1000000000000000000000)", "(0, 4611686018427387904, 4)"])
def test_an_empty_array_with_an_endless_axis(shape: str) -> None:
    assert "of memory, at most" in refused(files.read, write("a.npy", npy_header(shape)))
    sizes = json.loads(shape.replace("(", "[").replace(")", "]"))
    assert "of memory, at most" in refused(files.read, write("a.safetensors", safetensors(sizes, 0)))


# ---- word vectors and tokenizers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "said"), [("2 3", "3"), ("2 5", "5"), ("2 1000000000000", "1000000000000"), ("2 0", "")]
)
def test_a_vector_file_whose_header_lies_about_its_width(header: str, said: str) -> None:
    write("v.txt", f"{header}\nthe 1 2 3 4\ncat 5 6 7 8\n".encode())
    assert refused(files.read_vectors, "v.txt", ["cat"]) == (
        f"v.txt: line 1 declares vectors of {said} numbers, the next line has 4; correct line 1 or leave it out"
    )


def test_a_header_of_five_thousand_digits() -> None:
    write("v.txt", b"2 " + b"9" * 5000 + b"\nthe 1 2\n")
    assert f"declares vectors of {'9' * 40}… numbers" in refused(files.read_vectors, "v.txt", ["the"])


def test_an_honest_header_is_believed_and_words_may_end_in_digits() -> None:
    write("v.txt", b"3 2\nRoute 66 1 2\nthe 3 4\n007 5 6\n")
    assert files.read_vectors("v.txt", ["007", "Route 66"]).tolist() == [[5, 6], [1, 2]]
    write("v.txt", b"2 1\nthe 3\ncat 4\n")
    assert files.read_vectors("v.txt", ["the", "cat"]).tolist() == [[3], [4]]


@pytest.mark.parametrize(
    "asked",
    [
        {"padding": {"strategy": {"Fixed": 10**12}, "pad_to_multiple_of": None}},
        {"padding": {"strategy": "BatchLongest", "pad_to_multiple_of": 10**12}},
        {"truncation": {"max_length": 1, "strategy": "LongestFirst", "stride": 0}},
    ],
)
def test_a_tokenizer_that_pads_to_the_moon_or_cuts_reads_the_text_as_long_as_it_is(asked: dict) -> None:
    from attn_cli.text.tokenizers import json_tokenizer
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 1, "[PAD]": 2}, unk_token="[PAD]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    definition = json.loads(tokenizer.to_str())
    for name, options in asked.items():
        more = {"pad_id": 2, "pad_type_id": 0, "pad_token": "[PAD]"} if name == "padding" else {}
        definition[name] = {"direction": "Right", **more, **options}
    assert json_tokenizer(json.dumps(definition))("a b b") == ["a", "b", "b"]


# ---- one line, whatever the names ---------------------------------------------------------------------------

LONG = "n" * 100_000


@pytest.mark.parametrize(
    ("what", "hint", "where"), [*itertools.product(("x", LONG), ("", "h", LONG), ("", LONG))]
)
def test_an_error_fits_into_300_characters(what: str, hint: str, where: str) -> None:
    message = f"attn: error: {InputError(what, hint=hint, where=where)}"
    assert len(message) <= 300
    if len(what) + len(hint) + len(where) > 1000:
        assert "…" in message
    assert ("; " in message) == bool(hint)


def test_a_place_keeps_its_line_and_a_list_its_end() -> None:
    message = str(InputError("3 columns", hint=f"known are {LONG}; did you mean b?", where=f"{LONG}:17"))
    assert ":17: 3 columns; known are nn" in message
    assert message.endswith("nn; did you mean b?")


def test_the_names_of_a_thousand_arrays_make_one_short_line(run: Callable) -> None:
    np.savez("a.npz", **{"x" * i: np.eye(2) for i in range(1, 1000)})
    for command in (
        ["attend", "a.npz"],
        ["attend", "y" * 250],
        ["heatmap", "--mask", "z" * 900, "--text", "a"],
    ):
        done = run(*command, cwd=".")
        assert done.code == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith("attn: error: ")
        assert len(line) <= 300


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array(["a", "b"]), "holds <U1, expected numbers; save it as float64"),
        (np.array([["a", "b"]]), "holds <U1, expected numbers; save it as float64"),
        (np.zeros((0, 4)), "holds an empty array [0, 4]; give at least one row and column"),
        (np.zeros(0), "holds an empty array [0]; give at least one row and column"),
    ],
)
@pytest.mark.parametrize("option", [["{}"], ["--text", "a", "--context", "{}"], ["--query", "{}"]])
def test_what_holds_no_numbers_is_named(
    run: Callable, array: np.ndarray, message: str, option: list[str]
) -> None:
    np.save("a.npy", array)
    done = run("attend", *(part.format("a.npy") for part in option), cwd=".")
    assert (done.code, done.stderr) == (2, f"attn: error: a.npy: {message}\n")
    np.savez("a.npz", array)
    done = run("attend", *(part.format("a.npz") for part in option), cwd=".")
    assert (done.code, done.stderr) == (2, f"attn: error: a.npz: {message}\n")


def test_an_image_where_text_was_expected_is_named() -> None:
    from PIL import Image

    Image.new("RGB", (2, 2)).save("i.png")
    assert refused(files.read_text, "i.png") == "i.png: is an image, not text; give a text file"
    files.write("a.npz", files.FORMATS["npz"](Attention(("a",), ("a",), [[[[1.0]]]])))
    assert refused(files.read_text, "a.npz") == "a.npz: is an .npz archive, not text; give a text file"
