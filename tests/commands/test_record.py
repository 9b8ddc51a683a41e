"""`attn record`: the program stays itself, and what it attends to is in a file."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from attn_cli import files
from attn_cli.commands.io.program import run, when_imported
from attn_cli.commands.record import Kept, _after_script

from conftest import run_attn

PROGRAM = """
    import os, sys, warnings
    os.environ["SET_BEFORE_TORCH"] = str("torch" in sys.modules)
    import torch
    from torch import nn
    import attn_cli as attn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.MultiheadAttention(8, 2, batch_first=True) for _ in range(3))

        def forward(self, x):
            for layer in self.layers:
                x = x + layer(x, x, x, need_weights=False)[0]
            return x

    if __name__ == "__main__":
        torch.manual_seed(0)
        model = Model()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        attn.label("abcd")
        for _ in range(6):
            loss = model(torch.rand(2, 4, 8)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if "away" in sys.argv:
                os.chdir("/")
        if "fork" in sys.argv and (child := os.fork()):
            os.waitpid(child, 0)
        elif "fork" in sys.argv:
            model(torch.rand(2, 4, 8)), model(torch.rand(2, 4, 8))
            sys.exit()
        print(sys.argv, __name__, __file__, os.environ["SET_BEFORE_TORCH"], sys.path[0], sys.stdin.read())
        print(loss.item(), torch.rand(1).item(), __import__("gc").get_threshold())
        warnings.warn("of its own")
        if "fail" in sys.argv:
            raise ValueError("as it would")
        if "wait" in sys.argv:
            print("waiting", flush=True)
            __import__("time").sleep(600)
        sys.exit(7 if "seven" in sys.argv else 0)
"""


@pytest.fixture
def program(tmp_path):
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    return tmp_path


def python(folder, *arguments, stdin=""):
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, input=stdin, capture_output=True, text=True, check=False)


def attn(folder, *arguments, stdin=""):
    """In a process that starts from nothing, as a person's does."""
    return python(folder, "-m", "attn_cli", *arguments, stdin=stdin)


@pytest.fixture
def record(warm, program):
    """`record("-q", "program.py")` in a process that has loaded torch before, which is all that differs."""

    def typed(*arguments, folder=program):
        command = [warm, "record", *arguments]
        return subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    return typed


@pytest.mark.parametrize(
    "arguments",
    [("program.py", "-o", "x", "--layer", "fail"), ("-m", "program", "seven", "away", "fork")],
)
def test_a_program_is_what_it_is_without(program, arguments):
    alone = python(program, *arguments, stdin="typed")
    watched = attn(program, "record", *arguments, stdin="typed")
    assert watched.stdout == alone.stdout
    assert watched.returncode == alone.returncode
    said, _, _ = watched.stderr.partition("module ")
    assert said == alone.stderr
    found = files.read_recording(str(program / "attention.npz"))
    assert found.steps == list(range(6))
    assert found.pick(3).weights.shape == (3, 2, 4, 4)
    assert found.pick(3).query_tokens == tuple("abcd")
    assert found.pick(3).provenance.startswith("recorded from program")
    assert "layers.2" in watched.stderr
    assert "attn: note: wrote attention.npz: 6 steps" in watched.stderr
    mistaken = "attn: note: -o, --layer after SCRIPT went to the program; options of attn stand before it\n"
    assert watched.stderr.endswith(mistaken) == ("-o" in arguments)


def test_which_options_after_the_script_are_like_ours():
    def told(*arguments, kept=None, **given):
        return _after_script(arguments, kept or Kept(), given.get("output"), given.get("tokens"))

    assert told("--every=3", "x", "--every", "3", "-o", "--out", "-m") == ["--every", "-o"]
    assert told("--every", "-o", "--tokens", kept=Kept(every=2), output="x", tokens="y") == []
    assert told("--help", "--", "-o") == []


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("sys.exit()", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('a word')", 1, "a word\n"),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt\n"),
        ("import no_such_module", 1, "ModuleNotFoundError: No module named 'no_such_module'\n"),
        ("x = (", 1, "SyntaxError: '(' was never closed\n"),
    ],
)
def test_exit_codes_and_what_is_printed(tmp_path, capfd, line, code, said):
    script = tmp_path / "x.py"
    script.write_text(f"import sys\n{line}\n")
    argv, path = sys.argv, list(sys.path)
    assert run(str(script), ["-v"]) == code
    printed = capfd.readouterr().err
    assert printed.endswith(said)
    assert "runpy" not in printed
    assert "attn_cli" not in printed
    assert (sys.argv, sys.path) == (argv, path)


def test_something_is_done_as_soon_as_a_module_is_imported(tmp_path, monkeypatch):
    (tmp_path / "made_for_this.py").write_text("ready = True")
    monkeypatch.syspath_prepend(tmp_path)
    done = []
    when_imported("made_for_this", lambda: done.append(sys.modules["made_for_this"].ready))
    import json  # noqa: F401 (another one)

    assert done == []
    import made_for_this  # noqa: F401

    assert done == [True]
    when_imported("made_for_this", lambda: done.append("at once"))
    assert done == [True, "at once"]


