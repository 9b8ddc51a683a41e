"""At which step two computations of one attention part: scores, mask, weights, output, or projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..records.checks import shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Bool, Float

    from ..records.attention import Attention

    Weights = Float[np.ndarray, "head query key"]

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Parting:
    """The first step at which two attentions differ, and the largest difference there.

    `place` counts along the axes of that step, from 0; `agreed` are the steps before it at which they agree.
    `as_defined` says of each of the two whether its weights are softmax(query · keyᵀ / √d_head), where that can
    be told.
    """

    step: str
    place: tuple[int, ...]
    ours: float
    theirs: float
    agreed: tuple[str, ...] = ()
    as_defined: tuple[bool, bool] | None = None

    def __str__(self) -> str:
        agreed = f"{', '.join(self.agreed)} agree; " if self.agreed else ""
        said = (
            f"{agreed}they part at {self.step}: {self.ours:.6g} and {self.theirs:.6g} at {list(self.place)}"
        )
        if self.as_defined is None or self.as_defined[0] == self.as_defined[1]:
            return said
        right = "first" if self.as_defined[0] else "second"
        return f"{said}; the {right} is softmax(query · keyᵀ / √d_head)"


def parting(ours: Attention, theirs: Attention, *, tolerance: float = TOLERANCE) -> Parting | None:
    """The first step at which two records differ by more than the tolerance, None where they agree.

    Only what both hold is compared, in order: query, key, value, scores (where both permit the key), mask,
    weights, output. If values and weights agree and the outputs do not, it is the projection after them.

    >>> from attn_cli.records.attention import Attention
    >>> a, b = (Attention(("x",), ("x", "y"), np.array([[[w]]])) for w in ([1.0, 0.0], [0.5, 0.5]))
    >>> print(parting(a, b))
    they part at weights: 1 and 0.5 at [0, 0, 0, 0]
    """
    agreed: list[str] = []
    for step, a, b in _steps(ours, theirs):
        if a.shape != b.shape:
            raise InputError(
                f"{step} {shape(a)} in the first, {shape(b)} in the second", hint="give the same text"
            )
        if found := _apart(step, a, b, tolerance, agreed):
            if found.step == "output" and {"value", "weights"} <= set(agreed):
                return Parting("projection", found.place, found.ours, found.theirs, found.agreed)
            return found
        agreed.append(step)
    return None


def _steps(ours: Attention, theirs: Attention) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for step in ("query", "key", "value", "scores", "mask", "weights", "output"):
        a, b = getattr(ours, step, None), getattr(theirs, step, None)
        if step == "mask" and (a is None) != (b is None):  # None permits every key
            a, b = (np.ones(ours.weights.shape, dtype=bool) if mask is None else mask for mask in (a, b))
        if a is None or b is None:
            continue
        if step == "mask":
            a, b = (np.broadcast_to(mask, ours.weights.shape) for mask in (a, b))
        if step == "scores":
            a, b = _where_both_permit(a, b, ours, theirs)
        yield step, a.astype(np.float64), b.astype(np.float64)


def _where_both_permit(
    a: np.ndarray, b: np.ndarray, ours: Attention, theirs: Attention
) -> tuple[np.ndarray, np.ndarray]:
    both = np.isfinite(a) & np.isfinite(b)
    for record in (ours, theirs):
        if record.mask is not None:
            both = both & record.mask
    return np.where(both, a, 0), np.where(both, b, 0)


def parting_of_outputs(
    query: Float[np.ndarray, "head query d_head"],
    key: Float[np.ndarray, "head key d_head"],
    value: Float[np.ndarray, "head key d_value"],
    ours: Float[np.ndarray, "head query d_value"],
    theirs: Float[np.ndarray, "head query d_value"],
    *,
    tolerance: float = TOLERANCE,
) -> Parting | None:
    """The first step at which two outputs of the same query, key and value differ, None where they agree.

    Where the values are linearly independent (no more keys than d_value), an output tells its weights: those
    with weights · value = output. They part at the *scores* if their shares of the keys that both look at
    differ; at the *mask* if one looks at a key that the other does not; at the *weights* if only their sums
    differ; and one that is no mixture of the values at all was *projected*. Otherwise only the output is known.

    >>> Q, K, V = np.eye(2)[None], np.eye(2)[None], np.eye(2)[None]
    >>> e = np.exp(1 / np.sqrt(2))
    >>> uniform = np.full((1, 2, 2), 0.5)
    >>> right = np.array([[[e, 1], [1, e]]]) / (1 + e)
    >>> print(parting_of_outputs(Q, K, V, right, uniform))
    they part at scores: 0.669762 and 0.5 at [0, 0, 0]; the first is softmax(query · keyᵀ / √d_head)
    """
    Q, K, V, a, b = (np.asarray(each, dtype=np.float64) for each in (query, key, value, ours, theirs))
    if a.shape != b.shape or a.shape != (*Q.shape[:2], V.shape[2]):
        raise InputError(
            f"outputs {shape(a)} and {shape(b)} of query {shape(Q)} and value {shape(V)}",
            hint="give [head, query, d_value] for both",
        )
    if abs(a - b).max() <= tolerance:
        return None
    if (np.linalg.matrix_rank(V) < V.shape[1]).any():
        return _apart("output", a, b, tolerance, [])
    inverse = np.linalg.pinv(V)
    weights = a @ inverse, b @ inverse
    if any(abs(w @ V - output).max() > tolerance for w, output in zip(weights, (a, b), strict=True)):
        return _apart("projection", a, b, tolerance, [])
    scores = Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[2])
    as_defined = tuple(_is_softmax(w, scores, tolerance) for w in weights)
    return _part_of_weights(*weights, tolerance, (as_defined[0], as_defined[1]))


def _part_of_weights(
    a: Weights, b: Weights, tolerance: float, as_defined: tuple[bool, bool]
) -> Parting | None:
    """Whether two weights differ in their scores, their masks, or their sums alone."""
    seen = _seen(a, tolerance), _seen(b, tolerance)
    both = seen[0] & seen[1]
    agreed: list[str] = []
    for step, x, y in (
        ("scores", _shares(a, both), _shares(b, both)),
        ("mask", seen[0].astype(np.float64), seen[1].astype(np.float64)),
        ("weights", a, b),
    ):
        if found := _apart(step, x, y, tolerance, agreed):
            return Parting(step, found.place, found.ours, found.theirs, tuple(agreed), as_defined)
        agreed.append(step)
    return None


def _seen(weights: Weights, tolerance: float) -> Bool[np.ndarray, "head query key"]:
    return abs(weights) > tolerance


def _shares(weights: Weights, among: Bool[np.ndarray, "head query key"]) -> Weights:
    kept = np.where(among, weights, 0)
    sums = kept.sum(axis=-1, keepdims=True)
    return kept / np.where(abs(sums) > 0, sums, 1)


def _is_softmax(weights: Weights, scores: Weights, tolerance: float) -> bool:
    """Whether these are the softmax of the scores over the keys that they look at."""
    e = np.where(_seen(weights, tolerance), np.exp(scores - scores.max(axis=-1, keepdims=True)), 0)
    sums = e.sum(axis=-1, keepdims=True)
    return bool(abs(weights - e / np.where(sums > 0, sums, 1)).max() <= tolerance)


def _apart(step: str, a: np.ndarray, b: np.ndarray, tolerance: float, agreed: list[str]) -> Parting | None:
    """Where two arrays differ the most, if that is more than the tolerance."""
    apart = abs(a - b)
    if apart.max() <= tolerance:
        return None
    place = np.unravel_index(int(apart.argmax()), apart.shape)
    return Parting(step, tuple(map(int, place)), float(a[place]), float(b[place]), tuple(agreed))
