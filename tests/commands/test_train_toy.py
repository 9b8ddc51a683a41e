"""`attn train-toy`, from the command line to the picture of what was learned."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from attn_cli import files, models
from attn_cli.commands.io.environment import Environment
from attn_cli.toy import TASKS
from attn_cli.toy.examples import recipe
from PIL import Image

from conftest import run_attn

FILES = ["README.md", "attention.png", "config.json", "loss.png", "metrics.csv", "model.safetensors"]
STATE = "training_state.safetensors"
SMALL = ("--layers", "1", "--heads", "2", "--dim", "8")
HEADER = "run\ttask\tseed\texact_match\tlayer\thead\texpected_mass\tloss\tf1\tlonger_match"


def contents(directory):
    """The files of a directory by name, hidden ones too."""
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A whole training as the command does it by itself, and what it printed."""
    directory = tmp_path_factory.mktemp("runs") / "reverse"
    return directory, run_attn("train-toy", "reverse", "-o", str(directory))


# ---- what it learns ---------------------------------------------------------------------------------


def test_reverse_is_learned(trained):
    directory, result = trained
    assert result.code == 0
    header, *rows = (line.split("\t") for line in result.stdout.splitlines())
    assert header == HEADER.split("\t")
    assert {tuple(row[:3]) for row in rows} == {(str(directory), "reverse", "0")}
    assert [row[4:6] for row in rows] == [[str(i), str(j)] for i in range(2) for j in range(4)]
    assert float(rows[0][3]) >= 0.99
    mass = np.array([float(row[6]) for row in rows]).reshape(2, 4)
    assert mass.max() >= 0.95
    assert mass[0].max() < 0.6  # the first layer has to find out the length before the second can look
    best = np.unravel_index(mass.argmax(), mass.shape)
    assert f"Head {best[1]} of layer {best[0]} puts {mass.max():.1%}" in result.stderr
    assert "held-out sequences" in result.stderr
    (shares,) = re.findall(r"Accuracy at positions 0 to 9: ([\d.% ]+)\.$", result.stderr, re.MULTILINE)
    by_position = [float(share.rstrip("%")) / 100 for share in shares.split()]
    config = json.loads((directory / "config.json").read_text())
    assert by_position == pytest.approx(config["results"]["by_position"][:10], abs=0.0006)


def test_the_run_directory_says_the_same(trained):
    directory, result = trained
    assert set(FILES) <= set(contents(directory))
    config = json.loads((directory / "config.json").read_text())
    masses = [float(line.split("\t")[6]) for line in result.stdout.splitlines()[1:]]
    assert np.ravel(config["results"]["expected_mass"]).tolist() == masses
    results = config["results"]
    wholes = {tuple(line.split("\t")[7:]) for line in result.stdout.splitlines()[1:]}
    assert wholes == {(str(results["loss"]), "", str(results["longer_match"]))}
    assert config["results"]["n_examples"] > 500
    assert config["results"]["uniform_mass"] < 0.2
    header, *rows = ((directory / "metrics.csv").read_text()).splitlines()
    assert header == "step,loss,lr,held_out_loss,exact_match,expected_mass"
    assert [int(row.split(",")[0]) for row in rows] == list(range(1, config["training"]["steps"] + 1))
    assert rows[0].endswith(",,,")
    assert float(rows[-1].split(",")[4]) == config["results"]["exact_match"]
    for picture in ("attention.png", "loss.png"):
        assert (directory / picture).read_bytes().startswith(b"\x89PNG")


def test_an_unseen_sequence_shows_the_anti_diagonal(trained, run, tmp_path):
    directory, _ = trained
    mass = json.loads((directory / "config.json").read_text())["results"]["expected_mass"]
    layer, head = np.unravel_index(np.argmax(mass), np.shape(mass))
    attention = models.load(str(directory)).attend("3 1 4 1 5")
    assert (np.diag(attention.weights[layer, head][::-1]) > 0.8).all()
    shown = run("heatmap", "--model", str(directory), "--text", "3 1 4 1 5", "-o", str(tmp_path / "x.svg"))
    assert (shown.code, shown.stderr) == (0, "")
    assert "train-toy reverse, 2 layers × 4 heads, seed 0, exact match" in (tmp_path / "x.svg").read_text()


def test_the_same_seed_writes_the_same_bytes(run, tmp_path):
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        run(
            "train-toy",
            "reverse:longest=4",
            *SMALL,
            "--steps",
            "3",
            "--seed",
            seed,
            "-o",
            str(tmp_path / name),
        )
    a, b, c = (contents(tmp_path / name) for name in "abc")
    assert a == b
    assert all(a[name] != c[name] for name in FILES)


