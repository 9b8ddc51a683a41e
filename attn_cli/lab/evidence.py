"""What can be seen in wrong numbers: sums, signs, zeros, and by which factor they are off."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from .verdict import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Bool

_MOST_HEADS = 6  # of which every order is tried


def evidence(
    stage: str,
    answer: np.ndarray,
    right: np.ndarray,
    slack: np.ndarray,
    *,
    scores: np.ndarray | None = None,
    mask: Bool[np.ndarray, "*batch query key"] | None = None,
) -> tuple[Said, ...]:
    """What the numbers of an answer show that the right ones do not.

    `scores` are the right ones, for the factor that a softmax of them is off by; `mask` is the right mask.

    >>> halves = np.array([[0.5, 0.9], [0.5, 0.1]])
    >>> [said.key for said in evidence("weights", halves, np.full((2, 2), 0.5), np.array(0.005))]
    ['columns_sum_to_1']
    """
    found = list(_not_finite(answer, right))
    if stage == "weights":
        found += _sums(answer, right, slack)
        found += _range(answer, slack)
        if answer.shape == right.shape:
            found += _support(answer, right, slack, mask)
            found += [] if scores is None else _log_ratio(answer, right, scores, slack)
    if stage in ("dots", "scores") and answer.shape == right.shape:
        found += _factor(answer, right, slack)
    if stage == "output":
        found += _features(answer, slack)
    if stage == "table" and (np.abs(answer) > 1 + np.max(slack)).any() and (np.abs(right) <= 1).all():
        found.append(Said("beyond_1"))
    return tuple(found + list(_order(answer, right, slack)))


def _not_finite(answer: np.ndarray, right: np.ndarray) -> Iterator[Said]:
    bad = np.isnan(answer) & (~np.isnan(right) if right.shape == answer.shape else True)
    if bad.any():
        rows = sorted({int(place[-2]) for place in np.argwhere(bad)})
        whole = bool(bad[..., rows, :].all())
        yield Said("nan_rows" if whole else "nan_cells", {"rows": _listed(rows)})


def _listed(rows: list[int]) -> str:
    return ", ".join(map(str, rows[:8])) + (" …" if len(rows) > 8 else "")


def _sums(answer: np.ndarray, right: np.ndarray, slack: np.ndarray) -> Iterator[Said]:
    """Along which axes the weights sum to 1; nothing where rows do, as they should."""
    finite = np.where(np.isfinite(answer), answer, 0.0)
    largest = float(np.max(slack))
    rows = finite.sum(axis=-1)
    seen = np.abs(finite).max(axis=-1) > largest  # a blind row is 0

    def one(sums: np.ndarray, n: int) -> bool:
        return bool((np.abs(sums - 1) <= largest * n + 1e-6).all())

    if one(rows[seen], answer.shape[-1]) and seen.any():
        return
    if one(finite.sum(axis=-2), answer.shape[-2]):
        yield Said("columns_sum_to_1")
    elif one(finite.sum(axis=(-2, -1)), answer.shape[-1] * answer.shape[-2]):
        yield Said("all_sum_to_1")
    elif answer.ndim > 2 and one(finite.sum(axis=-3)[finite.sum(axis=-3) > largest], answer.shape[-3]):
        yield Said("heads_sum_to_1")
    elif np.ptp(rows) <= 2 * largest * answer.shape[-1]:
        yield Said("rows_sum_to", {"sum": f"{rows.mean():.4g}"})
    else:
        yield Said("rows_sum_between", {"low": f"{rows.min():.4g}", "high": f"{rows.max():.4g}"})


def _range(answer: np.ndarray, slack: np.ndarray) -> Iterator[Said]:
    with np.errstate(invalid="ignore"):
        if negative := int((answer < -slack).sum()):
            yield Said("negative", {"n": negative})
        elif above := int((answer > 1 + slack).sum()):
            yield Said("above_1", {"n": above})


def _support(
    answer: np.ndarray, right: np.ndarray, slack: np.ndarray, mask: np.ndarray | None
) -> Iterator[Said]:
    """Weights where the mask hides, and none where it does not."""
    if mask is None or mask.all():
        return
    mask = np.broadcast_to(mask, answer.shape)
    leaked = ~mask & (np.abs(np.nan_to_num(answer)) > slack)
    if leaked.any():
        yield Said("hidden_seen", {"n": int(leaked.sum()), "of": int((~mask).sum())})
    lost = mask & (np.abs(answer) <= slack) & (right > 3 * slack)
    if lost.any():
        yield Said("visible_unseen", {"n": int(lost.sum()), "of": int(mask.sum())})


def _log_ratio(
    answer: np.ndarray, right: np.ndarray, scores: np.ndarray, slack: np.ndarray
) -> Iterator[Said]:
    """β where ln A = β · S + a number for each row: the ratio of any two weights in a row is the right ratio to the power β."""
    if (fit := log_ratio(answer, right, scores, slack)) is not None:
        yield Said("log_ratio", {"beta": f"{fit:.4g}"})


def log_ratio(answer: np.ndarray, right: np.ndarray, scores: np.ndarray, slack: np.ndarray) -> float | None:
    """The β of softmax(β · S) if an answer is one and β is not 1, else None.

    >>> s = np.array([[0.0, 1.0, 3.0]])
    >>> a, b = (np.exp(x) / np.exp(x).sum() for x in (s, s / 2))
    >>> round(log_ratio(b, a, s, np.array(1e-6)), 4)
    0.5
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        used = (right > 0) & np.isfinite(scores) & np.isfinite(answer) & (answer > 8 * slack)
        if used.sum() < 3:
            return None
        log, weight = np.log(np.where(used, answer, 1.0)), np.where(used, answer, 0.0).clip(0, 1)
    s = np.where(used, scores, 0.0)
    s, log = (_centred(x, weight, used) for x in (s, log))
    if not (total := float((weight * s * s).sum())) > 1e-9:
        return None
    beta = float((weight * s * log).sum()) / total
    spread = np.where(used, np.abs(log - beta * s), 0.0)
    allowed = 3 * slack / np.where(used, answer, 1.0) + 3 * float(np.max(slack))
    if (spread > allowed + 1e-6).any() or abs(beta - 1) < 0.01 + float(np.max(slack)):
        return None
    return beta


