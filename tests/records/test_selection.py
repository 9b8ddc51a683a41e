"""Which part of an attention is shown: layers, heads, ranges, through the library and the command line."""

import json

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.records.attention import Attention
from attn_cli.records.selection import choose, crop, parse_choice
from attn_cli.render.figure.maps import attention_maps

# Two layers of two heads over three tokens; every row sums to 1.
WEIGHTS = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 2, 3))
TOKENS = ("注", "b", "c")
WHOLE = Attention(
    TOKENS,
    TOKENS,
    WEIGHTS,
    provenance="made up",
    scores=np.log(WEIGHTS),
    mask=np.stack([np.ones((3, 3)), np.eye(3)])[None].astype(bool),
    output=np.arange(12.0).reshape(2, 3, 2),
    query=np.zeros((2, 2, 3, 4)),
    key=np.zeros((2, 2, 3, 4)),
    value=np.zeros((2, 2, 3, 4)),
    entropy=np.zeros((2, 2, 3)),
    mass=np.zeros((2, 2, 3)),
)


@pytest.fixture
def saved(tmp_path, run):
    """A file with that attention, and a function that runs `attend` on it and reads the JSON."""
    fields = {"type": "attention", "schema_version": 1, "query_tokens": TOKENS, "key_tokens": TOKENS}
    (tmp_path / "a.json").write_text(
        json.dumps(fields | {"weights": WEIGHTS.tolist(), "provenance": "made up"})
    )

    def attend(*options):
        done = run("attend", "a.json", "--format", "json", *options, cwd=tmp_path)
        assert done.code == 0, done.stderr
        return json.loads(done.stdout)

    return attend


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--layer", "last"), WEIGHTS[1:]),
        (("--layer", "0", "--head", "1"), WEIGHTS[:1, 1:]),
        (("--layer", "mean"), WEIGHTS.mean(axis=0, keepdims=True)),
        (("--head", "mean"), WEIGHTS.mean(axis=1, keepdims=True)),
        (("--head", "max"), WEIGHTS.max(axis=1, keepdims=True)),
        (("--query-range", "1:"), WEIGHTS[:, :, 1:]),
        (("--key-range", "0:2"), WEIGHTS[..., :2]),
        (("--query-range", "-1:", "--key-range", ":-1"), WEIGHTS[:, :, -1:, :-1]),
    ],
)
def test_options_choose_the_part_they_name(saved, options, expected):
    assert np.array(saved(*options)["weights"]).tolist() == expected.tolist()


def test_a_mean_of_distributions_is_one_and_a_maximum_says_what_it_is():
    mean, most = choose(WHOLE, "head", "mean"), choose(WHOLE, "head", "max")
    assert mean.weights.sum(axis=-1) == pytest.approx(1, abs=1e-15)
    assert (mean.heads, mean.provenance) == (("mean",), "made up; mean of 2 heads")
    assert (most.heads, most.provenance) == (("max",), "made up; maximum of 2 heads")
    assert mean.scores is mean.query is mean.output is mean.entropy is None
    assert mean.mask.all()  # the first head may attend everywhere


def test_means_of_half_precision_are_summed_in_single():
    weights = np.full((1, 3000, 1, 1), 0.1, np.float16)
    mean = choose(Attention(("a",), ("a",), weights), "head", "mean").weights
    assert mean.dtype == np.float32
    assert mean[0, 0, 0, 0] == pytest.approx(float(np.float16(0.1)), rel=1e-6)


def test_the_only_head_stays_what_it_is():
    one = choose(WHOLE, "head", (1,))
    assert choose(one, "head", "mean") is one


def test_heads_take_everything_that_is_theirs_along():
    one = choose(choose(WHOLE, "layer", "last"), "head", (1,))
    assert (one.layers, one.heads) == ((1,), (1,))
    assert one.scores.tolist() == np.log(WEIGHTS[1:, 1:]).tolist()
    assert one.mask.tolist() == [[np.eye(3).astype(bool).tolist()]]
    assert one.output.tolist() == WHOLE.output[1:].tolist()
    assert one.query.shape == (1, 1, 3, 4)


