"""Every option of the engine, from the command line to the numbers: the command gives what the library gives."""

import json

import numpy as np
import pytest
import torch
from attn_cli.attention.vectors import attend
from attn_cli.variants.posenc import POSITIONS

from variants import FILES, MASK_SPECS, NORMALISATION_SPECS, POSITION_SPECS, SCORE_SPECS

X = np.random.default_rng(3).normal(size=(6, 8))  # as 2 heads of 4


@pytest.fixture
def here(tmp_path):
    """A folder with vectors, and the files that specs name."""
    np.savetxt(tmp_path / "x.csv", X, delimiter=",", fmt="%.17g")
    np.savetxt(tmp_path / "mask.csv", np.tri(6), delimiter=",", fmt="%d")
    np.savetxt(tmp_path / "memory.csv", X[:2] * 2, delimiter=",", fmt="%.17g")
    for name, arrays in FILES.items():
        np.savez(tmp_path / name, **arrays)
    return tmp_path


def weights_of(run, folder, *options):
    done = run("attend", "x.csv", "--heads", "2", "--format", "json", *options, cwd=folder)
    assert done.code == 0, done.stderr
    return np.array(json.loads(done.stdout)["weights"])


def assert_like_the_library(run, folder, *options, **arguments):
    expected = attend(X, heads=2, **arguments).weights
    assert (weights_of(run, folder, *options) == expected).all()


def without_file(specs):
    return [spec for spec in specs if "file=" not in spec]


@pytest.mark.parametrize(
    ("option", "spec"),
    [
        *(("score", spec) for spec in without_file(SCORE_SPECS) if spec != "linear"),
        *(("position", spec) for spec in without_file(POSITION_SPECS)),
        *(("normalise", spec) for spec in without_file(NORMALISATION_SPECS)),
    ],
)
def test_specs(run, here, option, spec):
    typed = {"position": "--posenc"}.get(option, f"--{option}")
    assert_like_the_library(run, here, typed, spec, **{option: spec})


@pytest.mark.filterwarnings("ignore:.*may attend to no key")
@pytest.mark.parametrize("spec", MASK_SPECS)
def test_masks(run, here, spec):
    assert_like_the_library(run, here, "--mask", spec, mask=[spec])


def test_masks_of_files_alone_and_in_an_or(run, here):
    assert_like_the_library(run, here, "--mask", "mask.csv", mask=["causal"])
    either = ("--mask", "mask.csv|global:tokens=5", "--mask", "window:size=5,ahead=2")
    assert_like_the_library(run, here, *either, mask=["causal|global:tokens=5", "window:size=5,ahead=2"])


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (["--scale", "0.25"], {"scale": 0.25}),
        (["--temperature", "2"], {"temperature": 2.0}),
        (["--softcap", "1.5"], {"softcap": 1.5}),
        (["--top-k", "2"], {"top_k": 2}),
        (["--dtype", "float16"], {"dtype": "float16"}),
        (["--dtype", "bfloat16"], {"dtype": "bfloat16"}),
        (["--memory", "memory.csv", "--mask", "causal"], {"memory": X[:2] * 2, "mask": ["causal"]}),
        (["--kv-heads", "1", "--project", "random"], {"kv_heads": 1, "project": "random"}),
        (["--seed", "5", "--score", "general"], {"seed": 5, "score": "general"}),
        (["--device", "cpu"], {}),
    ],
)
def test_numbers(run, here, options, arguments):
    assert_like_the_library(run, here, *options, **arguments)


@pytest.mark.parametrize(("k", "said"), [("7", "--top-k 7 has no effect: there are only 6 keys"), ("6", "")])
def test_more_than_there_are_keys_is_said(run, here, k, said):
    done = run("attend", "x.csv", "--top-k", k, cwd=here)
    assert done.stderr == (f"attn: note: {said}\n" if said else "")


