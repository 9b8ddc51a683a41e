"""Mistakes that are made at random: what was drawn is read from the answer itself."""

from __future__ import annotations

import numpy as np


def dropped(answer: np.ndarray, right: np.ndarray, slack: np.ndarray) -> tuple[str, np.ndarray] | None:
    """The spec of a dropout and the weights it gives, if it is one: zeros, and all others larger by one factor.

    >>> spec, _ = dropped(np.array([[0.0, 0.4, 0.8]]), np.array([[0.4, 0.2, 0.4]]), np.array(0.005))
    >>> spec
    'dropout_on:p=0.5'
    """
    if answer.shape != right.shape or not np.isfinite(answer).all():
        return None
    lost = (np.abs(answer) <= slack) & (right > 3 * slack)
    kept = ~lost & (right > 3 * slack)
    if not lost.any() or kept.sum() < 2:
        return None
    factor = float((answer * right)[kept].sum() / (right * right)[kept].sum())
    p = 1 - 1 / factor if factor > 0 else 0.0
    p = round(p, 2) if abs(1 / (1 - round(p, 2)) - factor) * right.max() <= np.max(slack) else p
    if not 0.005 < p < 0.995:
        return None
    return f"dropout_on:p={p:.3g}", np.where(lost, 0.0, right / (1 - p))
