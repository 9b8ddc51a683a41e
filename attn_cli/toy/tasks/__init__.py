"""Toy tasks: one function per task draws one example. Pure NumPy, everything random from the generator given."""

from ..examples import TASKS, Dataset, Example, Recipe, Task, draw, is_held_out, learns, recipe
from .context import induction, recall
from .dates import dates
from .numbers import addition, parity, sum_
from .senses import shapes, tones
from .sentences import dialogue, ner, relation, sentiment, summary
from .sequences import copy, reverse, sort

__all__ = [
    "TASKS", "Dataset", "Example", "Recipe", "Task", "copy", "draw", "is_held_out", "learns", "recipe", "reverse", "sort",
]  # fmt: skip
