"""`import attn_cli as attn`: the same numbers as the command line, under the same words, with types."""

import re
import subprocess
import sys
from pathlib import Path

import attn_cli as attn
import numpy as np
import pytest
import torch
from attn_cli.commands.io.source_options import OPTIONS
from attn_cli.errors import AttnNote, InputError, for_python, note
from attn_cli.sources.calls import note_of_files

ROOT = Path(__file__).parents[1]
TEXT = "to be or not to be"
RNG = np.random.default_rng(0)
Q, K, V = RNG.normal(size=(5, 6)), RNG.normal(size=(7, 6)), RNG.normal(size=(7, 6))

# What is typed, and what is called: the numbers must be the same.
CASES = {
    "a text": ("attend --text TEXT", lambda: attn.attend(TEXT)),
    "one-hot": ("attend --text TEXT --embed onehot", lambda: attn.attend(TEXT, embed="onehot")),
    "heads": ("attend x.npy --heads 2", lambda: attn.attend(Q, heads=2)),
    "three files": ("attend --query x.npy --key k.npy --value v.npy", lambda: attn.attend(Q, K, V)),
    "cross": ("attend x.npy --context k.npy", lambda: attn.attend(Q, context=K)),
    "one mask": ("attend x.npy --mask causal", lambda: attn.attend(Q, mask="causal")),
    "two masks": (
        "attend x.npy --mask causal --mask window:size=2",
        lambda: attn.attend(Q, mask=["causal", "window:size=2"]),
    ),
    "a mask that is a matrix": (
        "attend x.npy --mask causal",
        lambda: attn.attend(Q, mask=np.tri(5, dtype=bool)),
    ),
    "a mask that is a function": (
        "attend x.npy --mask causal",
        lambda: attn.attend(Q, mask=lambda query, key: key <= query),
    ),
    "no mask": ("attend x.npy", lambda: attn.attend(Q, mask=None)),
    "a score": ("attend x.npy --score cosine", lambda: attn.attend(Q, score="cosine")),
    "a score that is a function": (
        "attend x.npy --score dot",
        lambda: attn.attend(Q, score=lambda query, key, *, scale=1.0: query @ key.mT),
    ),
    "inside the scores": ("attend x.npy --posenc rope", lambda: attn.attend(Q, posenc="rope")),
    "added": ("attend --text TEXT --posenc sinusoidal", lambda: attn.attend(TEXT, posenc="sinusoidal")),
    "both": (
        "attend --text TEXT --posenc sinusoidal --posenc alibi",
        lambda: attn.attend(TEXT, posenc=["sinusoidal", "alibi"]),
    ),
    "random projections": (
        "attend x.npy --project random --seed 3",
        lambda: attn.attend(Q, project="random", seed=3),
    ),
    "a file in a spec": (
        "attend x.npy --score general:file=w.npz",
        lambda: attn.attend(Q, score="general:file=w.npz"),
    ),
    "rows": ("attend x.npy --query-range 1:3", lambda: attn.attend(Q, query_range="1:3")),
    "a query": ("attend --text TEXT --query-token or", lambda: attn.attend(TEXT, query_token="or")),
    "half precision": ("attend x.npy --dtype bfloat16", lambda: attn.attend(Q, dtype="bfloat16")),
    "mini": ("attend --text TEXT --model mini", lambda: attn.attend(TEXT, model="mini")),
    "a loaded model": (
        "attend --text TEXT --model mini --layer -1 --head 0-2",
        lambda: attn.load("mini")(TEXT, layer=-1, head="0-2"),
    ),
    "cross-attention of a model": (
        "attend --text TEXT --model mini --kind cross --target 好",
        lambda: attn.load("mini")(TEXT, kind="cross", target="好"),
    ),
    "no special tokens": (
        "attend --text TEXT --model mini --kind cross --target 好 --special drop",
        lambda: attn.attend(TEXT, model="mini", kind="cross", target="好", special="drop"),
    ),
    "streamed": ("attend long.npy", lambda: attn.attend(np.load("long.npy"))),
    "a mask by itself": ("mask causal --len 5", lambda: attn.mask("causal", len=5)),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", Q)
    np.save(tmp_path / "k.npy", K)
    np.save(tmp_path / "v.npy", V)
    np.save(tmp_path / "long.npy", np.random.default_rng(1).normal(size=(9000, 2)).astype(np.float32))
    np.savez(tmp_path / "w.npz", W=RNG.normal(size=(6, 6)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore::attn_cli.errors.AttnWarning")
@pytest.mark.parametrize("name", CASES)
def test_the_command_line_and_python_give_the_same_numbers(run, here, name):
    line, called = CASES[name]
    arguments = [TEXT if word == "TEXT" else word for word in line.split()]
    done = run(*arguments, "-o", "typed.npz", cwd=here)
    assert done.code == 0, done.stderr
    typed, made = attn.read("typed.npz"), called()
    assert typed.weights.dtype == made.weights.dtype
    np.testing.assert_array_equal(typed.weights, made.weights)
    assert (typed.query_tokens, typed.key_tokens) == (made.query_tokens, made.key_tokens)
    assert (typed.layers, typed.heads, typed.kind, typed.pooled) == (
        made.layers,
        made.heads,
        made.kind,
        made.pooled,
    )


def test_every_option_of_the_command_line_is_one_of_python():
    import inspect

    known = {*inspect.signature(attn.attend).parameters, *inspect.signature(attn.heatmap).parameters}
    typed = set(OPTIONS) - {
        "input",
        "text",
        "encoding",
        "query",
        "weights",
        "axes",
        "lines",
    }  # what `data` is in Python
    assert typed <= known


def test_encoding_positions_and_files_are_there_too(run, here):
    assert attn.encode("a b", embed="onehot").vectors.tolist() == [[1, 0], [0, 1]]
    assert attn.posenc(len=3, dim=4).values.shape == (3, 4)
    attn.save(attn.attend(Q), "a.json")
    np.testing.assert_array_equal(attn.read("a.json").weights, attn.attend(Q).weights)


def test_what_cannot_be_is_one_line():
    with pytest.raises(InputError, match="unknown mask 'causl'"):
        attn.attend(Q, mask="causl")
    with pytest.raises(InputError, match="dim does not apply to model mini"):
        attn.attend("a", model="mini", dim=3)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: attn.attend(Q, heads="2"), "heads '2'; give a whole number"),
        (lambda: attn.attend(Q, heads=0), "heads 0; give at least 1"),
        (lambda: attn.attend(Q, temperature="2"), "temperature '2'; give a number"),
        (lambda: attn.attend(Q, head=1.5), "head 1.5; give numbers from 0, or all, last, mean, max"),
        (lambda: attn.attend(Q, layer=["0"]), "layer ['0']; give numbers from 0, or all, last, mean"),
        (lambda: attn.encode("a", dim=2.5), "dim 2.5; give a whole number"),
        (lambda: attn.attend(np.zeros((0, 4))), "numbers [0, 4] are empty; give at least one row"),
        (lambda: attn.attend(Q, np.zeros((0, 4))), "vectors [0, 4] are empty; give at least one row"),
        (lambda: attn.check([[1, 2], [3]], query=Q), "rows of different lengths; give each row as many"),
        (lambda: attn.heatmap(Q * 1j), "weights are complex numbers; give real ones"),
        (lambda: attn.heatmap([["a"]]), "weights of type <U1, expected floating-point numbers"),
        (lambda: attn.heatmap([1.0, 2.0]), "weights [2], expected at least 2 axes"),
        (lambda: attn.heatmap(None), "heatmap got data=None; see help(attn.heatmap)"),
        (lambda: attn.heatmap([[1.0]], columns="x"), "columns 'x'; give a whole number"),
        (lambda: attn.heatmap([[1.0]], size=3), "size 3; give (width, height) in inches"),
        (
            lambda: attn.heatmap([[1.0]], size=(3, float("nan"))),
            "size (3, nan); give (width, height) in inches",
        ),
        (lambda: attn.heatmap([[1.0]], pool="maxx"), "pool 'maxx'; give mean or max; did you mean 'max'?"),
        (lambda: attn.posenc(len="3"), "len '3'; give a whole number"),
        (lambda: attn.posenc(len=True), "len True; give a whole number"),
        (lambda: attn.mask("causal", len=2.0), "len 2.0; give a whole number"),
        (lambda: attn.train("copy", steps="3"), "steps '3'; give a whole number"),
        (lambda: attn.attend("a b", words="no"), "words 'no'; give True or False"),
        (lambda: attn.steps(Q), "attention of type ndarray; give an Attention"),
        (lambda: attn.read(3), "path 3; give a path"),
        (lambda: attn.save(Q, "q.npy"), "ndarray cannot be saved; give what attend, encode, posenc"),
        (lambda: attn.page([[1.0]], lang="de"), "lang 'de'; give en or zh"),
        (lambda: attn.explain("a b", method="rolout"), "unknown method 'rolout'; known are rollout, flow"),
        (lambda: attn.load("mini")(3), "the model reads text, not an int"),
    ],
)
def test_what_no_command_line_could_type_is_one_line_too(asked, said):
    with pytest.raises(InputError, match=re.escape(said)):
        asked()


