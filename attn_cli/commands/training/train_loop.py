"""The loop around a training: which processes share it, when its state is saved, what an interrupt does."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from ...errors import InputError, note
from ..io.environment import environment
from .live import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...toy.settings import Team
    from ...toy.training import Training

_SAVE_EVERY = 10.0  # seconds


def train(training: Training, save: Callable[[], None]) -> None:
    """All steps, for a person to watch; the state is saved every few seconds, and when they are over.

    Of several processes the first one saves. Raises KeyboardInterrupt after an interrupt, when the step is over and the state saved.
    """
    first, saved = training.team.rank == 0, time.monotonic()
    with _interrupts(training):
        for step in shown(training):
            if first and (training.stopping or time.monotonic() - saved > _SAVE_EVERY):
                save()
                saved = time.monotonic()
            if training.stopping:
                note(f"stopped after step {step.step}; --resume with the same options continues it")
                raise KeyboardInterrupt
        if first:
            save()


@contextlib.contextmanager
def _interrupts(training: Training) -> Iterator[None]:
    """Ctrl-C is remembered until the step is over, so that what is saved is whole; a second one ends at once."""

    def remember(*_: object) -> None:
        if training.stopping:
            raise KeyboardInterrupt
        training.stopping = True

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def team(device: str) -> Iterator[Team]:
    """The processes that torchrun has started, of which only the first one says anything; or this one alone."""
    from ...toy.settings import Team

    size, rank = _set("WORLD_SIZE", 1), _set("RANK", 0)
    if size == 1 or "MASTER_ADDR" not in os.environ:
        yield Team()
        return
    import torch.distributed

    if device == "cuda":
        torch.cuda.set_device(_set("LOCAL_RANK", 0))
    try:
        torch.distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    except ValueError as problem:  # what torchrun sets besides is not there
        raise InputError(f"no other processes to train with ({problem})", hint=_unset("WORLD_SIZE")) from None
    environment.quiet |= rank > 0
    try:
        yield Team(rank, size)
    finally:
        torch.distributed.destroy_process_group()


def _set(variable: str, otherwise: int) -> int:
    """A number that torchrun has set."""
    text = os.environ.get(variable, str(otherwise))
    if not (text.isascii() and text.isdigit()):
        raise InputError(f"{variable} is {text[:40]!r}, not a number", hint=_unset(variable))
    return int(text)


def _unset(variable: str) -> str:
    return f"unset {variable}, or start it with torchrun"
