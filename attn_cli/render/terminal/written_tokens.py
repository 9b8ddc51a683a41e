"""What a model wrote, in a terminal: a line for each token, with what might have stood in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from .screen import PLAIN, QUIET, STRONG, Screen, line, padded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from ..written_tokens import Step

LONGEST = 16  # cells of a token
MOST = 40  # tokens


@dataclass(frozen=True, eq=False)
class WrittenTokens:
    """The tokens that fit themselves to the screen on which they are printed."""

    steps: Sequence[Step]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines as they look on this console."""
        yield from lines(self.steps, Screen.of(console, options))


def lines(steps: Sequence[Step], screen: Screen) -> Iterator[Text]:
    """A header, and a line for each token as far as there is room."""
    shown = steps[:MOST]
    names = [screen.label(step.token, LONGEST) for step in shown]
    wide = max(len("written"), *map(cell_len, names))
    place = max(len("pos"), len(str(steps[-1].at)))
    yield line()
    yield line((f"{'pos':>{place}} {padded('written', wide)}      p  likeliest", QUIET))
    for step, name in zip(shown, names, strict=True):
        text = line((f"{step.at:>{place}} ", QUIET), (padded(name, wide), STRONG))
        text.append(f" {step.probability:6.3f} ", PLAIN)
        for other, p in step.likeliest:
            said = f" {screen.label(other, LONGEST)} {p:.3f}"
            if text.cell_len + cell_len(said) > screen.width:
                break
            text.append(said, STRONG if other.strip() == step.token.strip() else QUIET)
        yield text
    if len(steps) > MOST:
        yield Text(screen.spelled(f"… {len(steps) - MOST} more"), style=QUIET)
