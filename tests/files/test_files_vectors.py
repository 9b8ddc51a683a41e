"""Word vectors: every layout they come in, only the wanted rows kept, missing tokens named."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
from attn_cli import files
from attn_cli.errors import AttnNote, InputError
from attn_cli.records.encoding import Encoding

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, content: str | bytes) -> str:
    with open(name, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return name


def vectors(content: str | bytes, *tokens: str) -> list[list[float]]:
    return files.read_vectors(write("v.txt", content), tokens).tolist()


def refusal(path: str, *tokens: str, **options: str) -> str:
    with pytest.raises(InputError) as caught:
        files.read_vectors(path, tokens, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


BODY = "the 0.5 -1\nNew York 3 4\n. . . 5e-1 6\n42 7 8\n注意 9 10\nRoute 66 11 12\n"
TOKENS = ("注意", "the", "the", "New York", ". . .", "42", "Route 66")
ROWS = [[9, 10], [0.5, -1], [0.5, -1], [3, 4], [0.5, 6], [7, 8], [11, 12]]


@pytest.mark.parametrize("counts", ["", "6 2\n"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", " \n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_word2vec_and_glove_text(counts: str, ends: str, mark: str) -> None:
    assert vectors((mark + counts + BODY).replace("\n", ends), *TOKENS) == ROWS


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_text_with_a_wide_mark(encoding: str) -> None:
    assert vectors(BODY.encode(encoding), *TOKENS) == ROWS


def test_named_encoding() -> None:
    path = write("v.txt", BODY.encode("gb18030"))
    assert files.read_vectors(path, ["注意"], encoding="gb18030").tolist() == [[9, 10]]
    assert refusal(path, "the", "no", encoding="ascii").startswith("v.txt: is not ascii (")
    assert refusal(path, "the", encoding="no-such").startswith("v.txt: is not no-such (")


def test_tabs_separate_too() -> None:
    assert vectors("a b\t1\t2\nc\t3\t4\n", "c", "a b") == [[3, 4], [1, 2]]


def test_of_two_rows_the_first_counts() -> None:
    assert vectors("a 1 2\na 3 4\nb 5 6\n", "b", "a") == [[5, 6], [1, 2]]


def test_lower_case_stands_in_and_is_said_once() -> None:
    with pytest.warns(AttnNote, match=r"^v\.txt: lower case used for 'The', 'THE'$") as said:
        assert vectors("the 1 2\nCat 3 4\ncat 5 6\n", "The", "Cat", "THE", "The") == [
            [1, 2],
            [3, 4],
            [1, 2],
            [1, 2],
        ]
    assert len(said) == 1


def test_missing_tokens_are_named() -> None:
    path = write("v.txt", "the 1 2\n")
    assert refusal(path, "猫", "the", "猫") == "v.txt: no vector for '猫'; add them, or choose --embed hash"
    assert refusal(path, *"abcdefg").startswith("v.txt: no vector for 'a', 'b', 'c', 'd', 'e' and 2 more; ")
    assert refusal(path, "", " ").startswith("v.txt: no vector for '', ' '; ")


def test_bad_rows_name_line_and_column() -> None:
    assert refusal(write("v.txt", "a 1 2 3\nb 4 x 6\nc 1 2 3\n"), "b").startswith(
        "v.txt:2: column 3 holds 'x', expected a number; "
    )
    assert refusal(write("v.txt", "2 3\na 1 2 3\nb 4 5\n"), "b").startswith("v.txt:3: 2 numbers, expected 3")
    assert refusal(write("v.txt", "a 1 nan\n"), "a").startswith("v.txt: vectors hold nan at row 0, column 1")
    assert refusal(write("v.txt", "some prose\nand more\n"), "and").startswith(
        "v.txt: has no line with a token and its numbers; "
    )
    assert refusal(write("v.bin", b"2 3\na " + np.ones(3, "f4").tobytes()), "a").startswith(
        "v.bin: is binary, not text; export"
    )


def test_arrays_by_token_and_tokens_beside_vectors() -> None:
    np.savez("by_token.npz", the=np.array([1.0, 2.0]), 注意=np.array([3.0, 4.0]), unused=np.eye(3))
    np.savez(
        "beside.npz", tokens=np.array(["the", "注意", "the"]), vectors=np.array([[1, 2], [3, 4], [5, 6]])
    )
    write("by_token.json", json.dumps({"the": [1, 2], "注意": [3, 4]}))
    from safetensors.numpy import save_file

    save_file({"the": np.array([1.0, 2.0]), "注意": np.array([3.0, 4.0])}, "by_token.safetensors")
    for path in ("by_token.npz", "beside.npz", "by_token.json", "by_token.safetensors"):
        assert files.read_vectors(path, ["注意", "the"]).tolist() == [[3, 4], [1, 2]]
        assert refusal(path, "no").startswith(f"{path}: no vector for 'no'; ")


@pytest.mark.parametrize("name", ["tsv", "csv", "tidy", "json", "npz", "safetensors"])
def test_a_saved_encoding_gives_its_vectors(name: str) -> None:
    encoding = Encoding(("a\tb", "猫", "a\tb"), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    files.write(f"e.{name}", files.FORMATS[name](encoding))
    assert files.read_vectors(f"e.{name}", ["猫", "a\tb"]).tolist() == [[3, 4], [1, 2]]


def test_files_without_vectors_by_token() -> None:
    np.save("m.npy", np.eye(2))
    assert refusal("m.npy", "a").startswith("m.npy: holds no vectors by token; ")
    np.savez("odd.npz", a=np.ones(2), b=np.ones(3), c=np.array("x"))
    assert refusal("odd.npz", "a", "b").startswith("odd.npz: the vector of 'b' is float64 [3], of 'a' [2]; ")
    assert refusal("odd.npz", "c").startswith("odd.npz: the vector of 'c' is <U1 []")
    assert refusal("none.txt", "a") == "none.txt: no such file; check its name and folder"


def test_a_big_file_is_never_held() -> None:
    row = " ".join(["0.125"] * 50)
    with open("big.txt", "w") as file:
        file.writelines(f"word{i} {row}\n" for i in range(20_000))  # 6 MB
    tracemalloc.start()
    read = files.read_vectors("big.txt", ["word19999", "word3"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read.shape == (2, 50)
    assert peak < 1_000_000


def test_reading_ends_with_the_last_wanted_token(monkeypatch: pytest.MonkeyPatch) -> None:
    from attn_cli.files import word_vectors

    endless = (f"w{i} 1 2\n".encode() for i in itertools.count())
    monkeypatch.setattr(word_vectors, "_lines", lambda *_: endless)
    assert vectors("w0 1 2\n", "w500") == [[1, 2]]
