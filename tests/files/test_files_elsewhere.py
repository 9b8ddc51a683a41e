"""Tensors from elsewhere: fifty names and shapes under which people keep attention, and what is made of each."""

from __future__ import annotations

import io
import json
import sys
import warnings
from collections import OrderedDict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from attn_cli import files
from attn_cli.errors import AttnNote, AttnWarning, InputError
from attn_cli.files import Given, Vectors, elsewhere
from attn_cli.records.attention import Attention
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

L, H, N, D = 3, 2, 5, 4
RANDOM = np.random.default_rng(0)
SCORES = RANDOM.normal(size=(L, H, N, N))
EXPECTED = np.exp(SCORES) / np.exp(SCORES).sum(axis=-1, keepdims=True)  # [layer, head, query, key]
Q, K, V = RANDOM.normal(size=(3, H, N, D))  # [head, seq, d_head]
GENERAL = pytest.mark.filterwarnings("ignore::attn_cli.errors.AttnNote")


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    files.limit_memory(None)


def layered(pattern: str, *, batch: bool = True, of: np.ndarray = EXPECTED) -> dict[str, np.ndarray]:
    return {pattern.format(i): layer[None] if batch else layer for i, layer in enumerate(of)}


def flat(x: np.ndarray) -> np.ndarray:
    """[head, seq, d_head] → [seq, head * d_head]."""
    return np.concatenate(list(x), axis=1)


# ---- weights: what is saved, what is said about it, what comes out ---------------------------------------

