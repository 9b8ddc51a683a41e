"""Every format: what is written is read back the same. A new format is covered without editing this file."""

from __future__ import annotations

import dataclasses
import inspect
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from attn_cli import files
from attn_cli.errors import InputError
from attn_cli.records.attention import Attention
from attn_cli.records.encoding import Encoding, PositionTable
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from attn_cli.records.attention import Record

# What each format keeps of a record. A format that stands in none of these must keep everything.
ONLY_TOKENS_AND_NUMBERS = {"tsv", "csv", "tidy"}
ONE_MATRIX = {"npy"}
FOR_PEOPLE = {"md", "tex"}
WHOLE = set(files.FORMATS) - ONLY_TOKENS_AND_NUMBERS - ONE_MATRIX - FOR_PEOPLE

HOSTILE = (
    "", " ", "a b", "a\tb", "a\nb", "\r", "\\", "\\t", "\\u0041", '"', '""', "a,b", "'", "0:x", "#", "-inf",
    "[CLS]", "[/red]", "$\\frac{$", "\x1b[31m", "</script>", "注意力", "😀", "e\u0301", "\u2028", "\u202e", "\x00",
    "\ud800", "\ufeff", "a" * 300,
)  # fmt: skip

tokens = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=6))
numbers = st.floats(allow_nan=False, allow_infinity=False)


def arrays(*shape: int, dtype: str = "float64") -> st.SearchStrategy[np.ndarray]:
    width = {"float64": 64, "float32": 32, "float16": 16}[dtype]
    cell = st.floats(allow_nan=False, allow_infinity=False, width=width)
    size = int(np.prod(shape))
    return st.lists(cell, min_size=size, max_size=size).map(lambda x: np.array(x, dtype).reshape(shape))


@st.composite
def encodings(draw: st.DrawFn) -> Encoding:
    names = draw(st.lists(tokens, min_size=1, max_size=4))
    dtype = draw(st.sampled_from(["float64", "float32", "float16"]))
    return Encoding(tuple(names), draw(arrays(len(names), 2, dtype=dtype)), draw(tokens))


@st.composite
def attentions(draw: st.DrawFn) -> Attention:
    queries = tuple(draw(st.lists(tokens, min_size=1, max_size=3)))
    keys = tuple(draw(st.lists(tokens, min_size=1, max_size=3)))
    n_layers, n_heads = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    n_query, n_key = len(queries), len(keys)
    weights = draw(arrays(n_layers, n_heads, n_query, n_key))
    mask = draw(st.none() | st.just(np.arange(n_query * n_key).reshape(1, 1, n_query, n_key) % 2 == 0))
    scores = None if mask is None else np.where(mask, weights, -np.inf)
    return Attention(
        queries,
        keys,
        weights,
        kind=draw(st.sampled_from(["self", "encoder", "decoder", "cross"])),
        provenance=draw(tokens),
        scores=scores,
        mask=mask,
        output=draw(st.none() | arrays(n_layers, n_query, 3)),
        value=draw(st.none() | arrays(n_layers, n_heads, n_key, 2, dtype="float32")),
        layers=tuple(draw(st.permutations([5, 2])))[:n_layers],
        heads=tuple(draw(st.permutations([11, 0])))[:n_heads],
    )


tables = st.builds(PositionTable, tokens, arrays(3, 2))
records = st.one_of(encodings(), attentions(), tables)

SENTENCE = Attention(
    ("The", "cat"), ("注", "意"), np.array([[[[0.25, 0.75], [1.0, 0.0]]]]), kind="cross", provenance="by hand"
)


def written(record: Record, name: str, path: Path) -> str:
    files.write(str(path), files.FORMATS[name](record))
    return str(path)


