"""Where a result goes: a file, a table on the terminal, or bytes in a pipe."""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ... import files
from ...errors import InputError
from ...records.attention import Attention
from ...records.encoding import Encoding, PositionTable
from ...render import FIGURES, PICTURES
from .environment import environment
from .options import digits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from matplotlib.figure import Figure
    from rich.console import RenderableType

    from ...records.attention import Record
    from ...records.table import Table
    from ...render.look import Look
    from ...render.page.maps import Shown
    from .inputs import Read
    from .options import Appearance, Output

_BINARY = ("npz", "npy", "safetensors", *PICTURES)
# Formats that hold a whole record, whichever part of it a table would show.
_WHOLE = ("json", "npz", "safetensors")


@dataclasses.dataclass(frozen=True)
class AsPage:
    """What is asked of a page alone: its language, and whether it has the vectors of queries and keys."""

    lang: str = "en"
    vectors: bool = True


AS_PAGE = AsPage()


def emit(
    record: Record,
    to: Output,
    shown: Record | None = None,
    drawing: Appearance | None = None,
    look: Look | None = None,
    page: AsPage = AS_PAGE,
) -> None:
    """Write a record where the options say; without any, a table to a terminal and TSV into a pipe.

    `shown` is the part that a table shows, when that is not the record itself; `drawing` is for pictures, and
    `look` what it says; `page` is what is asked of one.
    """
    if for_screen(to):
        environment.stdout().print(_table(shown or record, digits_of(to)))
        return
    name = files.format_of(to.output, to.format, pictures=PICTURES)
    if shown is None or name in _WHOLE:
        shown = record
    deliver(_bytes(shown, name, drawing, look, digits_of(to), page), name, to)


def emit_page(
    named: Iterable[tuple[str, Attention]],
    number: int,
    to: Output,
    drawing: Appearance | None = None,
    page: AsPage = AS_PAGE,
) -> None:
    """Write one page of so many attentions, each with the name that it is chosen by."""
    from ...render.page.several import pages
    from ...sources.sorting import sorting

    refuse_look(drawing, "html")
    pool: str | None = getattr(drawing, "pool", None)
    title = drawing.title if drawing else ""
    made = pages(
        named, number, title=title, pool=pool, figures_of=sorting, lang=page.lang, vectors=page.vectors
    )
    deliver([made], "html", to)


def check(
    to: Output,
    formats: Collection[str],
    pictures: Collection[str] = PICTURES,
    no_picture: str = "",
    drawing: Appearance | None = None,
) -> None:
    """Refuse an unknown format, a look for what is no picture, and a missing folder, before anything is read.

    `no_picture` says why there are none, and what to do.
    """
    if to.output is not None or to.format is not None:
        known = PICTURES if no_picture else pictures
        name = files.format_of(to.output, to.format, formats=formats, pictures=known)
        if name in PICTURES and no_picture:
            raise InputError(no_picture)
        if name not in FIGURES:
            refuse_look(drawing, name)
    if (digits := digits_of(to)) is not None and not for_screen(to):
        name = files.format_of(to.output, to.format, formats=formats, pictures=pictures)
        _refuse_digits(digits, name)
        if isinstance(formats, Mapping) and name in formats:
            files.with_digits(formats[name], digits, name)
    folder = os.path.dirname(to.output or "")
    if folder and not os.path.isdir(folder):
        raise InputError(
            "no such folder", hint=f"make it: mkdir -p {shlex.quote(folder)}", where=to.output or ""
        )


def numbered(to: Output, number: int | None) -> Output:
    """Where one of several results goes: name.png becomes name-1.png, and so on."""
    if number is None or to.output in (None, "-"):
        return to
    stem, suffix = os.path.splitext(to.output or "")
    return dataclasses.replace(to, output=f"{stem}-{number}{suffix}")


def head_of(read: Read, to: Output) -> None:
    """On a terminal, say which of several inputs follows."""
    if read.number is not None and for_screen(to):
        from rich.text import Text

        from ...text.escaping import escape

        if read.number > 1:
            environment.stdout().print()
        environment.stdout().print(Text(escape(read.name), style="bold underline"))


