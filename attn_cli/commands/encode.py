"""`attn encode`: text to tokens and vectors."""

from __future__ import annotations

from ..sources.groups import Options, Positions, Seed, Text
from .io.options import NumbersOutput
from .io.source_options import Input


def encode(read: Input, text: Text, positions: Positions, seed: Seed, to: NumbersOutput) -> None:
    """Turn text into tokens and vectors.

    \b
    attn encode --text "The cat sat" --dim 4
    attn encode samples/sentence.txt --posenc sinusoidal | attn attend --heads 4

    The whole input is one sequence; line breaks count as spaces. Without --output a terminal gets a table
    and a pipe gets TSV: pos, token, and a column for each number.
    """
    from .. import files
    from ..sources.resolve import resolve_encoding
    from .io.inputs import read_inputs
    from .io.output import check, emit, head_of, numbered

    check(to, files.FORMATS, no_picture="an encoding has no picture; draw its attention: attn heatmap")
    options = Options(text=text, positions=positions, seed=seed)
    for one in read_inputs(read):
        encoding = resolve_encoding(one.data, options, where=one.where)
        head_of(one, to)
        emit(encoding, numbered(to, one.number))
