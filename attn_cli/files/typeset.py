"""Tables for a document, `.md` and `.tex`: four significant digits, one table per layer and head."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..records.attention import Attention, axis_name
from ..records.encoding import Encoding
from ..text.escaping import escape
from .formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
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
def md(record: Record) -> Iterator[bytes]:
    """Markdown tables for people, four significant digits, one per layer and head.

    >>> print(b"".join(md(Encoding(("a",), [[0.0, 1 / 3]]))).decode().rstrip())
    | token | 0 | 1 |
    | --- | --: | --: |
    | a | 0 | 0.3333 |
    """
    for i, table in enumerate(_printed(record)):
        if i:
            yield b"\n"
        if table.caption:
            yield f"{markdown_text(table.caption)}\n\n".encode()
        yield markdown_row([table.corner, *map(markdown_text, table.columns)])
        yield markdown_row(["---", *("--:" for _ in table.columns)])
        for name, row in zip(table.rows, table.numbers, strict=True):
            yield markdown_row([markdown_text(name), *map(_digits, row.tolist())])


@FORMATS.register
def tex(record: Record) -> Iterator[bytes]:
    r"""LaTeX tables to \input, four significant digits, one per layer and head; no package is needed.

    >>> list(tex(Encoding(("a",), [[1 / 3]])))[3]
    b'a & $0.3333$ \\\\\n'
    """
    for table in _printed(record):
        yield b"\\begin{table}\n\\centering\n"
        yield f"\\begin{{tabular}}{{l{'r' * len(table.columns)}}}\n".encode()
        yield tex_row([table.corner, *map(tex_text, table.columns)]) + b"\\hline\n"
        for name, row in zip(table.rows, table.numbers, strict=True):
            yield tex_row([tex_text(name), *map(_tex_number, row.tolist())])
        yield f"\\end{{tabular}}\n{_caption(table)}\\end{{table}}\n".encode()


def _printed(record: Record) -> Iterator[Printed]:
    if isinstance(record, Encoding):
        columns = [str(i) for i in range(record.vectors.shape[1])]
        yield Printed(record.provenance, "token", columns, record.tokens, record.vectors)
        return
    if not isinstance(record, Attention):
        rows, columns = ([str(i) for i in range(n)] for n in record.values.shape)
        yield Printed(record.kind, "pos", columns, rows, record.values)
        return
    several = record.shown.shape[:2] != (1, 1)
    for layer, heads in zip(record.layers, record.shown, strict=True):
        for head, matrix in zip(record.heads, heads, strict=True):
            place = f"{axis_name('layer', layer)}, {axis_name('head', head)}" if several else ""
            caption = ": ".join(filter(None, (place, record.provenance)))
            yield Printed(caption, "query", record.key_names, record.query_names, matrix)


def _digits(number: float) -> str:
    return f"{number:.4g}"


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


def _tex_number(number: float) -> str:
    mantissa, _, exponent = _digits(number).partition("e")
    return f"${mantissa}\\times10^{{{int(exponent)}}}$" if exponent else f"${mantissa}$"


def tex_row(cells: Iterable[str]) -> bytes:
    """One row of a tabular."""
    return f"{' & '.join(cells)} \\\\\n".encode()


def _caption(table: Printed) -> str:
    return f"\\caption{{{tex_text(table.caption)}}}\n" if table.caption else ""
