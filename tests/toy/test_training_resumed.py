"""A training that stopped goes on bit for bit, whatever stopped it; and what several processes make of one."""

import copy
import csv
import itertools
import json
import math
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import safetensors.torch
import torch
from attn_cli.commands.training import train_loop
from attn_cli.errors import InputError
from attn_cli.toy.examples import Recipe, draw
from attn_cli.toy.resuming import resume, state
from attn_cli.toy.schedules import cosine
from attn_cli.toy.settings import Options
from attn_cli.toy.tasks import reverse
from attn_cli.toy.training import Training, new_model
from attn_cli.transformer.model import Config

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
    assert "stopped after step 5; --resume with the same options continues it" in stopped.stderr
    assert set(contents(tmp_path)) == {STATE}
    assert finished((*SMALL, "--resume"), tmp_path) == undisturbed[SMALL]


KILLED = """
import os, signal, sys
from attn_cli.cli import main
from attn_cli.commands.training import train_loop
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


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--name", "mine"), "name train-toy reverse:longest=4, not mine"),
        (("--half",), "half False, not True"),
    ],
)
def test_a_run_is_resumed_under_its_name_and_in_its_bits(run, tmp_path, undisturbed, option, said):
    (tmp_path / STATE).write_bytes(undisturbed[SMALL][STATE])
    refused = run(*SMALL, "-o", str(tmp_path), "--resume", *option)
    hint = "give the same options, or --overwrite to start again"
    said = f"{tmp_path / STATE}: the saved training used {said}; {hint}"
    assert (refused.code, refused.stderr) == (2, f"attn: error: {said}\n")


def test_a_finished_training_that_is_resumed_is_the_same(tmp_path, undisturbed):
    for name, data in undisturbed[SMALL].items():
        (tmp_path / name).write_bytes(data)
    assert finished((*SMALL, "--resume"), tmp_path) == undisturbed[SMALL]


def test_more_steps_than_it_was_begun_with_change_the_rate_from_there_on(tmp_path, undisturbed):
    (tmp_path / STATE).write_bytes(undisturbed[SMALL][STATE])
    refused = run_attn(*SMALL[:-4], "--steps", "7", *SMALL[-2:], "-o", str(tmp_path), "--resume")
    assert "the saved training used steps 8, not 7; give the same options" in refused.stderr
    given = finished((*SMALL[:-4], "--steps", "16", *SMALL[-2:], "--resume"), tmp_path)
    assert json.loads(given["config.json"])["training"]["extended"] == [{"steps": 8, "until": 8}]
    assert b"seed 0; begun for 8 steps, and given more after step 8." in given["README.md"]
    rates = curve(given["metrics.csv"].decode())[:, 2]
    assert rates.tolist() == [0.006 * cosine(n, 8 if n <= 8 else 16) for n in range(1, 17)]


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
    hint = f"attn: error: {tmp_path}: config.json exists already; give another -o DIR, or --overwrite"
    assert run(*other).stderr == f"{hint}\n"
    goes_on = "; --resume goes on with the training of reverse:longest=4 that was not finished\n"
    assert run(*SMALL, "-o", str(tmp_path)).stderr == hint + goes_on
    assert finished((*SMALL, "--resume"), tmp_path) == undisturbed[SMALL]
    assert run(*SMALL, "-o", str(tmp_path)).stderr == f"{hint}\n"


# ---- a state that is none ---------------------------------------------------------------------------

HINT = "start again with --overwrite instead of --resume"


def small_training(steps=6, **others):
    """A training with all that has a state of its own, before its first step."""
    dataset = draw(reverse, 200, seed=0)
    config = Config(10, dataset.longest, d_model=8, n_heads=2, n_layers=1, d_ff=16)
    whole = {"average": 0.9, "patience": 5, "evaluate_every": 2, "film": True} | others
    options = Options(steps=steps, lr=0.01, seed=0, batch=8, **whole)
    return Training(new_model(config, 0), dataset, Recipe(), options)


@pytest.fixture(scope="module")
def left():
    """The state after four of six steps."""
    training = small_training()
    list(itertools.islice(training.run(), 4))
    return state(training)


def test_a_training_that_is_given_more_steps_goes_on_as_if_it_had_been_so_long():
    """With a rate that stays the same, and measured at the same steps."""
    options = {"schedule": "constant:warmup=0", "evaluate_every": 1}
    whole, first = small_training(9, **options), small_training(5, **options)
    steps = list(whole.run())
    list(first.run())
    longer, again = small_training(7, **options), small_training(9, **options)
    resume(longer, *state(first), 5)
    list(longer.run())
    resume(again, *state(longer), 7)
    list(again.run())
    assert again.history == steps
    assert [(one.steps, one.until) for one in again.extended] == [(5, 5), (7, 7)]
    tensors, others = state(whole)[0], state(again)[0]
    assert [name for name, x in tensors.items() if not x.equal(others[name])] == []
    resume(small_training(9, **options), *state(again))  # and what it left is the state of such a training


def told(**figures):
    return lambda tensors, before: before.update(figures)


def step_told(number, place, value):
    return lambda tensors, figures: figures["history"][number - 1].__setitem__(place, value)


def has(name, change):
    return lambda tensors, figures: tensors.update({name: change(tensors.get(name))})


BIAS = "unembedding.bias"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (told(history=[]), "0 steps are told of 4"),
        (told(history=None), "not the history of at most 6 steps"),
        (told(history=[["a"] * 6] * 4), "the figures of step 1 cannot be"),
        (told(history=[1, 2, 3, 4]), "step 1 is not told in 6 figures"),
        (told(history=[[1, 2.0, 3.0]] * 4), "step 1 is not told in 6 figures"),
        (told(done=-5), "4 steps are told of -5"),
        (told(done=10**9), "4 steps are told of 1000000000"),
        (told(done="4"), "4 steps are told of '4'"),
        (told(film=[0, 1]), "not the steps that are filmed"),
        (told(extended=[[8, 3]]), "not when it was given more steps"),
        (told(extended=[["a", 3]]), "not when it was given more steps"),
        (told(extended=[[3, 4]]), "not when it was given more steps"),
        (told(extended=7), "not when it was given more steps"),
        (step_told(2, 0, 3), "the figures of step 2 cannot be"),
        (step_told(2, 1, math.nan), "the figures of step 2 cannot be"),
        (step_told(2, 3, None), "the figures of step 2 cannot be"),
        (step_told(3, 3, 1.0), "the figures of step 3 cannot be"),
        (step_told(3, 5, 1.0), "the figures of step 3 cannot be"),
        (has("best.foo", lambda _: torch.zeros(2)), "a foreign tensor 'best.foo'"),
        (lambda tensors, _: tensors.pop(f"mean.{BIAS}"), f"no tensor 'mean.{BIAS}'"),
        (lambda tensors, _: tensors.pop("film"), "no tensor 'film'"),
        (
            has("film", lambda x: x[:2]),
            "film is float32 [2, 1, 2, 10, 10], expected float32 [5, 1, 2, 10, 10]",
        ),
        (has(f"model.{BIAS}", lambda x: x * math.nan), f"model.{BIAS} holds numbers that cannot be"),
        (has(f"best.{BIAS}", lambda x: x[:3]), f"best.{BIAS} is float32 [3], expected float32 [10]"),
        (has(f"exp_avg.{BIAS}", lambda x: x.long()), f"exp_avg.{BIAS} is int64 [10], expected float32 [10]"),
        (has(f"exp_avg_sq.{BIAS}", lambda x: -x - 1), f"exp_avg_sq.{BIAS} holds numbers that cannot be"),
    ],
)
def test_a_state_that_cannot_be_is_one_error_and_changes_nothing(left, damage, message):
    tensors, figures = ({**left[0]}, copy.deepcopy(left[1]))
    damage(tensors, figures)
    training = small_training()
    with pytest.raises(InputError) as refused:
        resume(training, tensors, figures)
    assert str(refused.value) == f"not the state of this training ({message}); {HINT}"
    assert (training.done, training.history, training.best_weights) == (0, [], {})
    weights = small_training().model.state_dict()
    assert all(x.equal(weights[name]) for name, x in training.model.state_dict().items())


def rewritten(data, change):
    """A file of tensors after a change of what its metadata say."""
    tensors = safetensors.torch.load(data)
    size = int.from_bytes(data[:8], "little")
    said = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["attn_training"])
    change(said)
    return safetensors.torch.save(tensors, metadata={"attn_training": json.dumps(said)})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda files: files["model.safetensors"], "not the state of a training"),
        (lambda files: files[STATE][:-1], "not the state of a training ("),
        (lambda files: b"", "not the state of a training ("),
        (lambda files: rewritten(files[STATE], lambda said: said.update(begun=[])), "not the state of a "),
        (lambda files: rewritten(files[STATE], lambda said: said.update(figures=1)), "not the state of a "),
        (
            lambda files: rewritten(files[STATE], lambda said: said["figures"]["history"].pop()),
            "not the state of this training (7 steps are told of 8)",
        ),
    ],
)
def test_a_damaged_file_is_one_line_that_names_it(run, tmp_path, undisturbed, damage, message):
    (tmp_path / STATE).write_bytes(damage(undisturbed[SMALL]))
    refused = run(*SMALL, "-o", str(tmp_path), "--resume")
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"attn: error: {tmp_path / STATE}: {message}")
    assert refused.stderr.endswith(f"; {HINT}\n")
    assert refused.stderr.count("\n") == 1
    assert set(contents(tmp_path)) == {STATE}


# ---- several processes ------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (
            {"WORLD_SIZE": "abc"},
            "WORLD_SIZE is 'abc', not a number; unset WORLD_SIZE, or start it with torchrun\n",
        ),
        (
            {"WORLD_SIZE": "2", "RANK": "-1"},
            "RANK is '-1', not a number; unset RANK, or start it with torchrun\n",
        ),
        ({"WORLD_SIZE": "2", "MASTER_ADDR": "localhost"}, "no other processes to train with ("),
    ],
)
def test_half_of_what_torchrun_sets_is_one_line(run, tmp_path, env, message):
    refused = run(*SMALL, "-o", str(tmp_path), env=env)
    assert refused.code == 2
    assert refused.stderr.startswith(f"attn: error: {message}")
    assert refused.stderr.count("\n") == 1
