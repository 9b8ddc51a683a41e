"""A command's groups of options, spread over its signature as Typer reads it, and what every command understands.

`attn --help` loads this and no group of options, of which there are many.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_type_hints

import typer

from ...errors import InputError
from .environment import environment

if TYPE_CHECKING:
    from collections.abc import Callable


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
    if not hasattr(group, "TITLE"):  # a group of `sources/`, which knows nothing of the command line
        from .source_options import parameters_of

        return parameters_of(group)
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
        from ...errors import about
        from ...files import memory

        with about("--max-memory"):
            memory.limit_memory(memory.parse_size(max_memory))
