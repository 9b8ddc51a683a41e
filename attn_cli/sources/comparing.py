"""Two attentions beside each other, from whatever they are given as, and where two outputs part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, note
from ..interpret.difference import aligned, check_sizes, difference, in_order, matching
from ..interpret.parting import TOLERANCE, Parting, parting, parting_of_outputs
from ..records.attention import Attention
from ..records.checks import shape
from ..records.table import Table
from .groups import given
from .resolve import resolve, selected, shown, warn_of_untrained
from .tensors import bare_weights
from .text import as_array, file_or_data

if TYPE_CHECKING:
    from .groups import Options, Show, Vectors


@dataclass(frozen=True, eq=False)
class Compared:
    """Two attentions, the second with its heads in the order of the first, and how they differ."""

    ours: Attention
    theirs: Attention
    table: Table


def attention_of(
    data: Any,
    options: Options,
    *,
    model: Any = None,
    default_model: str = "mini",
    show: Show | None = None,
    where: str = "",
) -> Attention:
    """The attention that something is or attends to; bare numbers are weights here, not vectors."""
    if isinstance(data, (dict, list)) or (hasattr(data, "__array__") and not isinstance(data, Attention)):
        found = bare_weights(data, options.tensors, where=where)
        return shown(warn_of_untrained(selected(found, options.select, show)), show)
    found = resolve(data, options, model=model, default_model=default_model, show=show, where=where)
    return shown(found, show)


def compare(ours: Attention, theirs: Attention, *, match: bool = False, against: str = "") -> Compared:
    """A row per layer and head with what they differ in; a note says at which step, where both hold more than weights.

    Different tokens are compared through words. `against` tells two apart that come from the same. Raises InputError for different texts or sizes.
    """
    if against and ours.provenance == theirs.provenance:
        theirs = replace(theirs, provenance=f"the same with {against}")
    if ours.show != theirs.show:
        raise InputError(
            f"{ours.show} in the first, {theirs.show} in the second", hint=f"give --show {theirs.show}"
        )
    ours, theirs = aligned(ours, theirs)
    check_sizes(ours, theirs)
    table = difference(ours, theirs, match=match)
    if match:
        theirs = in_order(theirs, matching(ours, theirs))
    elif table["max"].max() > TOLERANCE and (found := parting(ours, theirs)) is not None and found.agreed:
        note(str(found))
    return Compared(ours, theirs, table)


def part(vectors: Vectors, ours: Any, theirs: Any, *, tolerance: float = TOLERANCE) -> Table:
    """The step at which two outputs of one query, key and value part; no row where they agree.

    Vectors are [seq, d], with `heads` cut into heads, or [head, seq, d]; outputs alike. Raises InputError without
    a query.
    """
    if vectors.query is None:
        raise InputError(f"--{given(vectors)[0].replace('_', '-')} without --query", hint="give --query too")
    key = vectors.query if vectors.key is None else vectors.key
    value = key if vectors.value is None else vectors.value
    five = (vectors.query, key, value, ours, theirs)
    Q, K, V, a, b = (_in_heads(file_or_data(one), vectors.heads or 1) for one in five)
    return _table_of(parting_of_outputs(Q, K, V, a, b, tolerance=tolerance))


def _in_heads(data: Any, n_heads: int) -> np.ndarray:
    """[head, seq, d] of a matrix or of what is cut into heads already.

    Raises InputError for other axes, and for a width that heads cannot share.
    """
    array = np.asarray(as_array(getattr(data, "vectors", data)), dtype=np.float64)
    if array.ndim == 2:
        if array.shape[1] % n_heads:
            raise InputError(f"{array.shape[1]} columns for {n_heads} heads", hint="give another --heads")
        return array.reshape(len(array), n_heads, -1).transpose(1, 0, 2)
    if array.ndim != 3:
        raise InputError(f"vectors {shape(array)}", hint="give [seq, d] or [head, seq, d]")
    return array


def _table_of(found: Parting | None) -> Table:
    """One row for the step at which two outputs part."""
    rows = [] if found is None else [found]
    names = ("head", "query", "key") if found is None else found.axes
    columns: dict[str, Any] = {
        "step": [one.step for one in rows],
        **{name: np.array([one.place[i] for one in rows], dtype=np.int64) for i, name in enumerate(names)},
        "ours": np.array([one.ours for one in rows], dtype=np.float64),
        "theirs": np.array([one.theirs for one in rows], dtype=np.float64),
        "agreed": [" ".join(one.agreed) for one in rows],
        "as_defined": [_said(one) for one in rows],
    }
    return Table(
        {
            name: np.array(held, dtype=object) if isinstance(held, list) else held
            for name, held in columns.items()
        },
        "parting",
    )


def _said(found: Parting) -> str:
    """Which of the two is softmax(query · keyᵀ / √d_head), as far as that can be told."""
    if found.as_defined is None:
        return ""
    return {(True, True): "both", (True, False): "first", (False, True): "second"}.get(
        found.as_defined, "neither"
    )
