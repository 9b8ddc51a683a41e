"""How far linear attention is from what it approximates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import note
from ..variants import scores
from .dense import attention
from .rules import positions

if TYPE_CHECKING:
    from .dense import Steps
    from .layers import Layer

SAMPLE = (
    64  # rows in which the error is measured where not every row is held: in all it would take as long again
)
_SAID = "linear attention approximates scaled_dot: "


def note_error(layer: Layer, steps: Steps | None = None) -> None:
    """Say how far off a layer's weights are; those of all `steps`, or of some rows spread over all."""
    if layer.rule.score != scores.linear:
        return
    exact = replace(layer, rule=replace(layer.rule, score=scores.scaled_dot))
    if steps is not None:
        _note_all(steps, attention(exact.query, exact.key, exact.value, exact.rule))
    else:
        _note_sample(layer, exact)


def _note_all(approximate: Steps, exact: Steps) -> None:
    weights = (approximate.weights - exact.weights).abs()
    output = (approximate.output - exact.output).abs()
    note(
        f"{_SAID}weights are off by {weights.mean():.2g} on average and {weights.max():.2g} at most, "
        f"output by {output.max():.2g} at most"
    )


def _note_sample(approximate: Layer, exact: Layer) -> None:
    query_pos, _ = positions(approximate.query.shape[-2], approximate.key.shape[-2], approximate.key.device)
    rows = slice(0, None, -(-len(query_pos) // SAMPLE))
    found, wanted = (
        attention(one.query[:, rows], one.key, one.value, one.rule, query_pos=query_pos[rows]).weights
        for one in (approximate, exact)
    )
    off = (found - wanted).abs()
    note(
        f"{_SAID}in {len(query_pos[rows])} rows spread over all, weights are "
        f"off by {off.mean():.2g} on average and {off.max():.2g} at most"
    )
