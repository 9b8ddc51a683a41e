"""`--film`: the attention of a recording over its steps, as an animated GIF or side by side."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import files
from ...errors import InputError, note
from ...records.recording import Recording
from ...render import FIGURES
from .output import deliver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...records.attention import Attention
    from ...render.figure.film import Film
    from ...render.look import Look
    from .options import Output
    from .resolve import Source

FORMATS = ("gif", *FIGURES)
MOST_FRAMES = 60


def emit_film(source: Source, read: Sequence[Any], to: Output, look: Look) -> None:
    """Write the film of the one recording that is read."""
    from ...render.figure import figure, film

    if len(read) != 1 or not isinstance(read[0].data, Recording):
        raise InputError("--film needs a recording", hint="give the .npz that attn record wrote")
    made = _film(source, read[0].data, look)
    chosen = to.format or ("gif" if to.output == "-" else None)
    name = files.format_of(to.output, chosen, formats=(), pictures=FORMATS)
    if name == "gif":
        deliver([film.gif(made)], name, to)
        return
    if (n := made.weights.shape[1] * made.weights.shape[2]) > 1:
        hint = "choose one with --layer and --head, or write a .gif"
        raise InputError(f"{n} heads over {len(made.steps)} steps", hint=hint)
    deliver([figure.save(film.strip(made, 0, 0), name)], name, to)


def _film(source: Source, recording: Recording, look: Look) -> Film:
    """Each step of the recording, in order; those of another size than the last are left out."""
    from ...render.figure.film import Film

    found = [(step, _step(source, recording, step)) for step in _spread(recording.steps)]
    last = found[-1][1]
    alike = [(step, each) for step, each in found if _size(each) == _size(last)]
    if left := len(found) - len(alike):
        note(f"{left} of {len(found)} steps have another size and are left out")
    if len(alike) < 2:
        raise InputError(
            "--film needs several steps, and this recording has one", hint="record several steps"
        )
    weights, steps = np.stack([each.weights for _, each in alike]), [step for step, _ in alike]
    said = re.sub(r"\bstep \d+", f"steps {steps[0]} to {steps[-1]}", last.provenance)
    return Film(dataclasses.replace(last, provenance=said), steps, weights, look)


def _step(source: Source, recording: Recording, step: int) -> Attention:
    from ...sources import resolve as road

    recorded = dataclasses.replace(source.recorded, step=step)
    return road.resolve(recording, dataclasses.replace(source.options, recorded=recorded))


def _spread(steps: Sequence[int]) -> list[int]:
    """As many of the steps as a film has frames, evenly spread, the first and the last among them.

    >>> _spread([3, 5])
    [3, 5]
    """
    if len(steps) > MOST_FRAMES:
        note(f"filmed: {MOST_FRAMES} of {len(steps):,} steps, evenly spread")
    places = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), MOST_FRAMES)).astype(int))
    return [steps[place] for place in places]


def _size(attention: Attention) -> tuple[Any, ...]:
    return attention.weights.shape, attention.layers, attention.heads, attention.kind
