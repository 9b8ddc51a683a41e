"""The README, CONTRIBUTING and the pages in docs/, typed: every command runs, and prints what is shown under it.

A ```console block holds `$ command` lines, each followed by what it prints, stdout and stderr as a pipe gets
them; the commands of a file share one folder with a copy of samples/. A line `…` stands for any lines, `…`
within a line for anything. Numbers may differ in their last digits: those are the processor's.

    python tests/test_readme.py    # writes into all files what their commands print, but where a … elides it
"""

import functools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from conftest import run_attn
from warm import server

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
PIPED = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
NUMBER = r"-?\d+\.\d+(?:e[-+]?\d+)?(?![\de…])"  # 0.33… is not a number, but how one begins


def blocks(language):
    """(document, contents) of every fenced block of a language."""
    for document in DOCUMENTS:
        for contents in re.findall(
            rf"^```{language}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL
        ):
            yield document, contents  # fmt: skip


def transcript(block):
    """(command, what is shown under it) in order; a command goes on after a backslash."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, shown = re.fullmatch(r"((?:.*\\\n)*.*\n)((?:.*\n)*)", part).groups()
        yield command.rstrip("\n"), shown


def type_in(command, folder, attn):
    """What a shell prints for a command line, with the `attn` at this path, and its exit code."""
    environment = {**os.environ, "PATH": f"{os.path.dirname(attn)}:{os.environ['PATH']}"}
    shell = ["bash", "-o", "pipefail", "-c", command]
    done = subprocess.run(shell, cwd=folder, env=environment, check=False, **PIPED)
    return done.stdout.decode(), done.returncode


def matches(shown, printed):
    """Whether the printed lines are the shown ones."""
    pattern = "".join(r"(?:.*\n)*" if line == "…" else f"{_line(line)}\n" for line in _lines(shown))
    match = re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(printed)))
    numbers = re.findall(NUMBER, shown)
    return match is not None and all(
        math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-12)
        for a, b in zip(numbers, match.groups(), strict=True)
    )


def _lines(text):
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _line(shown):
    def pattern(part):
        return f"({NUMBER})" if len(part[0]) > 1 else ".*" if part[0] == "…" else re.escape(part[0])

    return re.sub(f"{NUMBER}|.", pattern, shown)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\tb\n0.1\n", "a\tb\n0.1\n", True),
        ("a b\n", "a\tb\n", False),
        ("0.333333333333\n", "0.333333333334\n", True),
        ("0.3333\n", "0.3334\n", False),
        ("0.33…\n", "0.3333\n", True),
        ("0.33…\n", "0.3233\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nb\nc\n", False),
        ("…: b\n", "a: b\n", True),
        ("…: b\n", "a\n: b\n", False),
        ("", "a\n", False),
    ],
)
def test_what_counts_as_the_same(shown, printed, same):
    assert matches(shown, printed) == same


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_prints_what_is_shown(tmp_path, document, warm):
    """An error that is shown is one that must come, with exit code 2; anything else must succeed."""
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    wrong = []
    for block in CONSOLE.findall(document.read_text()):
        for command, shown in transcript(block):
            printed, code = type_in(command, tmp_path, warm)
            if not matches(shown, printed) or code != (2 if "attn: error: " in shown else 0):
                wrong.append(f"$ {command}\n--- shown\n{shown}--- printed, exit code {code}\n{printed}")
    assert not wrong, "\n".join(wrong)


ONE_AFTER_ANOTHER = """
import json, sys, traceback
for name, program in json.load(sys.stdin).items():
    try:
        exec(compile(program, name, "exec"), {"__name__": "__main__"})
    except BaseException:
        print(name, traceback.format_exc())
"""


def test_python_runs(tmp_path):
    """The blocks of a document in order, as one program that prints nothing; `x` is any array."""
    programs = {}
    for document, code in blocks("python"):
        programs[document.name] = programs.get(document.name, "import numpy\nx = numpy.eye(8)\n") + code
    done = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_ANOTHER],
        cwd=tmp_path, input=json.dumps(programs).encode(), capture_output=True, check=False,
    )  # fmt: skip
    assert len(programs) >= 4
    assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (0, "", "")


def test_every_block_is_of_a_kind_that_is_tested():
    for document in DOCUMENTS:
        kinds = re.findall(r"^```(.*)$", document.read_text(), re.MULTILINE)[::2]
        assert set(kinds) <= {"console", "sh", "python", "text"}, document.name


@pytest.mark.parametrize(
    "target", sorted({t for _, b in blocks("sh") for t in re.findall(r"^make (\S+)", b, re.M)})
)
def test_make_targets_exist(target):  # fmt: skip
    """What ```sh blocks hold installs things, so it is not run here: `.ci/run` and every fresh clone run it."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@functools.cache
def whole_help(command):
    return run_attn(command, "--help-all").stdout


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_within_the_text_have_the_options_they_name(document):
    prose = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    for span in re.findall(r"`attn ([a-z][^`]*)`", prose):
        command, *words = span.split()
        help_text = whole_help(command)
        assert help_text, span
        for option in [word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1]:
            assert re.search(rf"{option}\b", help_text), f"attn {span}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_linked_exist(document):
    for path in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text()):
        assert (document.parent / path).exists(), path


def fill_in(document, attn):
    """Write what the commands print into a document; what a `…` elides stays as long as it is right."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "samples", folder / "samples")

        def real(block):
            return f"```console\n{''.join(retyped(*line, folder, attn) for line in transcript(block[1]))}```"

        document.write_text(CONSOLE.sub(real, document.read_text()))


def retyped(command, shown, folder, attn):
    printed, _ = type_in(command, folder, attn)
    return f"$ {command}\n{shown if '…' in shown and matches(shown, printed) else printed}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home, server(Path(home)) as attn:
        for document in DOCUMENTS:
            fill_in(document, attn)
