"""A text in blocks as one page for the screen and for print: no script, nothing from outside."""

from __future__ import annotations

import html
from itertools import groupby
from typing import TYPE_CHECKING

from ...text.escaping import escape
from .document import still

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...records.prose import Block, Prose, Span

_TAGS = {"code": "code", "strong": "strong", "emphasis": "em"}


def prose_page(prose: Prose) -> bytes:
    """The text as one self-contained HTML file."""
    return still(_text(prose.title), blocks_html(prose), "prose.css", prose.language)


def blocks_html(prose: Prose) -> str:
    """Its blocks as HTML, for a page that holds more."""
    return "".join(_body(prose))


def _body(prose: Prose) -> Iterator[str]:
    for kind, blocks in groupby(prose.blocks, lambda block: block.kind):
        shown = "".join(map(_block, blocks))
        yield f"<ul>\n{shown}</ul>\n" if kind == "item" else shown


def _block(block: Block) -> str:
    if block.kind == "table":
        return _table(block)
    if block.kind == "code":
        return f"<pre><code>{html.escape(block.spans[0].text)}</code></pre>\n"
    text = "".join(map(_span, block.spans))
    tag = {"heading": f"h{block.level}", "item": "li"}.get(block.kind, "p")
    return f"<{tag}>{text}</{tag}>\n"


def _span(span: Span) -> str:
    if span.style == "blank":
        return '<span class="blank">&nbsp;</span>'
    text = _text(span.text)
    return f"<{_TAGS[span.style]}>{text}</{_TAGS[span.style]}>" if span.style in _TAGS else text


def _table(block: Block) -> str:
    head, *rows = block.rows
    room = ' class="room"' if all(not cell for row in rows for cell in row[1:]) else ""
    names = "".join(f'<th scope="col">{_text(name)}</th>' if name else "<td></td>" for name in head)
    lines = (
        f'<tr><th scope="row">{_text(row[0])}</th>{"".join(f"<td>{_text(cell)}</td>" for cell in row[1:])}</tr>\n'
        for row in rows
    )
    return f'<div class="wide"><table{room}><thead><tr>{names}</tr></thead><tbody>\n{"".join(lines)}</tbody></table></div>\n'


def _text(text: str) -> str:
    return html.escape(escape(text))
