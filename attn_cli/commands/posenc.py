"""`attn posenc`: positional encodings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .io.options import Output, lists

if TYPE_CHECKING:
    from ..records.series import Series
    from ..variants.posenc import PositionEncoding


def posenc(
    to: Output,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", callback=lists("variants.posenc", "POSENCS"), help="A spec; 'help' lists them."
        ),
    ] = "sinusoidal",
    len_: Annotated[
        int | None,
        typer.Option("--len", metavar="N", min=1, help="Number of positions (128, or all that are learned)."),
    ] = None,
    dim: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Numbers per position (64, or as learned).")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Whose positions 'learned' shows; see attn models."),
    ] = None,
    view: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            callback=lists("variants.posenc", "VIEWS"),
            help="heatmap (all numbers), curves, similarity or wavelengths; 'help' lists them.",
        ),
    ] = "heatmap",
) -> None:
    """Tabulate a positional encoding: PE(pos, 2i) = sin(pos / 10000^(2i/d)), PE(pos, 2i+1) = cos of the same.

    Without --output a terminal gets a table and a pipe gets TSV: pos, and a column for each dimension.
    """
    from ..records.series import Series
    from ..variants.posenc import VIEWS, usual_size
    from .io.output import emit

    name, encode = _encoding(kind, model)
    n, width = usual_size(encode)
    seen = VIEWS.parse(view)(name, encode, len_ or n, dim or width)
    if isinstance(seen, Series):
        _emit_series(seen, to)
    else:
        emit(seen, to)


def _encoding(kind: str, model: str | None) -> tuple[str, PositionEncoding]:
    """What a spec means, and what it is called; a model's own table by the name of the model."""
    from .. import files
    from ..variants.posenc import POSENCS

    if model is None:
        return kind, POSENCS.parse(kind, read_arrays=files.read_arrays)
    if kind != "learned":
        raise InputError(f"--model beside {kind}", hint="give attn posenc learned --model DIR")
    from .. import models

    called, table = models.positions(model)
    return f"learned ({called})", POSENCS.parse(kind, given={"file": {"position": table}})


def _emit_series(series: Series, to: Output) -> None:
    from .. import files
    from ..render import PICTURES
    from .io.environment import environment
    from .io.output import deliver, for_screen

    if for_screen(to):
        from ..render.terminal.series import series_table

        environment.stdout().print(series_table(series))
        return
    name = files.format_of(to.output, to.format, formats=("tsv",), pictures=PICTURES)
    if name == "tsv":
        deliver(files.series_tsv(series), name, to)
        return
    from ..render.figure.figure import draw, save

    deliver([save(draw(series), name)], name, to)
