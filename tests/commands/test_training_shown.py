"""What a training shows: on a terminal while it goes on, as a film, and in the README of its run."""

import io
import json
import shlex
import subprocess

import numpy as np
import pytest
import torch
from attn_cli.commands.io.environment import Environment
from attn_cli.commands.training.train_report import _curves
from attn_cli.errors import InputError
from attn_cli.records.attention import Attention
from attn_cli.render.colour import ramp
from attn_cli.render.figure import film
from attn_cli.toy.examples import Dataset, Example, Recipe, draw
from attn_cli.toy.film import Watched, filmed, longest
from attn_cli.toy.settings import Machine, Options, Step
from attn_cli.toy.tasks import recipe, reverse, sort
from attn_cli.toy.training import Training, new_model
from attn_cli.transformer.model import Config
from PIL import Image
from rich.console import Console

TINY = (
    "--dim",
    "8",
    "--heads",
    "2",
    "--layers",
    "1",
    "--batch",
    "8",
    "--steps",
    "4",
    "--evaluate-every",
    "2",
)


# ---- a film -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shot():
    """Three frames of two heads: each looks everywhere alike, then more and more at one key."""
    weights = np.full((3, 1, 2, 2, 2), 0.5, dtype=np.float32)
    weights[1, 0, 0, 0] = 0.25, 0.75
    weights[2, 0, 0, 0] = 0, 1
    became = Attention(("a", "注"), ("a", "注"), weights[2], provenance="train-toy of a test")
    return film.Film(became, [0, 1, 20], weights)


def frames(data):
    """The frames of a GIF as pixels, and for how many milliseconds each of them stays."""
    with Image.open(io.BytesIO(data)) as image:
        for i in range(image.n_frames):
            image.seek(i)
            yield np.array(image.convert("RGB")), image.info["duration"]


def test_a_frame_for_each_step_on_one_scale_of_colours(shot):
    data = film.gif(shot)
    assert data == film.gif(shot)
    pixels, stays = zip(*frames(data), strict=True)
    assert stays == (film.PACE, film.PACE, film.REST)
    # The cell that ends at 1 goes through the colours of 0.5, 0.75 and 1; its neighbour down to white.
    for still, rising, falling in zip(pixels, (0.5, 0.75, 1), (0.5, 0.25, 0), strict=True):
        colours = {tuple(colour) for colour in still.reshape(-1, 3).tolist()}
        for weight in (rising, falling):
            assert tuple(ramp("paper")[round(weight * 255) // 2 * 2].tolist()) in colours
    assert (pixels[0] != pixels[1]).any()


def test_each_frame_says_its_step(shot):
    assert [film._strip(shot, i, 300).words()[0] for i in range(3)] == ["step 0", "step 1", "step 20"]
    titles = [text.get_text() for text in film.strip(shot, 0, 1).axes[0].texts]
    assert {"step 0", "step 1", "step 20", "head 1", "a", "注", "train-toy of a test"} <= {
        part for title in titles for part in title.split(" · ")
    }


def test_frames_lie_close_where_most_happens():
    steps = filmed(500)
    assert (steps[0], steps[-1]) == (0, 500)
    assert 25 < len(steps) <= 40
    gaps = np.diff(steps)
    assert (gaps >= 1).all()
    assert gaps[-1] > 10 * gaps[0]
    assert filmed(1) == [0, 1]


def test_what_is_watched_is_long_and_still_fits_a_terminal():
    of = [Example(("a",) * n, ("a",) * n) for n in (2, 24, 7, 30)]
    assert len(longest(Dataset((), tuple(of), ("a",))).source) == 24
    beginning = longest(Dataset((), tuple(of[3:]), ("a",)))
    assert len(beginning.source) == len(beginning.target) == 24


@pytest.mark.parametrize("task", [reverse, sort])
def test_watching_changes_nothing(task):
    dataset, learner = draw(task, 300, seed=0), recipe(task)
    sizes = {"d_model": 8, "n_heads": 2, "n_layers": 2, "d_ff": 16, "stack": learner.stack, "dropout": 0.3}

    def trained(watching):
        model = new_model(Config(len(dataset.vocabulary), dataset.longest, **sizes), 0)
        training = Training(model, dataset, learner, Options(steps=6, lr=0.01, seed=0, film=watching))
        for _ in training.run():
            if watching:
                training.watch()
        return training

    plain, watched = trained(False), trained(True)
    assert plain.history == watched.history
    assert [frame.step for frame in watched.frames] == [0, 1, 2, 3, 4, 5, 6]
    last, seen = watched.frames[-1].weights, Watched(dataset, learner)
    assert last.shape == (2, 2, len(seen.rows), len(seen.columns))
    np.testing.assert_allclose(last.sum(axis=-1), 1, rtol=1e-5)


# ---- on a terminal ----------------------------------------------------------------------------------


def test_a_terminal_sees_the_map_forming(run, tmp_path, monkeypatch):
    monkeypatch.setattr("attn_cli.commands.training.live._LOOK_EVERY", 0)
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=80, height=24, color_system="truecolor")
    monkeypatch.setattr(Environment, "stderr", lambda self: terminal)
    assert run("train-toy", "sort:longest=4", *TINY, "-o", str(tmp_path)).code == 0
    for said in (
        "loss ",
        "steps/s",
        "exact match",
        "4/4",
        "0:00:00",
        "cross-attention, layer 0, head",
        "after 4 steps",
    ):
        assert said in screen.getvalue(), said
    assert "[end]" in screen.getvalue()  # a row of the map


def test_a_terminal_breaks_lines_between_words(run, tmp_path, monkeypatch):
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=30, color_system=None)
    monkeypatch.setattr(Environment, "stderr", lambda self: terminal)
    assert run("train-toy", "sort:longest=4", *TINY, "-o", str(tmp_path)).code == 0
    _, share, rest = screen.getvalue().rpartition("0.0% of ")
    lines = (share + rest).splitlines()
    assert max(map(len, lines)) <= 30
    assert "held-out sequences." in " ".join(line.strip() for line in lines)


