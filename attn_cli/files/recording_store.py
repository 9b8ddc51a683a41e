"""Steps of a recording on the disk: each in a file as soon as it is done, all in one file in the end."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ..attention.recording.store import Memory
from ..errors import InputError
from .recording import read_recording, recording_npz
from .writing import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..attention.recording.steps import Step
    from ..attention.recording.store import Wanted
    from ..records.recording import Recording

_SECONDS = 2.0  # a step that is long under way is written so often, or seldomer if that takes long


class Disk(Memory):
    """Keeps steps in a folder until they become one file, so many bytes: evenly spread over all.

    A process that the program forks, as a data loader does, keeps nothing: the folder is not its own. Raises InputError where that folder is there already.
    """

    def __init__(self, path: str, folder: str, wanted: Wanted, most_bytes: int) -> None:
        super().__init__(wanted, most_bytes)
        self.path, self.folder = path, folder
        self._process = os.getpid()
        self._files: dict[Step, str] = {}
        self._written, self._took = time.monotonic(), 0.0
        try:
            os.mkdir(self.folder)
        except FileExistsError:
            hint = "look at it with attn heatmap, then remove it, or choose another -o"
            raise InputError("holds a recording that was stopped", hint=hint, where=self.folder) from None
        except OSError as problem:
            reason = (problem.strerror or str(problem)).lower()
            raise InputError(f"cannot be written: {reason}", where=self.folder) from None

    def begin(self, made: Callable[[Step], Recording]) -> None:
        """Learn how a step becomes records."""
        self._made = made

    def takes(self, step: Step) -> bool:
        """Whether more of a step is to be kept."""
        return os.getpid() == self._process and super().takes(step)

    def grown(self, step: Step, n_bytes: int) -> None:
        """Count it, and write now and then what there is of a step that takes long."""
        super().grown(step, n_bytes)
        if time.monotonic() - self._written > max(_SECONDS, 20 * self._took):
            self._write(step)

    def add(self, step: Step) -> None:
        """Write a step that is done; its numbers are then no longer in memory."""
        if os.getpid() != self._process:
            return
        self._write(step)
        size = os.path.getsize(self._files[step])
        self._n_bytes += size - step.n_bytes
        step.n_bytes = size
        step.pieces.clear()
        super().add(step)

    def finish(self, table: str, remarks: tuple[str, ...]) -> None:
        """Make one file of all, and remove the folder."""
        if self._files:
            found = read_recording(self.folder)
            write(self.path, recording_npz(replace(found, table=table, remarks=remarks)))
        shutil.rmtree(self.folder)

    def _write(self, step: Step) -> None:
        start = time.monotonic()
        path = self._files.setdefault(step, os.path.join(self.folder, f"{len(self._files):06}.npz"))
        write(path, recording_npz(self._made(step)))
        self._written = time.monotonic()
        self._took = self._written - start

    def _drop(self, step: Step) -> None:
        if path := self._files.get(step):
            os.unlink(path)
