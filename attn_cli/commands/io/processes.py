"""The processes that torchrun has started for one command: they share its work, and one of them speaks."""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = timedelta(seconds=10)


def several() -> bool:
    """Whether torchrun has started this process as one of several."""
    return os.environ.get("WORLD_SIZE", "1") != "1" and "TORCHELASTIC_RUN_ID" in os.environ


def is_beside() -> bool:
    """Whether another process of these speaks, and this one has nothing to do where work is not shared."""
    return several() and os.environ.get("RANK", "0") != "0"


@contextlib.contextmanager
def together(device: str) -> Iterator[bool]:
    """While this is open, all processes stream together; says whether this is the first of them, or alone."""
    if not several():
        yield True
        return
    from ...attention.streaming.shares import shared
    from ..training.train_loop import team

    with team(device) as ours, shared(ours.rank, ours.size):
        yield ours.rank == 0


def is_first_to_fail() -> bool:
    """Whether no other process has failed, so that an error is said once, although all may find it."""
    if not several():
        return True
    from torch.distributed import TCPStore  # type: ignore[attr-defined]  # told of in its documentation

    env = os.environ
    try:
        store = TCPStore(
            env["MASTER_ADDR"],
            int(env["MASTER_PORT"]),
            is_master=False,
            timeout=_PATIENCE,
            wait_for_workers=False,
        )
        failed: int = store.add(f"attn failed {env.get('TORCHELASTIC_RESTART_COUNT', '0')}", 1)
    except (RuntimeError, KeyError, ValueError):  # whoever kept count has ended
        return True
    return failed == 1
