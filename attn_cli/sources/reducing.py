"""`--reduce`: the maps of all layers and heads made one, of whatever is to be shown."""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING, Any

from ..errors import AttnNote, InputError
from ..interpret.reductions import REDUCTIONS, follows_paths, reduce, reduce_across
from ..records.selection import choose, parse_choice
from .models import through
from .outputs import OF_OUTPUT, of_output

if TYPE_CHECKING:
    from ..records.attention import Attention
    from ..registry import Variant
    from .groups import Options, Selection, Show


def reduction_of(select: Selection) -> Variant | None:
    """The reduction that was asked for; None for none.

    Raises InputError for a name that is not known.
    """
    return None if select.reduce is None else REDUCTIONS.of(select.reduce)


def reduced(attention: Attention, select: Selection, show: Show | None = None) -> Attention:
    """The attention of one map, if a reduction was asked for.

    Raises InputError for what cannot be reduced: outputs, and scores by a reduction that follows paths.
    """
    if (reduction := reduction_of(select)) is None:
        return attention
    of = attention.show if show is None else show
    if of == "output" or (of == "scores" and follows_paths(reduction)):
        raise InputError(
            f"--reduce {reduction.spec} does not apply to {of}",
            hint="leave --show out, or give weights or norms",
        )
    return reduce(attention, reduction, show=of, name=reduction.spec)


def needs_all_parts(attention: Attention, select: Selection) -> bool:
    """Whether paths are to be followed from what a decoder writes into what its encoder has read."""
    reduction = reduction_of(select)
    return reduction is not None and attention.kind == "cross" and follows_paths(reduction)


def through_all_parts(
    model: Any, text: str, options: Options, cross: Attention, show: Show | None = None
) -> Attention:
    """Paths through an encoder–decoder, from each token that is written to all that it has read and written.

    Layers and heads are chosen of the decoder; of the encoder all layers are used. Raises InputError for a
    reduction that has no form for both.
    """
    select = options.select
    reduction = reduction_of(select)
    assert reduction is not None, "needs_all_parts"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AttnNote)  # all that there is to note was noted with the first
        parts = [
            _part(model, text, options, kind, show, every=kind == "encoder")
            for kind in ("encoder", "decoder")
        ]
    encoder, decoder, cross = (
        choose(part, "head", parse_choice("head", select.head)) for part in (*parts, cross)
    )
    return reduce_across(encoder, decoder, cross, reduction, show=show or "weights")


def _part(model: Any, text: str, options: Options, kind: str, show: Show | None, *, every: bool) -> Attention:
    """One kind of attention, of all layers or of those that were chosen."""
    select = dataclasses.replace(options.select, layer=None) if every else options.select
    how = dataclasses.replace(options.model, kind=kind)
    chosen = dataclasses.replace(options, model=how, select=select)
    return of_output(model, text, chosen, show) if show in OF_OUTPUT else through(model, text, chosen, show)
