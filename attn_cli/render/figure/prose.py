"""A text in blocks as the pages of a PDF, A4: set in plain lines, with tables to read or to write into."""

from __future__ import annotations

import functools
import io
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..fonts.texts import drawable, embeds_as_text, families_for, warn_of_missing, width
from .backend import MAKER, Figure, house_style

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...records.prose import Block, Prose

WIDTH, HEIGHT, MARGIN = 595.0, 842.0, 56.0  # A4, in points
ROOM = WIDTH - 2 * MARGIN
TEXT = 10.0
_SIZES = {1: 18.0, 2: 13.0}
_LEADING = 1.45
_CELL = 46.0, 22.0  # of a table to write into
_GREY, _BLANK = "0.6", "_" * 36


@dataclass(frozen=True)
class Row:
    """A strip across the page: texts at (x, anchor), and lines from x to x at its foot or upright at x."""

    height: float
    texts: tuple[tuple[float, str, str], ...] = ()
    size: float = TEXT
    foot: tuple[float, float] | None = None
    upright: tuple[float, ...] = ()
    with_next: bool = False  # not to be parted from what follows


def prose_pdf(prose: Prose) -> bytes:
    """The text as a PDF; the same text gives the same bytes."""
    from matplotlib.backends.backend_pdf import PdfPages

    said = [text for block in prose.blocks for text in _texts(block)]
    warn_of_missing(said)
    families = families_for(said)
    told = {"Title": prose.title, "Creator": MAKER, "CreationDate": None, "Producer": None}
    out = io.BytesIO()
    with (
        house_style({"pdf.fonttype": 42 if embeds_as_text(families) else 3}),
        PdfPages(out, metadata=told) as pages,
    ):
        for page in _pages(list(_all_rows(prose.blocks))):
            pages.savefig(_drawn(page, families))
    return out.getvalue()


def _texts(block: Block) -> list[str]:
    return [cell for row in block.rows for cell in row] or [_plain(block)]


def _plain(block: Block) -> str:
    return "".join(_BLANK if span.style == "blank" else span.text for span in block.spans)


# ---- rows ------------------------------------------------------------------------------------------------


def _all_rows(blocks: Sequence[Block]) -> Iterator[Row]:
    """Every strip in order; what introduces a table or code stays with it."""
    for block, after in zip(blocks, [*blocks[1:], None], strict=True):
        stays = after is not None and block.kind == "paragraph" and after.kind in ("table", "code")
        yield from (replace(row, with_next=True) if stays else row for row in _rows(block))


def _rows(block: Block) -> Iterator[Row]:
    if block.kind == "table":
        yield from _table(block.rows)
    elif block.kind == "heading":
        size = _SIZES.get(block.level, TEXT)
        yield Row(size * 0.8, with_next=True)
        for line in _lines(_plain(block), size, ROOM):
            yield Row(size * _LEADING, ((0.0, line, "left"),), size, with_next=True)
    elif block.kind == "code":
        for line in block.spans[0].text.split("\n"):
            for i, part in enumerate(_lines(line, TEXT, ROOM - 24) or [""]):
                yield Row(TEXT * _LEADING, ((12.0 + 12 * (i > 0), part, "left"),))
        yield Row(TEXT * 0.5)
    else:
        yield from _paragraph(block)


def _paragraph(block: Block) -> Iterator[Row]:
    indent = 14.0 if block.kind == "item" else 0.0
    for i, line in enumerate(_lines(_plain(block), TEXT, ROOM - indent)):
        bullet = ((2.0, "•", "left"),) if indent and not i else ()
        yield Row(TEXT * _LEADING, (*bullet, (indent, line, "left")))
    yield Row(TEXT * (0.15 if indent else 0.5))


def _table(rows: Sequence[Sequence[str]]) -> Iterator[Row]:
    """Numbers set to the right; where all cells are empty, boxes to write into."""
    head, *body = rows
    empty = all(not cell for row in body for cell in row[1:])
    widths = [max(width(cell, TEXT) for cell in column) + 12 for column in zip(*rows, strict=True)]
    widths = [widths[0], *(_CELL[0] if empty else x for x in widths[1:])]
    scale = min(1.0, ROOM / sum(widths))
    ends = [sum(widths[: i + 1]) * scale for i in range(len(widths))]
    size, high = TEXT * scale, _CELL[1] if empty else TEXT * _LEADING
    for n, row in enumerate((head, *body)):
        texts = tuple((x - 6 * scale, cell, "right") for x, cell in zip(ends, row, strict=True))
        foot = (ends[0] if empty else 0.0, ends[-1]) if empty or not n else None
        yield Row(high, texts, size, foot, tuple(ends) if empty and n else (), with_next=n < len(body))
    yield Row(TEXT)


_WIDE = "\u2e80-\u9fff\uff00-\uffef"
_CLOSING = "，。：；、！？）》”"
_PIECE = re.compile(rf" *(?:[{_WIDE}]|[^\s{_WIDE}]+)[{_CLOSING}]*")


def _lines(text: str, size: float, room: float) -> list[str]:
    """The text in lines that fit: broken at blanks, and beside a Chinese character, but not before its comma."""
    broken, line, reach = [], "", 0.0
    for piece in _PIECE.findall(text):
        if line and reach + _reach(piece, size) > room:
            broken.append(line)
            line, reach, piece = "", 0.0, piece.lstrip()
        line, reach = line + piece, reach + _reach(piece, size)
    return [*broken, line] if line else broken


@functools.lru_cache(4096)
def _reach(piece: str, size: float) -> float:
    """How far a piece reaches; a blank before it counts, which by itself would measure as nothing."""
    blanks = len(piece) - len(piece.lstrip(" "))
    return width(piece.lstrip(" "), size) + blanks * size * 0.32


# ---- pages -----------------------------------------------------------------------------------------------


def _pages(rows: list[Row]) -> Iterator[list[Row]]:
    """Rows as they fit, those that belong together on one page if a page holds them."""
    page: list[Row] = []
    left = most = HEIGHT - 2 * MARGIN
    for together in _together(rows):
        needed = sum(row.height for row in together)
        if page and needed > left and needed <= most:
            yield page
            page, left = [], most
        for row in together:
            if row.height > left:
                yield page
                page, left = [], most
            page.append(row)
            left -= row.height
    if page:
        yield page


def _together(rows: list[Row]) -> Iterator[list[Row]]:
    group: list[Row] = []
    for row in rows:
        group.append(row)
        if not row.with_next:
            yield group
            group = []
    if group:
        yield group


def _drawn(page: list[Row], families: list[str]) -> Figure:
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72))
    top = HEIGHT - MARGIN
    for row in page:
        base = top - row.height * 0.7
        for x, text, anchor in row.texts:
            at = (MARGIN + x) / WIDTH, base / HEIGHT
            figure.text(
                *at,
                drawable(text),
                size=row.size,
                ha=anchor,
                va="baseline",
                family=families,
                parse_math=False,
            )
        below = top - row.height
        edges = [(row.foot, (below, below))] if row.foot else []
        edges += [((x, x), (below, top)) for x in row.upright]
        for xs, ys in edges:
            figure.add_artist(
                Line2D(
                    [(MARGIN + x) / WIDTH for x in xs], [y / HEIGHT for y in ys], color=_GREY, linewidth=0.6
                )
            )
        top = below
    return figure
