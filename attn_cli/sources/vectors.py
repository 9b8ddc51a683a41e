"""Vectors → heads → attention: projections, the rule between query and weights, dense or streamed."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import files
from ..errors import InputError
from .text import acts_inside, as_encoding, called, file_or_data, known_or_file, posencs

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..attention.heads import Heads
    from ..attention.rules import Rule
    from ..records.attention import Kind
    from ..records.encoding import Encoding
    from ..variants.projections import Projection
    from .groups import Computing, Options, Scoring, Vectors


def heads_of(data: Any, options: Options, *, where: str = "") -> Heads:
    """Heads that are still to attend, from what is query, key and value at once or from three of them.

    `data` is a text, an encoding, a matrix, arrays named query, key and value, or None where the options name
    the three. Raises InputError when shapes do not fit.
    """
    added = tuple(one for one in posencs(options.positions.posenc) if not acts_inside(one))
    read = partial(as_encoding, how=options.text, posenc=added, seed=options.seed.seed)
    place = {"query": where, "key": where, "value": where}
    if data is None:
        parts, place = _three(options.vectors)
    elif isinstance(data, dict):
        if "query" not in data:
            raise InputError(called(data), hint="name them query, key and value", where=where)
        key = data.get("key", data["query"])
        parts = {"query": data["query"], "key": key, "value": data.get("value", key)}
    else:
        parts = {"query": data}
    made: dict[str, Encoding] = {}
    for name, part in parts.items():
        same = next((other for other in made if parts[other] is part), None)
        made[name] = made[same] if same else read(part, where=place[name])
    query = made["query"]
    key = made.get("key", query)
    value = made.get("value", key)
    return _project(query, key, value, options, read)


def _three(vectors: Vectors) -> tuple[dict[str, Any], dict[str, str]]:
    """Query, key and value of a group, read where they are files; what is left out is the one before."""
    if vectors.query is None:
        raise InputError("--key or --value without --query", hint="give --query FILE too")
    if vectors.context is not None:
        raise InputError(
            "--query cannot be combined with --context",
            hint="give --key and --value, or one INPUT and --context",
        )
    given = {name: getattr(vectors, name) for name in ("query", "key", "value")}
    known = {name: one for name, one in given.items() if one is not None}
    places = {name: one if isinstance(one, str) else f"--{name}" for name, one in known.items()}
    return {name: file_or_data(one) for name, one in known.items()}, places


def _project(
    query: Encoding, key: Encoding, value: Encoding, options: Options, read: Callable[..., Encoding]
) -> Heads:
    from ..attention.heads import project

    vectors, computing = options.vectors, options.computing
    kind: Kind = "self" if vectors.context is None else "cross"
    if vectors.context is not None:
        key = value = _beside(vectors.context, read)
    set_threads(computing)
    return project(
        query,
        key,
        value,
        heads=vectors.heads or 1,
        kv_heads=vectors.kv_heads,
        project=_projection(vectors.project),
        memory=None if vectors.memory is None else _beside(vectors.memory, read),
        seed=options.seed.seed,
        dtype=computing.dtype,
        device=computing.device,
        kind=kind,
    )


def _beside(given: Any, read: Callable[..., Encoding]) -> Encoding:
    """Tokens and vectors of whatever a file holds, or of what stands for it in Python."""
    where = os.fspath(given) if isinstance(given, (str, os.PathLike)) else ""
    return read(file_or_data(given), where=where)


def set_threads(computing: Computing) -> None:
    """How many threads of the processor torch may use, where that was said."""
    if computing.threads:
        import torch

        torch.set_num_threads(computing.threads)


def rule_of(scoring: Scoring, posenc: Any = (), seed: int = 0) -> Rule:
    """The rule that the options describe: score, positions inside it, masks, normalisation.

    Raises InputError for what is not known, and for two positions inside one score.
    """
    from ..attention.rules import Rule

    inside = [one for one in posencs(posenc) if acts_inside(one)]
    if len(inside) > 1:
        raise InputError(
            f"--posenc {inside[0]} and {inside[1]} both act inside the scores", hint="give one of them"
        )
    return Rule.parse(
        score=scoring.score,
        position=inside[0] if inside else None,
        mask=[_mask(mask) for mask in masks(scoring.mask)],
        normalise=scoring.normalise,
        scale=scoring.scale,
        temperature=scoring.temperature,
        softcap=scoring.softcap,
        top_k=scoring.top_k,
        seed=seed,
        read_arrays=files.read_arrays,
    )


def masks(given: Any) -> list[Any]:
    """One mask, several, or none: in Python names, functions, matrices, or a list of them.

    >>> masks("causal"), masks(None)
    (['causal'], [])
    """
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _projection(given: Any) -> str | Projection:
    from ..variants.projections import PROJECTIONS, from_arrays

    if given is None:
        return "identity"
    if not isinstance(given, str):
        return from_arrays(given) if isinstance(given, dict) else given
    if known_or_file(given, PROJECTIONS):
        return given
    try:
        return from_arrays(files.read_arrays(given))
    except InputError as problem:
        raise problem.at(given) from None


def _mask(given: Any) -> Any:
    """The parts of an OR: specs as they are, files read; anything else as it is."""
    from ..variants.masks import MASKS

    if not isinstance(given, str):
        return np.asarray(given) if hasattr(given, "__array__") else given
    parts = [given] if os.path.exists(given) else given.split("|")
    return [part if known_or_file(part, MASKS) else files.read_mask(part) for part in parts]
