"""How tests run the command line, and what holds for all of them."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import subprocess
import sys
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from opening import browser, opened  # noqa: F401 (fixtures)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REPOSITORY = Path(__file__).parents[1]

# Tests run side by side, one on each core: threads within them would only wait for each other.
# Set before anything imports torch.
os.environ["OMP_NUM_THREADS"] = "1"

# What a developer has set for their own terminal is not what a test expects.
for name in (
    "NO_COLOR",
    "FORCE_COLOR",
    "PYTHONIOENCODING",
    "PYTHONUTF8",
    "MPLBACKEND",
    "LC_ALL",
    "LC_MESSAGES",
):
    os.environ.pop(name, None)
os.environ["LANG"] = "C.UTF-8"  # --lang is the locale's, unless it is said
os.environ["COLUMNS"] = "80"

# What runs in the background inherits that Ctrl-C is ignored; a person's shell does not do that.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("attn", deadline=None, max_examples=40)  # the first example pays for imports
settings.register_profile("ci", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("thorough", deadline=None, derandomize=True, max_examples=1000)
settings.load_profile("ci" if os.environ.get("CI") else "attn")


def pytest_sessionstart() -> None:
    """Ten thousand tests are collected, and none is garbage: looking for it took a fifth of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """From here on nobody looks through them, nor through what was imported with them, again."""
    gc.collect()
    gc.freeze()
    gc.enable()


@dataclass(frozen=True)
class Result:
    """What a command leaves behind."""

    code: int
    output: bytes  # of stdout, as written
    stderr: str

    @property
    def stdout(self) -> str:
        """The output, when it is text."""
        return self.output.decode()


@pytest.fixture(scope="session")
def warm(tmp_path_factory):
    """The path of an `attn` for shells and terminals that need not wait for torch: see warm.py."""
    from warm import server

    with server(tmp_path_factory.mktemp("warm")) as attn:
        yield attn


@pytest.fixture(scope="session", autouse=True)
def drawn_once() -> Iterator[None]:
    """The 20,000 examples of a toy task take longer to draw than a small model to learn: drawn once for each seed."""
    from attn_cli import toy

    kept: dict[str, toy.Dataset] = {}
    draw = toy.draw

    def remembered(task: Any, n: int, seed: int) -> toy.Dataset:
        asked = f"{task} {n} {seed}"
        if asked not in kept:
            while len(kept) >= 4:  # each holds some tens of megabytes
                del kept[next(iter(kept))]
            kept[asked] = draw(task, n, seed)
        return kept[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toy, "draw", remembered)
        yield


@pytest.fixture
def run():
    """`run("attend", "--text", "a b", stdin=…, env=…, cwd=…)` is `attn attend --text "a b"` in the repository."""
    return run_attn


def run_attn(
    *arguments: str,
    stdin: str | bytes | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | str = REPOSITORY,
) -> Result:
    """Run `attn` with its streams piped; `env` is added to the environment, no `stdin` is an empty one.

    Without `env` it runs within this process, which is twenty times as fast: torch is imported once. With
    it the command gets a process of its own, as an interpreter reads most of it when it starts.
    """
    typed = stdin.encode() if isinstance(stdin, str) else stdin or b""
    if env is None:
        return _run_here(arguments, typed, cwd)
    done = subprocess.run(
        [sys.executable, "-m", "attn_cli", *arguments],
        input=typed,
        env={**os.environ, **env},
        cwd=cwd,
        capture_output=True,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def _run_here(arguments: tuple[str, ...], typed: bytes, cwd: Path | str) -> Result:
    from attn_cli.cli import main

    code: object = 1
    with _streams(typed) as (out, err), _surroundings(), contextlib.chdir(cwd):
        try:
            main(list(arguments))
        except SystemExit as left:
            code = left.code
        except Exception:  # --debug lets it through, and the interpreter would print it
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
    assert isinstance(code, int)
    return Result(code, out.getvalue(), err.getvalue().decode())


@contextlib.contextmanager
def _streams(typed: bytes) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    out, err, before = io.BytesIO(), io.BytesIO(), (sys.stdin, sys.stdout, sys.stderr)
    sys.stdin, sys.stdout, sys.stderr = (
        io.TextIOWrapper(stream, encoding="utf-8") for stream in (io.BytesIO(typed), out, err)
    )
    inside = sys.stdin, sys.stdout, sys.stderr
    try:
        yield out, err
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        for stream in inside:
            stream.detach()  # or the buffers would be closed with them


@contextlib.contextmanager
def _surroundings() -> Iterator[None]:
    """What a command sets for the rest of its process is set back."""
    from attn_cli.commands.io.environment import Environment, environment

    try:
        with warnings.catch_warnings():
            yield
    finally:
        vars(environment).update(vars(Environment()))
