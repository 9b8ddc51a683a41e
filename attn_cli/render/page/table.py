"""Tables as one HTML file: each sorts at a click, finds its rows, and is shaded by column; rows may open maps.

Every number is in the page as text, so that it reads without a script too; sorting and shading are `assets/table/`.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from ...errors import InputError
from ..numbers import written
from .document import as_json, as_text, filled, ramps, script_of, stressed, style_of, wording
from .frames import Frames, share
from .maps import Opened, opened, texts, with_tokens
from .page import MAX_BYTES
from .running import running_section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ...records.table import Table
    from .maps import Shown
    from .running import Running

# Joined in this order: a module stands after those it imports from.
MODULES = (
    "wording",
    "record",
    "colours",
    "words",
    "controls",
    "frame",
    "table/sorting",
    "table/running",
    "table/maps",
    "table/app",
)
PLACES = ("kind", "layer", "head", "query_pos", "query", "key_pos", "key", "file")  # what a row is about
LONG, LONG_CELL = 48, ' class="long"'  # letters, beyond which a cell is set in several lines
_NAMES = {"role": "role", "method": "heading_explain"}  # columns of names, and what their words begin with

_OPENED = """<section id="maps" aria-labelledby="opened" hidden>
<div class="bar"><h2 id="opened"></h2><button id="close" type="button">{close}</button></div>
<iframe id="frame"></iframe>
</section>
"""


def opening_page(table: Table, shown: Shown, *, title: str = "", lang: str = "en") -> bytes:
    """The page of a table whose rows open the maps that they are about."""
    opens = partial(opened, table, shown, lang=lang)
    named = with_tokens(table, shown)
    return table_page(named, title=title, lang=lang, said=texts(shown, lang), opens=opens)


def table_page(
    *tables: Table,
    title: str = "",
    lang: str = "en",
    said: Sequence[str] = (),
    opens: Callable[[int], Opened] | None = None,
    text: Running | None = None,
    about: str = "",
) -> bytes:
    """One self-contained HTML file with these tables, sentences and a shaded `text` above them.

    `about` names the page where the first table does not; `opens` gives what the rows of that table open, in so many
    bytes as are left for it. Raises InputError where there are so many rows that a browser would not bear it.

    >>> from attn_cli.records.table import Table
    >>> table_page(Table({"head": [0, 1], "entropy": [0.5, 0.25]}, about="stats"))[:15]
    b'<!doctype html>'
    """
    words = wording(lang)
    about = about or tables[0].about
    named = title or words.get(f"table_{about}", about) or words["table_rows"]
    sections = "".join(
        _section(i, table, words, opens=opens is not None and i == 0) for i, table in enumerate(tables)
    )
    if len(sections.encode()) > MAX_BYTES // 2:
        raise InputError(
            f"{max(map(len, tables)):,} rows are too many for a page", hint="write a table: -o x.tsv"
        )
    frames = Frames()
    opened = opens(share(MAX_BYTES - len(sections.encode()), 1, lang)) if opens else Opened((), ())
    pages = [frames.add(made) for made in opened.pages]
    parts = {
        "title": as_text(named),
        "said": "".join(f'<p class="summary">{as_text(sentence)}</p>\n' for sentence in said),
        "sections": (running_section(text, words["explain_point"]) if text else "") + sections,
        "opened": _OPENED.format(close=as_text(words["table_close"])) if opens else "",
        "keys": as_text(words["table_keys_open" if opens else "table_keys"]),
        "pages": as_json(pages),
        "parts": frames.parts,
        "links": as_json(opened.rows),
        "columns": "".join(_meanings(tables, words)),
        "ramps": as_json(ramps("toward", "toward night")),
    }
    style = style_of("page.css", "table/table.css")
    return filled("table/table.html", style, script_of(MODULES), parts, lang, frames.also)


def _section(number: int, table: Table, words: Mapping[str, str], *, opens: bool) -> str:
    """A table under its name, with a field that finds rows; each of these may open something."""
    name = words.get(f"table_{table.about}_rows", words["table_rows"])
    table = _words_first(table)
    columns = {column: _texts(column, table) for column in table.columns}
    for column in _NAMES.keys() & columns.keys():
        columns[column] = [words.get(f"{_NAMES[column]}_{name}", name) for name in columns[column]]
    heads = "".join(_head(column, table, words) for column in columns)
    places = min(2, len([*takewhile(("layer", "head").__contains__, columns)]))
    kept = f' data-places="{places}"' if places else ""
    rows = "".join(_rows(table, columns, words, words["table_open"] if opens else ""))
    origin = f'<p class="provenance">{stressed(as_text(table.provenance))}</p>\n' if table.provenance else ""
    return f"""<section class="tabular" data-about="{as_text(table.about)}">
