"""`attn posenc`: positional encodings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import Output, lists

if TYPE_CHECKING:
    from ..posenc import Series


def posenc(
    to: Output,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", callback=lists("posenc", "POSENCS"), help="A spec; 'help' lists them."
        ),
    ] = "sinusoidal",
    len_: Annotated[int, typer.Option("--len", metavar="N", min=1, help="Number of positions.")] = 128,
    dim: Annotated[int, typer.Option(metavar="N", min=1, help="Numbers per position.")] = 64,
    view: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            callback=lists("posenc", "VIEWS"),
            help="heatmap (all numbers), curves, similarity or wavelengths; 'help' lists them.",
        ),
    ] = "heatmap",
) -> None:
    """Tabulate a positional encoding: PE(pos, 2i) = sin(pos / 10000^(2i/d)), PE(pos, 2i+1) = cos of the same.

    Without --output a terminal gets a table and a pipe gets TSV: pos, and a column for each dimension.
    """
    from ..posenc import POSENCS, VIEWS, Series
    from .output import emit

    seen = VIEWS.parse(view)(kind, POSENCS.parse(kind), len_, dim)
    if isinstance(seen, Series):
        _emit_series(seen, to)
    else:
        emit(seen, to)


def _emit_series(series: Series, to: Output) -> None:
    from .. import files
    from ..render import PICTURES
    from .environment import environment
    from .output import deliver, for_screen

    if for_screen(to):
        from ..render.series import series_table

        environment.stdout().print(series_table(series))
        return
    name = files.format_of(to.output, to.format, formats=("tsv",), pictures=PICTURES)
    if name == "tsv":
        deliver(files.series_tsv(series), name, to)
        return
    from ..render.figure import save
    from ..render.position_views import series_figure

    deliver([save(series_figure(series), name)], name, to)
