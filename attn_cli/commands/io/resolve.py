"""From a command's options to the one road of `sources/`, with a bar for what takes long."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import typer

from ...errors import InputError
from ...sources.groups import (
    Computing,
    Model,
    Options,
    Positions,
    Recorded,
    Scoring,
    Seed,
    Selection,
    Tensors,
    Text,
    Vectors,
)
from .processes import together
from .source_options import Input, Through

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...attention.heads import Heads
    from ...records.attention import Attention
    from ...sources.groups import Show
    from .inputs import Read


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
    recorded: Recorded
    select: Selection

    @property
    def options(self) -> Options:
        """The groups as `sources/` takes them."""
        return Options(**{f.name: getattr(self, f.name) for f in fields(Options)})

    def each(self) -> list[Read]:
        """What is to be read, one after the other; nothing where other options name it."""
        from .inputs import Read, is_given, read_inputs

        elsewhere = self.tensors.weights is not None or any(
            getattr(self.vectors, name) is not None for name in ("query", "key", "value")
        )
        return [Read(None, "")] if elsewhere and not is_given(self.input) else read_inputs(self.input)


def resolve(source: Source, default_model: str, show: Show | None = None) -> Attention:
    """The attention that the one INPUT and the options describe; see `resolve_each`.

    Raises InputError where several inputs are given to a command that reads one.
    """
    (found, *more) = resolve_each(source, default_model, show)
    if more:
        raise InputError(f"{len(more) + 1} inputs, but this command reads one", hint="give one")
    return found[1]


def resolve_each(
    source: Source, default_model: str, show: Show | None = None, *, read: Sequence[Read] | None = None
) -> Iterator[tuple[Read, Attention]]:
    """Each INPUT, or what is `read` already, with the attention that it and the options describe.

    A text goes through `default_model` unless told; the model is loaded once. Of several processes that torchrun
    has started each streams a share of the rows of what is long, and the first alone goes on with what comes out.
    """
    read = source.each() if read is None else read
    with together(source.computing.device) as first:
        for one in _resolved(source, default_model, show, read):
            if first:
                yield one
    if not first:
        raise typer.Exit


def _resolved(
    source: Source, default_model: str, show: Show | None, read: Sequence[Read]
) -> Iterator[tuple[Read, Attention]]:
    from ...sources import resolve as road
    from .progress import watched

    named: Any = source.through.model
    through = [one for one in read if isinstance(one.data, str) or (named and _is_seen_or_heard(one.data))]
    once = loaded(named or default_model) if len(through) > 1 else named  # all of them by one model
    for one in read:
        model = once if one in through else named
        with watched("attention"):
            found = road.resolve(
                one.data, source.options, model=model, default_model=default_model, show=show, where=one.where
            )
        yield one, found


def _is_seen_or_heard(data: Any) -> bool:
    from ...records.encoding import Image, Sound

    return isinstance(data, (Image, Sound))


def loaded(model: str) -> Any:
    """The model of that name, unless the name says that there is to be none."""
    from ... import models

    return model if model in ("none", "untrained") else models.load(model)


def read_source(source: Source) -> Attention | Heads:
    """An attention that is there already, or heads that are still to attend."""
    from ...sources import resolve as road
    from .progress import watched

    (one, *more) = source.each()
    if more:
        raise InputError(f"{len(more) + 1} inputs, but this command reads one", hint="give one")
    with watched("attention"):
        return road.read_source(one.data, source.options, model=source.through.model, where=one.where)
