"""Files that attack: pickles are never run, nothing is believed that a header says, damage is one line."""

from __future__ import annotations

import io
import itertools
import pickle
import struct
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from attn_cli import files
from attn_cli.errors import InputError
from attn_cli.files import archive
from attn_cli.records.attention import Attention
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READERS = {
    "read": files.read,
    "read_text": files.read_text,
    "read_matrix": files.read_matrix,
    "read_arrays": files.read_arrays,
    "read_vectors": lambda path: files.read_vectors(path, ["b"]),
}


class Bomb:
    """An object whose unpickling makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.marker, "w")


def saved_npy(bomb: Bomb) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([bomb], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def saved_npz(bomb: Bomb) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.eye(2), b=np.array([bomb], dtype=object))
    return buffer.getvalue()


def saved_torch(bomb: Bomb, new: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save({"a": bomb}, buffer, _use_new_zipfile_serialization=new)
    return buffer.getvalue()


PICKLES: dict[str, Callable[[Bomb], bytes]] = {
    "a.npy": saved_npy,
    "a.npz": saved_npz,
    "a.pt": lambda bomb: saved_torch(bomb, new=True),
    "old.pt": lambda bomb: saved_torch(bomb, new=False),
    "text.pkl": lambda bomb: pickle.dumps(bomb, protocol=0),
    "raw.npy": lambda bomb: pickle.dumps(bomb, protocol=2),
    "new.bin": lambda bomb: pickle.dumps(bomb, protocol=5),
}
DISGUISES = [*PICKLES, "a.bin", "a.csv", "a.txt", "a.json", "a.safetensors", "a"]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pair
        for pair in itertools.product(PICKLES, DISGUISES)
        if pair[0] != "text.pkl" or pair[1] == "text.pkl"
    ],
)
def test_a_pickle_is_refused_and_never_run(tmp_path: Path, kind: str, name: str, reader: str) -> None:
    marker = tmp_path / "marker"
    payload = PICKLES[kind](Bomb(marker))
    path = tmp_path / name
    path.write_bytes(payload)
    with pytest.raises(InputError) as caught:
        READERS[reader](str(path))
    if reader != "read_text":
        assert "is a pickle, which can run code when it is loaded; save the numbers as" in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert not marker.exists()


def test_the_bomb_would_go_off(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "marker"))).close()
    assert (tmp_path / "marker").exists()


# ---- headers that lie ---------------------------------------------------------------------------------


def npy_header(shape: str, descr: str = "'<f8'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def refused_cheaply(path: Path, content: bytes) -> str:
    """The refusal, which must not have taken memory on the word of a header."""
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as caught:
            files.read(str(path))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000 + 4 * len(content)
    finally:
        tracemalloc.stop()
    return str(caught.value).removeprefix(f"{path}: ")


def test_an_npy_that_declares_more_than_it_holds(tmp_path: Path) -> None:
    a = tmp_path / "a.npy"
    huge = npy_header("(1000000000000,)") + bytes(80)
    assert refused_cheaply(a, huge) == (
        "declares [1000000000000] of float64, more than the file holds; write it again"
    )
    assert "declares" in refused_cheaply(a, npy_header("(65536, 65536, 65536, 65536)") + bytes(8))
    assert "declares" in refused_cheaply(a, npy_header("(-1, 4)") + bytes(80))
    assert "declares" in refused_cheaply(a, npy_header("(11,)") + bytes(80))
    assert "declares" in refused_cheaply(a, npy_header("(1,)", "'<U100000000'") + bytes(80))
    assert "header is damaged" in refused_cheaply(a, npy_header("__import__('os')") + bytes(80))
    assert "header is damaged" in refused_cheaply(a, npy_header("'x'") + bytes(80))
    assert "expected numbers" in refused_cheaply(a, npy_header("(1,)", "[('a', '<f8')]") + bytes(80))
    assert "expected numbers" in refused_cheaply(a, npy_header("(1,)", "'V8'") + bytes(80))
    assert "is a pickle" in refused_cheaply(a, npy_header("(1,)", "'|O'") + bytes(80))
    assert "header is damaged" in refused_cheaply(a, b"\x93NUMPY\x03\x00" + bytes(80))


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_member_of_npz_that_declares_more_than_it_holds(tmp_path: Path) -> None:
    content = zipped({"a.npy": npy_header("(1000000000000,)") + bytes(80)})
    assert refused_cheaply(tmp_path / "a.npz", content).startswith(
        "a.npy declares [1000000000000] of float64, more than the file holds; "
    )


def test_a_zip_bomb_is_refused_by_what_it_declares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped({"a.npy": npy_header("(1000000,)") + bytes(8_000_000)})
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    assert not files.read(str(path)).any()
    monkeypatch.setattr(archive, "MOST_INFLATED", 1_000_000)
    assert refused_cheaply(path, content) == (
        f"inflates to 8,000,128 bytes from {len(content):,}, more than 100 times its size; "
        "save it with numpy.savez, not compressed"
    )
    stored = zipped({"a.npy": npy_header("(1000000,)") + bytes(8_000_000)}, zipfile.ZIP_STORED)
    path.write_bytes(stored)
    assert not files.read(str(path)).any()  # the file really holds it


def test_other_archives_are_named(tmp_path: Path) -> None:
    sheet = zipped({"xl/workbook.xml": b"<x/>", "[Content_Types].xml": b"", "c": b"", "d": b""})
    assert refused_cheaply(tmp_path / "a.xlsx", sheet).startswith(
        "is a zip archive of xl/workbook.xml, [Content_Types].xml, c …, expected .npy members; "
    )
    assert refused_cheaply(tmp_path / "a.npz", zipped({})).startswith("is a zip archive of nothing, ")
    assert refused_cheaply(tmp_path / "g.txt", b"\x1f\x8b\x08\0").startswith(
        "is compressed with gzip; unpack"
    )
    assert refused_cheaply(tmp_path / "t.npy", b"1,2\n").startswith(
        "has the suffix .npy but is not a .npy file"
    )


def safetensors(header: str, data: bytes = b"", length: int | None = None) -> bytes:
    text = header.encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tensor(dtype: str = "F32", shape: str = "[2]", offsets: str = "[0, 8]") -> str:
    return f'{{"a": {{"dtype": "{dtype}", "shape": {shape}, "data_offsets": {offsets}}}}}'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (safetensors("{}", length=2**40), "declares a header of 1,099,511,627,776 bytes, more than"),
        (safetensors("{}", length=3), "declares a header of 3 bytes, more than the file holds; "),
        (b"\1\0", "ends too early"),
        (safetensors("{]"), "its header is damaged; "),
        (safetensors("[]"), "its header is damaged; "),
        (safetensors("{" * 100_000), "its header is damaged; "),
        (safetensors('{"__metadata__": null}'), "its header is damaged; "),
        (safetensors('{"__metadata__": {"type": 3}}'), "its header is damaged; "),
        (safetensors('{"a": {}}'), "its header is damaged; "),
        (safetensors(tensor(shape='["x"]'), bytes(8)), "its header is damaged; "),
        (safetensors(tensor(shape="[-2]"), bytes(8)), "its header is damaged; "),
        (safetensors(tensor(offsets="[0.0, 8.0]"), bytes(8)), "its header is damaged; "),
        (safetensors(tensor(shape="[1000000000000]"), bytes(8)), "declares [1000000000000] of F32 in 8 bytes; "),
        (safetensors(tensor(offsets="[0, 4000000000]"), bytes(8)), "declares [2] of F32 in 4,000,000,000 bytes; "),
        (safetensors(tensor(offsets="[4, 12]"), bytes(12)), "declares [2] of F32 in 8 bytes; "),
        (safetensors(tensor(), bytes(9)), "declares "),
        (safetensors(tensor(), bytes(7)), "declares "),
        (safetensors(tensor("F8_E4M3"), bytes(2)), "holds tensors of F8_E4M3; known are F64, "),
        (safetensors('{"__metadata__": {"type": "attention", "schema_version": "x"}}'), "its metadata is damaged; "),
        (safetensors('{"__metadata__": {"type": "attention", "schema_version": "1"}}'), "attention has no 'query_tokens'"),
    ],
)  # fmt: skip
def test_a_safetensors_header_that_lies(tmp_path: Path, content: bytes, message: str) -> None:
    assert refused_cheaply(tmp_path / "a.safetensors", content).startswith(message)


# ---- records that are none ----------------------------------------------------------------------------

VALID = (
    '{"type": "attention", "schema_version": 1, "query_tokens": ["a"], "key_tokens": ["a", "b"], '
    '"weights": [[[[0.5, 0.5]]]]}'
)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.5, 0.5", "0.5", "weights [1, 1, 1, 1] have 1 along key, but there are 2 tokens; "),
        ('["a"]', '[["a"]]', "'query_tokens' has the wrong type, expected tuple[str, ...]; "),
        ('["a"]', '"a"', "'query_tokens' has the wrong type, expected tuple[str, ...]; "),
        ('"query_tokens": ["a"], ', "", "attention has no 'query_tokens'; "),
        ("[[[[0.5, 0.5]]]]", "0.5", "'weights' has the wrong type, expected Float"),
        ("0.5, 0.5", "0.5, null", "weights: an entry is not a number; "),
        ("0.5, 0.5", '0.5, "x"', "weights: an entry is not a number; "),
        ("0.5, 0.5", "0.5, NaN", "weights hold nan at "),
        ("}", ', "kind": "sideways"}', "unknown kind 'sideways'; "),
        ("}", ', "kind": 3}', "'kind' has the wrong type, expected Kind; "),
        ("}", ', "layers": [true]}', "'layers' has the wrong type, expected tuple[int | str, ...]; "),
        ("}", ', "scores": [[[[1, "x"]]]]}', "scores: an entry is not a number; "),
        ("}", ', "mask": [[[[1, 0]]]]}', "mask int64 [1, 1, 1, 2] does not fit weights"),
        (
            '"schema_version": 1',
            '"schema_version": 7',
            "attention of version 7, this attn reads 1; update attn",
        ),
    ],
)
def test_a_json_record_with_something_wrong(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "w.json"
    path.write_text(VALID)
    assert isinstance(files.read(str(path)), Attention)
    assert refused_cheaply(path, VALID.replace(old, new, 1).encode()).startswith(message)


# ---- damage -------------------------------------------------------------------------------------------

SAMPLE = Attention(
    ("The", "猫"),
    ("a", "b\t"),
    np.array([[[[0.25, 0.75], [1.0, 0.0]]]]),
    scores=np.array([[[[0.5, 1.5], [1.0, -np.inf]]]]),
    provenance="by hand",
)
WRITTEN = {name: b"".join(files.FORMATS[name](SAMPLE)) for name in files.FORMATS}


@pytest.mark.filterwarnings("ignore::attn_cli.errors.AttnNote")  # half a character may be taken for GB18030
@pytest.mark.parametrize("name", ["npy", "npz", "safetensors", "json"])
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"w.{name}"
    whole = WRITTEN[name].rstrip(b"\n")
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError):
            files.read(str(path))


@pytest.mark.filterwarnings("ignore")  # what NumPy says of a strange header
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", WRITTEN)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_is_never_more_than_one_line(
    tmp_path_factory: pytest.TempPathFactory, name: str, reader: str, data: st.DataObject
) -> None:
    content = bytearray(WRITTEN[name])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / f"damaged.{name}"
    path.write_bytes(content)
    try:
        READERS[reader](str(path))
    except InputError as problem:
        assert "\n" not in str(problem)  # noqa: PT017 (many of these are still files)
