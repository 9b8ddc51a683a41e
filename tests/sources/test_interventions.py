"""`--without` and `--mask` on models, from the command line and in Python: applied, named, or refused in a line."""

import json

import attn_cli as attn
import numpy as np
import pytest
from attn_cli import errors as attn_errors

TEXT = "She has a cat."


def test_command_line_and_python_do_the_same_to_a_model(run, tmp_path):
    done = run(
        *("attend", "--text", TEXT, "--model", "mini", "--without", "L0H1", "--without", "L1"),
        *("--mask", "causal", "--mask", "window:size=2", "-o", "a.json"),
        cwd=tmp_path,
    )
    assert done.code == 0, done.stderr
    typed = attn.read(tmp_path / "a.json")
    made = attn.attend(TEXT, model="mini", without=["L0H1", "L1"], mask=["causal", "window:size=2"])
    called = attn.load("mini")(TEXT, without="L0H1,L1", mask=["causal", "window:size=2"])
    for other in (made, called):
        np.testing.assert_array_equal(typed.weights, other.weights)
        assert typed.provenance == other.provenance
    assert typed.provenance.endswith(
        "intervened: without encoder L0H1, L1; encoder mask causal, mask window:size=2"
    )
    assert not np.triu(typed.weights, 1).any()
    assert not np.tril(typed.weights, -2).any()
    np.testing.assert_allclose(typed.weights.sum(axis=-1), 1, atol=1e-6)


def test_a_mask_of_a_file_is_added_to_the_model(tmp_path):
    n = len(attn.attend(TEXT, model="mini").key_tokens)
    allowed = np.ones((n, n))
    allowed[1, 0] = 0
    weights = attn.attend(TEXT, model="mini", mask=allowed).weights
    assert not weights[:, :, 1, 0].any()
    assert (weights[:, :, 0, 1] > 0).all()


def test_all_heads_of_a_layer_are_the_layer():
    whole = attn.attend(TEXT, model="mini", without="L1", layer=2).weights
    heads = attn.attend(TEXT, model="mini", without="L1H0,L1H1,L1H2,L1H3", layer=2).weights
    np.testing.assert_array_equal(whole, heads)
    assert np.abs(whole - attn.attend(TEXT, model="mini", layer=2).weights).max() > 1e-3


def test_every_picture_names_it(run, tmp_path):
    done = run("heatmap", "--text", TEXT, "--without", "L0H1", "-o", "a.svg", cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert "without encoder L0H1" in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("attend --text a --model mini --without H3", "no head 'H3'; give LAYER and HEAD from 0 as L5H3"),
        ("attend --text a --model mini --without L9H0", "no L9H0 in this model; it has L0 to L2, H0 to H3"),
        ("attend --text a --without L0H1", "--without does not apply to vectors; give --model DIR"),
        ("heatmap a.npz --without L0H1", "--without does not apply to saved attention; leave it out"),
        ("attend --text a --model mini --mask m.csv", "a mask [3, 3] for 1 queries and 1 keys"),
        (
            "attend --text a --model mini --mask causal --too-long chunk",
            "--mask cannot be combined with --too-long chunk; give --too-long truncate",
        ),
    ],
)
def test_what_cannot_be_is_one_line(run, tmp_path, typed, said):
    attn.save(attn.attend(np.eye(2)), tmp_path / "a.npz")
    (tmp_path / "m.csv").write_text("1,0,0\n1,1,0\n1,1,1\n")
    done = run(*typed.split(), "-q", cwd=tmp_path)
    assert done.code == 2
    assert done.stderr.startswith(f"attn: error: {said}"), done.stderr
    assert done.stderr.count("\n") == 1


def test_figures_and_steps_take_them_too(run, tmp_path):
    done = run("stats", "--text", TEXT, "--mask", "causal", "--format", "json", "-q", cwd=tmp_path)
    assert "intervened: encoder mask causal" in json.loads(done.stdout)["provenance"], done.stderr
    table = attn.stats(TEXT, mask="causal", without="L0H0")
    assert "without encoder L0H0; encoder mask causal" in table.provenance
    one = run("steps", "--text", TEXT, "--model", "mini", "--layer", "0", "--head", "1", "-q")
    assert (one.code, "weights\t0\t" in one.stdout) == (0, True), one.stderr
    steps = run("steps", "--text", TEXT, "--model", "mini", "--without", "L0", "--layer", "0")
    assert steps.code == 0, steps.stderr


def test_explain_names_it(run, tmp_path):
    typed = ("explain", "--text", "a", "--method", "gradients", "--without", "L0H1", "-q")
    done = run(*typed, "--format", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["provenance"].endswith("; intervened: without encoder L0H1"), done.stderr
    shown = run(*typed, "-o", "a.svg", cwd=tmp_path)
    assert "without encoder L0H1" in (tmp_path / "a.svg").read_text(), shown.stderr


def test_a_mask_on_more_queries_than_keys_counts_from_the_last():
    """It ended in an error of torch: positions of queries before the first key are below 0."""
    with pytest.warns(attn_errors.AttnWarning, match="may attend to no key"):
        found = attn.attend(
            "I like cats.", model="mini", kind="cross", target="我喜欢猫。", mask="window:size=2"
        )
    queries, keys = found.weights.shape[-2:]
    at = np.arange(keys - queries, keys)[:, None] - np.arange(keys)
    assert queries > keys
    np.testing.assert_array_equal(
        found.weights > 0, np.broadcast_to((at >= 0) & (at < 2), found.weights.shape)
    )