ONE, TWO = EXPECTED[:1], EXPECTED[:1, :1]  # one layer; one layer and head
CROSS = EXPECTED[:, :, :, :3] / EXPECTED[:, :, :, :3].sum(axis=-1, keepdims=True)
BATCH = np.stack([EXPECTED[::-1], EXPECTED])  # [batch, layer, head, query, key]
W = "weights"
WEIGHTS: list[tuple[str, Any, dict[str, Any], np.ndarray]] = [
    # bare arrays, by their axes
    ("[head, query, key]", EXPECTED[0], {}, ONE),
    ("[layer, head, query, key]", EXPECTED, {}, EXPECTED),
    ("[batch of one, head, query, key]", EXPECTED[:1], {}, ONE),
    ("[batch of one, query, key]", TWO[0], {}, TWO),
    ("[batch of one, layer, head, query, key]", EXPECTED[None], {}, EXPECTED),
    ("[layer, batch of one, head, query, key], torch.stack(outputs.attentions)", EXPECTED[:, None], {}, EXPECTED),
    ("[batch, head, query, key], the second", BATCH[:, 0], {"batch": 1}, ONE),
    ("[batch, query, key], nn.MultiheadAttention's mean, the second", BATCH[:, 0, 0], {"batch": 1}, TWO),
    ("[batch, layer, head, query, key] by axes", BATCH, {"axes": "b l h q k", "batch": 1}, EXPECTED),
    ("[layer, batch, head, query, key] by axes", BATCH.swapaxes(0, 1), {"axes": "lbhqk", "batch": 1}, EXPECTED),
    ("[query, key, head] by axes", EXPECTED[0].transpose(1, 2, 0), {"axes": "query, key, head"}, ONE),
    ("[key, query] by axes", EXPECTED[0, 0].T, {"axes": "key query"}, TWO),
    ("[query, key] by axes", EXPECTED[0, 0], {"axes": "query key"}, TWO),
    ("[head, layer, query, key] by axes", EXPECTED.swapaxes(0, 1), {"axes": "hlqk"}, EXPECTED),
    ("more queries than keys", CROSS, {}, CROSS),
    # by name
    ("attn [query, key]", {"attn": TWO[0, 0]}, {}, TWO),
    ("attention [head, query, key]", {"attention": EXPECTED[0]}, {}, ONE),
    ("attentions [layer, head, query, key]", {"attentions": EXPECTED}, {}, EXPECTED),
    ("weights", {"weights": EXPECTED}, {}, EXPECTED),
    ("pattern", {"pattern": EXPECTED[0]}, {}, ONE),
    ("attn_weights, batch of one", {"attn_weights": EXPECTED[:1]}, {}, ONE),
    ("attention_probs", {"attention_probs": EXPECTED}, {}, EXPECTED),
    ("attn_output_weights, PyTorch's word", {"attn_output_weights": TWO[0]}, {}, TWO),
    ("self_attn beside its output", {"self_attn": EXPECTED[0], "output": flat(V)}, {}, ONE),
    ("attn beside q, k, v", {"q": Q, "k": K, "v": V, "attn": EXPECTED[0]}, {}, ONE),
    ("Attention, another case", {"Attention": EXPECTED}, {}, EXPECTED),
    ("uneven words", {"model.encoder/Attention_Weights": EXPECTED}, {}, EXPECTED),
    ("a name that says nothing, numbers that do", {"x": EXPECTED}, {}, EXPECTED),
    ("numpy.savez without names, with tokens", {"arr_0": EXPECTED, "arr_1": np.array(list("abcde"))}, {}, EXPECTED),
    # a layer for each number in the name
    ("outputs.attentions, a tuple", tuple(torch.tensor(x)[None] for x in EXPECTED), {}, EXPECTED),
    ("the same without batch", tuple(torch.tensor(x) for x in EXPECTED), {}, EXPECTED),
    ("a list, of a batch the second", [torch.tensor(x) for x in BATCH.swapaxes(0, 1)], {"batch": 1}, EXPECTED),
    ("in a dict", {"attentions": tuple(torch.tensor(x)[None] for x in EXPECTED)}, {}, EXPECTED),
    ("a dict of numbers", {i: torch.tensor(x) for i, x in enumerate(EXPECTED)}, {}, EXPECTED),
    ("a TransformerLens cache", layered("blocks.{}.attn.hook_pattern"), {}, EXPECTED),
    ("the same with what else is in it", {
        **layered("blocks.{}.attn.hook_pattern"), **layered("blocks.{}.attn.hook_q", of=SCORES),
        **layered("blocks.{}.hook_resid_pre", of=SCORES), "hook_embed": SCORES[0],
    }, {}, EXPECTED),
    ("hooks by module", layered("encoder.layer.{}.attention.self"), {}, EXPECTED),
    ("GPT-2's names", layered("transformer.h.{}.attn"), {}, EXPECTED),
    ("Llama's names", layered("model.layers.{}.self_attn"), {}, EXPECTED),
    ("attn_0", layered("attn_{}", batch=False), {}, EXPECTED),
    ("layer_0_attention", layered("layer_{}_attention", batch=False), {}, EXPECTED),
    ("layer0", layered("layer{}", batch=False), {}, EXPECTED),
    ("a layer and a head in the name", {
        f"layer{i}.head{j}.attn": EXPECTED[i, j] for i in range(L) for j in range(H)
    }, {}, EXPECTED),
    ("half precision", {"attn": torch.tensor(EXPECTED).half()}, {}, EXPECTED.astype(np.float16)),
    ("bfloat16", {"attn": torch.tensor(EXPECTED).bfloat16()}, {}, torch.tensor(EXPECTED).bfloat16().float().numpy()),
    ("a parameter that wants gradients", {"attn": torch.nn.Parameter(torch.tensor(EXPECTED))}, {}, EXPECTED),
    ("a view of a larger tensor", {"attn": torch.tensor(np.stack([EXPECTED] * 2, axis=-1))[..., 0]}, {}, EXPECTED),
    ("beside a step and a loss", {"step": 3, "loss": 0.5, "name": "x", "attn": torch.tensor(EXPECTED)}, {}, EXPECTED),
    # scores
    ("scores before the softmax", {"scores": SCORES}, {}, EXPECTED),
    ("attn_scores of a cache", layered("blocks.{}.attn.hook_attn_scores", of=SCORES), {}, EXPECTED),
    ("scores that are weights after all", {"attention_scores": EXPECTED}, {}, EXPECTED),
    # encoder and decoder
    ("cross_attentions", {"cross_attentions": tuple(torch.tensor(x)[None] for x in CROSS)}, {}, CROSS),
    ("of three kinds the cross", {
        "encoder_attentions": EXPECTED, "decoder_attentions": EXPECTED, "cross_attentions": CROSS,
    }, {"kind": "cross"}, CROSS),
]  # fmt: skip


def formats(held: Any) -> list[str]:
    """The suffixes of the files that can hold it."""
    if isinstance(held, np.ndarray):
        return [".pt", ".npy"]
    if not isinstance(held, dict) or any(isinstance(a, tuple) for a in held.values()):
        return [".pt"]
    of_torch = any(isinstance(a, torch.Tensor) and a.dtype == torch.bfloat16 for a in held.values())
    return [".pt", ".safetensors"] if of_torch else [".pt", ".safetensors", ".npz"]


