"""The fixture `run`: a command within this process behaves as one in a process of its own."""

import os
import subprocess
import sys
import warnings

import pytest
from attn_cli.commands.environment import Environment, environment


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["attend", "--text", "a b", "--mask", "causal"], None),
        (["encode", "--tokenizer", "char"], "注意\n"),
        (["heatmap", "--text", "a b", "--format", "json"], None),  # with a warning on stderr
        (["attend", "--text", "a", "--heads", "3"], None),
        (["attend"], ""),
        (["nope"], None),
        (["--help"], None),
        (["attend", "--mask", "help"], None),
        (["posenc", "--len", "2", "--dim", "2", "-o", "-", "--format", "npy"], None),
    ],
    ids=lambda x: " ".join(x or []),
)
def test_it_gives_what_a_process_gives(run, arguments, stdin):
    assert run(*arguments, stdin=stdin) == run(*arguments, stdin=stdin, env={})


def test_it_leaves_nothing_behind(run, tmp_path):
    before = (os.getcwd(), sys.stdin, sys.stdout, sys.stderr, warnings.showwarning, list(warnings.filters))
    assert run("-q", "--debug", "--color", "always", "attend", "missing.txt", cwd=tmp_path).code == 2
    after = (os.getcwd(), sys.stdin, sys.stdout, sys.stderr, warnings.showwarning, list(warnings.filters))
    assert after == before
    assert environment == Environment()


@pytest.mark.parametrize(
    "arguments", [["attend", "--text", "注 b"], ["attend", "--text", "a", "--heads", "3"]]
)
def test_a_warm_process_gives_what_a_cold_one_gives(run, warm, tmp_path, arguments):
    done = subprocess.run([warm, *arguments], cwd=tmp_path, capture_output=True, check=False)
    cold = run(*arguments, env={}, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (cold.code, cold.output, cold.stderr)
