"""What Typer sees of a command: the fields of its option groups, spread over its signature."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from ...errors import InputError
from .choices import completion, explain
from .environment import environment
from .options import Common
from .source_options import DESCRIBED, OPTIONS, TITLES, Input, Said, Through

if TYPE_CHECKING:
    from collections.abc import Callable


class ReaderLeft(Exception):  # noqa: N818 (nothing went wrong)
    """Whoever read our standard output has seen enough (`attn … | head -1`)."""


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
