"""The one road from anything to an `Attention`, which every command and `import attn_cli` take."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, note, warn
from ..interpret.reductions import is_of_paths
from ..records.attention import Attention
from ..records.checks import counted
from ..records.encoding import Encoding, Image, Sound
from ..records.fields import changed
from ..records.pooled import pooled_by
from ..records.recording import Recording, picked_part
from ..records.selection import choose, crop, parse_choice, places_named, range_of
from ..records.words import merged
from .groups import Options, given, refuse_others
from .models import HEARS, SEES, perceive, refuse_others_of_models, through
from .outputs import OF_OUTPUT, of_output, refuse_toward
from .picking import EVERYTHING, Picks, picked, places
from .reducing import needs_all_parts, reduced, reduction_of, through_all_parts
from .tensors import bare_weights, from_elsewhere, with_names
from .text import as_encoding, called, file_or_data, posencs
from .vectors import heads_of, rule_of

if TYPE_CHECKING:
    from ..attention.heads import Heads
    from ..attention.streamed_rows import Watch
    from ..attention.wanted_parts import Wanted
    from .groups import Selection, Show

MECHANISM = (
    "text",
    "vectors",
    "positions",
    "seed",
    "scoring",
    "computing",
    "select",
)  # what vectors are made and compared by
NUMBERS = tuple(group for group in MECHANISM if group != "text")


def resolve(
    data: Any,
    options: Options,
    *,
    model: Any = None,
    default_model: str = "none",
    show: Show | None = None,
    where: str = "",
    watch: Watch | None = None,
) -> Attention:
    """The attention that data and options describe; a text goes through `default_model` unless told.

    With `show` it also holds that; `shown` shows it. A `watch` counts something in the rows of what is streamed.
    Whatever is untrained is named in one warning. Raises
    InputError for an option that belongs to another source, before anything is loaded.
    """
    select = options.select
    parse_choice("layer", select.layer if select.layer is not None else "all")
    parse_choice("head", select.head)
    reduction_of(select)
    refuse_toward(options, show)
    picks, rest = picked(select)
    picks = dataclasses.replace(picks, watch=watch)
    found = read_source(
        data, options, model=model, default_model=default_model, show=show, where=where, picks=picks
    )
    picks_made = isinstance(data, (str, Image, Sound)) or not isinstance(found, Attention)
    if not isinstance(found, Attention):
        found = attend(found, options, show=show, wanted=_wanted(found, picks))
    if isinstance(data, str) and needs_all_parts(found, select):
        made = through_all_parts(model or default_model, data, options, found, show)
        return warn_of_untrained(_cropped(made, select))
    return warn_of_untrained(selected(found, rest if picks_made else select, show))


def read_source(
    data: Any,
    options: Options,
    *,
    model: Any = None,
    default_model: str = "none",
    show: Show | None = None,
    where: str = "",
    picks: Picks = EVERYTHING,
) -> Attention | Heads:
    """Read an input: an attention where weights are there or a model gives them, else heads that are still to attend.

    Of what a model attends to, only what is picked is computed.
    """
    if isinstance(data, Recording):
        _refuse_model(model, data)
        return recorded(data, options)
    if options.tensors.weights is not None:
        refuse_others(options, ("tensors", "select"), "a matrix of weights")
        _refuse_beside("--weights", data, model)
        return bare_weights(file_or_data(options.tensors.weights), options.tensors)
    if given(options.vectors) and data is None:
        _refuse_beside("--query, --key, --value", data, model)
        refuse_others(options, MECHANISM, "vectors", hint="give --model DIR, or leave it out")
        return heads_of(None, options)
    if any(getattr(options.vectors, name) is not None for name in ("query", "key", "value")):
        raise InputError(
            "--query, --key and --value cannot be combined with INPUT",
            hint="give the three files alone, or one INPUT",
        )
    if isinstance(data, Attention):
        refuse_others(options, ("select", "tensors"), "saved attention")
        _refuse_model(model, data)
        return with_names(data, options.tensors)
    if isinstance(data, (Image, Sound)):
        return _of_image_or_sound(data, options, model, show, where, picks)
    what = called(data)
    if isinstance(data, (dict, np.ndarray)):
        _refuse_model(model, data)
        data, options = from_elsewhere(data, options, where)
        if isinstance(data, Attention):
            return data
    refuse_others(options, (*MECHANISM, "model"), what)
    if isinstance(data, str) and (name := model or default_model) != "none":
        if name != "untrained":
            told = isinstance(name, str)  # else it is loaded already: of several texts, or in Python
            hint = "leave it out" if model and told else "give --model none or untrained too, or leave it out"
            refuse_others_of_models(options, f"--model {name}" if told else "a model", hint=hint)
            made = of_output if show in OF_OUTPUT else through
            return made(name, data, options, show, picks)
        options = untrained(options)
    elif not isinstance(data, str):
        _refuse_model(model, data)
        beside = options.vectors.context is not None or options.vectors.memory is not None
        refuse_others(options, MECHANISM if beside else NUMBERS, what)
    refuse_others(options, MECHANISM, "vectors", hint="give --model DIR, or leave it out")
    return heads_of(data, options, where=where)


def recorded(recording: Recording, options: Options) -> Attention:
    """The attention of a recording that is meant, under the names given."""
    others = dataclasses.replace(options, model=dataclasses.replace(options.model, kind=None))
    refuse_others(others, ("recorded", "tensors", "select"), "a recording")
    meant = options.recorded
    found = picked_part(recording, meant.step, options.model.kind, meant.module)
    return with_names(found, options.tensors, spare=1)


def attend(
    heads: Heads, options: Options, *, show: Show | None = None, wanted: Wanted | None = None
) -> Attention:
    """What heads attend to: every step where they are few enough to be held, else streamed and pooled."""
    from ..attention import layers
    from ..attention.wanted_parts import ALL

    rule = rule_of(options.scoring, options.positions.posenc, options.seed.seed)
    if rule.top_k is not None and rule.top_k > (n := len(heads.key_tokens)):
        note(
            f"--top-k {rule.top_k} has no effect: there {'is' if n == 1 else 'are'} only {counted(n, 'key')}"
        )
    return layers.attend(
        heads, rule, wanted=wanted or ALL, norms=show == "norms", every_step=show == "scores"
    )


def _wanted(heads: Heads, picks: Picks) -> Wanted:
    """What is picked of vectors, in words too."""
    from ..attention.wanted_parts import Wanted

    tokens = {"query": heads.query_tokens, "key": heads.key_tokens}
    chosen = {
        axis: pick(tokens[axis])
        for axis, pick in (("query", picks.queries), ("key", picks.keys))
        if pick is not None
    }
    said = "; ".join(places_named(axis, places, len(tokens[axis])) for axis, places in chosen.items())
    return Wanted(chosen.get("query"), chosen.get("key"), picks.heads, said=said, watch=picks.watch)


def resolve_encoding(data: Any, options: Options, *, where: str = "") -> Encoding:
    """Tokens and vectors of whatever was given."""
    used = ("text", "positions", "seed") if isinstance(data, str) else ("positions", "seed")
    refuse_others(options, used, called(data))
    encoding = as_encoding(
        data, options.text, posencs(options.positions.posenc), options.seed.seed, where=where
    )
    warn_of(encoding.provenance)
    return encoding


def selected(attention: Attention, select: Selection, show: Show | None = None) -> Attention:
    """The part of an attention that was asked for; with a reduction, one map of all that is to be shown."""
    chosen = choose(
        attention, "layer", parse_choice("layer", select.layer if select.layer is not None else "all")
    )
    chosen = choose(chosen, "head", parse_choice("head", select.head))
    return _cropped(reduced(chosen, select, show), select)


def _cropped(chosen: Attention, select: Selection) -> Attention:
    """The wanted queries and keys, or words."""
    chosen = merged(chosen) if select.words else chosen
    if select.query_token is not None or select.query_range is not None:
        chosen = crop(chosen, "query", places(select, chosen.query_tokens))
    if select.key_range is not None:
        chosen = crop(chosen, "key", range_of("key", select.key_range, len(chosen.key_tokens)))
    return chosen


def shown(attention: Attention, show: Show | None, pool: str | None = None) -> Attention:
    """The same record, whose pictures and tables show that map; without one, the map that it shows already.

    Of a pooled map `pool` says what of each cell. Raises InputError where the record does not hold it.
    """
    if show not in (None, "output") and not is_of_paths(attention):
        attention = changed(attention, show=show)
    return pooled_by(attention, pool)


def untrained(options: Options) -> Options:
    """What a text gets from `--model untrained`: enough for every part of the mechanism to be seen."""
    vectors, positions = options.vectors, options.positions
    return dataclasses.replace(
        options,
        vectors=dataclasses.replace(vectors, project=vectors.project or "random", heads=vectors.heads or 4),
        positions=dataclasses.replace(positions, posenc=positions.posenc or ("sinusoidal",)),
    )


def warn_of_untrained(attention: Attention) -> Attention:
    """The same attention, after one warning where nothing has trained what it was computed with."""
    warn_of(attention.provenance)
    return attention


def warn_of(provenance: str) -> None:
    """Warn once of everything that a provenance calls untrained."""
    if made := re.findall(r"untrained (\w+(?: \w+)?)", provenance):
        listed = " and ".join(dict.fromkeys(made))
        warn(f"untrained: {listed}; this shows the mechanism, not meaning")


def _of_image_or_sound(
    given: Image | Sound, options: Options, model: Any, show: Show | None, where: str, picks: Picks
) -> Attention:
    sounds = isinstance(given, Sound)
    if model in (None, "none", "untrained"):
        what = "sound input needs a speech model" if sounds else "image input needs a vision model"
        raise InputError(what, hint=HEARS if sounds else SEES, where=where)
    refuse_others_of_models(options, "sounds" if sounds else "images")
    return perceive(model, given, options, show, picks)


def _refuse_model(model: Any, data: Any) -> None:
    if model not in (None, "none"):
        name = f"--model {model}" if isinstance(model, str) else "the model"
        raise InputError(f"{name} reads text, not {called(data)}", hint="leave --model out")


def _refuse_beside(options: str, data: Any, model: Any) -> None:
    if data is not None:
        raise InputError(f"{options} cannot be combined with INPUT", hint="drop one")
    if model is not None:
        raise InputError(f"{options} cannot be combined with --model", hint="leave --model out")


__all__ = [
    "attend",
    "read_source",
    "resolve",
    "resolve_encoding",
    "selected",
    "shown",
    "untrained",
]
