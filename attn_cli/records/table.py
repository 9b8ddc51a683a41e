"""A table: named columns, and a row for each thing that was measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..registry import nearest
from .checks import settle, shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jaxtyping import Shaped

Cell = str | int | float | bool | None


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """What `stats`, `diff`, `explain` and `check` give: columns of texts, whole numbers, numbers, or yes and no.

    A column without a number in some row holds NaN there, and an empty cell is written. `about` names the table,
    `units` the unit of a column where it has one.

    >>> table = Table({"head": [0, 1], "entropy": [0.5, np.nan]}, about="stats", units={"entropy": "nats"})
    >>> table
    Table stats: 2 rows × head entropy
    >>> list(table.rows())
    [{'head': 0, 'entropy': 0.5}, {'head': 1, 'entropy': None}]
    """

    columns: Mapping[str, Shaped[np.ndarray, " row"]]
    about: str = ""
    provenance: str = ""  # where the numbers come from; every picture prints it
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = {name: _column(name, values) for name, values in self.columns.items()}
        if len({len(values) for values in columns.values()}) != 1:
            lengths = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
            raise InputError(
                f"columns of different lengths: {lengths or 'none'}", hint="give each a cell per row"
            )
        if strange := [name for name in self.units if name not in columns]:
            raise InputError(f"a unit for {strange[0]!r}, which is no column", hint="leave it out")
        settle(self, "columns", columns)
        settle(self, "units", dict(self.units))

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> Shaped[np.ndarray, " row"]:
        if name not in self.columns:
            known = list(self.columns)
            raise InputError(
                f"no column {name!r}", hint=f"there are {', '.join(known)}{nearest(name, known)}"
            )
        return self.columns[name]

    def __repr__(self) -> str:
        about = f"Table {self.about}".rstrip()
        return f"{about}: {len(self)} rows × {' '.join(self.columns)}"

    def rows(self) -> Iterator[dict[str, Cell]]:
        """Each row as a dictionary of plain values, None where there is no number."""
        for values in zip(*(values.tolist() for values in self.columns.values()), strict=True):
            yield {name: _plain(value) for name, value in zip(self.columns, values, strict=True)}

    def only(self, names: Sequence[str]) -> Table:
        """The same table with these columns alone, in this order.

        >>> Table({"a": [1], "b": [2]}).only(["b"])
        Table: 1 rows × b
        """
        units = {name: unit for name, unit in self.units.items() if name in names}
        return Table({name: self[name] for name in names}, self.about, self.provenance, units)

    def beside(self, columns: Mapping[str, Any]) -> Table:
        """The same table with more columns after its own.

        >>> Table({"a": [1]}).beside({"b": [2]})
        Table: 1 rows × a b
        """
        return Table({**self.columns, **columns}, self.about, self.provenance, self.units)


def _column(name: str, values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind in "UO":
        array = np.array([str(value) for value in values], dtype=object)
    if array.ndim != 1 or array.dtype.kind not in "biufO":
        raise InputError(f"column {name!r} {shape(array)} of {array.dtype}, expected a value per row")
    return array


def _plain(value: Any) -> Cell:
    return None if isinstance(value, float) and value != value else value
