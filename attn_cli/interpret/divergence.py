"""Entropy of a distribution, and how far two distributions are apart, in nats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def entropy(p: Float[np.ndarray, "*rows key"]) -> Float[np.ndarray, "*rows"]:
    """Entropy of each row, −Σ p ln p, in nats; 0 · ln 0 = 0.

    >>> entropy(np.array([[0.5, 0.5, 0], [0, 1, 0]])).tolist()  # ln 2, and nothing left open
    [0.6931471805599453, 0.0]
    """
    logarithms = np.log(np.where(p > 0, p, 1))
    return 0 - np.einsum("...k,...k->...", p, logarithms)  # 0 − …: no row has an entropy of −0.0


def jensen_shannon(
    p: Float[np.ndarray, "*#rows key"], q: Float[np.ndarray, "*#rows key"]
) -> Float[np.ndarray, "*rows"]:
    """Jensen–Shannon divergence of rows: H((p + q) / 2) − (H(p) + H(q)) / 2, from 0 to ln 2.

    SciPy's `jensenshannon` gives its square root. Lin 1991, doi:10.1109/18.61115.

    >>> jensen_shannon(np.array([1.0, 0.0]), np.array([[1.0, 0.0], [0.0, 1.0]])).tolist()  # the same; disjoint
    [0.0, 0.6931471805599453]
    """
    apart = entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2
    return np.maximum(apart, 0)  # which rounding may miss