def test_numbers_of_numpy_are_numbers():
    assert attn.posenc(len=np.int64(2), dim=np.int32(2)).values.shape == (2, 2)
    assert attn.attend(Q, temperature=np.float32(2)).weights.shape == (1, 1, 5, 5)


def test_remarks_name_options_as_python_does():
    with pytest.warns(AttnNote) as noted, for_python():
        note("--pool max has no effect")
    assert [str(one.message) for one in noted] == ["pool max has no effect"]


def test_whatever_a_function_gives_can_be_saved(here):
    found = attn.explain("My father is free.", target="我父亲有空。", toward="父", method="uniform")
    curves = attn.posenc(len=3, dim=4, view="curves")
    attn.save(found, here / "e.json")
    attn.save(found, here / "e.tsv", digits=2)
    attn.save(curves, here / "c.tsv")
    assert (here / "e.json").read_text().startswith('{"schema_version": 1, "type": "explanation"')
    assert (here / "e.tsv").read_text().startswith("part\tpos\ttoken")
    assert (here / "c.tsv").read_text().count("\n") == 4
    with pytest.raises(InputError, match="npz is not written here; known are tsv"):
        attn.save(curves, here / "c.npz")


def test_several_texts_are_one_page():
    document = attn.page(["The cat sat.", attn.attend(Q)], lang="zh").decode()
    assert '"name": "The cat sat."' in document or "The cat sat." in document
    assert document.count("<!doctype html>") == 1
    with pytest.raises(InputError, match="live takes a model, not several texts"):
        attn.page(["a", "b"], live=True)