def test_choices_and_what_heatmap_and_attend_make_of_them(program, record):
    chosen = ("--layer", "0,2", "--head", "1", "--calls", "1:", "--every", "2")
    done = record("-q", *chosen, "-o", "x.npz", "program.py")
    assert "module" not in done.stderr
    found = files.read_recording(str(program / "x.npz"))
    assert found.steps == [1, 3, 5]
    assert (found.pick().layers, found.pick().heads) == ((0, 2), (1,))
    rows = run_attn("attend", str(program / "x.npz"), "--step", "3", "--module", "layers.2", cwd=program)
    values = [[float(x) for x in line.split("\t")[4:]] for line in rows.stdout.splitlines()[1:]]
    np.testing.assert_array_equal(np.float32(values), found.pick(3).weights[1, 0])
    names = program / "names.txt"
    names.write_text("the\ncat\nsat\ndown\n")
    named = run_attn("attend", str(program / "x.npz"), "--tokens", str(names), cwd=program)
    assert named.stdout.splitlines()[0].split("\t")[4:] == ["0:the", "1:cat", "2:sat", "3:down"]
    drawn = run_attn("heatmap", str(program / "x.npz"), "--step", "1", "-o", "x.png", cwd=program)
    assert drawn.code == 0
    assert (program / "x.png").read_bytes().startswith(b"\x89PNG")


def test_figures_are_a_table(program, record):
    record("--keep", "figures", "-o", "x.tsv", "program.py")
    lines = (program / "x.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:4] == ["step", "module", "layer", "head"]
    assert len(lines) == 1 + 6 * 3 * 2


def test_no_file_is_written_over(program, record):
    (program / "attention.npz").write_text("mine")
    record("-q", "program.py")
    assert (program / "attention.npz").read_text() == "mine"
    assert files.read_recording(str(program / "attention-2.npz")).steps


def test_what_was_recorded_stays_when_the_program_is_killed_and_is_drawn(program):
    command = [sys.executable, "-m", "attn_cli", "record", "program.py", "wait"]
    running = subprocess.Popen(
        command, cwd=program, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert running.stdout is not None
    while "waiting" not in running.stdout.readline():
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stdout.close()
    drawn = run_attn("attend", "attention.npz.parts", "--step", "4", cwd=program)
    assert drawn.code == 0
    assert len(drawn.stdout.splitlines()) == 1 + 3 * 2 * 4
    again = run_attn("record", "-o", "attention.npz", "program.py", cwd=program)
    assert again.stderr.startswith("attn: error: attention.npz.parts: holds a recording that was stopped")


def test_of_several_processes_of_torchrun_the_first_records(tmp_path, monkeypatch):
    (tmp_path / "x.py").write_text("import sys\nprint('ran')\nsys.exit(3)")
    (tmp_path / "attention.npz.parts").mkdir()  # which the first has made
    for name, value in {"WORLD_SIZE": "2", "RANK": "1", "TORCHELASTIC_RUN_ID": "x"}.items():
        monkeypatch.setenv(name, value)
    done = run_attn("record", "-o", "attention.npz", "x.py", cwd=tmp_path)
    assert (done.code, done.stdout, done.stderr) == (3, "ran\n", "")
    assert sorted(os.listdir(tmp_path)) == ["attention.npz.parts", "x.py"]


def test_a_program_that_does_not_attend(tmp_path, record):
    (tmp_path / "none.py").write_text("print('done')")
    done = attn(tmp_path, "record", "none.py")
    assert (done.stdout, done.returncode) == ("done\n", 0)
    assert done.stderr == "attn: warning: none.py did not import torch: nothing was recorded\n"
    assert sorted(os.listdir(tmp_path)) == ["none.py", "program.py"]
    (tmp_path / "none.py").write_text("import torch")
    done = record("none.py", folder=tmp_path)
    assert done.stderr.startswith("attn: warning: no attention was recorded; seen are SDPA, ")
    assert done.stderr.endswith("; other weights show as attn.Attention.of(weights, tokens)\n")
    assert sorted(os.listdir(tmp_path)) == ["none.py", "program.py"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.py"], "missing.py: no such file; put attn's own options before SCRIPT"),
        (["--keep", "al", "x.py"], "unknown --keep 'al'; give maps, vectors, rows or figures"),
        (["--layer", "mean", "x.py"], "--layer 'mean' is not a list of numbers; give numbers, as 0,2 or 0-2"),
        (["--layer", "-1", "x.py"], "--layer '-1' is not a list of numbers; give numbers, as 0,2 or 0-2"),
        (["--calls", "3", "x.py"], "--calls '3'; give FROM:TO, as 0:100 or 10:"),
        (["--most", "many", "x.py"], "'many' is not a size; give bytes, or a size such as 512M or 2G"),
        (["-o", "no/x.npz", "x.py"], "no/x.npz: no such folder; make it: mkdir -p no"),
        (["-o", "x.png", "x.py"], "x.png: a recording is written as .npz; write -o NAME.npz"),
        (["--tokens", "none.txt", "x.py"], "none.txt: no such file"),
    ],
)
def test_what_cannot_be_is_said_before_the_program_runs(tmp_path, arguments, said):
    (tmp_path / "x.py").write_text("print('ran')")
    done = run_attn("record", *arguments, cwd=tmp_path)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"attn: error: {said}")
    assert sorted(os.listdir(tmp_path)) == ["x.py"]
