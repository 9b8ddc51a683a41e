"""What surrounds a command: its streams, and how much it should say."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable  # noqa: TC003 (a field of a dataclass)
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console


@dataclass
class Environment:
    """Where output goes and in what form; the options of every command set it once."""

    color: str = "auto"
    quiet: bool = False
    debug: bool = False
    help: Callable[[], str] = lambda: ""  # of the command that runs
    rare: bool = False  # whether help lists rare options too
    collecting: tuple[int, int, int] | None = (
        None  # when Python looks for garbage, where `attn` does so more rarely
    )

    @property
    def to_terminal(self) -> bool:
        """Whether a person looks at stdout."""
        return sys.stdout.isatty()

    @property
    def pictures(self) -> bool:
        """Whether a picture may go to stdout: to a terminal, or wherever colour was asked for outright."""
        forced = self.color == "auto" and bool(os.environ.get("FORCE_COLOR"))
        return self.to_terminal or self.color == "always" or forced

    def help_a_person(self) -> None:
        """To someone at a terminal who typed the command alone, show its help, and end."""
        if sys.stdin is None or sys.stdin.isatty():
            self.show_help()

    def show_help(self) -> NoReturn:
        """Show the help of a command that cannot do anything with what was typed, and end."""
        print(self.help(), file=sys.stderr)
        raise typer.Exit(2)

    def stdout(self) -> Console:
        """A Rich console for results."""
        return self._console(stderr=False)

    def stderr(self) -> Console:
        """A Rich console for progress and everything that is not the result."""
        return self._console(stderr=True)

    def _console(self, *, stderr: bool) -> Console:
        from rich.console import Console

        # Rich reads NO_COLOR and FORCE_COLOR itself; the option goes before both.
        forced = {"always": True, "never": None, "auto": None}[self.color]
        no_color = {"always": False, "never": True, "auto": None}[self.color]
        return Console(
            stderr=stderr,
            force_terminal=forced,
            no_color=no_color,
            highlight=False,
            markup=False,
            emoji=False,
            quiet=stderr and self.quiet,
        )

    def write(self, chunks: Iterable[bytes]) -> None:
        """Write bytes to stdout as they are, whatever the locale."""
        out = sys.stdout.buffer
        for chunk in chunks:
            out.write(chunk)
        out.flush()


environment = Environment()