def test_sizes_and_task_options_reach_the_model(run, tmp_path):
    sizes = ("--steps", "2", "--layers", "1", "--heads", "2", "--dim", "6", "--seed", "3")
    assert run("train-toy", "reverse:longest=4", *sizes, cwd=tmp_path).code == 0
    config = json.loads((tmp_path / "runs" / "reverse" / "config.json").read_text())
    assert config["task"] == "reverse:longest=4"
    expected = {"vocab": 10, "d_model": 6, "n_heads": 2, "n_layers": 1, "d_ff": 24}
    assert {name: config["model"][name] for name in expected} == expected
    assert (config["training"]["steps"], config["training"]["seed"]) == (2, 3)


def test_a_terminal_gets_a_table(run, tmp_path, monkeypatch):
    monkeypatch.setattr(Environment, "to_terminal", property(lambda self: True))
    shown = run("train-toy", "reverse:longest=4", *SMALL, "--steps", "2", cwd=tmp_path).stdout
    assert "attention mass where expected" in " ".join(shown.split())
    assert "head 1" in shown
    assert HEADER not in shown
    assert shown.endswith("\nruns/reverse\n")


# ---- the directory is whole or not there --------------------------------------------------------------


def test_a_run_is_not_replaced_by_accident(run, tmp_path):
    directory = tmp_path / "run"
    train = ("train-toy", "reverse:longest=4", *SMALL, "--steps", "2", "-o", str(directory))
    run(*train)
    before = contents(directory)
    refused = run(*train, "--seed", "1")
    assert (refused.code, refused.stdout) == (2, "")
    hint = "config.json exists already; give another -o DIR, or --overwrite"
    assert refused.stderr == f"attn: error: {directory}: {hint}\n"
    assert contents(directory) == before
    (directory / "notes.txt").write_text("mine")
    assert run(*train, "--seed", "1", "--overwrite", "-q").stderr == ""
    after = contents(directory)
    assert after.pop("notes.txt") == b"mine"
    assert after.keys() == before.keys()
    assert after["config.json"] != before["config.json"]


def test_of_the_run_that_was_replaced_nothing_is_left(run, tmp_path, monkeypatch):
    train = ("train-toy", "reverse:longest=3", "--steps", "2", "--dim", "8", "-o", str(tmp_path))
    (tmp_path / "film.png").write_text("mine, as there was no run")
    (tmp_path / "tokenizer.json").mkdir()  # no file of a run
    assert run(*train).code == 0
    refused = run(*train, "--film", "--overwrite")
    assert (
        refused.stderr
        == f"attn: error: {tmp_path}: film.png in it does not belong to a run; give another -o DIR\n"
    )
    (tmp_path / "film.png").unlink()
    look = ("--style", "dark", "--size", "4x3", "--title", "A title")
    assert run(*train, "--film", *look, "--overwrite").code == 0
    assert "--title 'A title' --size 4x3 --style dark\n" in (tmp_path / "README.md").read_text()
    for name in ("attention.png", "loss.png", "film.png", "film.gif"):
        with Image.open(tmp_path / name) as image:
            size, corner = image.size, image.convert("RGB").getpixel((0, 0))
        assert (size, max(corner)) == ((576, 432) if name == "film.gif" else (864, 648), 20), name
    (tmp_path / "notes.gif").write_text("mine")

    replace = os.replace

    def refuse(source, target):
        if Path(target).name == "config.json":
            raise OSError(28, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        assert run(*train, "--overwrite").code == 2
    assert (tmp_path / "film.gif").exists()
    assert '"times":[' in (tmp_path / "film.html").read_text()
    assert run(*train, "--overwrite").code == 0
    assert {path.name for path in tmp_path.iterdir()} == {*FILES, STATE, "notes.gif", "tokenizer.json"}


@pytest.mark.parametrize("name", ["README.md", "attention.png", "model.safetensors", "config.json"])
def test_a_directory_of_something_else_is_left_alone(run, tmp_path, name):
    mine = {name: b"\x89PNG mine", "film.gif": b"mine"}  # no film is to be written
    for other, data in mine.items():
        (tmp_path / other).write_bytes(data)
    refused = run("train-toy", "reverse", "--steps", "2", "-o", str(tmp_path), "--overwrite")
    assert (refused.code, refused.stdout) == (2, "")
    assert (
        refused.stderr
        == f"attn: error: {tmp_path}: {name} in it does not belong to a run; give another -o DIR\n"
    )
    assert contents(tmp_path) == mine


def test_a_disk_that_fills_up_leaves_the_old_run_whole(run, tmp_path, monkeypatch):
    train = ("train-toy", "reverse:longest=4", *SMALL, "--steps", "2", "-o", str(tmp_path))
    run(*train)
    before, write = contents(tmp_path), files.write

    def full(path, chunks):
        if path.endswith("config.json"):  # the last of them
            raise OSError(28, "No space left on device", path)
        write(path, chunks)

    monkeypatch.setattr(files, "write", full)
    result = run(*train, "--seed", "1", "--overwrite")
    assert result.code == 2
    assert "no space left" in result.stderr
    assert {**contents(tmp_path), STATE: b""} == {**before, STATE: b""}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["revers"], "unknown task 'revers'; known are "),
        (["reverse:longest=0"], "longest 0; give 1 to 1,000"),
        (["reverse", "--heads", "3"], "3 heads do not divide --dim 64; give --dim as a multiple of 3\n"),
        (["reverse", "--dim", "15"], "4 heads do not divide --dim 15; give --dim as a multiple of 4\n"),
        (["reverse", "--seed", str(2**32)], "--seed '4294967296'; give at most 4294967295; see 'attn train-"),
        (["reverse", "-o", "file"], "file: not a directory; give another -o DIR"),
        (["--steps", "2"], "no TASK; give one of those that attn train-toy --list shows"),
        (["reverse", "--format", "npz"], "--format 'npz'; give tsv or json"),
    ],
)
def test_what_cannot_be_trained_is_one_line_and_leaves_nothing(run, tmp_path, arguments, message):
    (tmp_path / "file").write_text("")
    result = run("train-toy", *arguments, cwd=tmp_path)
    assert result.code == 2
    assert result.stderr.startswith(f"attn: error: {message}")
    assert result.stderr.count("\n") == 1
    assert list(contents(tmp_path)) == ["file"]


