"""Options that several commands share, each declared once: same name, default and meaning everywhere.

A group is a frozen dataclass. A command takes the group as one parameter, and `command` spreads its fields
over the command line.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_type_hints

import typer

from ...errors import InputError
from .choices import Registered, completion, explain
from .environment import environment
from .source_options import DESCRIBED, OPTIONS, TITLES, Input, Said, Through

if TYPE_CHECKING:
    from collections.abc import Callable


# Options that --help-all alone lists: everywhere, and in commands that are seldom used with them.
RARE = (
    "max_memory",
    "pool",
    "color_scale",
    "dpi",
    "font",
    "font_size",
    "columns",
    "digits",
    "text_as",
    "no",
    "debug",
    "color",
)
RARE_IN = {
    "heatmap": ("film", "query", "key", "value", "project", "score", "posenc", "tokenizer", "embed", "dim", "seed", "heads", "special", "live", "lang"),
    "stats": (
        "query", "key", "value", "project", "score", "posenc", "tokenizer", "embed", "dim", "seed", "heads", "special", "mask",
        "weights", "query_token", "reduce", "clusters", "resume", "target", "cmap", "size", "style", "title",
    ),
    "diff": (
        "project", "score", "posenc", "tokenizer", "embed", "dim", "seed", "heads", "special", "mask", "weights", "query_token",
        "reduce", "target", "cmap", "size", "style", "title", "words",
    ),
    "train-toy": ("title", "cmap", "size", "style"),
    "mask": ("query", "key", "value", "project", "heads", "tokenizer", "embed", "dim", "seed"),
    "steps": ("model", "kind", "target", "special", "weights", "words", "query_token", "layer", "head"),
    "check": ("tokenizer", "embed", "dim", "score", "seed", "layer", "len_"),
    "explain": ("kind", "special", "size", "style", "title", "cmap", "columns"),
    "attend": ("kind", "target", "special", "weights", "words", "query_token", "layer", "head", "seed"),
}  # fmt: skip


# Rare elsewhere, and what these commands are about.
COMMON_IN = {"explain": ("toward", "without")}


class ReaderLeft(Exception):  # noqa: N818 (nothing went wrong)
    """Whoever read our standard output has seen enough (`attn … | head -1`)."""


def _show_all(ctx: typer.Context, wanted: bool) -> None:
    if wanted:
        environment.rare = True
        print(ctx.get_help())
        raise typer.Exit


@dataclasses.dataclass(frozen=True)
class Common:
    """What every command understands."""

    TITLE: ClassVar = "Always"
    color: Annotated[
        str,
        typer.Option(
            metavar="auto|always|never", help="Colour in the terminal (default: auto); NO_COLOR works too."
        ),
    ] = "auto"
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors on stderr.")] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False
    max_memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Memory that reading may take, as 2G (default: half of the machine's)."
        ),
    ] = None
    help_all: Annotated[
        bool, typer.Option("--help-all", is_eager=True, callback=_show_all, help="Show all options.")
    ] = False


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


def digits_of(to: Output) -> int | None:
    """How many digits were asked for, where they can be."""
    return to.digits if isinstance(to, NumbersOutput) else None


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Spread a function's option groups over its signature, for Typer, and add the common options."""
    groups: dict[str, list[Any]] = {}
    parameters = [inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        if dataclasses.is_dataclass(parameter.annotation):
            groups[parameter.name] = parts = parts_of(parameter.annotation)
            parameters += [one for part in parts for one in _fields(part)]
        else:
            for option in parameter.annotation.__metadata__:
                option.show_default = False
            parameters.append(parameter.replace(kind=parameter.KEYWORD_ONLY))

    @functools.wraps(function)
    def run(ctx: typer.Context, **given: Any) -> None:
        environment.help = ctx.get_help
        _refuse_nothing(ctx, given)
        _surround(**{name: given.pop(name) for name in ("color", "quiet", "debug", "max_memory")})
        del given["help_all"]
        if ctx.invoked_subcommand is not None and ctx.parent is not None:
            return  # a command with commands of its own says nothing when one of these is called
        for name, parts in groups.items():
            given[name] = _grouped(function, name, parts, given)
        try:
            function(**given)
            sys.stdout.flush()
        except BrokenPipeError:  # Typer would make this an error
            raise ReaderLeft from None

    run.__signature__ = inspect.Signature([*parameters, *_fields(Common)])  # type: ignore[attr-defined]
    run.__annotations__ = {}
    del run.__wrapped__
    return run


def parts_of(group: Any) -> list[Any]:
    """The groups that a group is made of: itself, or those that are its fields, as a command's `Source` has them."""
    hints = get_type_hints(group)
    inner = [hints[f.name] for f in dataclasses.fields(group)]
    return inner if all(map(dataclasses.is_dataclass, inner)) else [group]


def _grouped(function: Callable[..., None], name: str, parts: list[Any], given: dict[str, Any]) -> Any:
    """An option group, made of what was typed."""
    made = [
        part(**{f.name: _settled(given.pop(f.name), f.default) for f in dataclasses.fields(part)})
        for part in parts
    ]
    whole = inspect.signature(function, eval_str=True).parameters[name].annotation
    return made[0] if parts == [whole] else whole(*made)


def _settled(value: Any, default: Any) -> Any:
    """Several values as a group holds them: none are an empty tuple."""
    return tuple(value or ()) if default == () else value


def _fields(group: Any) -> list[inspect.Parameter]:
    """A group's options as parameters, each told under which title of the help it belongs."""
    if group in TITLES or group in (Input, Through):
        title = TITLES.get(group) or group.TITLE
        described = DESCRIBED.get(group, OPTIONS)
        return [_parameter(f, title, described[f.name]) for f in dataclasses.fields(group)]
    hints = get_type_hints(group, include_extras=True)
    parameters = []
    for f in dataclasses.fields(group):
        for option in hints[f.name].__metadata__:
            option.rich_help_panel, option.show_default = group.TITLE, False
        parameters.append(
            inspect.Parameter(
                f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name]
            )
        )
    return parameters