def _centred(x: np.ndarray, weight: np.ndarray, used: np.ndarray) -> np.ndarray:
    total = np.maximum(weight.sum(axis=-1, keepdims=True), 1e-300)
    return np.where(used, x - (weight * x).sum(axis=-1, keepdims=True) / total, 0.0)


def _factor(answer: np.ndarray, right: np.ndarray, slack: np.ndarray) -> Iterator[Said]:
    """The one factor that all scores are off by."""
    if not (np.isfinite(answer).all() and np.isfinite(right).all()):
        return
    if not (total := float((right * right).sum())):
        return
    factor = float((answer * right).sum()) / total
    if (np.abs(answer - factor * right) <= 2 * slack + 1e-9).all() and abs(factor - 1) > 1e-3:
        yield Said("factor", {"factor": f"{factor:.4g}"})


def _features(answer: np.ndarray, slack: np.ndarray) -> Iterator[Said]:
    sums = answer.sum(axis=-1)
    if answer.shape[-1] > 1 and (answer >= 0).all() and (np.abs(sums - 1) <= np.max(slack) * 9 + 1e-6).all():
        yield Said("features_sum_to_1")


def _order(answer: np.ndarray, right: np.ndarray, slack: np.ndarray) -> Iterator[Said]:
    """Right numbers in another order: mirrored, or heads that have changed places."""
    if answer.shape != right.shape or right.ndim < 2:
        return
    mirrored = right.swapaxes(-1, -2)
    if mirrored.shape == answer.shape and _within(answer, mirrored, slack):
        yield Said("mirrored")
    if right.ndim != 3 or not 1 < len(right) <= _MOST_HEADS:
        return
    for order in itertools.permutations(range(len(right))):
        if order != tuple(range(len(right))) and _within(answer, right[list(order)], slack):
            yield Said("heads_in_order", {"order": ", ".join(map(str, order))})
            yield Said("same_heads")
            return


def _within(answer: np.ndarray, other: np.ndarray, slack: np.ndarray) -> bool:
    with np.errstate(invalid="ignore"):
        return bool((np.abs(answer - other) <= np.max(slack)).all())
