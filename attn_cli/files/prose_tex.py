"""A text in blocks as a LaTeX document, for pdflatex and xelatex."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .typeset import tex_row, tex_text
from .worksheet_tex import document, set_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..records.prose import Block, Prose, Span

_HEADINGS = {1: "section", 2: "subsection"}
_STYLES = {"strong": "textbf", "emphasis": "emph"}
_BLANK = r"\rule{6cm}{0.4pt}"


def prose_tex(prose: Prose) -> Iterator[bytes]:
    """A whole document that shows a text."""
    yield from document("\\sloppy\n" + "".join(map(_block, prose.blocks)))


def _block(block: Block) -> str:
    if block.kind == "table":
        return _table(block)
    if block.kind == "code":
        lines = (f"\\texttt{{{_fixed(line)}}}\\\\\n" for line in block.spans[0].text.split("\n"))
        return f"\n\\medskip\n{''.join(lines)}\\medskip\n"
    text = "".join(map(_span, block.spans))
    if block.kind == "heading":
        return f"\n\\{_HEADINGS.get(block.level, 'subsubsection')}*{{{text}}}\n\n"
    return (
        f"{text}\n\n\\smallskip\n"
        if block.kind == "paragraph"
        else f"\\hspace*{{1em}}\\textbullet\\ {text}\\par\n"
    )


def _span(span: Span) -> str:
    if span.style == "blank":
        return _BLANK
    if span.style == "code":
        return f"\\texttt{{{set_text(span.text)}}}"
    text = set_text(span.text)
    return f"\\{_STYLES[span.style]}{{{text}}}" if span.style in _STYLES else text


def _fixed(line: str) -> str:
    """A line of code: its blanks stay, and an empty one has a height."""
    return tex_text(line).replace(" ", "\\ ") or "\\strut"


def _table(block: Block) -> str:
    head, *rows = block.rows
    empty = all(not cell for row in rows for cell in row[1:])
    column = "|p{1.3cm}" * (len(head) - 1) + "|" if empty else "r" * (len(head) - 1)  # room to write in
    rule = "\\hline\n" if empty else "\\midrule\n"
    lines = [tex_row(map(set_text, head)).decode() + rule]
    lines += [tex_row(map(set_text, row)).decode() + ("\\hline\n" if empty else "") for row in rows]
    stretch = "\\renewcommand{\\arraystretch}{1.4}" if empty else ""
    return f"\n\\medskip\n{{{stretch}\\fit{{\\begin{{tabular}}{{l{column}}}\n{''.join(lines)}\\end{{tabular}}}}}}\n\n\\medskip\n"