def _parameter(f: dataclasses.Field[Any], title: str, said: Said) -> inspect.Parameter:
    """An option of `sources/` as Typer takes it: its default is the group's, all else what the table says."""
    how: dict[str, Any] = {
        "metavar": said.metavar or None,
        "help": said.help,
        "rich_help_panel": title,
        "show_default": False,
    }
    if said.min is not None:
        how |= {"min": said.min, "max": said.max}
    if said.choices is not None:
        how |= {"callback": explain(said.choices), "autocompletion": completion(said.choices)}
    option = typer.Argument(**how) if f.name == "input" else typer.Option(*_spelling(f.name, said), **how)
    default = None if f.default == () else f.default
    return inspect.Parameter(
        f.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[said.kind, option]
    )


def _spelling(name: str, said: Said) -> tuple[str, ...]:
    return (f"--{name.replace('_', '-')}",) if said.kind is bool else ()


def is_rare(name: str | None, command: str | None) -> bool:
    """Whether an option is listed by --help-all alone."""
    if name in COMMON_IN.get(command or "", ()):
        return False
    return name in (*RARE, *RARE_IN.get(command or "", ())) or (name in OPTIONS and OPTIONS[name].rare)


def _refuse_nothing(ctx: typer.Context, given: dict[str, Any]) -> None:
    """An empty text is seldom meant, as a shell makes one of a variable that is not set: say so."""
    for parameter in ctx.command.params:
        value = given.get(parameter.name or "")
        if (value == "" or (isinstance(value, list) and "" in value)) and parameter.name not in _MAY_BE_EMPTY:
            name = (
                parameter.opts[0]
                if parameter.param_type_name == "option"
                else (parameter.metavar or "").strip("[].")
            )
            raise InputError(f"{name} ''", hint="give a value, or leave it out")


_MAY_BE_EMPTY = ("text", "pair", "target", "title", "program")


def _surround(color: str, quiet: bool, debug: bool, max_memory: str | None) -> None:
    """Common options count wherever they stand: before the command, after it, or both."""
    if color not in ("auto", "always", "never"):
        raise typer.BadParameter(f"--color {color!r}; give auto, always or never")
    if color != "auto":
        environment.color = color
    environment.quiet |= quiet
    environment.debug |= debug
    if max_memory is not None:
        from ...files import memory

        memory.limit_memory(memory.parse_size(max_memory))
