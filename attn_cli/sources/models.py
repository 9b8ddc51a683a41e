"""A text or an image through a trained model → the attention of the layers that are wanted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .. import files
from ..errors import InputError
from ..records.selection import parse_choice
from .picking import EVERYTHING, Picks
from .vectors import set_threads

if TYPE_CHECKING:
    from ..models import Model as Loaded
    from ..models.reading import Reading
    from ..records.attention import Attention
    from ..records.encoding import Image
    from .groups import Computing, Model, Selection, Show


def through(
    model: str | Loaded,
    text: str,
    how: Model,
    computing: Computing,
    select: Selection,
    show: Show | None = None,
    picks: Picks = EVERYTHING,
) -> Attention:
    """What a model attends to while it reads a text; layers beyond the last wanted one do not run.

    Raises InputError when the directory is no model, or the model cannot read the text so.
    """
    reading = _reading(how, computing, select, show, picks)
    set_threads(computing)
    return _loaded(model).attend(text, reading)


def look_at(
    model: str | Loaded,
    image: Image,
    how: Model,
    computing: Computing,
    select: Selection,
    show: Show | None = None,
    picks: Picks = EVERYTHING,
) -> Attention:
    """What a model for images attends to; of all its layers the last, unless told."""
    reading = _reading(how, computing, select, show, picks, layer="last")
    set_threads(computing)
    loaded = _loaded(model)
    if not loaded.sees:
        raise InputError(f"--model {model} reads text, not images", hint=SEES)
    return loaded.attend(image, reading)


SEES = "give --model DIR, the directory of a ViT or CLIP"


def _loaded(model: str | Loaded) -> Loaded:
    from .. import models

    return models.load(model) if isinstance(model, (str, os.PathLike)) else model


def _reading(
    how: Model,
    computing: Computing,
    select: Selection,
    show: Show | None,
    picks: Picks,
    layer: str = "all",
) -> Reading:
    from ..models.reading import Reading

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
    )


def _target(given: str) -> str:
    """The text of a file where there is one of that name, else the text itself.

    Raises InputError when what is given can only be meant as the name of a file, and there is none.
    """
    folder, suffix = os.path.dirname(given), os.path.splitext(given)[1].lower()
    named = " " not in given and (suffix in (".txt", ".md", ".text") or os.path.isdir(folder))
    return files.read_text(given) if named or os.path.exists(given) else given
