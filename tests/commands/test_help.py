"""The help: short, its examples run, `help` lists values, a shell completes them."""

import re
import shutil

import pytest
from attn_cli.cli import COMMANDS
from attn_cli.commands.io import rare, source_options
from attn_cli.commands.io.choices import Registered

from conftest import REPOSITORY

LONGEST = 60  # lines


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_screen_and_names_what_it_leaves_out(run, command):
    short, whole = (run(command, option).stdout.splitlines() for option in ("--help", "--help-all"))
    assert len(short) <= LONGEST
    assert "--help-all" in "\n".join(short)
    assert not any(len(line) > 110 for line in short)
    listed = {match for line in whole for match in re.findall(r"^  (?:-\w, )?(--[\w-]+)", line)}
    assert {match for line in short for match in re.findall(r"^  (?:-\w, )?(--[\w-]+)", line)} <= listed


def examples(run, command):
    """The lines of the help that are commands."""
    return re.findall(r"^  (attn .*)$", run(command, "--help").stdout, flags=re.MULTILINE)


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c not in ("models", "train-toy", "record", "lab", "check")]
)
def test_help_begins_with_examples_that_run(run, warm, tmp_path, command):
    import os
    import subprocess

    typed = examples(run, command)
    assert 2 <= len(typed) <= 3
    shutil.copytree(REPOSITORY / "samples", tmp_path / "samples")
    for line in typed:
        path = os.path.dirname(warm)
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{path}:{os.environ['PATH']}"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (line, done.stderr.decode())


def with_choices():
    said = {name: option.choices for name, option in source_options.OPTIONS.items() if option.choices}
    return said | {
        "view": Registered(("render.views:VIEWS",)),
        "cmap": Registered(("render.look:CMAPS",)),
    }


@pytest.mark.parametrize("name", with_choices())
def test_help_in_the_place_of_a_value_lists_the_values(run, name):
    command = "heatmap"
    done = run(command, f"--{name.replace('_', '-')}", "help")
    assert done.code == 0
    assert len(done.stdout.splitlines()) == len(with_choices()[name].rows()) >= 2


def test_a_shell_completes_names_keys_and_values():
    masks = source_options.OPTIONS["mask"].choices
    assert [name for name, _ in masks.names("wi")] == ["window"]
    assert [name for name, _ in masks.names("window:")] == ["window:size=", "window:ahead="]
    assert [name for name, _ in masks.names("window:size=4,")] == ["window:size=4,ahead="]
    kinds = source_options.OPTIONS["kind"].choices
    assert [name for name, _ in kinds.names("c")] == ["cross"]


def test_an_option_of_several_commands_is_declared_once():
    assert not set(rare.RARE) & set(source_options.OPTIONS)
