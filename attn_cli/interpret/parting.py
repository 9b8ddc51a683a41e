"""At which step two computations of one attention part: scores, mask, weights, output, or projection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..records.checks import shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Bool, Float

    from ..records.attention import Attention

    Weights = Float[np.ndarray, "head query key"]
    Vectors = Float[np.ndarray, "head token dim"]

TOLERANCE = 1e-6

AXES = {
    "query": ("layer", "head", "query", "dim"),
    "key": ("layer", "head", "key", "dim"),
    "value": ("layer", "head", "key", "dim"),
    "output": ("layer", "query", "dim"),
    "projection": ("layer", "query", "dim"),
}
MAPS = ("layer", "head", "query", "key")  # of every other step
OF_HEADS = ("head", "query", "dim")  # an output before its projection


@dataclass(frozen=True)
class Parting:
    """The first step at which two attentions differ, and the largest difference there.

    `place` is where along the `axes`: layers and heads by their names, all else counted from 0. `agreed` are the
    steps before it at which they agree. `as_defined` says of each of the two whether its weights are
    softmax(query · keyᵀ / √d_head), where that can be told.
    """

    step: str
    axes: tuple[str, ...]
    place: tuple[int | str, ...]
    ours: float
    theirs: float
    agreed: tuple[str, ...] = ()
    as_defined: tuple[bool, bool] | None = None

    def __str__(self) -> str:
        agreed = f"{', '.join(self.agreed)} agree; " if self.agreed else ""
        where = ", ".join(f"{axis} {i}" for axis, i in zip(self.axes, self.place, strict=True))
        said = f"{agreed}they part at {self.step}: {self.ours:.6g} and {self.theirs:.6g} at {where}"
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
    they part at weights: 1 and 0.5 at layer 0, head 0, query 0, key 0
    """
    agreed: list[str] = []
    for step, a, b in _steps(ours, theirs):
        if a.shape != b.shape:
            raise InputError(
                f"{step} {shape(a)} in the first, {shape(b)} in the second", hint="give the same text"
            )
        axes = AXES.get(step, MAPS)
        if found := _apart(step, axes, a, b, tolerance, agreed):
            projected = step == "output" and {"value", "weights"} <= set(agreed)
            return _with_names(replace(found, step="projection" if projected else step), ours)
        agreed.append(step)
    return None


def _with_names(found: Parting, record: Attention) -> Parting:
    """The same with its layer and head called as the record calls them."""
    names: dict[str, Sequence[int | str]] = {"layer": record.layers, "head": record.heads}
    place = (
        names[axis][i] if axis in names and isinstance(i, int) else i
        for axis, i in zip(found.axes, found.place, strict=True)
    )
    return replace(found, place=tuple(place))


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
    differ; and one that is no mixture of the values at all was *projected*. Where there are more keys, outputs are
    compared with those of the definition, of a causal mask (*mask*), of scores that are not scaled (*scores*) and of
    weights whose rows are not divided by their sums (*weights*). Otherwise only the output is known.

    >>> Q, K, V = np.eye(2)[None], np.eye(2)[None], np.eye(2)[None]
    >>> e = np.exp(1 / np.sqrt(2))
    >>> uniform = np.full((1, 2, 2), 0.5)
    >>> right = np.array([[[e, 1], [1, e]]]) / (1 + e)
    >>> print(parting_of_outputs(Q, K, V, right, uniform))
    they part at scores: 0.669762 and 0.5 at head 0, query 0, key 0; the first is softmax(query · keyᵀ / √d_head)
    """
    Q, K, V, a, b = (np.asarray(each, dtype=np.float64) for each in (query, key, value, ours, theirs))
    if a.shape != b.shape or a.shape != (*Q.shape[:2], V.shape[2]):
        raise InputError(
            f"outputs {shape(a)} and {shape(b)} of query {shape(Q)} and value {shape(V)}",
            hint="give [head, query, d_value] for both",
        )
    if abs(a - b).max() <= tolerance:
        return None
    scores = Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[2])
    if (np.linalg.matrix_rank(V) < V.shape[1]).any():
        return _part_as_known((Q, K, V), a, b, tolerance)
    inverse = np.linalg.pinv(V)
    weights = a @ inverse, b @ inverse
    if any(abs(w @ V - output).max() > tolerance for w, output in zip(weights, (a, b), strict=True)):
        return _apart("projection", OF_HEADS, a, b, tolerance, [])
    as_defined = tuple(_is_softmax(w, scores, tolerance) for w in weights)
    return _part_of_weights(*weights, tolerance, (as_defined[0], as_defined[1]))


def _part_as_known(
    given: tuple[Vectors, Vectors, Vectors], a: Vectors, b: Vectors, tolerance: float
) -> Parting:
    """The step at which one departs from the definition in a way that is known, and the other does not."""
    found = _apart("output", OF_HEADS, a, b, tolerance, [])
    assert found is not None
    outputs = _departing(*given)
    known = [
        {step for step, output in outputs.items() if abs(output - one).max() <= tolerance} for one in (a, b)
    ]
    steps = known[0] ^ known[1]
    if "" not in steps or len(steps) != 2:
        return found
    (step,) = steps - {""}
    agreed = tuple(outputs)[1 : tuple(outputs).index(step)]
    as_defined = tuple(bool(steps & {"", "mask"}) for steps in known)  # the definition holds under any mask
    return replace(found, step=step, agreed=agreed, as_defined=(as_defined[0], as_defined[1]))


def _departing(Q: Vectors, K: Vectors, V: Vectors) -> dict[str, Vectors]:
    """Outputs by the step at which they depart from the definition, which is the first and departs at none."""
    scores = Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[2])
    causal = np.where(np.tri(*scores.shape[1:]) > 0, scores, -np.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        return {
            "": _softmax(scores) @ V,
            "scores": _softmax(scores * np.sqrt(Q.shape[2])) @ V,
            "mask": _softmax(causal) @ V,
            "weights": np.exp(scores) @ V,
        }


def _softmax(scores: Weights) -> Weights:
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


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
        if found := _apart(step, MAPS[1:], x, y, tolerance, agreed):
            return replace(found, as_defined=as_defined)
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


def _apart(
    step: str, axes: tuple[str, ...], a: np.ndarray, b: np.ndarray, tolerance: float, agreed: list[str]
) -> Parting | None:
    """Where two arrays differ the most, if that is more than the tolerance."""
    apart = abs(a - b)
    if apart.max() <= tolerance:
        return None
    place = np.unravel_index(int(apart.argmax()), apart.shape)
    return Parting(step, axes, tuple(map(int, place)), float(a[place]), float(b[place]), tuple(agreed))
