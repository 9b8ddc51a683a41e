"""`attn encode`: text to tokens and vectors."""

from __future__ import annotations

from .io.options import Output, Text  # noqa: TC001 (Typer reads the annotations)


def encode(text: Text, to: Output) -> None:
    """Turn text into tokens and vectors.

    The whole input is one sequence; line breaks count as spaces. Without --output a terminal gets a table
    and a pipe gets TSV: pos, token, and a column for each number.
    """
    from .io.inputs import resolve_encoding
    from .io.output import emit

    emit(resolve_encoding(text), to)