<div class="bar"><h2 id="table-{number}">{as_text(name)}</h2>
<label class="finding">{as_text(words["table_find"])} <input id="find-{number}" type="search" autocomplete="off" spellcheck="false"></label>
<output></output></div>
<div class="wide" role="region" aria-labelledby="table-{number}" tabindex="0">
<table{kept}><thead><tr>{heads}</tr></thead>
<tbody>
{rows}</tbody></table></div>
{origin}</section>
"""


def _words_first(table: Table) -> Table:
    """The same table with what is said in words after the columns that say what a row is about, before all numbers."""
    kinds = {name: values.dtype.kind for name, values in table.columns.items()}
    about = list(takewhile(lambda name: kinds[name] != "f", kinds))
    said = [name for name, kind in kinds.items() if kind == "O" and name not in about]
    return table.only([*about, *said, *(name for name in kinds if name not in {*about, *said})])


def _head(column: str, table: Table, words: Mapping[str, str]) -> str:
    unit = table.units.get(column, "")
    unit = f" <small>{as_text(words.get(f'unit_{unit}', unit))}</small>" if unit else ""
    kind = {"f": "number", "i": "place", "u": "place"}.get(table[column].dtype.kind, "text")
    return f'<th scope="col" data-kind="{kind}"><button type="button">{as_text(_called(column, table, words))}{unit}</button></th>'


def _called(column: str, table: Table, words: Mapping[str, str]) -> str:
    """A column as people read it: by its name, unless the language has a word for it."""
    if column.endswith("_se"):
        return words["heading_se"].format(name=_called(column.removesuffix("_se"), table, words))
    return words.get(f"heading_{table.about}_{column}") or words.get(f"heading_{column}", column)


def _rows(
    table: Table, columns: Mapping[str, Sequence[str]], words: Mapping[str, str], opens: str
) -> Iterator[str]:
    """A row begins with its name, or with what a button opens that does what `opens` says; "": there is none."""
    (first, *others) = columns
    exact = {name: table[name].tolist() for name in columns if table[name].dtype.kind == "f"}
    about = [name for name in takewhile(lambda name: name not in exact, columns) if name in PLACES]
    long = {name for name in others if name not in exact and max(map(len, columns[name]), default=0) > LONG}
    for i in range(len(table)):
        name = as_text(columns[first][i])
        if opens:
            where = _where({place: columns[place][i] for place in about}, table, words)
            label = as_text(f"{where}: {opens}")
            name = f'<button type="button" class="open" aria-label="{label}">{as_text(where)}</button>'
        cells = (
            f"<td{_exactly(exact[name][i]) if name in exact else LONG_CELL * (name in long)}>{as_text(columns[name][i])}</td>"
            for name in others
        )
        begun = (
            f"<td{_exactly(exact[first][i])}>{name}</td>"
            if first in exact
            else f'<th scope="row">{name}</th>'
        )
        yield f"<tr>{begun}{''.join(cells)}</tr>\n"


def _where(places: Mapping[str, str], table: Table, words: Mapping[str, str]) -> str:
    """What a row is about, so that one knows it without the other columns: `Layer 3 · head 5`."""
    said = {
        place: value if place in ("kind", "file") else f"{_called(place, table, words)} {value}"
        for place, value in places.items()
    }
    if {"layer", "head"} <= places.keys():
        said["layer"] = words["head_name"].format(layer=places["layer"], head=places["head"])
        del said["head"]
    return " · ".join(said.values())


def _exactly(number: float) -> str:
    """The number as the script reads it; what is no number has none."""
    if number != number:
        return ""
    return f' data-n="{number!r}"' if math.isfinite(number) else f' data-n="{"-" * (number < 0)}Infinity"'


def _texts(column: str, table: Table) -> list[str]:
    """The values of a column; standard errors with the decimals of what they are errors of."""
    values = table[column]
    if values.dtype.kind == "f":
        beside = table.columns.get(column.removesuffix("_se"), values)
        return [text.replace("-", "−") for text in written(values, beside=beside)]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values.tolist()]


def _meanings(tables: Sequence[Table], words: Mapping[str, str]) -> Iterator[str]:
    """What the columns are, as far as that is written down, and their names where a page calls them otherwise."""
    found = {
        " · ".join(dict.fromkeys((_called(name, table, words), name))): words.get(
            f"column_{table.about}_{name}"
        )
        for table in tables
        for name in table.columns
    }
    if known := {name: said for name, said in found.items() if said}:
        each = "".join(f"<dt>{as_text(name)}</dt><dd>{as_text(said)}</dd>\n" for name, said in known.items())
        yield f"<details><summary>{as_text(words['table_columns'])}</summary><dl>\n{each}</dl></details>\n"