def save(held: Any, suffix: str) -> str:
    """Written by whatever writes such files."""
    path = f"mine{suffix}"
    if suffix == ".pt":
        torch.save(_tensors(held), path)
        return path
    if suffix == ".npy":
        np.save(path, held)
        return path
    texts = {name: a for name, a in held.items() if _is_text(a)}
    arrays = {
        str(name): torch.as_tensor(a).detach() for name, a in held.items() if np.ndim(a) and name not in texts
    }
    if suffix == ".npz":
        np.savez(path, **{name: a.numpy() for name, a in arrays.items()}, **texts)
    else:
        from safetensors.torch import save_file

        save_file({name: a.contiguous().clone() for name, a in arrays.items()}, path)
    return path


def _is_text(a: Any) -> bool:
    return np.asarray(a).dtype.kind == "U" if not isinstance(a, torch.Tensor) else False


def _tensors(held: Any) -> Any:
    if isinstance(held, dict):
        return {name: _tensors(part) for name, part in held.items()}
    if isinstance(held, np.ndarray):
        return held.tolist() if _is_text(held) else torch.tensor(held)
    return held


@GENERAL
@pytest.mark.parametrize(
    ("held", "said", "wanted", "suffix"),
    [
        pytest.param(held, said, wanted, suffix, id=f"{name}{suffix}")
        for name, held, said, wanted in WEIGHTS
        for suffix in formats(held)
    ],
)
def test_weights_by_their_name_and_axes(
    held: Any, said: dict[str, Any], wanted: np.ndarray, suffix: str
) -> None:
    found = files.read_attention(save(held, suffix), Given(**said))
    assert isinstance(found, Attention)
    assert found.weights.shape == wanted.shape
    assert np.abs(found.weights.astype(float) - wanted).max() < 1e-12
    assert found.layers == tuple(range(len(wanted)))
    assert f"of mine{suffix}" in found.provenance
    assert not found.provenance.startswith("*")


def test_there_are_fifty_of_them() -> None:
    assert len(WEIGHTS) + len(VECTORS) >= 50
    assert len({row[0] for row in WEIGHTS}) == len(WEIGHTS)


# ---- vectors -------------------------------------------------------------------------------------------------

SEQ = (Q.swapaxes(0, 1), K.swapaxes(0, 1), V.swapaxes(0, 1))  # [seq, head, d_head]
VECTORS: list[tuple[str, Any, dict[str, Any], int]] = [
    ("q, k, v [seq, d]", dict(zip("qkv", map(flat, (Q, K, V)), strict=True)), {}, 1),
    ("query, key, value [head, seq, d_head]", {"query": Q, "key": K, "value": V}, {}, H),
    ("Q, K, V, batch of one", {"Q": Q[None], "K": K[None], "V": V[None]}, {}, H),
    ("[seq, head, d_head], told by the tokens", dict(zip("qkv", SEQ, strict=True)), {"tokens": "abcde"}, H),
    ("[seq, head, d_head] by axes", dict(zip("qkv", SEQ, strict=True)), {"axes": "seq head d_head"}, H),
    ("FlashAttention's [batch, seq, head, d]", {n: x[None] for n, x in zip("qkv", SEQ, strict=True)}, {"axes": "bshd"}, H),
    ("hook_q of TransformerLens", {f"blocks.0.attn.hook_{n}": x[None] for n, x in zip("qkv", SEQ, strict=True)}, {}, H),
    ("query_states", {"query_states": Q, "key_states": K, "value_states": V}, {}, H),
    ("[batch, head, seq, d], the second", {n: np.stack([x * 0, x]) for n, x in zip("qkv", (Q, K, V), strict=True)}, {"batch": 1}, H),
]  # fmt: skip


@GENERAL
@pytest.mark.parametrize("suffix", [".pt", ".npz", ".safetensors"])
@pytest.mark.parametrize(
    ("held", "said", "heads"), [row[1:] for row in VECTORS], ids=[row[0] for row in VECTORS]
)
def test_vectors_by_their_name_and_axes(held: Any, said: dict[str, Any], heads: int, suffix: str) -> None:
    found = files.read_attention(save(held, suffix), Given(**said))
    assert isinstance(found, Vectors)
    assert (found.heads, found.kv_heads) == (heads, heads)
    for made, wanted in zip((found.query, found.key, found.value), (Q, K, V), strict=True):
        assert (made.vectors == flat(wanted)).all()
    assert found.query.tokens == (tuple("abcde") if "tokens" in said else tuple("01234"))


