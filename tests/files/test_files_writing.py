"""An output is there whole or not at all, and devices, pipes and links are what they were."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from attn_cli import files
from attn_cli.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def failing(problem: BaseException) -> Iterator[bytes]:
    yield b"half"
    raise problem


def refusal(path: str, *chunks: bytes) -> str:
    with pytest.raises(InputError) as caught:
        files.write(path, chunks or [b"x"])
    return str(caught.value)


def test_writes_and_replaces(folder: Path) -> None:
    files.write("a", [b"one", b"", b" two"])
    assert (folder / "a").read_bytes() == b"one two"
    files.write("a", [])
    assert (folder / "a").read_bytes() == b""
    assert os.listdir() == ["a"]


@pytest.mark.parametrize(
    "problem", [InputError("bad"), KeyboardInterrupt(), ZeroDivisionError(), BrokenPipeError()]
)
@pytest.mark.parametrize("old", [b"old", None])
def test_a_failure_leaves_what_was_there(folder: Path, problem: BaseException, old: bytes | None) -> None:
    if old:
        (folder / "a").write_bytes(old)
    with pytest.raises(type(problem)) as caught:
        files.write("a", failing(problem))
    assert caught.value is problem
    assert os.listdir() == (["a"] if old else [])
    assert not old or (folder / "a").read_bytes() == old


def test_the_old_file_stands_until_the_new_one_is_whole(folder: Path) -> None:
    (folder / "a").write_bytes(b"old")

    def chunks() -> Iterator[bytes]:
        yield b"new"
        assert (folder / "a").read_bytes() == b"old"

    files.write("a", chunks())
    assert (folder / "a").read_bytes() == b"new"


def test_the_new_file_is_on_the_disk_before_it_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, name=name, real=real: (calls.append(name), real(*args)))
    files.write("a", [b"x"])
    assert calls == ["fsync", "replace"]


def test_a_full_disk_is_one_line_and_leaves_what_was_there(folder: Path) -> None:
    (folder / "a").write_bytes(b"old")
    # The limit on the size of files refuses as a full disk does: in the middle of writing.
    program = """
import resource
from attn_cli import files
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    files.write("a", [bytes(100_000)] * 3)
except files.writing.InputError as problem:
    print(problem)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "a: cannot be written: file too large\n"
    assert os.listdir() == ["a"]
    assert (folder / "a").read_bytes() == b"old"


def test_a_full_device_is_one_line() -> None:
    assert refusal("/dev/full") == "/dev/full: cannot be written: no space left on device"
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_device_is_written_to() -> None:
    files.write("/dev/null", [b"x"])
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_fifo_is_written_to_and_stays(folder: Path) -> None:
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: files.write("pipe", [b"a", b"b"]))
    writer.start()
    assert (folder / "pipe").read_bytes() == b"ab"
    writer.join()
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_by_name_keeps_what_a_shell_appended_to(folder: Path, path: str) -> None:
    (folder / "log").write_bytes(b"before\n")
    program = f"from attn_cli import files; files.write({path!r}, [b'after\\n'])"
    with open("log", "ab") as log:
        subprocess.run([sys.executable, "-c", program], stdout=log, check=True)
    assert (folder / "log").read_bytes() == b"before\nafter\n"


def test_a_link_stays_and_its_target_is_replaced(folder: Path) -> None:
    (folder / "there").mkdir()
    (folder / "there" / "target").write_bytes(b"old")
    os.symlink("there/target", "link")
    os.symlink("there/new", "dangling")
    for link, target in (("link", "target"), ("dangling", "new")):
        files.write(link, [b"new"])
        assert os.path.islink(link)
        assert (folder / "there" / target).read_bytes() == b"new"
    assert sorted(os.listdir("there")) == ["new", "target"]


def test_mode_of_a_new_and_of_an_old_file(folder: Path) -> None:
    old = os.umask(0o027)
    try:
        files.write("new", [b"x"])
    finally:
        os.umask(old)
    assert stat.S_IMODE(os.stat("new").st_mode) == 0o640
    os.chmod("new", 0o604)
    files.write("new", [b"y"])
    assert stat.S_IMODE(os.stat("new").st_mode) == 0o604
    assert (folder / "new").read_bytes() == b"y"


def test_places_where_nothing_can_be_written(folder: Path) -> None:
    assert refusal("no/such/a.csv") == "no/such/a.csv: there is no folder 'no/such'; make it first"
    assert refusal(".") == ".: is a directory; name a file in it"
    (folder / "file").write_bytes(b"")
    assert refusal("file/a.csv") == "file/a.csv: cannot be written: not a directory"
    assert refusal("x" * 300).endswith(": cannot be written: file name too long")
    assert os.listdir() == ["file"]


def test_a_file_that_is_read_only_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a").write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everything
    assert refusal("a") == "a: is not writable; choose another path"
    assert (folder / "a").read_bytes() == b"old"


def test_a_name_of_the_longest_kind(folder: Path) -> None:
    name = "x" * 255
    files.write(name, [b"x"])
    assert (folder / name).read_bytes() == b"x"