@pytest.mark.parametrize(
    "asked",
    [
        lambda text: attn.encode(text, embed="onehot"),
        lambda text: attn.attend(text, embed="onehot"),
        lambda text: attn.attend("a b", model="mini", kind="cross", target=text),
        attn.stats,
        lambda text: attn.stats([text, "a"]),
        lambda text: attn.explain(text, method="rollout"),
        attn.heatmap,
        lambda text: attn.page([text, "a"]),
        lambda text: attn.diff("t.txt", text),
        lambda text: attn.check(np.eye(1), text=text, embed="onehot"),
    ],
)
def test_the_name_of_a_file_is_a_text_with_a_note(tmp_path, monkeypatch, asked):
    """It is said first, so that here, where it is an error, nothing is computed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.txt").write_text("a b")
    with pytest.raises(AttnNote, match=r"'t.txt' is the name of a file, .*attn.read\('t.txt'\) reads"):
        asked("t.txt")


def test_a_path_that_is_wanted_is_no_text():
    """`data` of `train` is a path: nothing is said of a file that is meant."""
    with pytest.warns(AttnNote, match="is the name of a file"):
        note_of_files(attn.stats, {"data": __file__})
    note_of_files(attn.train, {"data": __file__})  # a note would be an error here


def test_an_argument_that_there_is_not_is_answered_with_the_nearest():
    with pytest.raises(TypeError, match=r"stats\(\) has no argument 'heads'; .*; did you mean 'head'\?"):
        attn.stats("a", heads=1)
    with pytest.raises(
        TypeError,
        match=r"diff\(\) has no argument 'x'; known are first, second, model, match, query, key, value, heads$",
    ):
        attn.diff(1, 2, x=3)
    with pytest.raises(TypeError, match=r"attend\(\) has no argument 'kinds'; .*did you mean 'kind'"):
        attn.load("mini")("a", kinds="cross")
    with pytest.raises(TypeError, match=r"encode\(\): missing a required argument: 'text'; see help\(attn"):
        attn.encode()


def test_a_weight_that_is_no_number_is_told_once():
    with pytest.raises(InputError, match="weights hold nan"):  # and no warning, which would be an error here
        attn.diff(np.full((2, 2), np.nan), np.eye(2))


@pytest.mark.parametrize(
    "asked", [lambda: attn.attend(K[None].repeat(3, 0)), lambda: torch.no_grad()(note)("so")]
)
def test_a_note_names_the_line_that_called(asked):
    """However deep inside, also below torch, whose own lines tell nobody anything."""
    with pytest.warns(AttnNote) as noted:
        asked()
    assert [one.filename for one in noted] == [__file__]


@pytest.mark.parametrize("half", [False, True])
def test_training_in_python_and_by_command_are_one(run, here, half):
    options = {"steps": 2, "dim": 8, "heads": 2, "layers": 1, "seed": 3}
    typed = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    typed += ["--half"] * half
    options["half"] = half
    assert run("train-toy", "reverse:longest=3", *typed, "-o", "typed", cwd=here).code == 0
    attn.train("reverse:longest=3", **options, path="called")
    for name in ("model.safetensors", "metrics.csv", "config.json"):
        assert (here / "typed" / name).read_bytes() == (here / "called" / name).read_bytes(), name
    with pytest.raises(InputError, match="called: exists already and is not empty; give another path"):
        attn.train("reverse:longest=3", **options, path="called")


def test_half_of_what_is_not_saved_is_refused():
    with pytest.raises(InputError, match="half without a path; give path too"):
        attn.train("reverse:longest=3", half=True)


def test_every_option_of_training_is_one_of_python():
    import dataclasses
    import inspect

    from attn_cli.sources.training import Computer, Learner, Schooling

    groups = [f for group in (Learner, Schooling, Computer) for f in dataclasses.fields(group)]
    known = inspect.signature(attn.train).parameters
    given = {f.name: f.default for f in groups if f.name != "film"}  # pictures are the command's
    assert {name: known[name].default for name in given} == given


def test_the_names_are_there_for_an_editor_and_nothing_else():
    from attn_cli import api

    assert sorted(dir(attn)) == sorted([*api.__all__, "__version__"])
    assert all(getattr(attn, name) is getattr(api, name) for name in api.__all__)
    assert attn.attend.__doc__.startswith("Compute attention: weights = softmax(")


def test_a_picture_is_drawn_into_ones_own_axes(tmp_path):
    from matplotlib.figure import Figure

    figure = Figure()
    left, right = figure.subplots(1, 2)
    drawn = attn.heatmap([[1.0, 0.0], [0.5, 0.5]], tokens=("a", "b"), ax=right)
    assert drawn is figure
    assert not left.images
    np.testing.assert_array_equal(np.ma.getdata(right.images[0].get_array()), [[1, 0], [0.5, 0.5]])
    assert [tick.get_text() for tick in right.get_xticklabels()] == ["a", "b"]


SCRIPT = """
import attn_cli as attn
import numpy as np
from matplotlib.figure import Figure