def assert_same(got: Record, wanted: Record, fields: list[str] | None = None) -> None:
    assert type(got) is type(wanted)
    for name in fields or [f.name for f in dataclasses.fields(wanted)]:
        a, b = getattr(got, name), getattr(wanted, name)
        if isinstance(b, np.ndarray):
            assert a.shape == b.shape, name
            assert a.tobytes() == b.astype(a.dtype).tobytes(), name  # the bits: −0.0 stays −0.0
        else:
            assert a == b, name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records")


@pytest.mark.parametrize("name", sorted(WHOLE))
@settings(max_examples=60, deadline=None)
@given(record=records)
def test_whole_record_comes_back(name: str, record: Record, folder: Path) -> None:
    read = files.read(written(record, name, folder / f"r.{name}"))
    assert_same(read, record)
    if name != "json":  # text has one type of number, binary keeps each
        for f in dataclasses.fields(record):
            if isinstance(array := getattr(record, f.name), np.ndarray):
                assert getattr(read, f.name).dtype == array.dtype


@pytest.mark.parametrize("name", sorted(ONLY_TOKENS_AND_NUMBERS))
@settings(max_examples=60, deadline=None)
@given(record=records)
def test_table_keeps_tokens_and_numbers(name: str, record: Record, folder: Path) -> None:
    read = files.read(written(record, name, folder / f"t.{name}"))
    kept = {
        Encoding: ["tokens", "vectors"],
        Attention: ["query_tokens", "key_tokens", "weights", "layers", "heads"],
        PositionTable: ["values"],
    }
    assert_same(read, record, kept[type(record)])
    if name == "tidy" and isinstance(record, Attention):
        assert_same(read, record, ["scores"])
    if isinstance(record, Attention):
        assert read.kind == "unknown"  # a table does not say; sizes do not tell


@pytest.mark.parametrize("name", sorted(set(files.FORMATS) - FOR_PEOPLE - ONE_MATRIX))
def test_every_hostile_token_comes_back(name: str, tmp_path: Path) -> None:
    attention = Attention(HOSTILE, HOSTILE[::-1], np.eye(len(HOSTILE))[None, None])
    read = files.read(written(attention, name, tmp_path / "w"))
    assert_same(read, attention, ["query_tokens", "key_tokens", "weights"])
    for text in HOSTILE if name in WHOLE else ():
        encoding = Encoding((text,), np.eye(1), provenance=text)
        assert_same(files.read(written(encoding, name, tmp_path / "e")), encoding)


@pytest.mark.parametrize("name", sorted(set(files.FORMATS) - FOR_PEOPLE - ONE_MATRIX))
def test_bytes_go_before_the_suffix(name: str, tmp_path: Path) -> None:
    for path in (tmp_path / "r", tmp_path / "r.txt"):
        assert_same(files.read(written(SENTENCE, name, path)), SENTENCE, ["key_tokens", "weights"])


@pytest.mark.parametrize("name", files.FORMATS)
def test_the_same_record_gives_the_same_bytes(name: str) -> None:
    chunks = [b"".join(files.FORMATS[name](SENTENCE)) for _ in range(2)]
    assert chunks[0] == chunks[1]
    assert len(chunks[0]) > 0


@pytest.mark.parametrize("name", files.FORMATS)
def test_every_format_says_what_it_is(name: str) -> None:
    first = (inspect.getdoc(files.FORMATS[name]) or "").partition("\n")[0]
    assert first.endswith(".")


@pytest.mark.parametrize("name", sorted(set(files.FORMATS) - {"npy", "npz", "safetensors"}))
@given(name_of_token=tokens)
@settings(max_examples=30, deadline=None)
def test_text_formats_hold_nothing_that_acts(name: str, name_of_token: str) -> None:
    text = b"".join(files.FORMATS[name](Encoding((name_of_token,), np.eye(1), name_of_token))).decode()
    assert not set(text) & set("\x00\x1b\x7f\x9b\r\u2028\u202e\u2066")


