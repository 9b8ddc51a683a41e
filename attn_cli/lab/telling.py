"""Which mistakes an exercise cannot tell apart, why, and which exercise can."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..records.table import Table
from .exercise import Exercise, MaskExercise, TableExercise, proposed
from .mistakes import MISTAKES
from .predictions import Predictions
from .verdict import Said
from .ways import Way, agrees
from .wording import say

if TYPE_CHECKING:
    from .exercise import AnyExercise

_APART = 0.01  # by how much numbers must differ somewhere, for two decimals to show it


@dataclass(frozen=True)
class Blindness:
    """`unseen` mistakes give the right numbers; each of `groups` gives the same wrong ones."""

    unseen: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    reasons: tuple[Said, ...]
    proposal: Said | None  # an exercise that shows more of them


def cannot_tell(
    exercise: AnyExercise,
    *,
    stages: tuple[str, ...] = ("weights", "output", "mask", "table"),
    apart: float = _APART,
) -> Blindness:
    """The mistakes that an exercise cannot tell from right or from each other, by any of these stages.

    Mistakes in what the exercise does not have, such as a mask, are among the unseen. Numbers less than
    `apart` from each other count as the same.

    >>> blindness = cannot_tell(Exercise(np.eye(3)), stages=("weights",))
    >>> "scale_d_model" in blindness.unseen, [said.key for said in blindness.reasons][:2]
    (True, ['one_head', 'same_query_and_key'])
    """
    predictions = Predictions(exercise)
    asked = tuple(stage for stage in stages if stage in exercise.asked)
    first = {name: way for way in reversed(predictions.singles) for name in way.ids}
    unseen, groups = [], []
    left = [name for name in MISTAKES if name in first and _leads_anywhere(first[name], asked)]
    for name in list(left):
        if _same(first[name], predictions.right, asked, apart):
            unseen.append(name)
            left.remove(name)
    while left:
        group = [name for name in left if _same(first[name], first[left[0]], asked, apart)]
        left = [name for name in left if name not in group]
        groups += [tuple(group)] * (len(group) > 1)
    return Blindness(
        tuple(unseen), tuple(groups), tuple(_reasons(exercise, predictions)), _proposal(exercise)
    )


def as_lines(blindness: Blindness, language: str = "en") -> list[str]:
    """What an exercise cannot tell, for people."""
    comma = say(language, "list_comma")
    lines = [said.text(language) for said in blindness.reasons]
    lines.append(say(language, "unseen", {"names": comma.join(blindness.unseen) or "–"}))
    lines += [say(language, "alike", {"names": comma.join(group)}) for group in blindness.groups]
    return lines if blindness.proposal is None else [*lines, blindness.proposal.text(language)]


def as_table(blindness: Blindness) -> Table:
    """A row for every mistake: whether it shows, and which others give the same numbers.

    >>> next(as_table(cannot_tell(Exercise(np.eye(3)))).rows())
    {'mistake': 'heads_by_view', 'shows': False, 'same_as': ''}
    """
    same = {name: "|".join(x for x in group if x != name) for group in blindness.groups for name in group}
    names = list(MISTAKES)
    columns = {
        "mistake": np.array(names),
        "shows": np.array([name not in blindness.unseen for name in names]),
        "same_as": np.array([same.get(name, "") for name in names]),
    }
    return Table(columns, about="check")


def _leads_anywhere(way: Way, stages: tuple[str, ...]) -> bool:
    """Whether a mistake runs at all: one that ends in an error shows itself."""
    return any(way.at(stage) is not None for stage in stages)


def _same(a: Way, b: Way, stages: tuple[str, ...], apart: float) -> bool:
    return all(_alike(a.at(stage), b.at(stage), apart) for stage in stages)


def _alike(x: np.ndarray | None, y: np.ndarray | None, apart: float) -> bool:
    if x is None or y is None:
        return x is y
    return agrees(x, y, np.asarray(apart))


# ---- why -----------------------------------------------------------------------------------------------


def _reasons(exercise: AnyExercise, predictions: Predictions) -> list[Said]:
    if not isinstance(exercise, Exercise):
        return [Said("two_wide")] if isinstance(exercise, TableExercise) and exercise.dim <= 2 else []
    x, found = exercise, []
    scores = predictions.right.at("scores")
    visible = scores[np.isfinite(scores)] if scores is not None else np.zeros(1)
    reasons = {
        "one_head": x.n_heads == 1,
        "same_query_and_key": np.array_equal(predictions.right.work["query"], predictions.right.work["key"]),
        "one_wide": x.d_head == 1,
        "no_mask": not x.masks,
        "as_many_queries": x.n_query == x.n_key,
        "one_query": x.n_query == 1,
        "near_zero": bool(np.abs(visible).max(initial=0) < 0.1),
        "saturated": _saturated(predictions),
        "no_projection": x.projection.W_q is None,
    }
    found += [Said(key) for key, holds in reasons.items() if holds]
    return found


def _saturated(predictions: Predictions) -> bool:
    weights = predictions.right.at("weights")
    return weights is not None and weights.shape[-1] > 1 and float(np.median(weights.max(axis=-1))) > 0.99


def _proposal(exercise: AnyExercise) -> Said | None:
    if isinstance(exercise, TableExercise):
        return None if exercise.dim > 4 and exercise.seq_len > 3 else Said("proposal_table")
    if isinstance(exercise, MaskExercise):
        return None if exercise.n_query != exercise.n_key else Said("proposal_mask")
    if not isinstance(exercise, Exercise):
        return Said("proposal", _sizes(proposed()))
    good = exercise.n_heads > 1 and exercise.d_head > 2 and exercise.n_query != exercise.n_key
    return None if good else Said("proposal", _sizes(proposed()))


def _sizes(x: Exercise) -> dict[str, int]:
    return {name: getattr(x, name) for name in ("n_query", "n_key", "n_heads", "d_head", "d_model")}


# ---- exercises that separate ties ----------------------------------------------------------------------


@functools.cache
def candidates() -> tuple[tuple[str, Predictions], ...]:
    """Exercises of good sizes, from the plainest on, each with the key of its description."""
    exercises: dict[str, AnyExercise] = {
        "try_plain": proposed(),
        "try_causal": proposed(mask="causal"),
        "try_projected": proposed(project=True),
        "try_window": proposed(mask="window:size=3", n_query=6, n_key=6),
        "try_padding": proposed(mask="padding:length=5", n_query=6, n_key=6, project=True),
        "try_blind": proposed(mask="causal", n_query=7, n_key=5),
        "try_grouped": proposed(n_heads=4, n_kv_heads=2, project=True),
        "try_batch": proposed(n_batch=3, n_query=5, n_key=5, project=True),
        "try_rope": proposed(rope=True, d_head=6),
        "try_alibi": proposed(alibi=True, n_heads=4),
        "try_table": TableExercise("sinusoidal", 6, 7),
        "try_rope_table": TableExercise("rope", 6, 8),
        "try_alibi_table": TableExercise("alibi", 6, 4),
    }
    return tuple((key, Predictions(x)) for key, x in exercises.items())


@functools.cache
def told_apart_by(alternatives: tuple[tuple[str, ...], ...], stage: str = "weights") -> Said:
    """The plainest exercise in which each of these mistakes, or pairs, gives numbers of its own; or that there is none.

    Exercises that ask for `stage` come first.

    >>> told_apart_by((("scale_d_k_not_root",), ("scale_twice",))).key
    'never_apart'
    >>> told_apart_by((("no_scale",), ("scale_n_heads",))).text()
    'These would be told apart by 5 queries, 7 keys and two heads of width 3.'
    """
    best, most, all_pairs = "", 0, len(alternatives) * (len(alternatives) - 1) // 2
    for key, predictions in sorted(candidates(), key=lambda one: stage not in one[1].exercise.asked):
        ways = [way for ids in alternatives if (way := way_of(predictions, ids)) is not None]
        shown = [way for way in ways if differ(predictions, way, predictions.right)]
        apart = sum(differ(predictions, a, b) for a, b in itertools.combinations(shown, 2))
        if apart > most:
            best, most = key, apart
        if most == all_pairs:
            break
    if not best:
        return Said("never_apart")
    return Said("apart_all" if most == all_pairs else "apart_some", {"exercise": Said(best)})


def way_of(predictions: Predictions, ids: tuple[str, ...]) -> Way | None:
    """The way with these mistakes, each in the first variant that is tried."""
    if len(ids) == 1:
        return next((way for way in predictions.singles if way.ids == ids), None)
    return predictions.made(ids)


def differ(
    predictions: Predictions,
    a: Way,
    b: Way,
    stages: tuple[str, ...] = ("scores", "weights", "output", "table"),
) -> bool:
    """Whether two ways hand in other numbers, at one of these stages and to two decimals."""
    asked = [stage for stage in stages if stage in predictions.exercise.asked]
    return any(not _alike(a.at(stage), b.at(stage), _APART) for stage in asked)
