"""Toy tasks: one function per task draws one example. Pure NumPy, everything random from the generator given."""

from ..examples import TASKS, Dataset, Example, Recipe, Task, draw, is_held_out, learns, recipe

# In the order in which they are listed, from what is plain to what takes more.
# isort: off
from .sequences import copy, reverse, sort
from .numbers import addition, parity, sum_
from .dates import dates
from .context import induction, recall
from .sentences import sentiment, ner, relation, summary, dialogue
from .senses import shapes, tones
# isort: on

__all__ = [
    "TASKS", "Dataset", "Example", "Recipe", "Task", "addition", "copy", "dates", "dialogue", "draw", "induction",
    "is_held_out", "learns", "ner", "parity", "recall", "recipe", "relation", "reverse", "sentiment", "shapes", "sort",
    "sum_", "summary", "tones",
]  # fmt: skip
