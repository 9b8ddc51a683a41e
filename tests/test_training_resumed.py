"""A training that stopped goes on bit for bit, whatever stopped it; and what several processes make of one."""

import csv
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from attn_cli.commands import train_loop
from attn_cli.toy.training import Training

from conftest import run_attn

STATE = "training_state.safetensors"
SMALL = (
    *("train-toy", "reverse:longest=4", "--dim", "8", "--heads", "2", "--layers", "1"),
    *("--batch", "8", "--steps", "8", "--evaluate-every", "2"),
)
# All that has a state of its own: what dropout leaves out, a mean of weights, the best of them, a film.
WHOLE = (*SMALL, "--dropout", "0.2", "--average", "0.9", "--patience", "2", "--film")


def contents(directory):
    """The files of a directory by name, hidden ones too."""
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The files of a training that nothing disturbed, by its command."""
    return {command: finished(command, tmp_path_factory.mktemp("run")) for command in (SMALL, WHOLE)}


def finished(command, directory):
    """The files of the directory when a training is over."""
    assert run_attn(*command, "-o", str(directory)).code == 0
    return contents(directory)


def interrupted(training):
    """A training that somebody stops after its fifth step."""
    for step in training.run():
        if step.step == 5:
            os.kill(os.getpid(), signal.SIGINT)
        yield step


def test_it_goes_on_bit_for_bit_after_an_interrupt(run, tmp_path, monkeypatch, undisturbed):
    with monkeypatch.context() as patch:
        patch.setattr(train_loop, "shown", interrupted)
        stopped = run(*SMALL, "-o", str(tmp_path))
    assert (stopped.code, stopped.stdout) == (130, "")
    assert "stopped after step 5; --resume with the same options goes on from there" in stopped.stderr
    assert set(contents(tmp_path)) == {STATE}
    assert finished((*SMALL, "--resume"), tmp_path) == undisturbed[SMALL]


KILLED = """
import os, signal, sys
from attn_cli.cli import main
from attn_cli.commands import train_loop
from attn_cli.toy.training import Training

train_loop._SAVE_EVERY = 0
replace, left = os.replace, 3


def kill(source, target):
    global left
    left -= 1
    if not left:  # the new state is written and not yet in its place
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)


os.replace = kill
main(sys.argv[1:])
"""


def test_it_goes_on_bit_for_bit_after_kill_9(tmp_path, undisturbed):
    killed = subprocess.run([sys.executable, "-c", KILLED, *WHOLE, "-o", str(tmp_path)], capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert len(contents(tmp_path)) == 2  # the state, and the one that was being written
    assert finished((*WHOLE, "--resume"), tmp_path) == undisturbed[WHOLE]


def test_it_goes_on_bit_for_bit_after_a_full_disk(run, tmp_path, monkeypatch, undisturbed):
    sync, left = os.fsync, [4]

    def full(descriptor):
        left[0] -= 1
        if not left[0]:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(train_loop, "_SAVE_EVERY", 0)
        patch.setattr(os, "fsync", full)
        stopped = run(*WHOLE, "-o", str(tmp_path))
    assert stopped.code == 2
    assert stopped.stderr == f"attn: error: {tmp_path / STATE}: cannot be written: no space left on device\n"
    assert finished((*WHOLE, "--resume"), tmp_path) == undisturbed[WHOLE]


def test_a_finished_training_that_is_resumed_is_the_same(tmp_path, undisturbed):
    for name, data in undisturbed[SMALL].items():
        (tmp_path / name).write_bytes(data)
    assert finished((*SMALL, "--resume"), tmp_path) == undisturbed[SMALL]


@pytest.mark.parametrize(
    ("where", "what", "stop"),
    [
        (train_loop, "shown", interrupted),
        (Training, "finish", lambda _: os.kill(os.getpid(), signal.SIGINT)),  # all over, the run not written
    ],
)
def test_what_was_to_replace_a_run_can_go_on(run, tmp_path, monkeypatch, undisturbed, where, what, stop):
    other = ("train-toy", "copy:longest=4", *SMALL[2:], "-o", str(tmp_path))
    assert run(*other).code == 0
    with monkeypatch.context() as patch:
        patch.setattr(where, what, stop)
        assert run(*SMALL, "-o", str(tmp_path), "--overwrite").code == 130
    hint = f"attn: error: {tmp_path}: config.json is there already; give another -o DIR, or --overwrite"
    assert run(*other).stderr == f"{hint}\n"
    goes_on = "; --resume goes on with the training of reverse:longest=4 that was not finished\n"
    assert run(*SMALL, "-o", str(tmp_path)).stderr == hint + goes_on
    assert finished((*SMALL, "--resume"), tmp_path) == undisturbed[SMALL]
    assert run(*SMALL, "-o", str(tmp_path)).stderr == f"{hint}\n"


def test_two_processes_learn_what_one_does(tmp_path, undisturbed):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    several = subprocess.run(
        [*torchrun, "-m", "attn_cli", *SMALL, "-o", "two"], cwd=tmp_path, capture_output=True, text=True
    )
    assert several.returncode == 0, several.stderr
    assert several.stdout.count("expected_mass") == 1  # one of them speaks
    two, one = contents(tmp_path / "two"), undisturbed[SMALL]
    assert set(two) == set(one)
    two, one = (curve(files["metrics.csv"].decode()) for files in (two, one))
    np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-6)
    assert one[0, 1] > one[-1, 1]  # it learns something


def curve(text):
    """Step, loss, learning rate and what was measured in each step."""
    return np.array([[float(cell or "nan") for cell in row] for row in csv.reader(text.splitlines()[1:])])
