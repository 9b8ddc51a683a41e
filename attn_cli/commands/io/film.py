"""A recording over its steps: `--film` as an animated GIF or side by side, and as a page to step through."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import files
from ...errors import InputError
from ...records.recording import Recording
from ...render import FIGURES
from ...sources.filming import filmed
from .output import deliver, refuse_look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...records.attention import Attention
    from ...render.figure.film import Film
    from ...render.look import Look
    from .options import Drawing, Output
    from .resolve import Source

FORMATS = ("gif", *FIGURES, "html")
MOST_FRAMES = 60


def emit_film(
    source: Source, read: Sequence[Any], to: Output, look: Look, drawing: Drawing, lang: str
) -> None:
    """Write the film of the one recording that is read."""
    from ...render.figure import figure, film

    if len(read) != 1 or not isinstance(read[0].data, Recording):
        raise InputError("--film needs a recording", hint="give the .npz that attn record wrote")
    chosen = to.format or ("gif" if to.output == "-" else None)
    name = files.format_of(to.output, chosen, formats=(), pictures=FORMATS)
    if name == "html":
        emit_steps(source, read[0].data, to, drawing, lang)
        return
    made = _film(filmed(read[0].data, source.options, lambda last: MOST_FRAMES), look)
    if name == "gif":
        deliver([film.gif(made)], name, to)
        return
    if (n := made.weights.shape[1] * made.weights.shape[2]) > 1:
        hint = "choose one with --layer and --head, or write a .gif"
        raise InputError(f"{n} heads over {len(made.steps)} steps", hint=hint)
    deliver([figure.save(film.strip(made, 0, 0), name)], name, to)


def emit_steps(source: Source, recording: Recording, to: Output, drawing: Drawing, lang: str) -> None:
    """Write a page with a slider over the steps."""
    from ...render.page.page import most_steps, page
    from ...sources.sorting import sorting_over

    refuse_look(drawing, "html")
    over = filmed(recording, source.options, most_steps)
    figures, (_, last) = sorting_over(over), over[-1]
    made = page(last, title=drawing.title, lang=lang, pool=drawing.pool, figures=figures, steps=over)
    deliver([made], "html", to)


def _film(found: Sequence[tuple[int, Attention]], look: Look) -> Film:
    from ...render.figure.film import Film

    if len(found) < 2:
        raise InputError(
            "--film needs several steps, and this recording has one", hint="record several steps"
        )
    _, last = found[-1]
    weights, steps = np.stack([each.weights for _, each in found]), [step for step, _ in found]
    said = re.sub(r"\bstep \d+", f"steps {steps[0]} to {steps[-1]}", last.provenance)
    return Film(dataclasses.replace(last, provenance=said), steps, weights, look)
