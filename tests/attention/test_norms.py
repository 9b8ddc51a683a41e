"""Norm-weighted attention, ‖weight · value · W_o‖: from vectors and models, dense and streamed, wherever it goes."""

import json

import numpy as np
import pytest
from attn_cli import files, models
from attn_cli.attention import layers, streaming
from attn_cli.attention.heads import project
from attn_cli.attention.rules import Rule
from attn_cli.attention.vectors import attend
from attn_cli.models.reading import Reading
from attn_cli.records.attention import Attention
from attn_cli.variants.projections import Projection

X = np.random.default_rng(0).normal(size=(7, 6))
W_o = np.random.default_rng(1).normal(size=(6, 6))
MADE = project(X, heads=3, project=Projection(W_o=W_o))
SOURCE = ("attend", "--text", "a b c", "--heads", "2", "--project", "random", "--show", "norms")


def by_definition(attention: Attention, W_o: np.ndarray) -> np.ndarray:
    """One head, query and key at a time; W_o as [d_out, d_model]."""
    norms = np.zeros_like(attention.weights)
    d_value = attention.value.shape[-1]
    for layer, head, query, key in np.ndindex(norms.shape):
        rows = W_o[layer][head * d_value : (head + 1) * d_value]
        vector = attention.weights[layer, head, query, key] * attention.value[layer, head, key]
        norms[layer, head, query, key] = np.linalg.norm(vector @ rows)
    return norms


def test_a_value_of_nearly_nothing_hardly_arrives_by_hand():
    value = np.array([[3.0, 4.0], [0.0, 0.1]])
    attention = layers.attend(project(np.zeros((1, 2)), value * 0, value), norms=True)
    np.testing.assert_allclose(attention.weights[0, 0], [[0.5, 0.5]])
    np.testing.assert_allclose(attention.norms[0, 0], [[2.5, 0.05]])


def test_norms_of_vectors_are_the_definition():
    attention = layers.attend(MADE, norms=True)
    np.testing.assert_allclose(attention.norms, by_definition(attention, W_o[None]), atol=1e-12)
    assert layers.attend(MADE).norms is None


def test_streamed_norms_are_the_dense_ones_and_pooled_as_weights_are(monkeypatch):
    whole = layers.attend(MADE, norms=True).norms
    np.testing.assert_allclose(
        layers.streamed(*layers.of_vectors(MADE, Rule()), norms=True).norms, whole, atol=1e-12
    )
    monkeypatch.setattr(streaming.kept, "MOST_CELLS", 3)
    pooled = layers.streamed(*layers.of_vectors(MADE, Rule()), norms=True)
    cells = [[whole[:, :, q][..., k].mean((2, 3)) for k in pooled.key_cells] for q in pooled.query_cells]
    np.testing.assert_allclose(pooled.norms, np.moveaxis(cells, (0, 1), (2, 3)), atol=1e-12)
    assert layers.streamed(*layers.of_vectors(MADE, Rule())).norms is None


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
@pytest.mark.parametrize("most", [layers.MOST_DENSE, 0], ids=["dense", "streamed"])
def test_all_three_kinds_of_a_model_have_norms(kind, most, monkeypatch):
    """Of the bundled model, an encoder–decoder; what is checked is the sum over keys of vectors against its layers."""
    model = models.load("mini")
    target = None if kind == "encoder" else "他有一只猫"
    reading = Reading(kind=kind, target=target, norms=True)
    whole = model.attend("She has a cat.", reading)
    monkeypatch.setattr(layers, "MOST_DENSE", most)
    attention = model.attend("She has a cat.", reading)
    stack = model.model.encoder if kind == "encoder" else model.model.decoder
    parts = [layer.cross if kind == "cross" else layer.attention for layer in stack.layers]
    expected = by_definition(whole, [part.out.weight.T.numpy() for part in parts])
    np.testing.assert_allclose(attention.norms, expected, rtol=1e-4, atol=1e-5)


def test_the_mean_of_heads_is_the_mean_of_their_norms(run):
    options = ("--format", "tsv")
    single = run(*SOURCE, *options).stdout.splitlines()
    mean = run(*SOURCE, *options, "--head", "mean").stdout.splitlines()
    assert single[0].split("\t") == ["layer", "head", "query_pos", "norm_of", "0:a", "1:b", "2:c"]
    numbers = np.array([[float(x) for x in line.split("\t")[4:]] for line in single[1:]])
    found = np.array([[float(x) for x in line.split("\t")[4:]] for line in mean[1:]])
    np.testing.assert_allclose(found, (numbers[:3] + numbers[3:]) / 2)


@pytest.mark.parametrize("name", ["tsv", "csv", "tidy", "json", "npz", "safetensors"])
def test_norms_come_back_as_norms(tmp_path, name):
    shown = Attention(("a", "b"), ("a", "c"), kind="cross", norms=[[[[1.5, 2], [0, 3]]]], show="norms")
    path = str(tmp_path / f"s.{name}")
    files.write(path, files.FORMATS[name](shown))
    read = files.read(path)
    assert (read.show, read.unit) == ("norms", "norm")
    assert (read.shown == shown.norms).all()
    assert not hasattr(read, "weights")


def test_pictures_say_so_and_a_record_holds_both(run, tmp_path):
    run(*SOURCE, "-o", "n.svg", cwd=tmp_path)
    assert ">norm<" in (tmp_path / "n.svg").read_text()
    record = json.loads(run(*SOURCE, "--format", "json").stdout)
    np.testing.assert_allclose(np.array(record["weights"]).sum(-1), 1)
    again = attend(np.array(record["query"][0]).transpose(1, 0, 2).reshape(3, -1), heads=2)
    assert np.shape(record["norms"]) == again.weights.shape
    run(*SOURCE, "-o", "n.npz", cwd=tmp_path)
    table = run(*SOURCE).stdout
    assert run("attend", "n.npz", "--show", "norms", cwd=tmp_path).stdout == table


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--show", "norm"],
            "unknown --show 'norm'; give weights, scores, norms, gradients, zeroing, alti or output; did you mean 'norms'?",
        ),
        (["--show", "norms", "--words"], "--words does not apply to --show norms; leave it out"),
    ],
)
def test_what_cannot_be_shown(run, options, message):
    done = run("attend", "--text", "a b", *options)
    assert (done.code, done.stderr) == (2, f"attn: error: {message}\n")


def test_of_saved_weights_nothing_tells_the_norms(run):
    done = run("attend", "--weights", "-", "--show", "norms", stdin="1 0\n0 1\n")
    assert done.code == 2
    assert done.stderr.splitlines()[-1].startswith(
        "attn: error: this attention has no norms; recompute it from vectors"
    )