@GENERAL
def test_heads_may_share_keys_and_keys_may_be_others() -> None:
    grouped = elsewhere.understood({"q": np.concatenate([Q, Q]), "k": K, "v": V})
    assert isinstance(grouped, Vectors)
    assert (grouped.heads, grouped.kv_heads) == (2 * H, H)
    crossed = elsewhere.understood({"q": SEQ[0][:3], "k": SEQ[1], "v": SEQ[2]})
    assert isinstance(crossed, Vectors)
    assert (crossed.query.vectors.shape, crossed.key.vectors.shape) == ((3, H * D), (N, H * D))
    alone = elsewhere.understood({"x": flat(Q)})
    assert isinstance(alone, Vectors)
    assert (alone.value.vectors == flat(Q)).all()
    hidden = elsewhere.understood({"last_hidden_state": flat(Q)[None]})
    assert isinstance(hidden, Vectors)
    assert (hidden.query.vectors == flat(Q)).all()


# ---- what is said ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"attn": EXPECTED}, "arrays: attn [3, 2, 5, 5] is read as [layer, head, query, key]; --axes decides"),
        ({"attn": EXPECTED[0]}, "arrays: attn [2, 5, 5] is read as [head, query, key]; --axes decides"),
        ({"q": Q, "k": K}, "arrays: q [2, 5, 4] is read as [head, seq, d]; --axes decides"),
        ({"scores": SCORES[:1]}, "arrays: scores are scores; a softmax over the keys made weights of them"),
        ({"q": flat(Q), "mask": np.eye(N)}, "arrays: mask is not used; --mask FILE:mask applies it"),
    ],
)  # fmt: skip
def test_what_could_be_understood_in_two_ways_is_said(arrays: dict[str, np.ndarray], said: str) -> None:
    with pytest.warns(AttnNote) as caught:
        elsewhere.understood(arrays)
    assert [str(warning.message) for warning in caught] == [said]


@pytest.mark.parametrize(
    ("arrays", "given"),
    [
        ({"attn": EXPECTED[0, 0]}, Given()),
        ({"attn": EXPECTED[:1]}, Given()),
        ({"attn": EXPECTED}, Given(axes="layer head query key")),
        (layered("blocks.{}.attn.hook_pattern"), Given()),
        ({"q": flat(Q), "k": flat(K)}, Given()),
        ({"q": Q, "k": K}, Given(axes="h s d")),
    ],
)
def test_what_can_mean_one_thing_alone_is_not_talked_about(
    arrays: dict[str, np.ndarray], given: Given
) -> None:
    elsewhere.understood(arrays, given)  # a note would be an error


def test_a_matrix_whose_rows_sum_to_one_is_weights_and_that_is_said() -> None:
    with pytest.warns(
        AttnNote, match=r"^w\.csv: rows sum to 1, read as weights \[query, key\]; --axes 'seq d' "
    ):
        found = elsewhere.understood({"numbers": EXPECTED[0, 0]}, where="w.csv")
    assert isinstance(found, Attention)
    np.testing.assert_array_equal(found.weights[0, 0], EXPECTED[0, 0])
    vectors = elsewhere.understood({"numbers": EXPECTED[0, 0]}, Given(axes="seq d"))
    assert isinstance(vectors, elsewhere.Vectors)
    one_hot = elsewhere.understood({"numbers": np.eye(3)})  # one-hot vectors are vectors
    assert isinstance(one_hot, elsewhere.Vectors)


@pytest.mark.parametrize("square", [np.tril(np.ones((3, 3), bool)), np.eye(3, dtype=np.int64)])
def test_a_square_of_zeros_and_ones_is_vectors_and_that_is_said(square: np.ndarray) -> None:
    """It may as well be a mask or hard attention."""
    said = r"^m\.npy: numbers \[3, 3\] that are 0 or 1, read as vectors \[seq, d\]; --axes 'query key' reads weights"
    with pytest.warns(AttnNote, match=said):
        found = elsewhere.understood({"numbers": square}, where="m.npy")
    assert isinstance(found, Vectors)
    np.testing.assert_array_equal(found.query.vectors, square)
    weights = elsewhere.understood({"numbers": np.eye(3, dtype=np.int64)}, Given(axes="query key"))
    assert isinstance(weights, Attention)  # and nothing is said: a note would be an error
    assert isinstance(elsewhere.understood({"numbers": square}, Given(axes="seq d")), Vectors)
    assert isinstance(elsewhere.understood({"numbers": np.array([[0, 1], [2, 1]])}), Vectors)


