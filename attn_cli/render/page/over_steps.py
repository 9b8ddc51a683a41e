"""A page of the steps of a training: the heads of one stand behind those of the step before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...text.escaping import escape
from .weights import by_pool, in_a_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...records.attention import Attention
    from .weights import Shown


def views_of(over: Sequence[Attention], most_cells: int, pool: str | None) -> dict[str, Shown]:
    """What cells show, by how they came to be: of all heads at the first step, then of all at the next."""
    each = [by_pool(attention, most_cells, pool) for attention in over]
    return {name: in_a_row([views[name] for views in each]) for name in each[0]}


def training(attention: Attention, view: Shown, steps: Sequence[tuple[int, Attention]]) -> dict[str, Any]:
    """Which steps there are, which of them is shown first, and the tokens of those that have others."""
    if len(steps) < 2:
        return {}
    own = (attention.query_tokens, attention.key_tokens)
    tokens = {
        step: [labels(each.query_tokens, view.rows), labels(each.key_tokens, view.columns)]
        for step, each in steps
        if (each.query_tokens, each.key_tokens) != own
    }
    first = next(step for step, each in steps if each is attention)
    # At each step a model writes something else: there is one text to step through only where there is one step.
    return {"times": [step for step, _ in steps], "time": first, "tokens": tokens, "written": []}


def origin(attention: Attention, header: Mapping[str, Any]) -> str:
    """Where the numbers come from; of several steps not from the one that is shown first alone."""
    if not (times := header.get("times")):
        return attention.provenance
    return re.sub(r"\bstep \d+", f"{len(times)} steps from {times[0]} to {times[-1]}", attention.provenance)


def labels(tokens: tuple[str, ...], cells: list[range]) -> list[str]:
    """A token for each cell; the first and the last of one that stands for several."""
    ends = (
        tokens[cell[0]] if len(cell) == 1 else f"{tokens[cell[0]]} … {tokens[cell[-1]]}" for cell in cells
    )
    return [escape(token) for token in ends]
