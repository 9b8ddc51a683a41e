"""`attn heatmap`: attention to a picture."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from .io.options import Drawing, Output, Source  # noqa: TC001 (Typer reads the annotations)

if TYPE_CHECKING:
    from ..records.attention import Attention


def heatmap(source: Source, drawing: Drawing, to: Output) -> None:
    """Draw attention as a picture with token labels, one panel per head.

    INPUT is text, an encoding, vectors, or what another command wrote. Without --output the picture goes to
    INPUT's name with .png in the current folder, its path is printed, and a terminal shows it too.
    """
    from ..render import PICTURES
    from ..text.escaping import escape
    from .io.environment import environment
    from .io.output import emit
    from .io.resolve import resolve

    attention = resolve(source, default_model="mini")
    wanted = to.format or "png"
    if to.output is not None or wanted not in PICTURES or (to.format and not environment.to_terminal):
        to = to if to.output or to.format else dataclasses.replace(to, format="png")
        emit(attention, to, drawing=drawing)
        return
    path = f"{_stem(source)}.{wanted}"
    emit(attention, dataclasses.replace(to, output=path), drawing=drawing)
    if environment.pictures:
        _print_picture(attention, drawing)
    print(escape(path) if environment.to_terminal else path)


def _stem(source: Source) -> str:
    named = source.input or source.weights or source.query
    return (
        "attention" if named in (None, "-") else os.path.splitext(os.path.basename(named))[0] or "attention"
    )


def _print_picture(attention: Attention, drawing: Drawing) -> None:
    from ..render.terminal.terminal import attention_picture
    from .io.environment import environment
    from .io.output import look

    environment.stdout().print(attention_picture(attention, look(drawing)))