def test_what_cannot_be_resumed_says_what_was_looked_for(run, tmp_path):
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "runs" / "mine" / "training_state.safetensors").touch()
    (tmp_path / "empty").mkdir()
    for arguments, said in [
        (["reverse", "-o", "runs/min"], "runs/min: no such directory, .*; did you mean 'runs/mine'?"),
        (
            ["reverse", "-o", "empty"],
            "empty: has no training_state.safetensors, so no .*; give the -o DIR of",
        ),
        (
            ["runs/mine"],
            "runs/mine: is a directory, not a TASK; type attn train-toy TASK -o runs/mine --resume",
        ),
        (["revers"], "unknown task 'revers'; known are "),
    ]:
        done = run("train-toy", *arguments, "--resume", cwd=tmp_path)
        assert (done.code, re.match(f"attn: error: {said}", done.stderr) is not None) == (2, True), (
            done.stderr
        )


def test_alone_it_prints_its_help(run):
    result = run("train-toy")
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: attn train-toy [OPTIONS] [TASK]")


def test_an_interrupt_leaves_nothing_that_is_not_whole(tmp_path):
    command = [sys.executable, "-m", "attn_cli", "train-toy", "reverse", "--steps", "100000", "-o", "a/b"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while process.poll() is None and not (tmp_path / "a" / "b").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)  # before the first step, or in one: see test_training_resumed.py
    out, _ = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, b"")
    left = tmp_path / "a" / "b"
    assert not left.exists() or set(contents(left)) == {STATE}


def test_the_tasks_are_listed_with_a_line_each(run):
    listed = run("train-toy", "--list")
    assert listed.code == 0
    assert listed.stdout == run("train-toy", "help").stdout
    header, *rows = (line.split("\t") for line in listed.stdout.splitlines())
    assert header == ["task", "what goes in → comes out", "attention expected", "seconds"]
    assert [row[0].partition(":")[0] for row in rows] == list(TASKS)
    assert [
        "reverse:longest=10", "Digits read backwards: 3 1 4 1 5 → 5 1 4 1 3",
        "each output should look at its mirror position", str(recipe(TASKS["reverse"]).seconds),
    ] in rows  # fmt: skip
    for task, example, attention, seconds in rows:
        assert re.search(": .*→ .", example), task
        assert attention, task
        assert int(seconds) > 0


def test_a_terminal_gets_the_list_as_a_table_with_nothing_cut_off(run, monkeypatch):
    monkeypatch.setattr(Environment, "to_terminal", property(lambda self: True))
    monkeypatch.setenv("COLUMNS", "60")
    shown = run("train-toy", "--list").stdout
    assert "┃ task" in shown
    assert "…  " not in shown
    words = "".join(re.findall(r"^│ (\S*)", shown, re.MULTILINE))
    assert all(name in words for name in TASKS)
