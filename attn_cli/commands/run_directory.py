"""The directory of a training: what is in it while it goes on, and what when it is over."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

STATE = "training_state.safetensors"
CONFIG = "config.json"  # written last: it says that all the others are there
_MARK = "attn_training"


class RunDirectory:
    """Files that take their places together when a training is over, and the state that it left until then."""

    def __init__(self, path: Path, *, overwrite: bool, resume: bool) -> None:
        self.path = path
        if path.exists() and not path.is_dir():
            raise InputError("not a directory", hint="give another -o DIR", where=str(path))
        if resume:
            self._need_state()
        elif not overwrite:
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
        """Put all files in their places together, or none of them; config.json is the last."""
        from .. import files

        names = sorted(contents, key=lambda name: name == CONFIG)
        staging = Path(tempfile.mkdtemp(prefix=".attn-", dir=self.path))
        try:
            for name in names:
                files.write(str(staging / name), [contents[name]])
            for name in names:
                os.replace(staging / name, self.path / name)
        finally:
            shutil.rmtree(staging)

    # ---- the state of a training ----

    def save_state(self, begun: Mapping[str, Any], tensors: Mapping[str, Tensor], figures: Any) -> None:
        """What `--resume` needs, in the place of what was there."""
        from safetensors.torch import save

        from .. import files

        said = json.dumps({"begun": begun, "figures": figures})
        whole = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
        files.write(str(self.path / STATE), [save(whole, metadata={_MARK: said})])

    def state(self, begun: Mapping[str, Any]) -> tuple[dict[str, Tensor], Any]:
        """The tensors and figures of a training that was begun in the same way.

        Raises InputError when it was begun in another way, or the file is damaged.
        """
        from safetensors import SafetensorError, safe_open

        path = str(self.path / STATE)
        try:
            with safe_open(path, framework="pt") as file:
                said = json.loads(file.metadata()[_MARK])
                tensors = {name: file.get_tensor(name) for name in list(file.keys())}
                before, figures = said["begun"], said["figures"]
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as problem:
            raise InputError(f"not the state of a training ({problem})", where=path) from None
        for name, value in json.loads(json.dumps(begun)).items():
            if before.get(name) != value:
                raise InputError(
                    f"it was begun with {name} {before.get(name)}, not {value}",
                    hint="give the same options, or --overwrite to begin anew",
                    where=path,
                )
        return tensors, figures

    def _clear(self) -> None:
        """Take away what a training that was killed had begun to write."""
        for left in self.path.glob(".attn-*"):
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink()

    def _need_state(self) -> None:
        if not (self.path / STATE).is_file():
            raise InputError(f"no {STATE} to go on from", hint="leave --resume out", where=str(self.path))

    def _refuse_to_replace(self) -> None:
        if (self.path / CONFIG).exists():
            hint = "give another -o DIR, or --overwrite"
            raise InputError(f"{CONFIG} is there already", hint=hint, where=str(self.path))
        if (self.path / STATE).exists():
            hint = "--resume goes on, --overwrite begins anew"
            raise InputError("a training that was not finished", hint=hint, where=str(self.path))
