"""Where a mistake shows: the plainest exercise that shows it, what hides it, and which others it looks like."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import InputError
from ..variants.projections import Projection
from .exercise import Exercise
from .mistakes import MISTAKES
from .predictions import Predictions
from .telling import candidates, differ, way_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_HANDED_IN = ("weights", "output", "table")
_OF_TABLES = ("exponents", "base", "arrange", "first_position", "table")  # steps of a table of positions


@dataclass(frozen=True)
class Seen:
    """`exercise` and `hidden_when` are keys of wording; all empty where no exercise of the catalogue shows it."""

    exercise: str
    hidden_when: tuple[str, ...]
    tied_with: tuple[str, ...]


@functools.cache
def seen(name: str) -> Seen:
    """Where a mistake shows.

    >>> seen("scale_d_model")
    Seen(exercise='try_plain', hidden_when=('if_one_head', 'if_near_zero', 'if_saturated'), tied_with=())
    >>> seen("scale_twice").tied_with
    ('scale_d_k_not_root',)
    """
    of_table = getattr(MISTAKES[name], "step", "") in _OF_TABLES
    for key, predictions in sorted(candidates(), key=lambda one: of_table and one[0] != "try_table"):
        if _shows(predictions, name):
            return Seen(key, tuple(_hidden_when(name, predictions)), tuple(_tied_with(name)))
    return Seen("", (), ())


def _shows(predictions: Predictions, name: str) -> bool:
    way = way_of(predictions, (name,))
    return way is not None and differ(predictions, way, predictions.right, _HANDED_IN)


# ---- what hides it: the same exercise, changed in one thing ---------------------------------------------


def _hidden_when(name: str, predictions: Predictions) -> Iterator[str]:
    if not isinstance(predictions.exercise, Exercise):
        return
    for key, changed in _CHANGES.items():
        try:
            x = changed(predictions.exercise)
        except (InputError, ValueError):
            continue
        if x is not None and not _shows(_predictions(key, predictions), name):
            yield key


@functools.cache
def _predictions(key: str, predictions: Predictions) -> Predictions:
    """What mistakes make of an exercise that is changed in one thing: the same for many a mistake."""
    assert isinstance(predictions.exercise, Exercise)
    changed = _CHANGES[key](predictions.exercise)
    assert changed is not None
    return Predictions(changed)


def _one_head(x: Exercise) -> Exercise:
    return replace(x, n_heads=1, n_kv_heads=None)


def _keys_are_queries(x: Exercise) -> Exercise | None:
    return replace(x, key=x.query, value=x.query) if x.projection.W_q is None else None


def _one_wide(x: Exercise) -> Exercise | None:
    return replace(x, n_heads=x.d_model, n_kv_heads=None) if x.n_kv_heads is None else None


def _one_query(x: Exercise) -> Exercise | None:
    return None if x.masks else replace(x, query=x.query[..., :1, :], key=x.key, value=x.value)


def _as_many_queries(x: Exercise) -> Exercise | None:
    n, (query, key, value) = min(x.n_query, x.n_key), x.inputs
    if x.n_query == x.n_key:
        return None
    return replace(x, query=query[..., :n, :], key=key[..., :n, :], value=value[..., :n, :])


def _near_zero(x: Exercise) -> Exercise | None:
    return replace(x, query=x.query * 1e-3) if x.projection.W_q is None else None


def _saturated(x: Exercise) -> Exercise | None:
    return replace(x, query=x.query * 1e5) if x.projection.W_q is None else None


def _no_mask(x: Exercise) -> Exercise | None:
    return replace(x, masks=()) if x.masks else None


def _no_projection(x: Exercise) -> Exercise | None:
    has_any = x.projection.W_q is not None and x.n_kv_heads is None
    return replace(x, projection=Projection()) if has_any else None


_CHANGES: dict[str, Callable[[Exercise], Exercise | None]] = {
    "if_one_head": _one_head,
    "if_keys_are_queries": _keys_are_queries,
    "if_one_wide": _one_wide,
    "if_one_query": _one_query,
    "if_as_many_queries": _as_many_queries,
    "if_near_zero": _near_zero,
    "if_saturated": _saturated,
    "if_no_mask": _no_mask,
    "if_no_projection": _no_projection,
}


# ---- which others give the same numbers ------------------------------------------------------------------


def _tied_with(name: str) -> Iterator[str]:
    """Mistakes that give the same numbers as this one in every exercise in which either shows."""
    for other in MISTAKES:
        if other != name and not _ever_apart(name, other):
            yield other


def _ever_apart(name: str, other: str) -> bool:
    together = False
    for _, predictions in candidates():
        a, b = way_of(predictions, (name,)), way_of(predictions, (other,))
        if a is None or b is None:
            continue
        if differ(predictions, a, b):
            return True
        together = together or differ(predictions, a, predictions.right)
    return not together
