"""The figures by which a page sorts and filters heads: columns of `attn stats`, of the weights that it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..interpret.tally import figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..interpret.tally import Figures
    from ..records.attention import Attention

# Those that a reader sorts by, and that cost little beside the page itself.
COLUMNS = (
    "entropy", "distance", "self", "previous", "next", "first", "special", "duplicate", "induction", "max"
)  # fmt: skip


def sorting(attention: Attention) -> Figures:
    """A number for each layer and head in each column that says anything; none where single weights are not shown.

    >>> from attn_cli.records.attention import Attention
    >>> copies = Attention(("a", "b"), ("a", "b"), np.eye(2)[None, None])
    >>> {name: numbers.tolist() for name, numbers in sorting(copies).items()}["self"]
    [[1.0]]
    """
    if attention.pooled or attention.show != "weights":
        return {}
    found = figures(attention, COLUMNS)
    return {name: numbers for name, numbers in found.items() if not np.isnan(numbers).all()}


def sorting_over(steps: Sequence[tuple[int, Attention]]) -> Figures:
    """The same at every step of a training, the layers of one behind those of the step before."""
    each = [sorting(attention) for _, attention in steps]
    shared = [name for name in each[0] if all(name in found for found in each)]
    return {name: np.concatenate([found[name] for found in each]) for name in shared}