def test_json_holds_tokens_beside_its_arrays() -> None:
    files.write("a.json", [b'{"attn": [[0.5, 0.5], [0.2, 0.8]], "tokens": ["a", "b"]}'])
    found = elsewhere.understood(files.read("a.json"))
    assert isinstance(found, Attention)
    assert found.query_tokens == found.key_tokens == ("a", "b")
    assert found.weights.tolist() == [[[[0.5, 0.5], [0.2, 0.8]]]]


def test_a_number_that_is_not_finite_is_named_by_row_and_column_in_every_format() -> None:
    wrong = np.array([[0.5, 0.5, 0], [0.2, 0.8, np.nan], [0, 0, 1.0]])
    np.save("a.npy", wrong)
    np.savez("a.npz", attn=wrong[None, None])
    torch.save({"attn": torch.tensor(wrong)[None, None]}, "a.pt")
    for name in ("a.npy", "a.npz", "a.pt"):
        with pytest.raises(InputError, match=r"hold nan at row 1, column 2 .*counted from 0"):
            elsewhere.understood(
                files.read_arrays(name) if name != "a.npy" else {"numbers": files.read(name)}
            )
    with pytest.raises(InputError, match=r"^standard input: vectors hold nan at row 1, column 2 "):
        elsewhere.understood({"x": wrong}, where="-")
    np.savetxt("a.csv", wrong, delimiter=",")
    with pytest.raises(InputError, match=r"^a\.csv:2: column 3 holds nan; "):
        files.read("a.csv")


def test_what_a_model_gives_in_training_is_weights_after_dropout() -> None:
    """transformers gives them so: some weights zero, the others scaled up."""
    dropped = EXPECTED[:, None] * np.where(np.arange(EXPECTED.shape[-1]) == 1, 0, 2)
    with pytest.warns(AttnWarning, match=r"^a\.pt: \* are no attention weights: query "):
        found = elsewhere.understood({str(i): layer for i, layer in enumerate(dropped)}, where="a.pt")
    assert isinstance(found, Attention)
    np.testing.assert_array_equal(found.weights, dropped[:, 0])


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (np.array([[0.5, 0.5], [0.5, 0.7]]), "query 1 of layer 0, head 0 sums to 1.2"),
        (np.array([[0.5, -0.5], [0.5, 0.5]]), "query 0 of layer 0, head 0 holds -0.5"),
        (np.array([[0.5, 0.5], [0.0, 104.7]]), "query 1 of layer 0, head 0 holds 104.7"),
    ],
)
def test_what_is_no_weight_is_warned_about(weights: np.ndarray, said: str) -> None:
    with pytest.warns(AttnWarning, match=f"attn are no attention weights: {said}$"):
        elsewhere.understood({"attn": weights})
    with pytest.warns(AttnWarning, match=f"^these are no attention weights: {said}$"):
        Attention.of(weights)


def test_less_than_a_whole_row_is_fine() -> None:
    Attention.of([[0.0, 0.0], [0.3, 0.3]])  # masked, and cropped


@GENERAL
def test_tokens_given_and_saved() -> None:
    words = tuple("abcde")
    found = elsewhere.understood({"attn": EXPECTED}, Given(tokens=words))
    assert isinstance(found, Attention)
    assert found.query_tokens == found.key_tokens == words
    saved = elsewhere.understood({"attn": EXPECTED, "tokens": np.array(words)})
    assert isinstance(saved, Attention)
    assert saved.query_tokens == words
    sides = elsewhere.understood({"attn": CROSS}, Given(tokens=words, key_tokens=tuple("xyz")))
    assert isinstance(sides, Attention)
    assert (sides.query_tokens, sides.key_tokens, sides.kind) == (words, tuple("xyz"), "cross")
    one_side = elsewhere.understood({"attn": CROSS}, Given(tokens=words))
    assert isinstance(one_side, Attention)
    assert (one_side.query_tokens, one_side.key_tokens) == (words, ("0", "1", "2"))
    with pytest.raises(InputError, match=r"^arrays: 4 tokens for 5 query positions; give one for each$"):
        elsewhere.understood({"attn": EXPECTED}, Given(tokens=tuple("abcd")))


