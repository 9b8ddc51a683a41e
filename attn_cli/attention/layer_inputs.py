"""What a record is made of: layers with their query, key, value and rule, and the tokens on both sides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..records.attention import Attention
from ..records.fields import parts
from .outputs import Output
from .rules import Rule
from .wanted_parts import Wanted, along, taken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float
    from torch import Tensor

    from ..records.attention import Kind


@dataclass(frozen=True, eq=False)
class Layer:
    """What one layer is given, all its heads, and what it makes of that."""

    query: Float[Tensor, "head query d_head"]
    key: Float[Tensor, "head key d_head"]
    value: Float[Tensor, "head key d_value"]
    rule: Rule = field(default_factory=Rule)
    out: Output | None = field(default_factory=Output)  # None: not known
    number: int = 0  # of the layer in its model

    def of(self, heads: Sequence[int]) -> Layer:
        """Some of the heads alone."""
        out = None if self.out is None else self.out.of(heads, len(self.query))
        query, key, value = (along(x, 0, heads) for x in (self.query, self.key, self.value))
        return replace(self, query=query, key=key, value=value, out=out)


@dataclass(frozen=True, eq=False)
class Sides:
    """What attends, what is attended to, and how: all of a record but its numbers."""

    query_tokens: Sequence[str]
    key_tokens: Sequence[str]
    kind: Kind = "self"
    provenance: str = ""
    query_words: Sequence[int] | None = None  # neighbouring tokens of one number are pieces of one word
    key_words: Sequence[int] | None = None
    special: Sequence[int] | None = None  # 1 for each key that a tokenizer added
    beside: Mapping[str, Any] = field(
        default_factory=dict
    )  # other fields of the record, for all queries or keys

    def tokens(self, wanted: Wanted) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Those that attend and those that are attended to, of what is wanted."""
        return taken(self.query_tokens, wanted.queries), taken(self.key_tokens, wanted.keys)

    def record(
        self, layers: Sequence[int], wanted: Wanted, *, heads: tuple[int | str, ...] = (), **arrays: Any
    ) -> Attention:
        """The record of these layers with these arrays, which hold what is wanted alone; `heads` may be named."""
        query_tokens, key_tokens = self.tokens(wanted)
        return Attention(
            query_tokens,
            key_tokens,
            kind=self.kind,
            provenance="; ".join(filter(None, (self.provenance, wanted.said))),
            layers=tuple(layers),
            heads=heads or (() if wanted.heads is None else tuple(wanted.heads)),
            query_words=None if self.query_words is None else taken(self.query_words, wanted.queries),
            key_words=None if self.key_words is None else taken(self.key_words, wanted.keys),
            special=None if self.special is None else taken(self.special, wanted.keys),
            **{name: _of(name, value, wanted) for name, value in self.beside.items()},
            **arrays,
        )


def _of(name: str, value: Any, wanted: Wanted) -> Any:
    """What of a field is wanted."""
    part = parts(Attention)[name]
    for axis, places in (("query", wanted.queries), ("key", wanted.keys)):
        value = part.taken(value, axis, places) if axis in part.axes and places is not None else value
    return value
