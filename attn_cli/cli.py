"""The Typer app: knows the commands by name, and turns what goes wrong into one line and an exit code."""

from __future__ import annotations

import enum
import errno
import importlib.util
import os
import re
import sys
import traceback
import warnings
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from . import __version__
from .commands.io import processes
from .commands.io.environment import environment
from .commands.io.signature import Common, ReaderLeft, command
from .commands.io.values import read_plainly
from .errors import LONGEST, AttnNote, AttnWarning, InputError, shortened
from .registry import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# In the order of the help. Each is a function of its own name in a module of its own name, imported when
# it is called for: `attn --help` should not wait for numpy.
COMMANDS = (
    "encode",
    "attend",
    "heatmap",
    "stats",
    "diff",
    "explain",
    "steps",
    "mask",
    "record",
    "posenc",
    "check",
    "lab",
    "train-toy",
    "models",
)


class ExitCode(enum.IntEnum):
    """What the shell sees."""

    DONE = 0
    NO = 1  # the answer is "no"
    BAD_INPUT = 2
    INTERRUPTED = 130


class Command(TyperCommand):
    """A command whose help has a section for each group of options, its own first."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """What was typed; what is wrong with it names this command, as Typer leaves out for a missing value."""
        read_plainly(self.get_params(ctx))
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as problem:
            problem.ctx = getattr(problem, "ctx", None) or ctx  # type: ignore[attr-defined]
            raise

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Arguments, then options under their titles, in the order of the signature."""
        from .commands.io.rare import is_rare

        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            if (record := parameter.get_help_record(ctx)) is None:
                continue
            if is_rare(parameter.name, ctx.info_name) and not environment.rare:
                continue
            own = "Arguments" if parameter.param_type_name == "argument" else "Options"
            title = getattr(parameter, "rich_help_panel", None) if own == "Options" else own
            said = _TYPE.sub("", record[0]), _RANGE.sub("", record[1])
            sections.setdefault(title or _always(parameter) or own, []).append(said)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


_TYPE = re.compile(r" <[\w\[\]]+>$")  # Typer's type of an argument, as <list[str]>
_RANGE = re.compile(r"\s*\[[^][]*x[^][]*\]$")  # limits of a number, which an error names


def _always(parameter: Any) -> str | None:
    return Common.TITLE if parameter.name == "help" else None


class Commands(TyperGroup):
    """A group whose commands are imported when they are asked for."""

    names: ClassVar[Sequence[str]] = COMMANDS
    room: ClassVar[str] = "attn_cli.commands"

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """What was typed before the name of a command."""
        read_plainly(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Their names, without importing one."""
        return list(self.names)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command of that name, ready to parse its options."""
        if cmd_name not in self.names:
            return None
        function = _function(self.room, cmd_name)
        settings = {**_HELP_NAMES, **getattr(function, "CONTEXT", {})}
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        if names := getattr(function, "COMMANDS", ()):  # a command with commands of its own
            inner = type("Inner", (Commands,), {"names": names, "room": f"{function.__module__}_commands"})
            app.callback(cls=inner, invoke_without_command=True, context_settings=settings)(command(function))
        else:
            app.command(cmd_name, cls=Command, context_settings=settings)(command(function))
        return typer.main.get_command(app)

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Find the command, or say which there are."""
        if args[0] not in self.names and not args[0].startswith("-"):
            if args[0] in ("list", "ls"):
                raise InputError(
                    f"no command {args[0]!r}", hint=f"{ctx.command_path} by itself lists what there is"
                )
            raise InputError(
                f"no command {args[0]!r}",
                hint=f"the commands are {', '.join(self.names)}{nearest(args[0], list(self.names))}",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """The list in the help, from the docstrings."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(self.room, name)) for name in self.names])
        for name in self.names if environment.rare and ctx.parent is not None else ():  # --help-all
            inner = self.get_command(ctx, name)
            own = inner.make_context(name, [], parent=ctx, resilient_parsing=True)
            formatter.write_paragraph()
            formatter.write_text(f"{ctx.command_path} {name}")
            inner.format_options(own, formatter)


def _function(room: str, name: str) -> Callable[..., None]:
    module = name.replace("-", "_")
    function: Callable[..., None] = getattr(importlib.import_module(f"{room}.{module}"), module)
    return function


def _summary(room: str, name: str) -> str:
    """The first line of a command's docstring, from its compiled module, which need not run for that."""
    module = name.replace("-", "_")
    loader: Any = importlib.util.find_spec(f"{room}.{module}").loader  # type: ignore[union-attr]
    constants = loader.get_code(f"{room}.{module}").co_consts
    said = next(one.co_consts[0] for one in constants if getattr(one, "co_name", "") == module)
    return str(said or "").strip().partition("\n")[0]


def _spelt(name: str) -> str:
    """American spellings are understood too."""
    return {"normalize": "normalise", "colour": "color"}.get(name, name)


_HELP_NAMES = {"help_option_names": ["-h", "--help"], "token_normalize_func": _spelt}
app = typer.Typer(cls=Commands, rich_markup_mode=None, context_settings=_HELP_NAMES)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"attn {__version__}")
        raise typer.Exit


