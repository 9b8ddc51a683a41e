"""The Markdown of labs in blocks: headings, paragraphs, items, code, tables; within them code, strong and emphasis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...records.prose import Block, Prose, Span, Style

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPAN = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|(_{5,})")
_STYLES: tuple[Style, ...] = ("code", "strong", "emphasis", "blank")
_RULE = re.compile(r"\|(\s*:?-+:?\s*\|)+")


def prose(markdown: str, language: str) -> Prose:
    """A text as its blocks; its title is the first heading.

    >>> [block.kind for block in prose("# A\\n\\nTake `x`.\\n\\n- one\\n- two\\n\\n| a | b |\\n| --- | --- |\\n", "en").blocks]
    ['heading', 'paragraph', 'item', 'item', 'table']
    """
    blocks = tuple(_blocks(markdown))
    titles = ("".join(span.text for span in block.spans) for block in blocks if block.kind == "heading")
    return Prose(next(titles, ""), language, blocks)


def _blocks(markdown: str) -> Iterator[Block]:
    pending: list[str] = []
    lines = iter([*markdown.splitlines(), ""])
    for line in lines:
        if line.startswith("```"):
            yield from _flushed(pending)
            code = "\n".join(iter(lambda: next(lines, "```"), "```"))
            yield Block("code", (Span(code, "code"),))
        elif not line.strip():
            yield from _flushed(pending)
        elif line.startswith("- ") and pending and not pending[0].startswith("|"):
            yield from _flushed(pending)
            pending.append(line)
        else:
            pending.append(line.rstrip())


def _flushed(pending: list[str]) -> Iterator[Block]:
    """The block that these lines are, if there are any; then there are none."""
    lines = list(pending)
    pending.clear()
    if not lines:
        return
    if lines[0].startswith("|"):
        yield Block("table", rows=tuple(_cells(line) for line in lines if not _RULE.fullmatch(line)))
    elif heading := re.fullmatch(r"(#+) +(.*)", lines[0]):
        yield Block("heading", tuple(spans(heading[2])), len(heading[1]))
    elif lines[0].startswith("- "):
        yield Block("item", tuple(spans(joined([lines[0][2:], *map(str.strip, lines[1:])]))))
    else:
        yield Block("paragraph", tuple(spans(joined(lines))))


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip().strip("*") for cell in line.strip().strip("|").split("|"))


def joined(lines: list[str]) -> str:
    """Lines as one: with a blank between them, but between Chinese characters with nothing.

    >>> joined(["查询与", "键相乘"]), joined(["one", "two"])
    ('查询与键相乘', 'one two')
    """
    text = "\n".join(lines)
    wide = "\u3000-\u9fff\uff00-\uffef"
    return re.sub(rf"(?<=[{wide}])\n|\n(?=[{wide}])", "", text).replace("\n", " ")


def spans(text: str) -> Iterator[Span]:
    """A line cut where its style changes.

    >>> list(spans("Take `x` *now*."))[1:3]
    [Span(text='x', style='code'), Span(text=' ', style='plain')]
    """
    at = 0
    for found in _SPAN.finditer(text):
        if found.start() > at:
            yield Span(text[at : found.start()])
        group = int(found.lastindex or 1)
        yield Span(found[group], _STYLES[group - 1])
        at = found.end()
    if at < len(text):
        yield Span(text[at:])
