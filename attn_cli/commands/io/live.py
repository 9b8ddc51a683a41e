"""`attn heatmap --live`: the page that runs a model."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from .inputs import is_given, read_inputs
from .output import check, deliver

if TYPE_CHECKING:
    from .options import Drawing, Output
    from .resolve import Source

_MEANT = ("input", "through")  # groups of which a live page takes something


def write_live(source: Source, drawing: Drawing, to: Output, lang: str) -> None:
    """Write the page where the options say; a text, if one is given, is what it opens with.

    Raises InputError for any option that a page with a model of its own does not take.
    """
    from ... import files
    from ...render import PICTURES
    from ...sources.live import live_page

    check(to, files.FORMATS)
    _refuse_others(source, drawing)
    if to.output is None and not to.format:
        to = dataclasses.replace(to, output=files.own_name("live", ".html"))
        print(to.output)
    if (name := files.format_of(to.output, to.format, formats=(), pictures=PICTURES)) != "html":
        raise InputError(f"--live as {name}", hint="give -o NAME.html")
    page = live_page(source.through.model or "mini", text=_text(source), title=drawing.title, lang=lang)
    deliver([page], "html", to)


def _text(source: Source) -> str:
    if not is_given(source.input):
        return ""
    (read, *more) = read_inputs(source.input)
    if more or not isinstance(read.data, str):
        raise InputError("--live with other than one text", hint="give one, or none")
    return read.data


def _refuse_others(source: Source, drawing: Drawing) -> None:
    for f in dataclasses.fields(source):
        group: Any = getattr(source, f.name)
        if f.name not in _MEANT:
            _refuse(group)
    _refuse(drawing, but=("title",))


def _refuse(group: Any, but: tuple[str, ...] = ()) -> None:
    for f in dataclasses.fields(group):
        if f.name not in but and getattr(group, f.name) != f.default:
            option = f"--{f.name.replace('_', '-')}"
            raise InputError(
                f"--live with {option}", hint=f"leave {option} out: the page has its own controls"
            )
