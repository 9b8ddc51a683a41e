"""The directory of a training: what is in it while it goes on, and what when it is over."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InputError, note
from ...registry import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from ...toy.training import Training

STATE = "training_state.safetensors"
CONFIG = "config.json"  # written last: it says that all the others are there
_MARK = "attn_training"


class RunDirectory:
    """Files that take their places together when a training is over, and the state that it left until then."""

    def __init__(self, path: Path, task: str, *, overwrite: bool, resume: bool, film: bool = False) -> None:
        self.path, self.task = path, task
        if path.exists() and not path.is_dir():
            raise InputError("not a directory", hint="give another -o DIR", where=str(path))
        if resume:
            self._need_state()
        self._refuse_foreign(film=film)
        if not resume and not overwrite:
            self._refuse_to_replace()

    @contextlib.contextmanager
    def made(self) -> Iterator[None]:
        """Make the directory before the training, so that a failure comes early; leave none that is empty."""
        new = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not os.access(self.path, os.W_OK):
                raise PermissionError(13, "Permission denied")
            self._clear()
        except OSError as problem:
            raise InputError(problem.strerror or "cannot be made", where=str(self.path)) from None
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # those that hold something stay
                for folder in new:
                    folder.rmdir()

    def save(self, contents: Mapping[str, bytes]) -> None:
        """Put all files in their places together, or none of them; config.json is the last.

        Of a run that was there before nothing stays, and of what is no run's, everything.
        """
        from ... import files
        from .run_readme import FILES

        names = sorted(contents, key=lambda name: name == CONFIG)
        left = FILES.keys() - {*contents, STATE} if self._has_run() else ()
        staging = Path(tempfile.mkdtemp(prefix=".attn-", dir=self.path))
        try:
            for name in names:
                files.write(str(staging / name), [contents[name]])
            for name in names:
                os.replace(staging / name, self.path / name)
            for name in left:  # only now, as until now there was no other run
                if (self.path / name).is_file():
                    (self.path / name).unlink()
        finally:
            shutil.rmtree(staging)

    # ---- the state of a training ----

    @property
    def state_path(self) -> Path:
        """The file that the state is in."""
        return self.path / STATE

    def save_state(self, begun: Mapping[str, Any], tensors: Mapping[str, Tensor], figures: Any) -> None:
        """What `--resume` needs, replacing what was there."""
        from safetensors.torch import save

        from ... import files

        said = json.dumps({"begun": begun, "figures": figures})
        whole = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
        files.write(str(self.state_path), [save(whole, metadata={_MARK: said})])

    def resume(self, training: Training, begun: Mapping[str, Any]) -> None:
        """Give a training the state of one that was begun in the same way, or for fewer steps.

        Raises InputError when it was begun in another way, or the file is damaged.
        """
        from ...toy.resuming import resume

        before, figures = self._said()
        steps = _fewer(before.get("steps"), begun["steps"])
        for name, value in json.loads(json.dumps(begun)).items():
            if before.get(name) != value and not (name == "steps" and steps):
                raise InputError(
                    f"the saved training used {name} {str(before.get(name))[:60]}, not {value}",
                    hint="give the same options, or --overwrite to start again",
                    where=str(self.state_path),
                )
        with self._opened("pt") as file:
            tensors = {name: file.get_tensor(name) for name in list(file.keys())}
        try:
            resume(training, tensors, figures, steps)
        except InputError as problem:
            raise problem.at(str(self.state_path)) from None
        if steps:
            now = training.options.steps
            note(
                f"from step {training.done} on, the learning rate follows the schedule of {now} steps, not {steps}"
            )

    def _said(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """How the training that left its state was begun, and its figures; no tensor is read."""
        with self._opened("np") as file:
            said = json.loads((file.metadata() or {})[_MARK])
            before, figures = said["begun"], said["figures"]
            if not isinstance(before, dict) or not isinstance(figures, dict):
                raise TypeError("begun and figures")
        return before, figures

    @contextlib.contextmanager
    def _opened(self, framework: str) -> Iterator[Any]:
        """The state as a file of tensors; whatever is wrong with it is an InputError."""
        from safetensors import SafetensorError, safe_open

        what = "not the state of a training"
        try:
            with safe_open(self.state_path, framework=framework) as file:
                yield file
                return
        except SafetensorError as problem:
            what += f" ({problem})"
        except OSError as problem:
            what = problem.strerror or "cannot be read"
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            pass  # no figures in it, or other ones, or tensors of a kind that torch does not have
        hint = "start again with --overwrite instead of --resume"
        raise InputError(what, hint=hint, where=str(self.state_path)) from None

    def _refuse_foreign(self, *, film: bool) -> None:
        """Files of the user's that a run would write over: those that are of no training, or drawn by others."""
        from ...files import made_by_attn
        from .run_readme import FILES

        ours = (self.path / STATE).exists() or self._has_run()
        written = [name for name in ("README.md", *FILES) if film or not name.startswith("film")]
        foreign = [
            name
            for name in written
            if (path := self.path / name).is_file()
            and not (made_by_attn(str(path)) if path.suffix in (".png", ".gif") else ours)
        ]
        if foreign:
            names = ", ".join(foreign)
            raise InputError(
                f"{names} in it does not belong to a run", hint="give another -o DIR", where=str(self.path)
            )

    def _clear(self) -> None:
        """Take away what a training that was killed had begun to write."""
        for left in self.path.glob(".attn-*"):
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink()

    def _need_state(self) -> None:
        if not (self.path / STATE).is_file():
            what = f"has no {STATE}" if self.path.is_dir() else "no such directory"
            near = [str(state.parent) for state in self.path.parent.glob(f"*/{STATE}")]
            hint = "give the -o DIR of a training that was begun, or leave --resume out to begin one"
            raise InputError(
                f"{what}, so no training to resume",
                hint=f"{hint}{nearest(str(self.path), near)}",
                where=str(self.path),
            )

    def _refuse_to_replace(self) -> None:
        if (self.path / CONFIG).exists():
            hint = "give another -o DIR, or --overwrite"
            if self._waits():
                hint += f"; --resume goes on with the training of {self.task} that was not finished"
            raise InputError(f"{CONFIG} exists already", hint=hint, where=str(self.path))
        if (self.path / STATE).exists():
            hint = "--resume goes on, --overwrite begins anew"
            raise InputError("holds an unfinished training", hint=hint, where=str(self.path))

    def _has_run(self) -> bool:
        """Whether the config.json is that of a run, whose files may go when another takes its place."""
        from ...models.runs.directory import recognises

        return recognises(self._config())

    def _waits(self) -> bool:
        """Whether beside a whole run there is a training of this task that was to replace it."""
        try:
            begun, figures = self._said()
        except InputError:
            return False
        saved = figures.get("over") and self._config().get("task") == self.task
        return begun.get("task") == self.task and not saved

    def _config(self) -> dict[str, Any]:
        """What the config.json says; nothing, if it is none."""
        try:
            config = json.loads((self.path / CONFIG).read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return config if isinstance(config, dict) else {}


def _fewer(before: Any, now: int) -> int | None:
    """How many steps a training was to have, where it is given more now.

    >>> _fewer(7000, 11000), _fewer(7000, 7000), _fewer("", 1)
    (7000, None, None)
    """
    return before if type(before) is int and 0 < before < now else None
