"""A text, an image or a sound through a trained model → the attention of the layers that are wanted."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from .. import files
from ..errors import InputError
from ..records.encoding import Image, Sound
from ..records.selection import parse_choice
from .groups import Scoring, refuse_others
from .picking import EVERYTHING, Picks
from .text import refuse_blank
from .vectors import masks, rule_of, set_threads

if TYPE_CHECKING:
    from ..models import Model as Loaded
    from ..models.reading import Reading
    from ..records.attention import Attention
    from ..transformer.intervening import Intervention
    from .groups import Options, Show


def through(
    model: str | Loaded,
    text: str,
    options: Options,
    show: Show | None = None,
    picks: Picks = EVERYTHING,
) -> Attention:
    """What a model attends to while it reads a text; layers beyond the last wanted one do not run.

    Heads that are to be left out are, in all layers, and masks forbid keys besides those that the model forbids.

    Raises InputError when the directory is no model, or the model cannot read the text so.
    """
    refuse_blank(text)
    reading = _reading(options, show, picks)
    set_threads(options.computing)
    return loaded(model).attend(text, reading)


def perceive(
    model: str | Loaded,
    given: Image | Sound,
    options: Options,
    show: Show | None = None,
    picks: Picks = EVERYTHING,
) -> Attention:
    """What a model for images or sounds attends to; of all its layers the last, unless told."""
    reading = _reading(options, show, picks, layer="last")
    set_threads(options.computing)
    found = loaded(model)
    named = f"--model {model}" if isinstance(model, (str, os.PathLike)) else "this model"
    if isinstance(given, Sound) and not found.hears:
        what = "looks at images, not sounds" if found.sees else "reads text, not sounds"
        raise InputError(f"{named} {what}", hint=HEARS)
    if isinstance(given, Image) and not found.sees:
        what = "hears sounds, not images" if found.hears else "reads text, not images"
        raise InputError(f"{named} {what}", hint=SEES)
    return found.attend(given, reading)


SEES = "give --model DIR, the directory of a ViT or CLIP"
HEARS = "give --model DIR, the directory of a Whisper or a run of tones"


def loaded(model: str | Loaded) -> Loaded:
    """The model of that name, unless it is one already."""
    from .. import models

    return models.load(model) if isinstance(model, (str, os.PathLike)) else model


def refuse_others_of_models(options: Options, what: str, *, hint: str = "leave it out") -> None:
    """Raise InputError for an option that says nothing to a model; a mask does."""
    scoring = dataclasses.replace(options.scoring, mask=())
    refuse_others(
        dataclasses.replace(options, scoring=scoring), ("model", "computing", "select"), what, hint=hint
    )


def reading_of(options: Options, picks: Picks = EVERYTHING) -> Reading:
    """How a model is to read a text, by all options."""
    return _reading(options, None, picks)


def _reading(options: Options, show: Show | None, picks: Picks, layer: str = "all") -> Reading:
    from ..models.reading import Reading

    how, computing, select = options.model, options.computing, options.select
    layers = parse_choice("layer", select.layer if select.layer is not None else layer)
    return Reading(
        layers="all" if layers == "mean" or layers == "max" else layers,
        pair=how.pair,
        kind=how.kind,  # type: ignore[arg-type]  # checked by the group
        target=None if how.target is None else _target(how.target),
        norms=show == "norms",
        special=how.special,  # type: ignore[arg-type]
        too_long=how.too_long,  # type: ignore[arg-type]
        dtype=computing.dtype,
        device=computing.device,
        heads=picks.heads,
        queries=picks.queries,
        keys=picks.keys,
        watch=picks.watch,
        intervention=_intervention(options),
        generate=how.generate,
        sample=how.sample,
    )


def _intervention(options: Options) -> Intervention | None:
    """What is to be done to the attentions of the model, None where nothing is."""
    named = options.model.without
    masked = bool(masks(options.scoring.mask))
    if not named and not masked:
        return None
    if masked and options.model.too_long == "chunk":
        raise InputError("--mask cannot be combined with --too-long chunk", hint="give --too-long truncate")
    from ..transformer.intervening import Intervention, heads_named

    rule = rule_of(Scoring(mask=options.scoring.mask), seed=options.seed.seed)
    without = heads_named(",".join([named] if isinstance(named, str) else named)) if named else frozenset()
    return Intervention(without, rule)


def _target(given: str) -> str:
    """The text of a file where there is one of that name, else the text itself.

    Raises InputError when what is given can only be meant as the name of a file, and there is none.
    """
    folder, suffix = os.path.dirname(given), os.path.splitext(given)[1].lower()
    named = " " not in given and (suffix in (".txt", ".md", ".text") or os.path.isdir(folder))
    return files.read_text(given) if named or os.path.exists(given) else given