def emit_table(
    table: Table,
    to: Output,
    drawn: Callable[[Table], Figure] | None = None,
    page: Callable[[Table], bytes] | None = None,
) -> None:
    """Write a table where the options say; `drawn` makes its figure, `page` its page."""
    if for_screen(to):
        from ...render.terminal.tabular import Tabular

        environment.stdout().print(Tabular(table, digits_of(to)))
        return
    pictures = (*(FIGURES if drawn else ()), *(("html",) if page else ()))
    name = files.format_of(to.output, to.format, formats=files.TABLES, pictures=pictures)
    if name in files.TABLES:
        deliver(files.with_digits(files.TABLES[name], digits_of(to), name)(table), name, to)
        return
    if page is not None and name == "html":
        deliver([page(table)], name, to)
        return
    from ...render.figure import figure

    assert drawn is not None
    deliver([figure.save(drawn(table), name)], name, to)


def page_of(drawing: Appearance, lang: str, shown: Shown | None = None) -> Callable[[Table], bytes]:
    """What makes the page of a table, whose rows open the maps that it is about."""

    def made(table: Table) -> bytes:
        from ...render.page.table import opening_page, table_page

        if shown is None:
            return table_page(table, title=drawing.title, lang=lang)
        return opening_page(table, shown, title=drawing.title, lang=lang)

    return made


def for_screen(to: Output) -> bool:
    """Whether a result is for a person at a terminal, in no particular format."""
    return to.output is None and to.format is None and environment.to_terminal


def deliver(chunks: Iterable[bytes], name: str, to: Output) -> None:
    """Write what is in the format of this name to the file that was asked for, else to stdout."""
    to_stdout = to.output in (None, "-")
    if to_stdout and name in _BINARY and environment.to_terminal:
        raise InputError(f"{name} is not for a terminal", hint="give -o FILE, or send it through a pipe")
    if to_stdout:
        environment.write(chunks)
    else:
        assert to.output is not None
        files.write(to.output, chunks)


def _bytes(
    record: Record,
    name: str,
    drawing: Appearance | None,
    chosen: Look | None,
    digits: int | None,
    page: AsPage,
) -> Iterator[bytes]:
    if name not in FIGURES:
        refuse_look(drawing, name)
    _refuse_digits(digits, name)
    if name not in PICTURES:
        yield from files.with_digits(files.FORMATS[name], digits, name)(record)
        return
    if isinstance(record, Attention):
        yield _attention_picture(record, name, drawing, chosen, page)
    else:
        assert isinstance(record, PositionTable)  # encodings have no picture: `check`
        yield _table_picture(record, name, chosen or look(drawing))


def _refuse_digits(digits: int | None, name: str) -> None:
    if digits is not None and name in PICTURES:
        raise InputError(f"--digits does not apply to {name}", hint="write tsv, csv, tidy, md or tex")


def refuse_look(drawing: Appearance | None, name: str) -> None:
    """A page has a title and chooses its own colours; a table has neither."""
    for f in dataclasses.fields(drawing) if drawing else ():
        if f.name == "pool" or (f.name, name) == ("title", "html"):
            continue
        if getattr(drawing, f.name) != f.default:
            option = f"--{f.name.replace('_', '-')}"
            raise InputError(f"{option} does not apply to {name}", hint=f"write {', '.join(FIGURES)}")


def _attention_picture(
    attention: Attention, name: str, drawing: Appearance | None, chosen: Look | None, asked: AsPage
) -> bytes:
    if name == "html":
        from ...render.page.page import page
        from ...sources.sorting import sorting

        pool: str | None = getattr(drawing, "pool", None)
        title = drawing.title if drawing else ""
        figures = sorting(attention)
        return page(
            attention, title=title, pool=pool, figures=figures, lang=asked.lang, vectors=asked.vectors
        )
    from ...render.figure import figure

    return figure.save(figure.draw(attention, chosen or look(drawing)), name)


def look(drawing: Appearance | None, query_token: str | None = None) -> Look:
    """What the options say about how a picture looks; `query_token` is the query that it marks."""
    from ...render.look import PLAIN, Look, parse_no, parse_size
    from ...render.views import with_known_view

    if drawing is None:
        return PLAIN
    size = None if drawing.size is None else parse_size(drawing.size)
    told = {"size": size, "no": parse_no(drawing.no or ""), "query_token": query_token}
    return with_known_view(Look(**vars(drawing) | told))


def _table_picture(table: PositionTable, name: str, look: Look) -> bytes:
    from ...render.figure import figure

    if name not in FIGURES:
        raise InputError(f"a position table has no {name}", hint=f"give {', '.join(FIGURES)}")
    return figure.save(figure.draw(table, look), name)


def _table(record: Record, digits: int | None) -> RenderableType:
    from ...render.terminal import terminal

    if isinstance(record, Encoding):
        return terminal.encoding_table(record, digits)
    if isinstance(record, Attention):
        return terminal.attention_table(record, digits)
    return terminal.position_table(record, digits)
