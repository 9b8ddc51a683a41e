"""Figures as a `Table`: a row per layer and head, per layer, per head, per query or per key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ..errors import InputError
from ..records.table import Table
from . import similarity
from .roles import ROLES
from .statistics import STATISTICS
from .tally import per_key, per_query, regrouped

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..records.attention import Attention
    from .tally import Figures

    Numbers = Sequence[int | str]

By = Literal["layer", "head", "query", "key"]
BY: tuple[str, ...] = get_args(By)
UNITS = {"entropy": "nats", "distance": "tokens", "offset": "tokens", "keys_90": "keys", "js": "nats"}


def per_head(figures: Figures, layers: Numbers, heads: Numbers, provenance: str = "") -> Table:
    """A row per layer and head.

    >>> per_head({"max": np.array([[0.5, 1.0]])}, [3], [0, 1]).columns["head"].tolist()
    [0, 1]
    """
    names = {
        "layer": numbers([layer for layer in layers for _ in heads]),
        "head": numbers([head for _ in layers for head in heads]),
    }
    return _table({**names, **{name: column.ravel() for name, column in figures.items()}}, provenance)


def grouped(figures: Figures, by: Literal["layer", "head"], names: Numbers, provenance: str = "") -> Table:
    """A row per layer, the mean of its heads, or per head, the mean over the layers.

    >>> grouped({"max": np.array([[0.5, 1.0]])}, "layer", [3])["max"].tolist()
    [0.75]
    """
    return grouped_means(regrouped(figures, by), by, names, provenance)


def grouped_means(means: Figures, by: str, names: Numbers, provenance: str = "") -> Table:
    """The same, where the figures are means already.

    >>> grouped_means({"max": np.array([[0.75]])}, "layer", [3])["max"].tolist()
    [0.75]
    """
    return _table(
        {by: numbers(names), **{name: column.ravel() for name, column in means.items()}}, provenance
    )


def per_position(
    attention: Attention,
    by: Literal["query", "key"],
    columns: Collection[str] = STATISTICS,
    *,
    show: str = "weights",
) -> Table:
    """A row per query or key with its token: the mean over all layers and heads.

    >>> from attn_cli.records.attention import Attention
    >>> attention = Attention(("a", "b"), ("a", "b"), np.full((1, 1, 2, 2), 0.5))
    >>> per_position(attention, "key").columns["received"].tolist()
    [0.5, 0.5]
    """
    tokens = attention.query_tokens if by == "query" else attention.key_tokens
    names: dict[str, Any] = {f"{by}_pos": np.arange(len(tokens)), by: np.array(tokens, dtype=object)}
    if by == "key":
        return _table({**names, **per_key(attention, show=show)}, attention.provenance)
    found = per_query(attention, columns, show=show)
    return _table({**names, **found}, attention.provenance)


def alike(attention: Attention, *, show: str = "weights", number: int | None = None) -> Table:
    """A row per head of any layer: its cluster, the head nearest to it, a place in the plane, all divergences.

    `number` of clusters, by default the square root of half the heads. Columns `LAYER.HEAD` hold the divergences.

    >>> from attn_cli.records.attention import Attention
    >>> attention = Attention(("a",), ("a", "b"), np.array([[[[1.0, 0.0]], [[0.0, 1.0]], [[1.0, 0.0]]]]))
    >>> alike(attention, number=2)["cluster"].tolist(), alike(attention)["nearest"].tolist()
    ([0, 1, 0], ['0.2', '0.0', '0.0'])
    """
    apart = similarity.divergences(attention, show=show)
    n = len(apart)
    names = [f"{layer}.{head}" for layer in attention.layers for head in attention.heads]
    chosen = number or max(1, round((n / 2) ** 0.5))
    nearest, plane = similarity.nearest(apart), similarity.plane(apart)
    columns: dict[str, Any] = {
        "layer": numbers([layer for layer in attention.layers for _ in attention.heads]),
        "head": numbers([head for _ in attention.layers for head in attention.heads]),
        "cluster": similarity.clusters(similarity.tree(apart), chosen),
        "nearest": np.array([names[i] for i in nearest], dtype=object),
        "js": apart[np.arange(n), nearest],
        "x": plane[:, 0],
        "y": plane[:, 1],
        **{name: apart[:, i] for i, name in enumerate(names)},
    }
    return Table(columns, "similar", attention.provenance, {"js": "nats"})


def thresholds() -> Table:
    """The roles of heads in the order in which they are tried: column, threshold, source.

    >>> thresholds()["role"].tolist()[:2]
    ['broad', 'previous token']
    """
    columns: dict[str, Any] = {
        "role": [role.name for role in ROLES],
        "column": [role.column for role in ROLES],
        "above": [role.above for role in ROLES],
        "source": [role.source for role in ROLES],
    }
    return Table(columns, "roles")


def chosen(table: Table, names: Sequence[str]) -> Table:
    """The named columns after those that name the row; of many texts, each with its standard error.

    Raises InputError for a name that is no column here.

    >>> chosen(Table({"layer": [0], "max": [1.0], "self": [0.5]}), ["self"]).columns["self"].tolist()
    [0.5]
    """
    if not names:
        return table
    labels = [
        name for name in table.columns if name in ("layer", "head", "query_pos", "query", "key_pos", "key")
    ]
    known = [name for name in table.columns if name not in labels]
    if unknown := [name for name in names if name not in known]:
        raise InputError(f"no column {unknown[0]!r} here", hint=f"there are {', '.join(known)}")
    wanted = [each for name in names for each in (name, f"{name}_se") if each in known]
    return table.only([*labels, *wanted, *(["texts"] if "texts" in known else [])])


def numbers(names: Sequence[int | str]) -> np.ndarray:
    """Layers or heads: whole numbers, or names where they stand for several.

    >>> numbers([0, 1]).dtype.kind, numbers(["mean"]).dtype.kind
    ('i', 'O')
    """
    return np.array(names, dtype=np.int64 if all(isinstance(name, int) for name in names) else object)


def _table(columns: dict[str, Any], provenance: str) -> Table:
    """Positions of keys as whole numbers where every row has one."""
    keys = columns.get("sink_key")
    if keys is not None and np.isfinite(keys).all():
        columns["sink_key"] = keys.astype(np.int64)
    units = {
        name: unit for column, unit in UNITS.items() for name in (column, f"{column}_se") if name in columns
    }
    return Table(columns, "stats", provenance, units)
