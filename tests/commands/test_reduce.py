"""`--reduce`: one map of all layers and heads, in every command that takes an attention, and in Python."""

import io

import attn_cli as attn
import numpy as np
import pytest
from attn_cli.interpret.rollout import rollout, rollout_across

TEXT = "My father is free."


def matrix(output):
    """The numbers of a TSV with one map."""
    return np.array([[float(x) for x in line.split("\t")[4:]] for line in output.splitlines()[1:]])


def test_rollout_of_a_text_is_that_of_its_weights(run):
    whole = attn.attend(TEXT, model="mini")
    made = run("attend", "--text", TEXT, "--model", "mini", "--reduce", "rollout:residual=0.25")
    assert made.code == 0
    assert made.stdout.splitlines()[1].startswith("rollout\tmean\t0\tMy\t")
    np.testing.assert_allclose(matrix(made.stdout), rollout(whole.weights, residual=0.25), rtol=0, atol=1e-15)
    again = attn.attend(TEXT, model="mini", reduce="rollout:residual=0.25")
    assert (again.weights[0, 0] == matrix(made.stdout)).all()


@pytest.mark.parametrize("suffix", ["tsv", "json", "npz", "safetensors"])
@pytest.mark.parametrize("name", ["rollout", "flow", "mean", "max"])
def test_what_was_reduced_can_be_saved_and_read_again(tmp_path, run, name, suffix):
    path = str(tmp_path / f"x.{suffix}")
    assert run("attend", "--text", TEXT, "--model", "mini", "--reduce", name, "-o", path).code == 0
    record = attn.read(path)
    assert record.layers == (name,)
    assert record.weights.shape == (1, 1, 5, 5)
    assert run("heatmap", path, "-o", str(tmp_path / "x.png")).code == 0


def test_a_saved_record_can_be_reduced(tmp_path, run):
    path = str(tmp_path / "x.npz")
    run("attend", "--text", TEXT, "--model", "mini", "-o", path)
    made = run("attend", path, "--reduce", "rollout", "--layer", "0,1")
    wanted = rollout(attn.read(path).weights[:2])
    np.testing.assert_allclose(matrix(made.stdout), wanted, rtol=0, atol=1e-15)


def test_queries_are_chosen_after_the_paths_were_followed(run):
    whole = matrix(run("attend", "--text", TEXT, "--model", "mini", "--reduce", "rollout").stdout)
    part = run("attend", "--text", TEXT, "--model", "mini", "--reduce", "rollout", "--query-range", "1:3")
    np.testing.assert_array_equal(matrix(part.stdout), whole[1:3])
    vectors = run(
        "attend", "--text", "a b c", "--embed", "onehot", "--reduce", "rollout", "--query-token", "b"
    )
    assert matrix(vectors.stdout).shape == (1, 3)


def test_norms_are_rolled_out_as_shares(run):
    whole = attn.attend(TEXT, model="mini", show="norms")
    made = run("attend", "--text", TEXT, "--model", "mini", "--reduce", "rollout", "--show", "norms")
    np.testing.assert_allclose(matrix(made.stdout), rollout(whole.norms), rtol=0, atol=1e-15)
    np.testing.assert_allclose(matrix(made.stdout).sum(axis=1), 1, rtol=0, atol=1e-12)
    mean = attn.attend(TEXT, model="mini", show="norms", reduce="mean")
    np.testing.assert_allclose(mean.norms[0, 0], whole.norms.mean(axis=(0, 1), dtype=np.float64))


def test_an_encoder_decoder_is_followed_from_what_it_writes_to_what_it_has_read(run):
    parts = {
        kind: attn.attend(TEXT, model="mini", kind=kind, target="我父亲有空。")
        for kind in ("encoder", "decoder", "cross")
    }
    made = attn.attend(TEXT, model="mini", kind="cross", target="我父亲有空。", reduce="rollout")
    wanted = rollout_across(*(parts[kind].weights for kind in ("encoder", "decoder", "cross")))
    np.testing.assert_allclose(made.weights[0, 0], wanted, rtol=0, atol=1e-15)
    np.testing.assert_allclose(made.weights.sum(axis=-1), 1, rtol=0, atol=1e-12)
    assert made.query_tokens == parts["cross"].query_tokens
    assert made.key_tokens == (*parts["encoder"].key_tokens, *parts["decoder"].key_tokens)
    written = run("attend", "--text", TEXT, "--model", "mini", "--kind", "cross", "--reduce", "rollout")
    assert written.stderr.count("greedy output") == 1


def test_a_function_of_ones_own_may_reduce():
    made = attn.attend(TEXT, model="mini", reduce=lambda maps: maps[0, 0])
    assert made.weights.shape == (1, 1, 5, 5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--reduce", "rolout"),
            "unknown reduction 'rolout'; known are mean, max, rollout, flow, relevance; did you mean 'rollout'?",
        ),
        (
            ("--reduce", "rollout", "--show", "scores"),
            "--reduce rollout does not apply to scores; leave --show out",
        ),
        (("--reduce", "rollout:residual=2"), "residual 2.0 is out of range; give a number from 0 to 1"),
    ],
)
def test_what_cannot_be_reduced_is_refused(run, options, said):
    done = run("attend", "--text", TEXT, "--model", "mini", *options)
    assert done.code == 2
    assert said in done.stderr


def test_cross_attention_of_vectors_has_no_paths(run, tmp_path):
    path = tmp_path / "context.csv"
    path.write_text("1,0\n0,1\n1,1\n")
    query = tmp_path / "x.csv"
    query.write_text("1,0\n0,1\n")
    done = run("attend", str(query), "--context", str(path), "--reduce", "rollout")
    assert "rollout needs the same tokens as queries and keys, not cross-attention" in done.stderr


def test_a_causal_model_is_told_where_its_paths_lead(run):
    done = run("attend", "--text", TEXT, "--model", "mini", "--kind", "decoder", "--reduce", "rollout")
    assert "under a causal mask rollout piles up on the first tokens" in done.stderr


def test_help_lists_the_reductions(run):
    done = run("attend", "--reduce", "help")
    assert [line.split()[0] for line in io.StringIO(done.stdout)] == [
        "mean", "max", "rollout:residual=0.5", "flow:residual=0.5", "relevance",
    ]  # fmt: skip
