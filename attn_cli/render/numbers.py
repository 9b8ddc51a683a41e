"""How the numbers of a column are written for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def written(values: Float[np.ndarray, " row"], digits: int | None = None) -> list[str]:
    """Three decimals; three digits of each, where all numbers are so small that nothing would be left.

    Or the digits that were asked for, 0 for all. Nothing stands for NaN.

    >>> written(np.array([0.5, np.nan])), written(np.array([0.00012, 0.0]))
    (['0.500', ''], ['1.20e-04', '0.00e+00'])
    """
    if digits is not None:
        return ["" if x != x else f"{x:.{digits}g}" if digits else repr(x) for x in values.tolist()]
    known = abs(values[np.isfinite(values)])
    small = 0 < known.max(initial=0) < 0.01
    return ["" if x != x else f"{x:.2e}" if small else f"{x:z.3f}" for x in values.tolist()]
