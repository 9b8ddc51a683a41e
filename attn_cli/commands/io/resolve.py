"""From a command's options to the one road of `sources/`, with a bar for what takes long."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ...sources.groups import (
    Computing,
    Model,
    Options,
    Positions,
    Scoring,
    Seed,
    Selection,
    Tensors,
    Text,
    Vectors,
)
from .inputs import is_given, read_input, where_from
from .source_options import Input, Through

if TYPE_CHECKING:
    from ...attention.heads import Heads
    from ...records.attention import Attention
    from ...sources.groups import Show


@dataclass(frozen=True)
class Source:
    """What a command that takes an attention was given: its input, and the options of every source."""

    input: Input
    through: Through
    model: Model
    text: Text
    vectors: Vectors
    positions: Positions
    scoring: Scoring
    seed: Seed
    computing: Computing
    tensors: Tensors
    select: Selection

    @property
    def options(self) -> Options:
        """The groups as `sources/` takes them."""
        return Options(**{f.name: getattr(self, f.name) for f in fields(Options)})

    def data(self) -> Any:
        """What INPUT holds; None where other options name what is to be read."""
        elsewhere = self.tensors.weights is not None or any(
            getattr(self.vectors, name) is not None for name in ("query", "key", "value")
        )
        return None if elsewhere and not is_given(self.input) else read_input(self.input)

    @property
    def where(self) -> str:
        """What INPUT is called in an error."""
        return where_from(self.input)


def resolve(source: Source, default_model: str, show: Show | None = None) -> Attention:
    """The attention that INPUT and the options describe; a text goes through `default_model` unless told."""
    from ...sources import resolve as road
    from .progress import watched

    with watched("attention"):
        return road.resolve(
            source.data(),
            source.options,
            model=source.through.model,
            default_model=default_model,
            show=show,
            where=source.where,
        )


def attention_or_heads(source: Source) -> Attention | Heads:
    """An attention that is there already, or heads that are still to attend."""
    from ...sources import resolve as road
    from .progress import watched

    with watched("attention"):
        return road.attention_or_heads(
            source.data(), source.options, model=source.through.model, where=source.where
        )
