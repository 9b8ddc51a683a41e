"""What can be attention weights and what cannot, told by the numbers alone."""

from __future__ import annotations

import numpy as np

_ROUNDING = 0.01  # what 16 bits, or four digits in a table, leave of a sum of 1


def not_weights(weights: np.ndarray) -> str:
    """What of [layer, head, query, key] cannot be attention weights, where it is worst; "" if all can be.

    A weight lies in [0, 1], a row sums to at most 1: less where keys were left out or the row is masked.
    16-bit weights, and those rounded for a table, may be off by a hundredth.

    >>> not_weights(np.array([[[[0.5, 0.5], [0.5, 0.6]]]])), not_weights(np.array([[[[0.5, 0.5]]]]))
    ('query 1 of layer 0, head 0 sums to 1.1', '')
    """
    sums = weights.sum(axis=-1, dtype=np.float64)
    worst = np.unravel_index(int(sums.argmax()), sums.shape)
    for value, place in ((weights.min(), weights.argmin()), (weights.max(), weights.argmax())):
        if not -_ROUNDING <= value <= 1 + _ROUNDING:
            return f"{_of_query(np.unravel_index(int(place), weights.shape))} holds {value:.4g}"
    return f"{_of_query(worst)} sums to {sums[worst]:.4g}" if sums[worst] > 1 + _ROUNDING else ""


def like_weights(matrix: np.ndarray) -> bool:
    """Whether every row of a matrix sums to 1, as attention weights do and vectors hardly ever.

    One-hot rows, which are vectors as often, do not count.

    >>> like_weights(np.array([[0.5, 0.5], [0.1, 0.9]])), like_weights(np.eye(2))
    (True, False)
    """
    if matrix.ndim < 2 or matrix.shape[-1] < 2 or matrix.dtype.kind != "f":
        return False
    sums = matrix.sum(axis=-1, dtype=np.float64)
    in_bounds = matrix.min() >= 0 and matrix.max() <= 1 + _ROUNDING
    return bool(in_bounds and (abs(sums - 1) < _ROUNDING).all() and (matrix.max(axis=-1) < 1).any())


def _of_query(place: tuple[np.intp, ...]) -> str:
    layer, head, query = (int(i) for i in place[:3])
    return f"query {query} of layer {layer}, head {head}"
