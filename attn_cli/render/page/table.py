"""Tables as one HTML file: each sorts at a click, finds its rows, and is shaded by column; rows may open maps.

Every number is in the page as text, so that it reads without a script too; sorting and shading are `assets/table/`.
"""

from __future__ import annotations

import math
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from ..numbers import written
from .document import as_json, as_text, filled, ramps, script_of, source, stressed, wording
from .page import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...records.table import Table

# Joined in this order: a module stands after those it imports from.
MODULES = ("wording", "record", "colours", "words", "controls", "table/sorting", "table/app")


def table_page(*tables: Table, title: str = "", lang: str = "en", said: Sequence[str] = ()) -> bytes:
    """One self-contained HTML file with these tables, `said` above them as sentences.

    Raises InputError where there are so many rows that a browser would not bear it.

    >>> from attn_cli.records.table import Table
    >>> table_page(Table({"head": [0, 1], "entropy": [0.5, np.nan]}, about="stats"))[:15]
    b'<!doctype html>'
    """
    words = wording(lang)
    named = title or words.get(f"table_{tables[0].about}", tables[0].about) or words["table_rows"]
    parts = {
        "title": as_text(named),
        "said": "".join(f'<p class="summary">{as_text(sentence)}</p>\n' for sentence in said),
        "sections": "".join(_section(i, table, words) for i, table in enumerate(tables)),
        "columns": "".join(_meanings(tables, words)),
        "ramps": as_json(ramps()),
    }
    made = filled(
        "table/table.html", source("page.css") + source("table/table.css"), script_of(MODULES), parts, lang
    )
    if len(made) > MAX_BYTES:
        raise InputError(
            f"{max(map(len, tables)):,} rows are too many for a page", hint="write a table: -o x.tsv"
        )
    return made


def _section(number: int, table: Table, words: Mapping[str, str]) -> str:
    """A table under its name, with a field that finds rows."""
    name = words.get(f"table_{table.about}_rows", words["table_rows"])
    table = _words_first(table)
    columns = {column: _texts(values) for column, values in table.columns.items()}
    heads = "".join(_head(column, table) for column in columns)
    rows = "".join(_rows(table, columns))
    origin = f'<p class="provenance">{stressed(as_text(table.provenance))}</p>\n' if table.provenance else ""
    return f"""<section class="tabular">
<div class="bar"><h2 id="table-{number}">{as_text(name)}</h2>
<label class="finding">{as_text(words["table_find"])} <input id="find-{number}" type="search" autocomplete="off" spellcheck="false"></label>
<output></output></div>
<div class="wide" role="region" aria-labelledby="table-{number}" tabindex="0">
<table><thead><tr>{heads}</tr></thead>
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


def _head(column: str, table: Table) -> str:
    unit = f" <small>{as_text(table.units[column])}</small>" if column in table.units else ""
    kind = {"f": "number", "i": "place", "u": "place"}.get(table[column].dtype.kind, "text")
    return f'<th scope="col" data-kind="{kind}"><button type="button">{as_text(column)}{unit}</button></th>'


def _rows(table: Table, columns: Mapping[str, Sequence[str]]) -> Iterator[str]:
    (first, *_) = columns
    exact = {name: table[name].tolist() for name in columns if table[name].dtype.kind == "f"}
    for i in range(len(table)):
        cells = (
            f'<th scope="row">{text}</th>' if name == first and name not in exact
            else f"<td{_exactly(exact[name][i]) if name in exact else ''}>{text}</td>"
            for name, text in ((name, as_text(texts[i])) for name, texts in columns.items())
        )  # fmt: skip
        yield f"<tr>{''.join(cells)}</tr>\n"


def _exactly(number: float) -> str:
    """The number as the script reads it; what is no number has none."""
    if number != number:
        return ""
    return f' data-n="{number!r}"' if math.isfinite(number) else f' data-n="{"-" * (number < 0)}Infinity"'


def _texts(values: Any) -> list[str]:
    if values.dtype.kind == "f":
        return [text.replace("-", "−", 1) for text in written(values)]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values.tolist()]


def _meanings(tables: Sequence[Table], words: Mapping[str, str]) -> Iterator[str]:
    """What the columns are, as far as that is written down: of this table, else of any."""
    found = {
        name: words.get(f"column_{table.about}_{name}", words.get(f"column_{name}"))
        for table in tables
        for name in table.columns
    }
    if known := {name: said for name, said in found.items() if said}:
        each = "".join(f"<dt>{as_text(name)}</dt><dd>{as_text(said)}</dd>\n" for name, said in known.items())
        yield f"<details><summary>{as_text(words['table_columns'])}</summary><dl>\n{each}</dl></details>\n"