@pytest.mark.parametrize("spec", [s for s in [*SCORE_SPECS, *POSITION_SPECS] if "file=" in s])
def test_files_in_specs(run, here, spec):
    option = "--score" if spec in SCORE_SPECS else "--posenc"
    name = spec.rpartition("=")[2]
    typed = weights_of(run, here, option, f"{spec}.npz")
    assert not np.allclose(
        typed, weights_of(run, here, option, spec.replace(f"file={name}", "seed=1").rstrip(",:"))
    )
    missing = run("attend", "x.csv", option, spec.replace(f"file={name}", "file=nothing.npz"), cwd=here)
    assert (missing.code, missing.stderr) == (
        2,
        "attn: error: nothing.npz: no such file; check its name and folder\n",
    )


def test_linear_prints_its_error(run, here):
    done = run("attend", "x.csv", "--score", "linear", cwd=here)
    assert done.code == 0
    assert "attn: note: linear attention approximates scaled_dot: weights are off by" in done.stderr


def test_threads_are_set(run, here):
    before = torch.get_num_threads()
    try:
        run("attend", "x.csv", "--threads", "2", cwd=here)
        assert torch.get_num_threads() == 2
        assert run("attend", "--text", "a", "--model", "mini", "--threads", "1").code == 0
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("option", ["score", "position", "mask", "normalise"])
def test_help_lists_each_variant_with_a_line(run, option):
    listed = run("attend", {"position": "--posenc"}.get(option, f"--{option}"), "help")
    assert listed.code == 0
    specs = {
        "score": SCORE_SPECS,
        "position": POSITION_SPECS,
        "mask": MASK_SPECS,
        "normalise": NORMALISATION_SPECS,
    }
    for name in {spec.partition(":")[0] for spec in specs[option] if "|" not in spec}:
        line = next(line for line in listed.stdout.splitlines() if line.split()[0].partition(":")[0] == name)
        assert len(line.split()) > 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--temperature", "0"], "temperature 0.0; give a number above 0"),
        (["--posenc", "rop"], "unknown posenc 'rop', and no such file exists; known are sinusoidal, sinusoidal2d, rope, alibi, t5, xl, clipped, learned; did you mean 'rope'?"),
        (["--mask", "causal|windw"], "unknown mask 'windw', and no such file exists"),
        (["--mask", "global:tokens=0;3"], "'0;3' is not whole numbers with + between them"),
        (["--normalise", "sigmoid:bias=x"], "'x' is not a number"),
        (["--kv-heads", "3", "--heads", "2"], "3 key heads for 2 heads"),
        (["--memory", "mask.csv"], "memory [6, 6] and vectors [6, 8] differ in width"),
        (["--dtype", "int8"], "dtype 'int8'; give float64 or float32 or bfloat16 or float16"),
        (["--device", "tpu"], "device 'tpu' is not available; give auto or"),
        (["--score", "general:file=clipped.npz"], "a file with a; name an array W"),
        (["--posenc", "rope:partial=0.4"], "rope turns pairs of numbers, and 3 are not pairs"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(run, here, options, message):
    done = run("attend", "x.csv", *options, cwd=here)
    assert done.code == 2
    assert done.stderr.startswith("attn: error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_options_that_have_no_effect_on_saved_attention_are_refused(run, here):
    run("attend", "x.csv", "-o", "saved.npz", cwd=here)
    for option, value in (("--top-k", "2"), ("--kv-heads", "1"), ("--posenc", "rope"), ("--softcap", "2")):
        done = run("attend", "saved.npz", option, value, cwd=here)
        assert (done.code, done.stderr) == (
            2, f"attn: error: {option} does not apply to saved attention; leave it out\n"
        )  # fmt: skip


@pytest.mark.parametrize("name", POSITIONS)
def test_what_acts_within_scores_is_not_added_to_vectors(run, name):
    result = run("encode", "--text", "a b", "--posenc", name)
    assert result.code == 2
    assert result.stderr == (
        f"attn: error: --posenc {name} acts inside the scores, which encode does not compute; give attn attend --posenc, which computes scores\n"
    )
