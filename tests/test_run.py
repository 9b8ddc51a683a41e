"""The fixture `run`: a command within this process behaves as one in a process of its own."""

import os
import subprocess
import sys
import warnings

import pytest
from attn_cli.commands.io.environment import Environment, environment

from conftest import REPOSITORY, Result


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
def test_it_gives_what_a_process_gives(run, warm, arguments, stdin):
    done = subprocess.run(
        [warm, *arguments], input=(stdin or "").encode(), cwd=REPOSITORY, capture_output=True, check=False
    )
    assert run(*arguments, stdin=stdin) == Result(done.returncode, done.stdout, done.stderr.decode())


def test_it_leaves_nothing_behind(run, tmp_path):
    before = (os.getcwd(), sys.stdin, sys.stdout, sys.stderr, warnings.showwarning, list(warnings.filters))
    assert run("-q", "--debug", "--color", "always", "attend", "missing.txt", cwd=tmp_path).code == 2
    after = (os.getcwd(), sys.stdin, sys.stdout, sys.stderr, warnings.showwarning, list(warnings.filters))
    assert after == before
    assert environment == Environment()


@pytest.mark.parametrize(
    "arguments", [["attend", "--text", "注 b"], ["attend", "--text", "a", "--heads", "3"]]
)
def test_a_process_from_nothing_gives_the_same(run, arguments):
    assert run(*arguments) == run(*arguments, env={})
