"""What a terminal can show: its width, its colours, the characters of its encoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from rich.text import Text

from ..labels import label, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, ConsoleOptions

PLAIN, QUIET, STRONG = Style(), Style(dim=True), Style(bold=True)
_SPELLINGS = str.maketrans({"…": "..", "␣": "_", "·": "-", "×": "x", "−": "-", "‹": "<", "›": ">"})


@dataclass(frozen=True)
class Screen:
    """How much room there is, and with what it can be filled."""

    width: int
    colours: bool
    encoding: str = "utf-8"
    height: int = 10_000  # lines of the window, where there is one
    is_window: bool = False

    @classmethod
    def of(cls, console: Console, options: ConsoleOptions) -> Screen:
        """The screen that a console writes to."""
        # Of 16 colours most shades would be the same: characters tell more apart.
        colours = console.color_system in ("256", "truecolor") and not console.no_color
        is_window = console.is_terminal and console.file.isatty()  # colours may be forced into a pipe
        height = console.height if is_window else cls.height
        return cls(options.max_width, colours, options.encoding, height, is_window)

    def can_show(self, text: str) -> bool:
        """Whether the encoding has these characters."""
        return self.spelled(text) == text

    def spelled(self, text: str) -> str:
        r"""The text with what the encoding lacks put in plain characters, or spelled as its code.

        >>> Screen(80, True, "ascii").spelled("a… 注")
        'a.. \\u6ce8'
        """
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError:
            text = text.translate(_SPELLINGS)
            return text.encode(self.encoding, "backslashreplace").decode(self.encoding)
        return text

    def label(self, token: str, longest: int) -> str:
        """A token as a label of at most so many cells."""
        return shorten(self.spelled(label(token, 4 * longest)), longest, self.spelled("…"))


def padded(text: str, width: int, align: str = "left") -> str:
    """The text filled up with spaces to a width in cells.

    >>> padded("注意", 6, "right") + "|"
    '  注意|'
    """
    space = " " * max(0, width - cell_len(text))
    if align == "center":
        return space[: len(space) // 2] + text + space[len(space) // 2 :]
    return space + text if align == "right" else text + space


def line(*parts: tuple[str, Style]) -> Text:
    """One line of text from styled parts, taken as they are."""
    text = Text(no_wrap=True, overflow="ignore", end="\n")
    for part, style in parts:
        text.append(part, style)
    return text


def ground(rgb: Iterable[int], written: Iterable[int] | None = None) -> Style:
    """A style with this background, and a colour for what is written on it."""
    return Style(bgcolor=_colour(rgb), color=None if written is None else _colour(written))


def ink(rgb: Iterable[int]) -> Style:
    """A style with this colour for what is written."""
    return Style(color=_colour(rgb))


def _colour(rgb: Iterable[int]) -> Color:
    return Color.from_rgb(*(int(part) for part in rgb))