@GENERAL
def test_a_kind_is_what_the_names_say() -> None:
    for name, kind in [("cross_attentions", "cross"), ("decoder_attentions", "decoder"), ("encoder_attentions", "encoder"),
                       ("attn", "unknown"), ("decoder.layers.0.encoder_attn", "cross")]:  # fmt: skip
        found = elsewhere.understood({name: EXPECTED})
        assert isinstance(found, Attention)
        assert found.kind == kind
    found = elsewhere.understood({"attn": CROSS})
    assert isinstance(found, Attention)
    assert found.kind == "unknown"  # never guessed from sizes


@GENERAL
def test_scores_stay_beside_the_weights_and_masked_ones_are_zero() -> None:
    masked = np.where(np.tri(N, dtype=bool), SCORES, -np.inf)
    found = elsewhere.understood({"scores": masked})
    assert isinstance(found, Attention)
    assert found.scores is not None
    assert (found.scores == masked).all()
    assert (found.weights[..., ~np.tri(N, dtype=bool)] == 0).all()
    both = elsewhere.understood({"pattern": EXPECTED, "attn_scores": SCORES})
    assert isinstance(both, Attention)
    assert both.scores is not None
    assert (both.scores == SCORES).all()
    np.savez("s.npz", scores=masked, other=np.eye(2))
    assert isinstance(files.read_attention("s.npz"), Attention)


# ---- which one -------------------------------------------------------------------------------------------------


@GENERAL
def test_a_name_after_the_file_chooses() -> None:
    np.savez("run.npz", a=EXPECTED, b=CROSS, mask=np.tri(N), **{"attn.0": EXPECTED[0], "attn.1": EXPECTED[1]})
    torch.save({"blocks": layered("x.{}.attn"), "q": torch.tensor(Q)}, "bad.pt")
    for name, wanted in [
        ("a", EXPECTED),
        ("b", CROSS),
        ("attn", EXPECTED[:2]),
        ("attn.*", EXPECTED[:2]),
        ("attn.1", EXPECTED[1:2]),
    ]:
        found = files.read_attention(f"run.npz:{name}")
        assert isinstance(found, Attention)
        assert (found.weights == wanted).all()
    assert files.read("run.npz:mask").tolist() == np.tri(N).tolist()
    assert files.read_matrix("run.npz:mask").tolist() == np.tri(N).tolist()
    assert list(files.read_arrays("run.npz:attn")) == ["attn.0", "attn.1"]
    for call in (files.read, files.read_matrix, files.read_arrays):
        with pytest.raises(InputError) as caught:
            call("run.npz:atn")
        assert str(caught.value) == (
            "run.npz: holds no array 'atn'; it holds a, b, mask, attn.0, attn.1; did you mean 'attn.1'?"
        )
    np.save("w:1.npy", np.eye(2))
    assert files.read("w:1.npy").tolist() == [[1, 0], [0, 1]]  # a file of that very name goes first
    files.write("s.txt", [b"some words"])
    with pytest.raises(
        InputError, match=r"^s\.txt: has no named arrays, so there is no array 'x'; leave the name out"
    ):
        files.read("s.txt:x")
    with pytest.raises(InputError, match=r"^no\.npz:x: no such file"):
        files.read("no.npz:x")


def test_a_matrix_called_attn_is_weights_for_a_command_too(run: Callable) -> None:
    """Its name was lost where it stood alone, and attention was computed of the weights."""
    for name, held in (("a.npz", "attn"), ("b.npz", "x")):
        np.savez(name, **{held: TWO[0, 0]})
    drawn = run("heatmap", "a.npz", "--format", "json", cwd=".")
    assert np.abs(np.array(json.loads(drawn.stdout)["weights"]) - TWO).max() < 1e-12
    assert drawn.stderr == ""
    assert isinstance(files.read("a.npz"), dict)
    assert isinstance(files.read("b.npz"), np.ndarray)
    said = run("heatmap", "b.npz", "--format", "json", cwd=".")
    assert said.stderr.startswith("attn: note: b.npz: rows sum to 1, read as weights [query, key]; --axes ")
    assert json.loads(said.stdout)["weights"] == json.loads(drawn.stdout)["weights"]


def test_of_a_saved_record_a_part() -> None:
    record = Attention(("a", "b"), ("a", "b"), np.full((1, 1, 2, 2), 0.5), scores=np.zeros((1, 1, 2, 2)))
    files.write("r.npz", files.FORMATS["npz"](record))
    assert files.read("r.npz:scores")["scores"].shape == (1, 1, 2, 2)
    found = files.read_attention("r.npz")
    assert isinstance(found, Attention)
    assert found.query_tokens == ("a", "b")