@app.callback()
@command
def attn(
    version: Annotated[
        bool,
        typer.Option("--version", "-v", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Compute attention exactly, and show it: as a table, as numbers in a pipe, as a picture.

    Try: attn heatmap --text "The cat sat on the mat because it was tired"
    """


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    _speak_plainly()
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["help"]:  # attn help, attn help heatmap
        argv = [*argv[1:], "--help"]
    try:
        code = app(argv or ["--help"], prog_name="attn", standalone_mode=False) or ExitCode.DONE
        sys.stdout.flush()
    except (ReaderLeft, BrokenPipeError):
        code = ExitCode.DONE
        _drop(sys.stdout)
    except SystemExit as left:  # of Typer itself, whose 1 for a reader that left is not ours
        if not isinstance(left.__context__, BrokenPipeError):
            raise
        code = ExitCode.DONE
        _drop(sys.stdout)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except Exception as problem:
        code = ExitCode.BAD_INPUT
        if environment.debug:
            traceback.print_exc()
        if processes.is_first_to_fail():
            _print_line("error", _explain(problem))
        _drop(sys.stdout)
    sys.exit(int(code))


def _explain(problem: Exception) -> str:
    """One line for any exception; those that nobody expected ask to be reported."""
    if isinstance(problem, InputError):
        return str(problem)
    if isinstance(problem, typer.TyperException):
        context = getattr(problem, "ctx", None)
        path = context.command_path if context else "attn"
        return f"{_of_others(problem) or problem.format_message().rstrip('.')}; see '{path} --help'"
    if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
        return f"{problem.filename or 'standard output'}: no space left; free some and run this again"
    if isinstance(problem, OSError):
        return f"{problem.filename or 'standard output'}: {problem.strerror or problem}"
    if isinstance(problem, MemoryError):
        return "not enough memory; give a shorter input"
    kind = type(problem).__name__
    return f"unexpected {kind}: {problem}; --debug shows where, please report it"


def _of_others(problem: typer.TyperException) -> str:
    """Of an option that this command lacks, which commands have it; nothing where none has."""
    option, context = getattr(problem, "option_name", None), getattr(problem, "ctx", None)
    if option is None or context is None or context.parent is None or _has(context.command, option):
        return ""
    group = context.find_root().command
    having = [name for name in group.list_commands(context) if _has(group.get_command(context, name), option)]
    if not having:
        return ""
    return f"{context.command_path} has no option {option}, which {', '.join(having)} {'has' if len(having) == 1 else 'have'}"


def _has(command: Any, option: str) -> bool:
    return any(option in parameter.opts for parameter in command.params)


def _speak_plainly() -> None:
    """Remarks become single lines on stderr, each said once; libraries' own warnings are for --debug."""
    said: set[tuple[type[Warning], str]] = set()
    warnings.simplefilter("ignore")
    warnings.simplefilter("always", AttnWarning)

    def show(message: Warning | str, category: type[Warning], *_: Any) -> None:
        if not environment.quiet and (category, str(message)) not in said:
            said.add((category, str(message)))
            _print_line("note" if issubclass(category, AttnNote) else "warning", str(message))

    warnings.showwarning = show  # type: ignore[assignment]
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller (`>&-`): what is written fails, as it should
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDONLY), "w"))
        if hasattr(stream := getattr(sys, name), "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a GBK terminal must not end the command


_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")


def _print_line(kind: str, text: str) -> None:
    # A file's name may hold what acts on a terminal.
    line = _CONTROLS.sub(lambda c: f"\\u{ord(c[0]):04x}", " ".join(text.split("\n")))
    try:
        print(shortened(f"attn: {kind}: {line}", LONGEST), file=sys.stderr, flush=True)
    except OSError:
        _drop(sys.stderr)  # nobody can hear it


def _drop(stream: Any) -> None:
    """Point a stream nowhere, so that the interpreter's last flush of it cannot fail."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError, AttributeError):
        return
