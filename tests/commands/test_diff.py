"""`attn diff`: two records, tensors, models or settings compared; and `attn.diff` in Python."""

import json

import attn_cli as attn
import attn_cli.errors
import numpy as np
import pytest
from attn_cli.interpret.difference import difference

TEXT = "My father is free."


def rows(output):
    header, *lines = (line.split("\t") for line in output.splitlines())
    return [dict(zip(header, line, strict=True)) for line in lines]


@pytest.fixture
def pair(tmp_path, run):
    paths = [str(tmp_path / f"{seed}.npz") for seed in (0, 1)]
    for seed, path in enumerate(paths):
        run(
            "attend",
            "--text",
            "a b c d",
            "--heads",
            "2",
            "--project",
            "random",
            "--seed",
            str(seed),
            "-o",
            path,
        )
    return paths


def test_two_records_are_compared_head_by_head(run, pair):
    done = run("diff", *pair)
    assert done.code == 0
    wanted = difference(*map(attn.read, pair))
    for got, row in zip(rows(done.stdout), wanted.rows(), strict=True):
        assert {name: float(cell) for name, cell in got.items()} == pytest.approx(row)
    assert list(rows(done.stdout)[0]) == ["layer", "head", "max", "mean", "query", "key", "js", "correlation"]
    with pytest.warns(attn_cli.errors.AttnWarning, match="untrained"):
        assert attn.diff(*map(attn.read, pair))["max"].tolist() == wanted["max"].tolist()


def test_a_record_does_not_differ_from_itself_and_fail_over_says_so(run, pair):
    assert run("diff", pair[0], pair[0], "--fail-over", "0").code == 0
    over = run("diff", *pair, "--fail-over", "1e-6")
    assert over.code == 1
    worst = max(rows(over.stdout), key=lambda row: float(row["max"]))
    assert f"layer {worst['layer']}, head {worst['head']} differs by {float(worst['max']):.6g}" in over.stderr
    assert run("diff", *pair, "--fail-over", "2").code == 0


def test_what_is_different_about_the_second_is_named(run):
    said = run("diff", "--text", TEXT, "--against", "layer=1", "--layer", "0", "--format", "json").stdout
    assert json.loads(said)["provenance"].endswith(" − the same with layer=1")


def test_the_step_at_which_two_records_part_is_noted(run, pair):
    done = run("diff", "--text", "a b c", "--model", "none", "--embed", "onehot", "--against", "mask=causal")
    assert (
        "query, key, value, scores agree; they part at mask: 1 and 0 at layer 0, head 0, query 0, key 1"
        in done.stderr
    )
    assert "they part at" not in run("diff", pair[0], pair[0]).stderr


def test_bare_weights_of_any_axes_are_compared(tmp_path, run):
    weights = np.full((2, 3, 3), 1 / 3)
    np.save(tmp_path / "a.npy", weights)
    weights = weights.copy()
    weights[1, 2] = [1, 0, 0]
    np.save(tmp_path / "b.npy", weights)
    first, second = rows(run("diff", str(tmp_path / "a.npy"), str(tmp_path / "b.npy")).stdout)
    assert float(first["max"]) == 0
    assert (float(second["max"]), second["query"], second["key"]) == (pytest.approx(2 / 3), "2", "0")


@pytest.mark.parametrize(
    ("options", "most"),
    [
        (("--layer", "0", "--against", "layer=1"), 1),
        (("--model", "mini", "--against", "mini"), 0),
        (("--model", "mini", "--against", "dtype=bfloat16"), 0.05),
        (("--model", "none", "--heads", "2", "--against", "heads=2"), 0),
        (("--model", "none", "--against", "posenc=rope"), 1),
        (("--model", "none", "--against", "temperature=2"), 1),
    ],
)
def test_one_text_is_compared_under_other_options(run, options, most):
    done = run("diff", "--text", TEXT, *options)
    assert done.code == 0
    assert all(float(row["max"]) <= most for row in rows(done.stdout))
    if most == 1:
        assert any(float(row["max"]) > 0 for row in rows(done.stdout))


def test_permuted_heads_are_matched(tmp_path, run, pair):
    record = attn.read(pair[0])
    attn.save(
        attn.Attention(record.query_tokens, record.key_tokens, record.weights[:, ::-1]),
        str(tmp_path / "x.npz"),
    )
    got = rows(run("diff", pair[0], str(tmp_path / "x.npz"), "--match").stdout)
    assert [row["matched"] for row in got] == ["1", "0"]
    assert all(float(row["max"]) == 0 for row in got)


def test_other_tokens_are_compared_through_words(tmp_path, run):
    pieces = np.array([[[[0.5, 0.25, 0.25], [0, 0.5, 0.5], [0.5, 0.25, 0.25]]]])
    attn.save(attn.Attention(("a", "un", "##do"), ("a", "un", "##do"), pieces), str(tmp_path / "a.npz"))
    whole = np.array([[[[0.5, 0.5], [0.25, 0.75]]]])
    attn.save(attn.Attention(("a", "undo"), ("a", "undo"), whole), str(tmp_path / "b.npz"))
    done = run("diff", str(tmp_path / "a.npz"), str(tmp_path / "b.npz"))
    assert "so words are compared" in done.stderr
    assert float(rows(done.stdout)[0]["max"]) == 0


