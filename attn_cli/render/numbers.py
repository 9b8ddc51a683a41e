"""How the numbers of a column are written for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def written(
    values: Float[np.ndarray, " row"],
    digits: int | None = None,
    *,
    beside: Float[np.ndarray, " row"] | None = None,
) -> list[str]:
    """Three decimals; three digits of each, where all numbers are so small that nothing would be left.

    Or the digits that were asked for, 0 for all. Nothing stands for NaN. Numbers `beside` which these are read,
    as their standard errors, decide how these are written.

    >>> written(np.array([0.5, np.nan])), written(np.array([0.00012, 0.0]))
    (['0.500', ''], ['1.20e-04', '0.00e+00'])
    >>> written(np.array([0.005]), beside=np.array([0.641]))
    ['0.005']
    """
    if digits is not None:
        return ["" if x != x else f"{x:.{digits}g}" if digits else repr(x) for x in values.tolist()]
    decisive = values if beside is None else beside
    known = abs(decisive[np.isfinite(decisive)])
    small = 0 < known.max(initial=0) < 0.01
    return ["" if x != x else f"{x:.2e}" if small else f"{x:z.3f}" for x in values.tolist()]
