"""What a recording has seen, as a list of its attentions, and as the `Attention` of some layers in one step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import for_python
from ...records.recording import renamed
from ...records.table import Table
from .kept_numbers import FIGURES
from .parts import kind, path, recording_of
from .steps import put_together

if TYPE_CHECKING:
    from ...records.attention import Attention, Kind
    from ...records.recording import Recording
    from .calls import Calls
    from .recorder import Recorder
    from .steps import Step

_COLUMNS = (
    "module",
    "layer",
    "kind",
    "calls",
    "kept",
    "heads",
    "queries",
    "keys",
    "mask",
    "dropout",
    "computed by",
    "on",
)


@dataclass(frozen=True)
class Row:
    """One attention of a program, over all of its calls."""

    module: str  # its path
    layer: int
    kind: Kind
    calls: int
    kept: int
    heads: int
    kv_heads: int
    queries: tuple[int, int]  # the fewest, the most
    keys: tuple[int, int]
    masked: str
    dropout: float
    way: str
    where: str
    head: int | None = None  # where each is computed by itself

    def cells(self) -> tuple[str, ...]:
        """What a table shows of it."""
        heads = f"{self.heads}" if self.heads == self.kv_heads else f"{self.heads} ({self.kv_heads} kv)"
        heads = heads if self.head is None else f"head {self.head}"
        counts = self.module, str(self.layer), self.kind, str(self.calls), str(self.kept), heads
        dropout = f"{self.dropout:g}" if self.dropout else ""
        return (*counts, _span(self.queries), _span(self.keys), self.masked, dropout, self.way, self.where)


def _span(sizes: tuple[int, int]) -> str:
    return str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]}…{sizes[1]}"


class Seen(Sequence[Row]):
    """The attentions that a program has computed while it was recorded, a row each."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __len__(self) -> int:
        return len(self._recorder.calls)

    def __getitem__(self, index: Any) -> Any:
        return [self._row(calls) for calls in self._recorder.calls.values()][index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self[:])

    def __repr__(self) -> str:
        rows = [_COLUMNS, *(row.cells() for row in self)]
        shown = [i for i in range(len(_COLUMNS)) if any(row[i] for row in rows[1:])]
        widths = [max(len(row[i]) for row in rows) for i in shown]
        lines = [
            "  ".join(f"{row[i]:{width}}" for i, width in zip(shown, widths, strict=True)) for row in rows
        ]
        return "\n".join(line.rstrip() for line in lines)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be known of the recording."""
        return self._recorder.said

    @property
    def steps(self) -> list[int]:
        """The numbers of the steps of which something was kept."""
        return sorted({step.number for step in self._steps()})

    def recording(self) -> Recording:
        """All that was kept so far."""
        return recording_of(self._recorder, self._steps(), repr(self))

    @for_python()
    def attention(
        self,
        tokens: Sequence[str] | None = None,
        key_tokens: Sequence[str] | None = None,
        *,
        step: int | None = None,
        kind: Kind | None = None,
        module: str | None = None,
    ) -> Attention:
        """The attention of all layers of a kind and size, in a step or in the last.

        `tokens` are those of the queries, and of the keys where these are the same; without them what `label` was
        told, else numbers. `module` picks by path, as "encoder.*". Without `kind` the first that the program has
        computed is taken. Raises InputError when there is none, or the tokens do not fit.
        """
        return renamed(self.recording().pick(step, kind, module), tokens, key_tokens)

    def figures(self) -> Table:
        """Where figures were kept, a row for each step, attention and head: means over the queries."""
        columns: dict[str, list[Any]] = {name: [] for name in ("step", "module", "layer", "head", *FIGURES)}
        for step in self._steps():
            for spot, pieces in step.pieces.items():
                calls, wanted = self._recorder.calls[spot], self._recorder.wanted.heads
                figures = put_together(pieces).figures
                for i, row in enumerate(() if figures is None else figures):
                    head = calls.head if calls.head is not None else i if wanted is None else wanted[i]
                    cells = step.number, path(self._recorder, calls), calls.layer, head, *map(float, row)
                    for column, cell in zip(columns.values(), cells, strict=True):
                        column.append(cell)
        return Table(columns, about="recording", provenance=self._recorder.name, units={"entropy": "nats"})  # type: ignore[arg-type]

    def _steps(self) -> list[Step]:
        going = (root.step for root in self._recorder.roots.values())
        return [*self._recorder.store.steps(), *(step for step in going if step is not None and step.pieces)]

    def _row(self, calls: Calls) -> Row:
        n_kept = sum(step.n_kept.get(calls.spot, 0) for step in self._steps())
        queries, keys = ([size[i] for size in calls.sizes] for i in (0, 1))
        return Row(
            path(self._recorder, calls), calls.layer, kind(self._recorder, calls), calls.count, n_kept,
            calls.n_heads, calls.kv_heads, (min(queries), max(queries)), (min(keys), max(keys)),
            ", ".join(calls.masked), calls.dropout, calls.way, calls.where, calls.head,
        )  # fmt: skip
