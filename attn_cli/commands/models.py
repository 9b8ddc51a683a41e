"""`attn models`: what `--model` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .io.environment import environment

if TYPE_CHECKING:
    from collections.abc import Sequence


def models(
    directory: Annotated[
        str | None, typer.Argument(metavar="DIR", help="Model directory to describe.")
    ] = None,
) -> None:
    """List the models that --model reads, or describe DIR: family, layers, heads, sizes, limit.

    A terminal gets a table and a pipe gets TSV. Weights are not read, and nothing in DIR is executed.
    """
    from .. import models as known

    if directory is None:
        _show(("model_type", "family", "reads"), known.readable())
    else:
        _show(("what", "value"), list(known.describe(directory).items()))


def _show(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if environment.to_terminal:
        from rich.table import Table
        from rich.text import Text

        table = Table(*columns)
        for row in rows:
            table.add_row(*map(Text, row))
        environment.stdout().print(table)
    else:
        lines = ["\t".join(row) + "\n" for row in (columns, *rows)]
        environment.write(["".join(lines).encode("utf-8", "surrogateescape")])
