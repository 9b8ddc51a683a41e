"""Toy tasks that show what attention learns, and the loop that trains a small Transformer on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..registry import Registry
from . import labelled, texts  # noqa: F401 (they register tasks)
from .examples import draw, recipe
from .own import OWN
from .tasks import TASKS as DRAWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from .examples import Dataset, Recipe

# Every task: those that are drawn, and those that read one's own data.
TASKS: Registry[Callable[..., object]] = Registry("task")
for _task in (*DRAWN.values(), *OWN.values()):
    TASKS.register(_task)


def find(spec: str) -> tuple[Callable[[str | None, int, int], Dataset], Recipe]:
    """What makes the dataset of a task out of a text, a number of examples and a seed; and what learns it.

    Raises InputError for an unknown task.
    """
    task = TASKS.parse(spec)
    if needs_data(spec):
        return lambda text, n, seed: task(text), recipe(task)
    return lambda text, n, seed: draw(task, n, seed), recipe(task)


def needs_data(spec: str) -> bool:
    """Whether a task reads one's own data."""
    return spec.partition(":")[0] in OWN


__all__ = ["TASKS", "find", "needs_data"]