def test_tsv_by_hand() -> None:
    assert b"".join(files.FORMATS["tsv"](SENTENCE)).decode() == (
        "layer\thead\tquery_pos\tquery\t0:注\t1:意\n0\t0\t0\tThe\t0.25\t0.75\n0\t0\t1\tcat\t1.0\t0.0\n"
    )
    encoding = Encoding(("a\tb", ""), np.array([[0.1, -0.0], [1e-300, 1e22]]))
    assert b"".join(files.FORMATS["tsv"](encoding)).decode() == (
        "pos\ttoken\t0\t1\n0\ta\\tb\t0.1\t-0.0\n1\t\t1e-300\t1e+22\n"
    )
    assert b"".join(files.FORMATS["tsv"](PositionTable("x", np.array([[0.5]])))) == b"pos\t0\n0\t0.5\n"


def test_csv_by_hand() -> None:
    encoding = Encoding(("a,b", 'say "x"'), np.array([[1.0], [2.0]]))
    assert b"".join(files.FORMATS["csv"](encoding)).decode() == (
        'pos,token,0\n0,"a,b",1.0\n1,"say ""x""",2.0\n'
    )


def test_tidy_by_hand() -> None:
    scored = dataclasses.replace(SENTENCE, scores=np.array([[[[0.0, 1.5], [2.0, -np.inf]]]]))
    assert b"".join(files.FORMATS["tidy"](scored)).decode().splitlines() == [
        "layer\thead\tquery_pos\tquery\tkey_pos\tkey\tweight\tscore",
        "0\t0\t0\tThe\t0\t注\t0.25\t0.0",
        "0\t0\t0\tThe\t1\t意\t0.75\t1.5",
        "0\t0\t1\tcat\t0\t注\t1.0\t2.0",
        "0\t0\t1\tcat\t1\t意\t0.0\t-inf",
    ]


def test_json_is_one_line_of_strict_json_with_null_for_masked_scores() -> None:
    scored = dataclasses.replace(SENTENCE, scores=np.array([[[[0.0, 1.5], [2.0, -np.inf]]]]))
    text = b"".join(files.FORMATS["json"](scored)).decode()
    assert text.count("\n") == 1
    assert text.endswith("}\n")

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    value = json.loads(text, parse_constant=refuse)
    assert value["type"] == "attention"
    assert value["schema_version"] == 1
    assert value["key_tokens"] == ["注", "意"]
    assert value["scores"] == [[[[0.0, 1.5], [2.0, None]]]]
    assert value["provenance"] == "by hand"
    assert "mask" not in value
    assert "注" in text  # readable, not 注


def test_rows_of_a_table_may_come_in_any_order(tmp_path: Path) -> None:
    weights = np.arange(16.0).reshape(2, 2, 2, 2)
    attention = Attention(("a", "b"), ("a", "b"), weights, layers=(3, 1), heads=(0, 7))
    header, *rows = b"".join(files.FORMATS["tsv"](attention)).splitlines(keepends=True)
    path = tmp_path / "w.tsv"
    path.write_bytes(header + b"".join(sorted(rows, key=lambda row: row.split(b"\t")[2])))
    told = {"kind": "unknown", "provenance": "from a table: origin unknown"}
    assert_same(files.read(str(path)), dataclasses.replace(attention, **told))


def test_numpy_reads_npz_and_npy(tmp_path: Path) -> None:
    with np.load(written(SENTENCE, "npz", tmp_path / "w.npz")) as arrays_by_name:
        assert arrays_by_name["key_tokens"].tolist() == ["注", "意"]
        assert arrays_by_name["weights"].shape == (1, 1, 2, 2)
    matrix = np.load(written(SENTENCE, "npy", tmp_path / "w.npy"))
    assert matrix.tolist() == [[0.25, 0.75], [1.0, 0.0]]