def test_a_pipe_sees_nothing_of_it(run, tmp_path):
    told = run("train-toy", "sort:longest=4", *TINY, "-o", str(tmp_path)).stderr
    assert "held-out sequences" in told
    for shown in ("steps/s", "after 4 steps", "\r", "\x1b"):
        assert shown not in told


def test_json_holds_all_that_was_reached(run, tmp_path):
    printed = run("train-toy", "sort:longest=4", *TINY, "-o", str(tmp_path), "--format", "json").stdout
    config = json.loads((tmp_path / "config.json").read_text())
    whole = {"run": str(tmp_path), "task": "sort:longest=4", "seed": 0} | config["results"]
    assert json.loads(printed) == whole
    assert printed.count("\n") == 1
    assert "--format" not in (tmp_path / "README.md").read_text().partition("To look")[0]


# ---- the README of a run ----------------------------------------------------------------------------


def test_the_commands_in_the_readme_of_a_run_work(run, tmp_path):
    assert run("train-toy", "sort:longest=4", *TINY, "-o", str(tmp_path)).code == 0
    text = (tmp_path / "README.md").read_text()
    assert "held-out sequences" in text
    named = {line.split("`")[1] for line in text.splitlines() if line.startswith("- `")}
    assert named | {"README.md"} == {path.name for path in tmp_path.iterdir()}
    commands = [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
    assert len(commands) > 2
    for command in commands:
        _, *arguments = shlex.split(command)
        done = run(*arguments, cwd=tmp_path)
        assert done.code == 0, done.stderr
    assert (tmp_path / "heatmap.png").exists()


def test_the_readme_of_a_run_says_how_to_train_it_again(run, tmp_path):
    data = tmp_path / "it's a\nlist.tsv"
    data.write_text("\n".join(f"{'yes' if i % 2 else 'no'}\ta{i} b" for i in range(60)))
    how = (
        "--data",
        str(data),
        "--name",
        "mine\n& yours",
        "--lr",
        "1",
        "--patience",
        "1",
        "--film",
        "--seed",
        "3",
    )
    done = run("train-toy", "classify", *TINY, "--steps", "40", *how, "-o", str(tmp_path / "a"), "-q")
    assert done.code == 0, done.stderr
    text = (tmp_path / "a" / "README.md").read_text()
    taken = len((tmp_path / "a" / "metrics.csv").read_text().splitlines()) - 1
    assert taken < 40
    said = f"Trained in {taken} steps of 8 examples, seed 3; of 40, as the loss on held-out examples no longer fell."
    assert said in text.splitlines()
    again = next(line for line in text.splitlines() if line.startswith("$ attn train-toy"))
    assert again == (
        r"$ attn train-toy classify --data $'it\x27s a\x0alist.tsv' --name $'mine\x0a& yours' --layers 1 --heads 2 --dim 8 "
        "--steps 40 --batch 8 --lr 1.0 --patience 1 --film --evaluate-every 2 --seed 3"
    )
    split = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {again[2:]}"], capture_output=True, text=True, check=True
    )
    _, *arguments = split.stdout.split("\0")[:-1]
    assert run(*arguments, cwd=tmp_path).code == 0
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "runs" / "classify" / path.name).read_bytes(), path.name


