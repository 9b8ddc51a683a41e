"""Tables for a document, `.md` and `.tex`: rounded, points and columns aligned, one table per layer and head."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..records.attention import Attention, axis_name
from ..records.encoding import Encoding
from ..text.escaping import escape
from .formats import FORMATS
from .rounding import padded, rounder, width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from jaxtyping import Float

    from ..records.attention import Record


@dataclass(frozen=True)
class Printed:
    """One table as a reader sees it: a caption, names for columns and rows, and the numbers."""

    caption: str
    corner: str  # what the rows are named after
    columns: Sequence[str]
    rows: Sequence[str]
    numbers: Float[np.ndarray, "row column"]


@FORMATS.register
def md(record: Record, digits: int = 4) -> Iterator[bytes]:
    """Markdown tables for people, four significant digits, one per layer and head.

    >>> print(b"".join(md(Encoding(("a",), [[0.0, 1 / 3]]))).decode().rstrip())
    | token |      0 |      1 |
    | ----- | -----: | -----: |
    | a     | 0.0000 | 0.3333 |
    """
    for i, table in enumerate(_printed(record)):
        if i:
            yield b"\n"
        if table.caption:
            yield f"{markdown_text(table.caption)}\n\n".encode()
        head, names = map(markdown_text, table.columns), list(map(markdown_text, table.rows))
        layout = _Layout.of([table.corner, *head], names, table.numbers, digits)
        yield markdown_row(padded(layout.head, layout.widths))
        first, *others = layout.widths
        yield markdown_row(["-" * max(first, 3), *(f"{'-' * max(room - 1, 2)}:" for room in others)])
        for name, row in zip(names, table.numbers, strict=True):
            yield markdown_row(padded([name, *map(layout.write, row.tolist())], layout.widths))


@FORMATS.register
def tex(record: Record, digits: int = 4) -> Iterator[bytes]:
    r"""LaTeX tables to \input, four significant digits, one per layer and head; no package is needed.

    >>> list(tex(Encoding(("a",), [[1 / 3]])))[3]
    b'a     & 0.3333 \\\\\n'
    """
    for table in _printed(record):
        yield b"\\begin{table}\n\\centering\n"
        yield f"\\begin{{tabular}}{{l{'r' * len(table.columns)}}}\n".encode()
        head, names = map(tex_text, table.columns), list(map(tex_text, table.rows))
        layout = _Layout.of([table.corner, *head], names, table.numbers, digits, tex_number)
        yield tex_row(padded(layout.head, layout.widths)) + b"\\hline\n"
        for name, row in zip(names, table.numbers, strict=True):
            yield tex_row(padded([name, *map(layout.write, row.tolist())], layout.widths))
        yield f"\\end{{tabular}}\n{_caption(table)}\\end{{table}}\n".encode()


_MOST_MEASURED = 100_000


@dataclass(frozen=True)
class _Layout:
    """How wide the columns of a table are, and how its numbers are written; its cells are made a row at a time."""

    head: Sequence[str]
    widths: Sequence[int]
    write: Callable[[float], str]

    @classmethod
    def of(
        cls,
        head: Sequence[str],
        names: Sequence[str],
        numbers: Float[np.ndarray, "row column"],
        digits: int,
        spelt: Callable[[str], str] = str,
    ) -> _Layout:
        """How wide each column of a table must be, and how its numbers are written."""
        by = rounder(numbers, digits)
        # Of many numbers the least and the greatest tell: formatting all of them twice would take too long.
        ends = (
            numbers
            if numbers.size <= _MOST_MEASURED
            else np.stack([numbers.min(axis=0), numbers.max(axis=0)])
        )
        columns = [max(width(spelt(by(number))) for number in column.tolist()) for column in ends.T]
        widths = [max(map(width, names)), *columns]
        return cls(head, list(map(max, widths, map(width, head))), lambda number: spelt(by(number)))


def _printed(record: Record) -> Iterator[Printed]:
    if isinstance(record, Encoding):
        columns = [str(i) for i in range(record.vectors.shape[1])]
        yield Printed(record.provenance, "token", columns, record.tokens, record.vectors)
        return
    if not isinstance(record, Attention):
        rows, columns = ([str(i) for i in range(n)] for n in record.values.shape)
        yield Printed(record.kind, "pos", columns, rows, record.values)
        return
    corner = "query" if record.show == "weights" else f"{record.unit} of query"
    for layer, heads in zip(record.layers, record.shown, strict=True):
        for head, matrix in zip(record.heads, heads, strict=True):
            place = f"{axis_name('layer', layer)}, {axis_name('head', head)}"
            caption = ": ".join(filter(None, (place, record.provenance)))
            yield Printed(caption, corner, record.key_names, record.query_names, matrix)


def _visible(text: str) -> str:
    """Like `escape`, but a backslash stays single: this is for people, nothing reads it back."""
    return escape(text).replace("\\\\", "\\")


# ---- Markdown ---------------------------------------------------------------------------------------

_MARKDOWN = re.compile(r"[\\`*_~\[\]|$#!]")


def markdown_text(text: str) -> str:
    r"""A text in which nothing is markup, neither Markdown's nor HTML's.

    >>> print(markdown_text("a|b </b>"))
    a\|b &lt;/b&gt;
    """
    marked = _MARKDOWN.sub(r"\\\g<0>", _visible(text))
    return marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def markdown_row(cells: Iterable[str]) -> bytes:
    """One row of a table."""
    return f"| {' | '.join(cells)} |\n".encode()


# ---- LaTeX ------------------------------------------------------------------------------------------

_TEX = str.maketrans(
    {
        **{c: f"\\{c}" for c in "{}$&#%_"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        # After the end of a row a bracket or star would be an option of it, and dashes, quotes, ! and ? join.
        **{c: f"{{{c}}}" for c in "[]*-'`?!\""},
    }
)


def tex_text(text: str) -> str:
    r"""A text in which nothing is a command.

    >>> print(tex_text("50% [CLS]"))
    50\% {[}CLS{]}
    """
    return _visible(text).translate(_TEX)


def tex_number(text: str) -> str:
    r"""A number as LaTeX sets it: plain, in math mode where a minus or an exponent needs it.

    >>> tex_number("0.5"), tex_number("-0.5"), tex_number("1e-09")
    ('0.5', '$-0.5$', '$1\\times10^{-9}$')
    """
    if text.endswith("inf"):
        return "$-\\infty$" if text.startswith("-") else "$\\infty$"
    mantissa, _, exponent = text.partition("e")
    if exponent:
        return f"${mantissa}\\times10^{{{int(exponent)}}}$"
    return f"${text}$" if text.startswith("-") else text


def tex_row(cells: Iterable[str]) -> bytes:
    """One row of a tabular."""
    return f"{' & '.join(cells)} \\\\\n".encode()


def _caption(table: Printed) -> str:
    return f"\\caption{{{tex_text(table.caption)}}}\n" if table.caption else ""