def test_the_safetensors_library_reads_safetensors(tmp_path: Path) -> None:
    from safetensors import safe_open

    scored = dataclasses.replace(SENTENCE, mask=np.ones((1, 1, 2, 2), bool))
    with safe_open(written(scored, "safetensors", tmp_path / "w.safetensors"), framework="np") as file:
        assert file.metadata()["type"] == "attention"
        assert json.loads(file.metadata()["key_tokens"]) == ["注", "意"]
        assert file.get_tensor("weights").tolist() == SENTENCE.weights.tolist()
        assert file.get_tensor("mask").all()


def test_tensors_are_aligned() -> None:
    odd = Attention(("a",), ("a", "b", "c"), np.ones((1, 1, 1, 3)), mask=np.ones((1, 1, 1, 3), bool))
    content = b"".join(files.FORMATS["safetensors"](odd))
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert length % 8 == 0
    assert header["weights"]["data_offsets"] == [0, 24]
    assert header["mask"]["data_offsets"] == [24, 27]


def test_npy_holds_one_matrix_only() -> None:
    two_heads = Attention(("a",), ("a",), np.ones((1, 2, 1, 1)))
    with pytest.raises(InputError, match=r"one matrix, weights are \[1, 2, 1, 1\]"):
        list(files.FORMATS["npy"](two_heads))


def test_markdown_by_hand() -> None:
    encoding = Encoding(
        ("a|b", "`x`", "<b>", "\\"), np.array([[1 / 3], [-2.0], [1e-9], [12345.6]]), "by *hand*"
    )
    assert b"".join(files.FORMATS["md"](encoding)).decode().splitlines() == [
        r"by \*hand\*",
        "",
        "| token     |         0 |",
        "| --------- | --------: |",
        r"| a\|b      |    0.3333 |",
        r"| \`x\`     |        -2 |",
        "| &lt;b&gt; |     1e-09 |",
        r"| \\        | 1.235e+04 |",
    ]


def test_latex_by_hand() -> None:
    encoding = Encoding(("[CLS]", "50%", "a_b\\", "--"), np.array([[1 / 3], [-2.0], [1e-9], [12345.6]]))
    assert b"".join(files.FORMATS["tex"](encoding)).decode().splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\begin{tabular}{lr}",
        r"token                &                   0 \\",
        r"\hline",
        r"{[}CLS{]}            &              0.3333 \\",
        r"50\%                 &                $-2$ \\",
        r"a\_b\textbackslash{} &    $1\times10^{-9}$ \\",
        r"{-}{-}               & $1.235\times10^{4}$ \\",
        r"\end{tabular}",
        r"\end{table}",
    ]


def test_several_heads_are_named_in_documents() -> None:
    attention = Attention(("a",), ("a",), np.ones((1, 2, 1, 1)), provenance="m", layers=(4,), heads=(0, 9))
    for name in sorted(FOR_PEOPLE):
        text = b"".join(files.FORMATS[name](attention)).decode()
        assert "layer 4, head 0: m" in text
        assert "layer 4, head 9: m" in text


def test_version_of_the_future_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    path.write_text('{"type": "encoding", "schema_version": 2, "tokens": ["a"], "vectors": [[1.0]]}')
    with pytest.raises(InputError, match=r"w\.json: encoding of version 2, this attn reads 1; update attn"):
        files.read(str(path))


def test_format_of() -> None:
    assert files.format_of("a/w.TSV") == "tsv"
    assert files.format_of("w.png", "json") == "json"
    assert files.format_of("w.png", pictures=("png", "svg")) == "png"
    assert files.format_of(None) == files.format_of("-") == files.format_of("/dev/null") == "tsv"
    with pytest.raises(
        InputError, match=r"^w\.jsn: unknown format 'jsn'; known are .*; did you mean 'json'\?$"
    ):
        files.format_of("w.jsn")
    with pytest.raises(InputError, match=r"^unknown format 'jsn'; known are .*, gif; did you mean 'json'\?$"):
        files.format_of("w.csv", "jsn", pictures=("gif",))
    with pytest.raises(
        InputError, match=r"^w: the file name has no suffix, so its format is unknown; known are tsv, "
    ):
        files.format_of("w")
