"""`python -m benchmarks [ROUNDS] [ROOM …]`: every row of the budget, beside its reference; a room is a module here.

Whole it takes many minutes, on a machine that does nothing else; a quick look at one room is `python -m benchmarks 1 startup`. What
else there is to measure, and is no row of the budget, each module prints by itself: `python -m benchmarks.long`.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from .pairs import HEADER, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOMS = (
    "startup",
    "models",
    "pictures",
    "long",
    "training",
    "corpus",
    "recording",
    "checking",
    "live",
    "pages",
)


def rows(room: str, rounds: int) -> Iterator[str]:
    """The lines of a room, which is imported late: of a process the system counts what its parent held, too."""
    module: Any = importlib.import_module(f".{room}", __package__)
    if not hasattr(module, "pairs"):
        yield from module.rows(rounds)
        return
    with tempfile.TemporaryDirectory() as folder:
        for pair in module.pairs(folder):
            yield compare(pair, rounds)


if __name__ == "__main__":
    n_rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(HEADER)
    for name in sys.argv[2:] or ROOMS:
        for row in rows(name, n_rounds):
            print(row, flush=True)