@pytest.mark.parametrize("suffix", ["csv", "json", "md", "tex", "png", "svg", "html"])
def test_every_format_is_written(tmp_path, run, pair, suffix):
    path = tmp_path / f"x.{suffix}"
    assert run("diff", *pair, "-o", str(path)).code == 0
    assert path.stat().st_size > 100


def test_scores_are_not_compared_with_weights(run, tmp_path):
    for show, name in (("scores", "a.npz"), ("weights", "b.npz")):
        given = ("--text", "a b", "--show", show, "-o", name)
        assert run("attend", *given, cwd=tmp_path).code == 0
    refused = run("diff", "a.npz", "b.npz", cwd=tmp_path)
    assert refused.code == 2
    assert "scores in the first, weights in the second; give --show weights" in refused.stderr
    assert float(run("diff", "a.npz", "b.npz", "--show", "weights", cwd=tmp_path).stdout.split()[10]) == 0


def test_a_terminal_sees_the_difference(warm, pair):
    import pty
    import subprocess

    main, end = pty.openpty()
    done = subprocess.run([warm, "diff", *pair], stdout=end, stderr=subprocess.PIPE, check=True)
    import os

    os.close(end)
    shown = os.read(main, 100_000).decode()
    os.close(main)
    assert not done.returncode
    assert "correlation" in shown


# ---- outputs -----------------------------------------------------------------------------------------------


@pytest.fixture
def tensors(tmp_path):
    rng = np.random.default_rng(0)
    made = {name: rng.normal(size=(3, 8)) for name in ("Q", "K", "V")}
    scores = made["Q"] @ made["K"].T
    for name, factor in (("scaled", 8**-0.5), ("unscaled", 1)):
        e = np.exp(scores * factor)
        made[name] = e / e.sum(axis=1, keepdims=True) @ made["V"]
    for name, array in made.items():
        np.save(tmp_path / f"{name}.npy", array)
    names = {"query": "Q", "key": "K", "value": "V"}
    given = [part for name, file in names.items() for part in (f"--{name}", str(tmp_path / f"{file}.npy"))]
    return given, str(tmp_path / "scaled.npy"), str(tmp_path / "unscaled.npy")


def test_two_outputs_part_at_their_scores(run, tensors):
    given, scaled, unscaled = tensors
    done = run("diff", *given, scaled, unscaled)
    (row,) = rows(done.stdout)
    assert (row["step"], row["as_defined"]) == ("scores", "first")
    assert run("diff", *given, scaled, unscaled, "--fail-over", "1e-6").code == 1
    same = run("diff", *given, scaled, scaled, "--fail-over", "1e-6")
    assert same.code == 0
    assert "the two outputs agree: they differ by 1e-06 at most" in same.stderr
    assert rows(same.stdout) == []


def test_python_says_where_outputs_part_as_the_command_does(tmp_path, run, tensors):
    given, scaled, unscaled = tensors
    assert run("diff", *given, scaled, unscaled, "--heads", "2", "-o", str(tmp_path / "typed.tsv")).code == 0
    vectors = {
        name.removeprefix("--"): np.load(path) for name, path in zip(given[::2], given[1::2], strict=True)
    }
    attn.save(attn.diff(np.load(scaled), np.load(unscaled), **vectors, heads=2), tmp_path / "called.tsv")
    assert (tmp_path / "called.tsv").read_bytes() == (tmp_path / "typed.tsv").read_bytes()
    assert len(attn.diff(np.load(scaled), np.load(scaled), **vectors)) == 0
    with pytest.raises(attn.InputError, match="key without query; give query too"):
        attn.diff(np.load(scaled), np.load(scaled), key=vectors["key"])


# ---- what cannot be ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--text", TEXT),
            "attn diff compares two inputs, got 1; give two INPUTs, or one and --against MODEL or KEY=VALUE",
        ),
        (("--text", TEXT, "--text", "I like tea."), "is 'My' in the first and 'I' in the second"),
        (
            ("--text", TEXT, "--against", "msk=causal"),
            "no option 'msk'; give MODEL or KEY=VALUE; did you mean 'mask'?",
        ),
        (
            ("--text", TEXT, "--against", "I like tea."),
            "--against 'I like tea.' is a text, and no model or option; give MODEL or KEY=VALUE, as mask=causal",
        ),
        (("--text", TEXT, "--against", "heads=two"), "--against heads=two: 'two' does not fit"),
        (
            ("--text", TEXT, "--layer", "0", "--against", "layer=0,1"),
            "layers: 1 in the first, 2 in the second",
        ),
        (("--text", TEXT, "--against", "layer=1", "-o", "x.npz"), "npz is not written here; known are tsv"),
    ],
)
def test_what_cannot_be_compared_is_refused(run, arguments, said):
    done = run("diff", *arguments)
    assert done.code == 2
    assert said in done.stderr


@pytest.mark.parametrize("change", ["foo", "seed=1"])
def test_a_change_that_a_record_cannot_have_is_named(run, tmp_path, change):
    path = str(tmp_path / "a.npz")
    attn.save(attn.Attention(("a",), ("a",), np.ones((1, 1, 1, 1))), path)
    done = run("diff", path, "--against", change)
    assert done.code == 2
    assert f"--against {change} does not apply to this INPUT: --" in done.stderr
    assert done.stderr.endswith("; give a second INPUT, or a text\n")