@pytest.mark.parametrize(
    ("arrays", "given", "message"),
    [
        ({"x": np.eye(3), "y": np.eye(3)}, {}, "holds x, y; none is called attn, weights, pattern or scores, or q, k and v; choose one: FILE:NAME"),
        ({"a": np.zeros(3)}, {}, "a [3], expected at least 2 axes"),
        ({}, {}, "holds nothing; none is called attn"),
        ({"encoder_attentions": EXPECTED, "cross_attentions": CROSS}, {}, "holds several arrays of weights: encoder_attentions, cross_attentions; choose one: FILE:encoder_attentions"),
        ({"attn": BATCH}, {}, "attn [2, 3, 2, 5, 5], expected [layer, head, query, key] or the last of these; name the axes: \"layer batch head query key\""),
        ({"attn": BATCH[None, None]}, {}, "attn [1, 1, 2, 3, 2, 5, 5], expected [layer, head, query, key]"),
        ({"attn": BATCH[:, 0]}, {"batch": 2}, "batch 2 of 2 in attn; give 0 to 1"),
        ({"attn": BATCH[:, 0]}, {"batch": -1}, "batch -1 of 2 in attn; give 0 to 1"),
        ({"attn": TWO[0, 0]}, {"batch": 0}, "attn [5, 5] has no batch; leave the batch out"),
        ({"attn.0": BATCH[:, 0], "attn.1": BATCH[:, 1]}, {}, "attn.* holds a batch of 2; choose one: batch 0 to 1"),
        ({"attn.0": EXPECTED[0], "attn.1": EXPECTED[0, :, :4, :4]}, {}, "attn.* differ: [2, 5, 5] and [2, 4, 4]; choose one: FILE:attn.*, a number for *"),
        ({"attn.0.0": EXPECTED[0], "attn.1.1": EXPECTED[0]}, {}, "attn.*.* [2, 5, 5]: the names count more than layers and heads"),
        ({"attn.0.0": TWO[0, 0], "attn.1.1": TWO[0, 0]}, {}, "attn.*.*: layers have different numbers of heads"),
        ({"attn": EXPECTED}, {"axes": "query key"}, "attn [3, 2, 5, 5] has 4 axes, not query key; name each axis once"),
        ({"attn": EXPECTED}, {"axes": "l h q x"}, "axes 'l h q x': 'x' is no axis; give some of batch, layer, head"),
        ({"attn": EXPECTED}, {"axes": "l h q q"}, "axes 'l h q q' name query twice"),
        ({"attn": EXPECTED[0]}, {"axes": "layer head key"}, "attn has no axis query; name query and key"),
        ({"attn": EXPECTED[0]}, {"axes": "seq query key"}, "attn has an axis seq; give some of layer, head, query, key"),
        ({"q": Q, "k": K[:, :, :3], "v": V[:1]}, {}, "these heads do not fit together: 2 of query and 2 of key and 1 of value"),
        ({"q": np.zeros((1, 1, 2, 3, 4))}, {}, "q [1, 1, 2, 3, 4] has 5 axes; give [seq, d], [head, seq, d_head]"),
        ({f"blocks.{i}.attn.hook_{n}": Q for i in range(2) for n in "qkv"}, {}, "blocks.*.attn.hook_q are 2 arrays; choose one layer: FILE:blocks.NUMBER"),
        ({f"x{i}": SCORES[i] for i in range(2)}, {}, "x*: none of its arrays has a known name; choose one: FILE:NAME"),
        ({"scores": np.array([[np.nan, 1.0]])}, {}, "scores hold nan at "),
        ({"attn": np.array([[np.nan, 1.0]])}, {}, "weights hold nan at "),
    ],
)  # fmt: skip
@GENERAL
def test_what_is_left_open_is_refused_with_what_can_be_chosen(
    arrays: dict[str, np.ndarray], given: dict[str, Any], message: str
) -> None:
    with warnings.catch_warnings(action="ignore"), pytest.raises(InputError) as caught:
        elsewhere.understood(arrays, Given(**given), where="f.npz")
    assert str(caught.value).startswith(f"f.npz: {message}")


# ---- .pt: tensors and containers of tensors -----------------------------------------------------------------------


