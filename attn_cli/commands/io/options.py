"""Options of pictures and output that several commands share: same name, default and meaning everywhere.

A group is a frozen dataclass. A command takes the group as one parameter, and its fields are spread over the
command line (`signature.py`).
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, ClassVar

import typer

from .choices import Registered, completion, explain


@dataclasses.dataclass(frozen=True)
class Appearance:
    """What any figure looks like."""

    TITLE: ClassVar = "Look of the picture"
    title: Annotated[str, typer.Option(metavar="TEXT", help="Title of the picture or page.")] = ""
    cmap: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=explain(Registered(("render.look:CMAPS",))),
            autocompletion=completion(Registered(("render.look:CMAPS",))),
            help="Colour map: paper, ember, viridis, … (default: paper; night on dark); 'help' lists all.",
        ),
    ] = None
    color_scale: Annotated[
        str,
        typer.Option(
            metavar="shared|panel|log",
            callback=explain(Registered(("render.look:COLOUR_SCALES",))),
            autocompletion=completion(Registered(("render.look:COLOUR_SCALES",))),
            help="Colour scale: shared by all panels, one per panel, or logarithmic (default: shared).",
        ),
    ] = "shared"
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Width and height in inches (default: fit the content)."),
    ] = None
    font_size: Annotated[
        float | None,
        typer.Option(metavar="PT", min=1, help="Font size in points (default: 8; slides 16)."),
    ] = None
    columns: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Panels per row (default: as many as fit)."),
    ] = None
    dpi: Annotated[
        int | None,
        typer.Option(metavar="N", min=36, max=1200, help="Pixels per inch (default: 216; slides 144)."),
    ] = None
    style: Annotated[
        str,
        typer.Option(
            metavar="paper|slide|dark",
            callback=explain(Registered(("render.look:STYLES",))),
            autocompletion=completion(Registered(("render.look:STYLES",))),
            help="Print, 16:9 slides, dark ground (default: paper).",
        ),
    ] = "paper"
    font: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE", help="Preferred font; missing characters fall back to other fonts."
        ),
    ] = None
    text_as: Annotated[
        str,
        typer.Option(
            metavar="text|outlines",
            callback=explain(Registered(("render.look:TEXTS",))),
            autocompletion=completion(Registered(("render.look:TEXTS",))),
            help="Draw letters in SVG as text or as outlines (default: text).",
        ),
    ] = "text"
    no: Annotated[
        str | None,
        typer.Option(
            metavar="PART,…",
            callback=explain(Registered(("render.look:PARTS",))),
            autocompletion=completion(Registered(("render.look:PARTS",))),
            help="Omit title, provenance, colorbar, numbers or strips; 'help' lists all.",
        ),
    ] = None


def pool_option() -> Any:
    """What cells show of several weights, for pictures and tables."""
    pools = Registered(("render.look:POOLS",))
    return typer.Option(
        metavar="mean|max",
        callback=explain(pools),
        autocompletion=completion(pools),
        help="Where weights share a cell, show their mean or the largest (default: mean).",
    )


@dataclasses.dataclass(frozen=True)
class Drawing(Appearance):
    """What a figure of an attention looks like."""

    TITLE: ClassVar = "Look of the picture"
    view: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=explain(Registered(("render.views:VIEWS",))),
            autocompletion=completion(Registered(("render.views:VIEWS",))),
            help="map, lines, tokens, grid or image (default: map); 'help' lists all.",
        ),
    ] = None
    pool: Annotated[str | None, pool_option()] = None


@dataclasses.dataclass(frozen=True)
class Output:
    """Where results go."""

    TITLE: ClassVar = "Output"
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="PATH", help="Output file; its suffix chooses the format."),
    ] = None
    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="tsv csv tidy json npz safetensors npy md tex, or a picture: png svg pdf html.",
        ),
    ] = None


@dataclasses.dataclass(frozen=True)
class NumbersOutput(Output):
    """Where results go that hold numbers which people may read, and how many digits these have."""

    digits: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=17,
            help="Digits of numbers in tables, 0 for all (default: 4 for people, all for machines).",
        ),
    ] = None


def table_formats() -> Any:
    """The option that chooses the format of a table, or of a picture of it."""
    return typer.Option(metavar="NAME", help="tsv csv json md tex, or a picture: png svg pdf html jpg.")


@dataclasses.dataclass(frozen=True)
class TableOutput(Output):
    """Where a table goes that is no record."""

    format: Annotated[str | None, table_formats()] = None


@dataclasses.dataclass(frozen=True)
class TableNumbersOutput(NumbersOutput):
    """Where a table of numbers goes that is no record."""

    format: Annotated[str | None, table_formats()] = None


def digits_of(to: Output) -> int | None:
    """How many digits were asked for, where they can be."""
    return to.digits if isinstance(to, NumbersOutput) else None
