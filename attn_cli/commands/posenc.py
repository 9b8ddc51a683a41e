"""`attn posenc`: positional encodings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .io.choices import Registered, completion, explain
from .io.options import Appearance, NumbersOutput, Output

if TYPE_CHECKING:
    from ..records.series import Series
    from ..render.look import Look

KINDS = Registered(("variants.posenc:POSENCS",))
VIEWS = Registered(("variants.posenc:VIEWS",))


def posenc(
    drawing: Appearance,
    to: NumbersOutput,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            callback=explain(KINDS),
            autocompletion=completion(KINDS),
            help="Encoding (default: sinusoidal); 'help' lists all.",
        ),
    ] = "sinusoidal",
    len_: Annotated[
        int | None,
        typer.Option("--len", metavar="N", min=1, help="Number of positions (default: 128; learned: all)."),
    ] = None,
    dim: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Width (default: 64; learned: all).")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Model whose learned positions to show (see attn models)."),
    ] = None,
    view: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            callback=explain(VIEWS),
            autocompletion=completion(VIEWS),
            help="View: heatmap, curves, similarity or wavelengths (default: heatmap).",
        ),
    ] = "heatmap",
) -> None:
    """Tabulate a positional encoding: PE(pos, 2i) = sin(pos / 10000^(2i/d)), PE(pos, 2i+1) = cos of the same.

    \b
    attn posenc --len 128 --dim 512 > pe.tsv
    attn posenc rope --view wavelengths
    attn posenc --len 128 --dim 512 -o pe.png

    Without --output a terminal gets a table and a pipe gets TSV: pos, and a column for each dimension.
    """
    from .. import files
    from ..records.series import Series
    from ..render import FIGURES
    from ..sources.positions import tabulated
    from .io.output import check, emit, look

    check(to, files.FORMATS, FIGURES, drawing=drawing)
    chosen = look(drawing)
    seen = tabulated(kind, len_, dim, model, view)
    if isinstance(seen, Series):
        _emit_series(seen, to, drawing, chosen)
    else:
        emit(seen, to, drawing=drawing, look=chosen)


def _emit_series(series: Series, to: Output, drawing: Appearance, chosen: Look) -> None:
    from .. import files
    from ..render import FIGURES
    from .io.environment import environment
    from .io.options import digits_of
    from .io.output import deliver, for_screen, refuse_look

    if for_screen(to):
        from ..render.terminal.series import series_table

        environment.stdout().print(series_table(series, digits_of(to)))
        return
    name = files.format_of(to.output, to.format, formats=("tsv",), pictures=FIGURES)
    if name == "tsv":
        refuse_look(drawing, name)
        deliver(files.with_digits(files.series_tsv, digits_of(to), name)(series), name, to)
        return
    from ..render.figure.figure import draw, save

    deliver([save(draw(series, chosen), name)], name, to)
