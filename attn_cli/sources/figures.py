"""Which figures of heads are asked for, and the table of what attends: for the command and for Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..interpret import report
from ..records.attention import Attention
from .measuring import stats, stats_of_texts
from .resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..interpret.report import By
    from ..records.table import Table
    from .groups import Options, Show


@dataclass(frozen=True)
class Wanted:
    """Columns of figures, all or some, in which rows; or the thresholds of roles; or which heads are alike."""

    show: Show | None = None
    by: By | None = None
    column: str | Sequence[str] = ()  # names, several of them between commas
    roles: bool = False
    similar: bool = False
    clusters: int | None = None
    resume: str | None = None

    def __post_init__(self) -> None:
        for name in ("roles", "by", "column", "resume") if self.similar else ():
            if getattr(self, name):
                raise InputError(f"--{name} cannot be combined with --similar", hint="leave one out")
        if self.clusters is not None and not self.similar:
            raise InputError("--clusters applies only to --similar", hint="add --similar, or leave it out")
        if self.clusters is not None and self.clusters < 1:
            raise InputError(f"--clusters {self.clusters}", hint="give at least 1")
        _ = self.columns

    @property
    def columns(self) -> list[str]:
        """The columns by name.

        Raises InputError for one that is not known.

        >>> Wanted(column="role,entropy").columns
        ['role', 'entropy']
        """
        from ..interpret.statistics import STATISTICS

        given = [self.column] if isinstance(self.column, str) else self.column
        names = [name for part in given for name in str(part).split(",")]
        for name in names:
            if name not in ("received", "mass"):  # of a table by key
                STATISTICS[name]
        return names

    def alike(self, attention: Attention) -> Table:
        """Which heads of an attention do the same."""
        return report.alike(attention, show=self.show or attention.show, number=self.clusters)

    def check_one(self, n: int) -> None:
        """Raise InputError where the heads of more than one attention would be compared."""
        if n > 1:
            hint = "give one of them, or leave --similar out for their mean"
            raise InputError(f"--similar compares the heads of one attention, got {n} inputs", hint=hint)

    def check_many(self) -> None:
        """Raise InputError for rows that many texts do not share."""
        if self.by in ("query", "key"):
            raise InputError(f"--by {self.by} does not apply to many texts", hint="give --by layer or head")


def table(data: Any, wanted: Wanted, options: Options, *, model: Any = None) -> Table:
    """What is wanted of what attends; of a list of texts or attentions it is the mean, with its standard error."""
    many = isinstance(data, (list, tuple)) and len(data) > 0 and isinstance(data[0], (str, Attention))
    if wanted.roles:
        return report.thresholds()
    if data is None:
        raise InputError("stats of nothing", hint="give an attention, a text or a list of texts")
    if wanted.similar:
        wanted.check_one(len(data) if many else 1)
        one = data[0] if many else data
        return wanted.alike(resolve(one, options, model=model, default_model="mini", show=wanted.show))
    if many:
        wanted.check_many()
        found = stats_of_texts(data, options, model=model, show=wanted.show, by=wanted.by)  # type: ignore[arg-type]  # checked above
    else:
        found = stats(data, options, model=model, show=wanted.show, by=wanted.by)
    return report.chosen(found, wanted.columns)