def test_ranges_crop_what_has_queries_or_keys_and_drop_what_is_no_longer_true():
    rows, columns = crop(WHOLE, "query", "1:3"), crop(WHOLE, "key", "1:3")
    assert (rows.query_tokens, rows.key_tokens) == (("b", "c"), TOKENS)
    assert rows.output.tolist() == WHOLE.output[:, 1:].tolist()
    assert (rows.mass, columns.entropy) == (None, None)
    assert rows.entropy.shape == columns.mass.shape == (2, 2, 2)
    assert (rows.query.shape, rows.key.shape) == ((2, 2, 2, 4), (2, 2, 3, 4))
    assert columns.mask.shape == (1, 2, 3, 2)
    assert columns.provenance == "made up; keys 1 to 2 of 3"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--layer", "9"), "no layer 9 in this attention; it has 0, 1"),
        (
            ("--head", "meen"),
            "--head 'meen'; give numbers from 0, or all, last, mean, max; did you mean 'mean'?",
        ),
        (("--layer", "max"), "--layer 'max'; give numbers from 0, or all, last, mean; did you mean 'mean'?"),
        (("--query-range", "5"), "--query-range '5'; give FROM:TO, counted from 0, TO not included"),
        (("--key-range", "7:9"), "--key-range '7:9' is empty; there are 3 positions, from 0"),
    ],
)
def test_what_is_not_there_is_said(saved, tmp_path, run, options, said):
    done = run("heatmap", "a.json", "-o", "x.png", *options, cwd=tmp_path)
    assert (done.code, done.stderr) == (2, f"attn: error: {said}\n")
    assert not (tmp_path / "x.png").exists()


def test_means_of_neighbours_have_no_range():
    pooled = Attention(("a", "b"), ("a", "b"), np.ones((1, 1, 1, 1)), pooled=True)
    with pytest.raises(InputError, match="pooled over positions"):
        crop(pooled, "query", "0:1")


@pytest.mark.parametrize("name", ["tsv", "csv", "tidy", "json", "npz", "safetensors"])
def test_a_mean_keeps_its_name_in_every_format(tmp_path, run, name):
    run(
        "attend", "--text", "a b", "--heads", "2", "--head", "mean", "--format", name, "-o", "x", cwd=tmp_path
    )
    done = run("attend", "x", "--format", "tsv", "-q", cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout.splitlines()[1].startswith("0\tmean\t0\ta\t")


def test_pictures_say_that_they_show_a_mean():
    maps = attention_maps(choose(WHOLE, "head", "mean"))
    assert maps.titles == ("layer 0", "layer 1")
    assert maps.subheading == "mean of heads"
    both = attention_maps(choose(choose(WHOLE, "head", "max"), "layer", "mean"))
    assert both.subheading == "mean of layers · max of heads"
    assert both.origin == "made up; maximum of 2 heads; mean of 2 layers"


def test_a_text_through_random_heads_can_be_chosen_from(run, tmp_path):
    done = run(
        "heatmap",
        "--text",
        "a b",
        "--model",
        "untrained",
        "--head",
        "2",
        "--format",
        "tsv",
        "-q",
        cwd=tmp_path,
    )
    assert [line.split("\t")[1] for line in done.stdout.splitlines()[1:]] == ["2", "2"]


def test_steps_show_all(run):
    done = run("steps", "--text", "a b", "--head", "0")
    assert done.code == 2
    assert "--head does not apply to steps that begin at vectors" in done.stderr


@pytest.mark.parametrize("text", ["0", "2,0", "last", "all", "mean"])
def test_layers_are_named_as_options_have_it(text):
    assert parse_choice("layer", text) in ((0,), (2, 0), "last", "all", "mean")
