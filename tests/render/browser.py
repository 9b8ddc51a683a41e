"""A real browser for tests: Chromium without a window or a network, driven over a pipe.

The protocol is Chrome's DevTools one (chromedevtools.github.io/devtools-protocol): JSON messages, each ended
by a zero byte. A pipe needs no port, no driver program and no library.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--font-render-hinting=none", "--remote-debugging-pipe",
    "--force-prefers-reduced-motion",  # else a colour may be read while it still fades
)  # fmt: skip
_PATIENCE = 30  # seconds that a page may take on a busy machine
KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Tab": 9, " ": 32}


class Tab:
    """One page, and everything that it said, asked for or got wrong."""

    def __init__(self, to_browser: int, from_browser: int, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._to, self._from, self._buffer, self._last = to_browser, from_browser, b"", 0
        self._session: str | None = None
        self.complaints: list[str] = []  # console messages, exceptions, violations of the security policy
        self.requests: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits", "Inspector"):
            self.send(f"{domain}.enable")
        self.send(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=0,
            uploadThroughput=0,
        )

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call the browser and wait for its answer."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], self._patience)
            chunk = os.read(self._from, 1 << 20) if ready else b""
            assert chunk, "the browser does not answer"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        event = json.loads(message)
        self._note(event.get("method"), event.get("params", {}))
        return event

    def _note(self, method: str | None, params: dict[str, Any]) -> None:
        said = {
            "Runtime.consoleAPICalled": lambda: [
                one.get("value", one.get("description")) for one in params["args"]
            ],
            "Runtime.exceptionThrown": lambda: (
                params["exceptionDetails"].get("exception", params).get("description")
            ),
            "Log.entryAdded": lambda: params["entry"]["text"],
            "Audits.issueAdded": lambda: params["issue"],
        }
        assert method != "Inspector.targetCrashed", "the page crashed"
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method in said:
            self.complaints.append(str(said[method]()))

    def open(
        self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False, touch: bool = False
    ) -> None:
        """Open a file as if double-clicked, in a window of that size, and wait until everything is drawn."""
        self.complaints.clear()
        self.requests.clear()
        self.resize(width, height, touch=touch)
        self.dark(dark)
        self.send("Page.navigate", url=path.as_uri())
        self.wait(
            "document.readyState === 'complete' && document.querySelector('[data-drawn], #precision:not(:empty)')"
        )

    def resize(self, width: int, height: int, *, touch: bool = False) -> None:
        """Make the window so large, that of a phone if it is touched."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if touch else 1,
            mobile=touch,
        )

    def dark(self, wanted: bool) -> None:
        """Say what the system prefers."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if wanted else "light"}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true in the page."""
        until = time.monotonic() + self._patience
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < until, f"never true: {condition}; the page said {self.complaints}"
            time.sleep(0.02)

    def text(self, selector: str) -> str:
        """What the first such element says."""
        return self.run(f"document.querySelector({json.dumps(selector)}).textContent")

    def move(self, x: float, y: float) -> None:
        """Move the pointer there."""
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, selector: str, *, shift: bool = False) -> None:
        """Press the middle of the first such element."""
        box = f"document.querySelector({json.dumps(selector)})"
        x, y = self.run(
            f"{box}.scrollIntoView({{block: 'nearest'}}), (b => [b.x + b.width / 2, b.y + b.height / 2])({box}.getBoundingClientRect())"
        )
        self.move(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.send(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=y,
                button="left",
                clickCount=1,
                modifiers=8 * shift,
            )

    def tap(self, x: float, y: float) -> None:
        """Touch the screen there with one finger, for a moment."""
        self.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key, by its name or as the character it types."""
        text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=KEYS.get(key, 0),
                modifiers=8 * shift,
                **text,
            )

    def screenshot(self, path: Path) -> None:
        """A picture of the whole page."""
        path.write_bytes(
            base64.b64decode(self.send("Page.captureScreenshot", captureBeyondViewport=True)["data"])
        )


@contextlib.contextmanager
def browse(patience: float = _PATIENCE) -> Iterator[Tab]:
    """Start the browser with a fresh profile, and end it."""
    assert PROGRAM
    (command_out, command_in), (answer_out, answer_in) = _pipe(), _pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        pid = os.posix_spawn(
            PROGRAM,
            [PROGRAM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            {**os.environ, "LANGUAGE": "en"},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, command_out, 3),  # where the browser reads commands
                (os.POSIX_SPAWN_DUP2, answer_in, 4),  # and writes answers
                *((os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)),
            ],
        )
        os.close(command_out)
        os.close(answer_in)
        try:
            yield Tab(command_in, answer_out, patience)
        finally:
            os.close(command_in)
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
            os.close(answer_out)


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are numbered so high that they are none of those the browser is given."""
    low = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low)
    for end in low:
        os.close(end)
    return high[0], high[1]
