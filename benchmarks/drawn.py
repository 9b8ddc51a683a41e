"""How soon Chromium has drawn a page from disk, and what the page holds in memory then; one that takes too much is ended."""

from __future__ import annotations

import contextlib
import math
import os
import re
import signal
import sys
import threading
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST, MOST = 60, 8_000  # seconds of the CPU and MB that a page may take
_SLOWEST = 5  # times as many on the wall
# The time at which what a selector finds is there, and a frame with it is out.
_WATCH = """(() => {
  const next = (then) => requestAnimationFrame(() => requestAnimationFrame(then));
  const look = () => {
    if (document.querySelector(%r)) next(() => (window.drawnAt = performance.now()));
    else requestAnimationFrame(look);
  };
  look();
})()"""
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


@dataclass(frozen=True)
class Drawn:
    """Milliseconds until something was painted and until the picture was there; MiB then; what `asked` gave."""

    painted: float
    picture: float
    processor: float  # until then, of the renderer
    heap: float  # of JavaScript and its arrays
    process: float  # of the whole renderer, without what is read from files
    answers: tuple[Any, ...]


def browser() -> Any:
    """The driver of the tests."""
    folder = str(Path(__file__).parents[1] / "tests" / "render")
    if folder not in sys.path:
        sys.path.append(folder)
    return import_module("browser")


def draw(page: Path, selector: str, asked: Sequence[str] = ()) -> Drawn | str:
    """Open a file until what the selector finds is drawn, then ask scripts; or why that cannot be."""
    with _ending() as ended, browser().browse(patience=_SLOWEST * LONGEST + 10) as tab:
        try:
            tab.send("Network.disable")  # which would keep what it loads
            tab.resize(1280, 900)
            tab.send("Page.addScriptToEvaluateOnNewDocument", source=_WATCH % selector)
            tab.send("Page.navigate", url=page.as_uri())
            tab.wait(f"window.drawnAt && {_PAINTED}")
            times = (
                tab.run(_PAINTED),
                tab.run("drawnAt"),
                1000 * max(map(_taken, _renderers()), default=math.nan),
            )
            tab.send("HeapProfiler.collectGarbage")
            heap = tab.send("Runtime.getHeapUsage")
            process = max(map(_held, _renderers()), default=math.nan)
            answers = tuple(tab.run(script) for script in asked)
        except AssertionError as problem:
            return ended[0] if ended else f"not drawn: {problem}"
    return Drawn(*times, (heap["usedSize"] + heap["backingStorageSize"]) / 2**20, process, answers)


@contextlib.contextmanager
def _ending() -> Iterator[list[str]]:
    """End pages that take too much; why, stands in what is given."""
    over, ended, start = threading.Event(), list[str](), time.monotonic()

    def watch() -> None:
        while not ended and not over.wait(0.2):
            pages = _renderers()
            wall, processor = time.monotonic() - start, max(map(_taken, pages), default=0)
            if processor > LONGEST or wall > _SLOWEST * LONGEST:
                ended.append(f"not drawn in {wall:.0f} s ({processor:.0f} of the CPU)")
            elif max(map(_held, pages), default=0) * 2**20 > MOST * 10**6:
                ended.append(f"not drawn in {MOST / 1000:g} GB")
            for pid in pages if ended else ():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield ended
    finally:
        over.set()
        thread.join()


def _renderers() -> list[int]:
    """The processes, started by this one, that show pages; none where the system does not list them."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            found = re.search(r"\) \S (\d+)", stat.read_text())
            parents[int(stat.parent.name)] = int(found[1]) if found else 0

    def ours(pid: int) -> bool:
        return pid == os.getpid() or (pid in parents and ours(parents[pid]))

    return [pid for pid in parents if ours(pid) and b"--type=renderer" in _read(pid, "cmdline")]


def _held(pid: int) -> float:
    """MiB of memory that is a process's own."""
    return sum(int(kib) for kib in re.findall(rb"Rss(?:Anon|Shmem):\s+(\d+)", _read(pid, "status"))) / 1024


def _taken(pid: int) -> float:
    """Seconds of the CPU that a process has taken."""
    fields = _read(pid, "stat").rpartition(b") ")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""  # it has ended
