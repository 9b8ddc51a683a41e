"""A text of one's own, line by line, and its lines as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InputError
from .examples import within

if TYPE_CHECKING:
    from collections.abc import Iterator


class LineError(InputError):
    """What is wrong in a line of a text; whoever knows the name of its file says so with `at`."""

    def __init__(self, what: str, *, hint: str, line: int) -> None:
        super().__init__(what, hint=hint, where=f"line {line}")
        self.line = line

    def at(self, where: str) -> InputError:
        """The same error, in this line of that file.

        >>> print(LineError("no tab", hint="write one", line=3).at("pairs.tsv"))
        pairs.tsv:3: no tab; write one
        """
        return InputError(self.what, hint=self.hint, where=f"{where}:{self.line}")


def lines(text: str, skip: int = 0) -> Iterator[tuple[int, str]]:
    r"""The lines after the first `skip`, with their numbers.

    Only `\n` ends a line, as in an editor: `str.splitlines` would also cut at characters that a sentence may
    hold, such as U+2028, and count lines that nobody sees.

    >>> list(lines("LEFT\tRIGHT\na\u2028b\tc", skip=1))
    [(2, 'a\u2028b\tc')]
    """
    within("skip", skip, 0)
    numbered = enumerate(text.replace("\r\n", "\n").split("\n"), start=1)
    return ((number, line) for number, line in numbered if number > skip)


def rows(text: str, skip: int, form: str, *, cuts: int = -1) -> list[tuple[str, str]]:
    r"""The first two columns of each line that is not blank, each such pair once.

    Tabs stand between columns; with `cuts=1` only the first of them cuts, and all that follows is the second
    column. Raises LineError where one of the two is missing, and says that `form` is wanted.

    >>> rows("a \t b\tc\n\n", 0, "LEFT<tab>RIGHT"), rows("a\tb\tc", 0, "LABEL<tab>TEXT", cuts=1)
    ([('a', 'b')], [('a', 'b\tc')])
    """
    found = []
    for number, line in lines(text, skip):
        first, second, *_ = [*(column.strip() for column in line.split("\t", cuts)), ""]
        if first and second:
            found.append((first, second))
        elif line.strip():
            raise LineError(
                "this line is not two columns separated by a tab", hint=f"give {form}", line=number
            )
    return list(dict.fromkeys(found))