def saved(held: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    torch.save(held, out, **options)
    return out.getvalue()


def refusal(content: bytes, name: str = "a.pt") -> str:
    with open(name, "wb") as file:
        file.write(content)
    with pytest.raises(InputError) as caught:
        files.read(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class Output(OrderedDict):
    """As transformers returns it: a class of its own, which the loader would have to import."""


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (torch.nn.Linear(2, 2), "is a pickle, which can run code when it is loaded"),
        (Output(attentions=torch.ones(2, 2)), "is a pickle, which can run code when it is loaded"),
        ({"f": print}, "is a pickle, which can run code when it is loaded"),
        (np.eye(2), "is a pickle, which can run code when it is loaded"),
        ({}, "holds no tensors; save tensors, or a dict, list or tuple of them"),
        (3, "holds no tensors; "),
        ({"a": {"b": [1, "x", None]}}, "holds no tensors; "),
        (torch.eye(2).to_sparse(), "tensor is sparse_coo torch.float32 on cpu, expected plain numbers; "),
        (torch.ones(2, 2, dtype=torch.complex64), "tensor is strided torch.complex64 on cpu, expected plain numbers; "),
        (torch.ones(2, 2, device="meta"), "tensor is strided torch.float32 on meta, expected plain numbers; "),
        (torch.ones([1] * 9), "tensor has 9 axes, at most 8 are read; "),
        (torch.zeros(1).expand(2**20, 2**20), "reading it needs 4,096.0 GiB of memory, at most "),
    ],
)  # fmt: skip
def test_what_is_no_tensor_is_refused(held: Any, message: str) -> None:
    assert refusal(saved(held)).startswith(f"a.pt: {message}")


def test_the_old_format_and_what_is_cut_short_are_refused() -> None:
    assert "is a pickle" in refusal(saved(torch.eye(2), _use_new_zipfile_serialization=False))
    whole = saved({"attn": torch.tensor(EXPECTED)})
    for end in range(1, len(whole), 97):
        assert refusal(whole[:end])


def test_lists_within_lists_that_share_their_parts_are_entered_once() -> None:
    laughs: Any = [torch.eye(2)]
    for _ in range(60):
        laughs = [laughs] * 10
    with open("a.pt", "wb") as file:
        file.write(saved(laughs))
    assert len(files.read_arrays("a.pt")) == 1


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_to_it_is_never_more_than_one_line(data: st.DataObject) -> None:
    content = bytearray(saved({"attn": torch.tensor(TWO[0, 0]), "tokens": list("abcde")}))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with open("damaged.pt", "wb") as file:
        file.write(content)
    try:
        files.read("damaged.pt")
    except InputError as problem:
        assert "\n" not in str(problem)  # noqa: PT017 (many of these are still files)


def test_it_is_read_through_a_pipe_and_under_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved({"attn": torch.tensor(TWO[0, 0])})
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    for name in ("-", "a", "a.safetensors", "a.npz", "a.pth"):
        if name != "-":
            with open(name, "wb") as file:
                file.write(content)
        found = files.read_attention(name)
        assert isinstance(found, Attention)
        assert (found.weights == TWO).all()


def test_of_a_large_file_only_what_is_used_takes_memory() -> None:
    torch.save({"attn": torch.tensor(TWO[0, 0]), "rest": torch.zeros(2**20)}, "a.pt")
    files.limit_memory(2**20)
    found = files.read_attention("a.pt")
    assert isinstance(found, Attention)
    assert (found.weights == TWO).all()
    torch.save({"attn": torch.zeros(2**9, 2**9)}, "b.pt")
    with pytest.raises(InputError, match=r"^b\.pt: reading it needs 2\.0 MiB of memory, at most 1\.0 MiB"):
        files.read_attention("b.pt")


# ---- tokens --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "tokens"),
    [
        ("The cat sat\n", ("The", "cat", "sat")),
        ("The\ncat\n sat\n", ("The", "cat", " sat")),
        ("我\n爱你\n", ("我", "爱你")),
        ('["The", " cat", "\\n"]', ("The", " cat", "\n")),
        ("pos\ttoken\t0\n0\tThe\t1.0\n1\ta\\tb\t2.0\n", ("The", "a\tb")),
        ("3 1 4\n", ("3", "1", "4")),
        ("3.5\n1.5\n", ("3.5", "1.5")),
    ],
)
def test_tokens_of_a_file(content: str, tokens: tuple[str, ...]) -> None:
    files.write("t.txt", [content.encode()])
    assert files.read_tokens("t.txt") == tokens


def test_a_list_that_holds_no_tokens() -> None:
    files.write("t.json", [b"[1, 2]"])
    with pytest.raises(InputError, match=r"^t\.json: is not a JSON list of tokens; write "):
        files.read_tokens("t.json")