# ---- what cannot be -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--label-smoothing", "2"), "--label-smoothing 2.0; give 0 or more, less than 1"),
        (("--average", "1"), "--average 1.0; give 0 or more, less than 1"),
        (("--lr", "0"), "--lr 0.0; give more than 0, as 0.001"),
        *(
            (
                ("--schedule", f"{name}:warmup={x}"),
                f"schedule option 'warmup={x}'; give a share of the steps, 0 to 1",
            )
            for name, x in (("cosine", "nan"), ("noam", "inf"), ("constant", "-1"), ("cosine", "5"))
        ),
        (("--dtype", "float16"), "--dtype 'float16'; give float32 or bfloat16"),
        (("--accumulate", "9"), "--accumulate 9 is more than the batch of 8; give a larger --batch"),
    ],
)
def test_options_that_cannot_be_are_one_line(run, tmp_path, options, message):
    refused = run("train-toy", "reverse:longest=3", *TINY, *options, "-o", str(tmp_path))
    assert (refused.code, refused.stderr) == (2, f"attn: error: {message}\n")


def test_without_a_compiler_compile_is_one_line(monkeypatch):
    def compile_(model):
        def forward(*_, **__):
            raise RuntimeError("backend='inductor' raised:\nInvalidCxxCompiler: No working C++ compiler")

        return forward

    monkeypatch.setattr(torch, "compile", compile_)
    dataset = draw(reverse, 300, seed=0)
    model = new_model(Config(10, dataset.longest, d_model=8, n_heads=2, n_layers=1, d_ff=16), 0)
    machine = Machine(compile=True)
    training = Training(model, dataset, Recipe(), Options(steps=1, lr=0.01, seed=0), machine)
    with pytest.raises(InputError, match=r"cannot compile the model .*; install a C\+\+ compiler, or leave"):
        next(training.run())


def test_a_long_curve_is_drawn_as_means_of_neighbours():
    history = [Step(step, float(step), 0.1) for step in range(1, 1002)]
    ((name, (steps, values)),) = _curves(history).items()
    assert name == "loss (mean of 3)"
    assert (steps[:2], steps[-2:]) == ([3, 6], [999, 1001])
    assert (values[0], values[-1]) == (2, 1000.5)
    assert list(_curves(history[:400])) == ["loss"]


# ---- pictures ---------------------------------------------------------------------------------------


def test_what_looks_at_a_picture_is_drawn_over_it(run, tmp_path):
    dark = []
    for task in ("shapes:noise=0", "tones:noise=0"):
        run("train-toy", task, *TINY, "-o", str(tmp_path / task))
        with Image.open(tmp_path / task / "attention.png") as picture:
            dark.append((np.array(picture.convert("L")) < 40).mean())
    drawn, a_map = (
        dark  # the picture is black where nothing is drawn, and grey under weights as small as these
    )
    assert drawn > 0.05 > a_map
