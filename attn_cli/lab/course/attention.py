"""Exercises from the words of `lab.toml`, which are those of `attn check`: query, heads, mask, posenc, …."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from ...errors import InputError
from ...variants.projections import Projection
from ..exercise import Exercise, MaskExercise, Rope, TableExercise
from ..mistakes import MISTAKES
from ..predictions import Predictions
from ..ways import agrees

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..exercise import AnyExercise

_APART = 0.02  # by how much a mistake must show in the numbers that are given to a student


def exercise(what: str, options: Mapping[str, Any], name: str) -> AnyExercise:
    """The exercise that these options describe: vectors, or a mask or a position table of a shape.

    >>> exercise("mask", {"mask": "causal", "shape": [5, 7]}, "m").asked
    ('mask',)
    >>> exercise("weights", {"query": np.eye(4), "heads": 2}, "w").d_head
    2
    """
    masks = options.get("mask", ())
    masks = tuple(masks) if isinstance(masks, list) else (masks,) if isinstance(masks, str) else masks
    if "query" in options:
        return _of_vectors(options, masks)
    if "shape" not in options:
        raise InputError(f"{name!r} has neither query nor shape", hint="give query, or shape = [5, 7]")
    rows, columns = (int(n) for n in options["shape"])
    if what == "mask":
        return MaskExercise(rows, columns, masks)
    return _table(options.get("posenc", "sinusoidal"), rows, columns)


def _of_vectors(options: Mapping[str, Any], masks: tuple[Any, ...]) -> Exercise:
    query = np.atleast_2d(options["query"])
    kind, told = _spec(options.get("posenc", ""))
    rope = (
        Rope(float(told.get("base", 10000.0)), told.get("pairing") == "interleaved")
        if kind == "rope"
        else None
    )
    kv_heads = options.get("kv_heads")
    return Exercise(
        query, options.get("key"), options.get("value"), int(options.get("heads", 1)),
        None if kv_heads is None else int(kv_heads), Projection(**options.get("project", {})), masks,
        options.get("scale"), rope, kind == "alibi",
        _table(options["posenc"], *query.shape[-2:]) if kind == "sinusoidal" else None,
    )  # fmt: skip


def _table(spec: str, rows: int, columns: int) -> TableExercise:
    kind, told = _spec(spec)
    if kind not in ("sinusoidal", "rope", "alibi"):
        raise InputError(f"posenc {kind!r}", hint="give sinusoidal, rope or alibi")
    known = cast("Literal['sinusoidal', 'rope', 'alibi']", kind)
    return TableExercise(
        known, rows, columns, float(told.get("base", 10000.0)), told.get("layout") == "concatenated"
    )


def _spec(spec: str) -> tuple[str, dict[str, str]]:
    """A kind and its options, as `name:key=value,key=value`.

    >>> _spec("rope:base=100")
    ('rope', {'base': '100'})
    """
    kind, _, tail = spec.partition(":")
    return kind, dict(item.partition("=")[::2] for item in filter(None, tail.split(",")))


def right_numbers(asked: AnyExercise, what: str) -> np.ndarray:
    """What is right at a stage."""
    found = Predictions(asked).right.at(what)
    assert found is not None
    return found


def numbers_of_a_mistake(asked: AnyExercise, what: str, mistakes: Sequence[str]) -> np.ndarray:
    """What the first of these mistakes gives that shows; without any, what is right."""
    right = right_numbers(asked, what)
    for spec in mistakes:
        MISTAKES[spec.partition(":")[0]]  # or the error names the nearest
        made = Predictions(asked).made((spec,)).at(what)
        if made is not None and np.isfinite(made).all() and not agrees(made, right, np.asarray(_APART)):
            return made
    if mistakes:
        raise InputError(
            f"mistakes {', '.join(mistakes)} do not show in {what}", hint="name others, or draw other numbers"
        )
    return right
