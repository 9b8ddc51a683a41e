"""What a slip of the fingers is answered with: one line, whatever it was. Each of these was once another."""

import runpy
import subprocess
import sys

import numpy as np
import pytest

BIG = "9" * 24


@pytest.fixture
def here(tmp_path):
    """A folder with a matrix, and with arrays of other names."""
    np.save(tmp_path / "m.npy", np.eye(4))
    np.savez(tmp_path / "two.npz", a=np.eye(2), b=np.eye(2))
    (tmp_path / "words.txt").write_text("a b")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "heatmap --text a --generate",
            "Option '--generate' requires an argument; see 'attn heatmap --help'",
        ),
        (
            "lab start by-hand --seed",
            "Option '--seed' requires an argument; see 'attn lab start --help'",
        ),
        ("attend --text a --heads abc", "--heads 'abc'; give a whole number; see 'attn attend --help'"),
        ("attend --text a --temperature x", "--temperature 'x'; give a number; see 'attn attend --help'"),
        ("attend --text a --heads 0", "--heads '0'; give at least 1; see 'attn attend --help'"),
        (
            f"attend --text a --threads {BIG}",
            f"--threads '{BIG}'; give at most 1024; see 'attn attend --help'",
        ),
        (f"attend --text a --dim {BIG}", f"--dim '{BIG}'; give at most 1048576; see 'attn attend --help'"),
        (
            f"mask causal --len {BIG}",
            f"a mask of {BIG} × {BIG} positions; give at most 4096",
        ),
        (
            "posenc --len 99999999 --dim 99",
            "a table of 99,999,999 × 99 numbers; give at most 268,435,456 in all",
        ),
        (
            f"attend --text a --mask window:size={BIG}",
            f"mask option 'size={BIG}': {BIG} is too large; give a smaller number",
        ),
        ("attend --text a --mask lsh:seed=-1", "seed -1; give 0 or more"),
        ("attend --text a --score general:seed=-1", "seed -1; give 0 or more"),
        ("attend --text a --embed hash:dim=3", "embedding 'hash' has no option 'dim'; it has none"),
        (
            "attend two.npz",
            "two.npz: holds a, b; none is called attn, weights, pattern or scores, or q, k and v; choose one: FILE:NAME",
        ),
        ("encode two.npz", "two.npz: arrays named a, b, expected text or vectors"),
        ("attend m.npy --tokenizer char", "--tokenizer does not apply to a matrix; leave it out"),
        ("attend m.npy --embed onehot", "--embed does not apply to a matrix; leave it out"),
        ("encode m.npy --dim 8", "--dim does not apply to a matrix; leave it out"),
    ],
)
def test_one_line_says_what_to_do(run, here, command, message):
    done = run(*command.split(), cwd=here)
    assert (done.code, done.stderr) == (2, f"attn: error: {message}\n")


@pytest.mark.parametrize("option", ["--model", "--project", "--query", "--mask", "--output", "--embed"])
def test_an_empty_value_is_no_value(run, option):
    done = run("attend", "--text", "a", option, "")
    assert (done.code, done.stderr) == (2, f"attn: error: {option} ''; give a value, or leave it out\n")


def test_an_empty_path_is_not_standard_input(run):
    done = run("attend", "", stdin="a b")
    assert (done.code, done.stderr) == (2, "attn: error: INPUT ''; give a value, or leave it out\n")


def test_an_empty_text_is_called_what_it_was(run):
    done = run("attend", "--text", "")
    assert done.stderr == "attn: error: --text: the text contains no token; give at least one word\n"


def test_options_for_text_stay_where_only_one_of_two_inputs_is_vectors(run, here):
    assert run("attend", "m.npy", "--context", "words.txt", "--dim", "4", cwd=here).code == 0
    assert run("attend", "words.txt", "--context", "m.npy", "--dim", "4", cwd=here).code == 0


def test_an_interrupt_while_loading_is_quiet(monkeypatch):
    class Interrupted:
        def find_spec(self, name, *_):
            if name == "attn_cli.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "attn_cli.cli", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    with pytest.raises(SystemExit) as left:
        runpy.run_module("attn_cli", run_name="__main__")
    assert left.value.code == 130


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGINT to send")
def test_an_interrupt_leaves_nothing_behind(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((16384, 64), np.float32))
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], cwd=tmp_path, capture_output=True, check=False, timeout=300
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


INTERRUPTED = """
import os, signal
from attn_cli.attention import streaming
from attn_cli.cli import main

def interrupted(done, total):  # where the first block says how far it is
    os.kill(os.getpid(), signal.SIGINT)
    return done, total

streaming.Progress = interrupted
main(["attend", "x.npy", "-o", "out.npz"])
"""
