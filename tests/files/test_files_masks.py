"""A mask file is read as what it is, 0/1, True/False or additive, and which is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from attn_cli import files
from attn_cli.errors import AttnNote, InputError
from attn_cli.records.attention import Attention

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CAUSAL = np.tri(3, dtype=bool)
LOWEST = float(np.finfo(np.float32).min)


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def text(matrix: np.ndarray, mark: str = ",") -> bytes:
    return "".join(mark.join(map(str, row)) + "\n" for row in matrix.tolist()).encode()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.csv", text(CAUSAL.astype(int)), "1 where a query may attend"),
        ("m.txt", text(CAUSAL.astype(int), " "), "1 where a query may attend"),
        ("m.txt", text(CAUSAL.astype(float), " "), "1 where a query may attend"),
        ("m.csv", text(CAUSAL), "True where a query may attend"),
        ("m.csv", text(CAUSAL).upper(), "True where a query may attend"),
        ("m.txt", b"tensor([[ True, False, False],\n [True, True, False],\n [True, True, True]])", "True where a query may attend"),
        ("m.csv", text(np.where(CAUSAL, 0.0, -np.inf)), "additive, 0 and \u2212\u221e"),
        ("m.csv", text(np.where(CAUSAL, 0, -10000)), "additive, 0 and \u2212\u221e"),
        ("m.json", b"[[0, -1e9, -1e9], [0, 0, -1e9], [0, 0, 0]]", "additive, 0 and \u2212\u221e"),
    ],
)  # fmt: skip
def test_a_mask_in_text(name: str, content: bytes, said: str) -> None:
    files.write(name, [content])
    with pytest.warns(AttnNote, match=f"^{name}: read as a mask, {said}$"):
        mask = files.read_mask(name)
    assert mask.dtype == bool
    assert (mask == CAUSAL).all()


@pytest.mark.parametrize(
    "array",
    [
        CAUSAL,
        CAUSAL.astype(np.uint8),
        CAUSAL.astype(np.float32),
        np.where(CAUSAL, 0.0, -np.inf).astype(np.float16),
        np.where(CAUSAL, 0.0, LOWEST).astype(np.float32)[None, None],
    ],
)
@pytest.mark.filterwarnings("ignore::attn_cli.errors.AttnNote")
def test_a_mask_in_an_array_of_every_format(array: np.ndarray) -> None:
    from safetensors.numpy import save_file

    np.save("m.npy", array)
    np.savez("m.npz", x=np.eye(2), causal=array)
    torch.save({"causal": torch.tensor(array)}, "m.pt")
    save_file({"causal": np.ascontiguousarray(array)}, "m.safetensors")
    for path in ("m.npy", "m.npz:causal", "m.pt", "m.safetensors"):
        assert (files.read_mask(path) == CAUSAL).all()


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 0.5], [1, 1]], "a mask holds 0.5 at row 0, column 1 (counted from 0); write 1 where"),
        ([[0, -0.5], [0, 0]], "a mask holds -0.5 at row 0, column 1 (counted from 0)"),
        ([[1, 0], [-np.inf, 1]], "a mask holds -inf at row 1, column 0 (counted from 0)"),
        ([[0, 0], [0, -9999.0]], "a mask holds -9999.0 at row 1, column 1 (counted from 0)"),
    ],
)
def test_what_is_no_mask_names_the_place(matrix: list[list[float]], message: str) -> None:
    np.save("m.npy", np.array(matrix))
    with pytest.raises(InputError) as caught:
        files.read_mask("m.npy")
    assert str(caught.value).startswith(f"m.npy: {message}")


def test_other_things_that_are_no_mask() -> None:
    np.save("m.npy", np.ones((2, 3, 4)))
    files.write("t.csv", [b"True,0.5\nTrue,False\n"])
    files.write("n.csv", [b"0,nan\n0,0\n"])
    for path, message in [
        ("m.npy", "m.npy: a mask [2, 3, 4], expected [query, key]"),
        ("t.csv", "t.csv: mixes True and False with numbers; write one or the other"),
        ("n.csv", "n.csv: a mask holds nan at row 0, column 1 (counted from 0); "),
    ]:
        with pytest.raises(InputError) as caught:
            files.read_mask(path)
        assert str(caught.value).startswith(message)


@pytest.mark.filterwarnings("ignore::attn_cli.errors.AttnNote")
def test_a_saved_map_of_0_and_1_is_a_mask() -> None:
    record = Attention(tuple("abc"), tuple("abc"), CAUSAL.astype(float)[None, None])
    for name in ("npz", "tsv", "json"):
        files.write(f"m.{name}", files.FORMATS[name](record))
        assert (files.read_mask(f"m.{name}") == CAUSAL).all()


def test_three_ways_of_writing_a_mask_give_one_attention(run: Callable) -> None:
    files.write("a.csv", [text(CAUSAL.astype(int))])
    files.write("b.csv", [text(CAUSAL)])
    files.write("c.csv", [text(np.where(CAUSAL, 0.0, -np.inf))])
    wanted = run("attend", "--text", "a b c", "--mask", "causal").stdout
    for name in ("a", "b", "c"):
        done = run("attend", "--text", "a b c", "--mask", f"{name}.csv", cwd=".")
        assert done.stdout == wanted
        assert f"attn: note: {name}.csv: read as a mask, " in done.stderr