encoded: attn.Encoding = attn.encode("the cat", dim=8, posenc="sinusoidal")
attention: attn.Attention = attn.attend(encoded, heads=2, mask="causal", posenc="rope")
other = attn.attend(np.eye(3), mask=[np.tri(3, dtype=bool), "causal"], score="cosine")
model: attn.LoadedModel = attn.load("mini")
crossed = model("the cat", kind="cross", target="猫", layer=-1, head="mean")
table = attn.posenc("sinusoidal", len=8, dim=4)
drawn: Figure = attn.heatmap(attention, view="map")
document: bytes = attn.page(attention)
alone = attn.mask("causal", len=4)
worked = attn.steps(other)
losses: list[float] = []
trained: attn.Trained = attn.train(
    "reverse:longest=3", steps=3, dim=8, heads=2, layers=1, path="run", on_step=lambda step: losses.append(step.loss)
)
again: attn.Attention = attn.load("run")("1 2")
assert len(losses) == len(trained.history) == 3
assert (trained("1 2").weights == again.weights).all()
assert 0 <= trained.reached.exact_match <= 1
print(attention.weights.shape, repr(crossed), len(document), alone.weights.sum(), worked[0].layer)
"""


@pytest.mark.parametrize(
    ("typed", "found", "look"),
    [
        (("stats", "--similar"), lambda: attn.stats("a b", similar=True), {}),
        (
            ("explain", "--target", "一", "--method", "rollout", "--view", "tokens"),
            lambda: attn.explain("a b", target="一", method="rollout"),
            {"view": "tokens"},
        ),
    ],
)
def test_a_picture_of_what_was_found_is_that_of_the_command(run, here, typed, found, look):
    assert run(*typed, "--text", "a b", "-o", "typed.svg", cwd=here).code == 0
    attn.heatmap(found(), "called.svg", **look)
    assert (here / "called.svg").read_bytes() == (here / "typed.svg").read_bytes()


def test_rows_open_the_maps_of_the_command(run, here):
    assert run("stats", "--text", "a b", "-o", "typed.html", cwd=here).code == 0
    attention = attn.attend("a b", model="mini")
    attn.page(attn.stats("a b"), "called.html", of=attention)
    assert (here / "called.html").read_bytes() == (here / "typed.html").read_bytes()
    with pytest.raises(InputError, match="layer 1 of the table is not in the attention"):
        attn.page(attn.stats("a b"), of=attn.attend("a b", model="mini", layer=0))
    with pytest.raises(InputError, match="of applies only to a table of stats; leave it out"):
        attn.page(attention, of=attention)


@pytest.mark.parametrize(
    ("about", "options", "said"),
    [
        ("stats", {"view": "map"}, "view map does not apply to a table; leave it out"),
        ("stats", {"pool": "max"}, "pool does not apply to a table; leave it out"),
        ("roles", {}, "a figure needs a row per layer and head"),
    ],
)
def test_a_picture_that_a_table_does_not_have_is_refused(about, options, said):
    with pytest.raises(InputError, match=said):
        attn.heatmap(attn.Table({"max": [0.5]}, about), **options)


def test_a_users_script_is_typed(tmp_path):
    pytest.importorskip("mypy")
    script = tmp_path / "script.py"
    script.write_text(f"{SCRIPT}\nattn.atend('a misspelt name')\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(script)],
        cwd=ROOT,  # strict, as pyproject.toml says, with what `make lint` has left in the cache: a minute less
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if "script.py" in line]
    assert len(found) == 1, done.stdout
    assert 'has no attribute "atend"' in found[0]


@pytest.mark.filterwarnings("ignore::attn_cli.errors.AttnWarning")
def test_a_users_script_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(SCRIPT, "script.py", "exec"), {})
