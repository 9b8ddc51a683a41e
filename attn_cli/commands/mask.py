"""`attn mask`: a mask by itself."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from ..sources.groups import Options, Positions, Scoring, Seed, Text, Vectors
from .io.choices import completion, explain
from .io.options import Appearance, Output
from .io.source_options import OPTIONS, Input

if TYPE_CHECKING:
    from ..records.attention import Attention

_MASKS = OPTIONS["mask"].choices
assert _MASKS is not None


def mask(
    spec: Annotated[
        str | None,
        typer.Argument(
            metavar="SPEC",
            callback=explain(_MASKS),
            autocompletion=completion(_MASKS),
            help="Mask or file; join several with | for OR; 'help' lists all.",
        ),
    ] = None,
    *,
    read: Input,
    text: Text,
    vectors: Vectors,
    seed: Seed,
    drawing: Appearance,
    to: Output,
    and_: Annotated[
        list[str] | None,
        typer.Option("--and", metavar="SPEC|FILE", help="Further mask, combined with AND; repeatable."),
    ] = None,
    len_: Annotated[
        int | None,
        typer.Option("--len", metavar="N", min=1, help="Sequence length without INPUT (default: 16)."),
    ] = None,
) -> None:
    """Draw a mask by itself: which query may attend to which key.

    \b
    attn mask causal --len 8
    attn mask 'window:size=4|global:tokens=0' samples/sentence.txt
    attn mask causal --and window:size=4 --len 64 -o mask.png

    A terminal gets a picture, a pipe gets TSV of 1 (may attend) and 0.
    """
    from .. import files
    from ..render import FIGURES
    from .io.environment import environment
    from .io.output import check, deliver, emit, for_screen, look

    check(to, files.FORMATS, FIGURES, drawing=drawing)
    chosen = look(drawing)
    if spec is None:
        environment.help_a_person()
        raise InputError("no SPEC", hint="give a mask; attn mask help lists them")
    drawn = _drawn((spec, *(and_ or ())), read, Options(text, vectors, seed=seed), len_)
    if for_screen(to):
        from ..render.figure.masks import mask_picture

        environment.stdout().print(mask_picture(drawn, chosen))
        return
    name = files.format_of(to.output, to.format, pictures=FIGURES)
    if name not in FIGURES:
        emit(drawn, to, drawing=drawing)
        return
    from ..render.figure.figure import save
    from ..render.figure.masks import mask_figure

    deliver([save(mask_figure(drawn, chosen), name)], name, to)


def _drawn(specs: tuple[str, ...], read: Input, options: Options, n: int | None) -> Attention:
    from ..sources.masks import drawn
    from .io.inputs import is_given, read_input, where_from

    options = dataclasses.replace(options, scoring=Scoring(mask=specs), positions=Positions())
    data = read_input(read) if is_given(read) else None
    return drawn(data, options, n, where=where_from(read))
