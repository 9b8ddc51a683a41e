"""Tables in Markdown and LaTeX taken apart: captions and cells, without what sets them."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import cells
from .delimited import UNITS
from .memory import allow

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Grid:
    """One table of a document: its caption, and its cells as texts without markup, the head first."""

    caption: str
    rows: list[list[str]]
    line: int  # where it begins

    @property
    def labelled(self) -> bool:
        """Whether the first column holds names: it is headed as ours are or by nothing, or is no numbers."""
        first, *others = self.rows[0]
        headed = (not first and any(others)) or queries(first) is not None or first in ("token", "pos")
        return headed or not all(cells.is_number(row[0]) for row in self.rows[1:] if row)

    @property
    def numeric(self) -> bool:
        """Whether most of its cells, names aside, are numbers."""
        body = [cell for row in self.rows[1:] for cell in row[1 if self.labelled else 0 :]]
        return sum(map(cells.is_number, body)) * 2 > len(body)


def queries(corner: str) -> str | None:
    """The map of an attention whose table has this corner, None for any other table."""
    return "weights" if corner == "query" else UNITS.get(corner.removesuffix(" of query"))


def tables(text: str) -> list[Grid]:
    """The tables of a text, none where they are less than half of it."""
    grids: list[Grid] = []
    if "\\begin{" in text:
        allow(4 * len(text))
        grids, size, whole = _latex(text)
    if not grids and "|" in text:
        allow(4 * len(text))
        grids, size, whole = _markdown(text)
    grids = [grid for grid in grids if len(grid.rows) > 1 and grid.rows[0]]
    return grids if grids and 2 * size > whole else []


# ---- Markdown -------------------------------------------------------------------------------------------

_RULE = re.compile(r"\s*\|?(?:\s*:?-+:?\s*[|+])*\s*:?-+:?\s*\|?\s*")
_CELL = re.compile(r"((?:\\.?|[^|\\])*)(?:\||$)", re.DOTALL)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def _markdown(text: str) -> tuple[list[Grid], int, int]:
    """Tables with a rule of dashes below their head; how many lines are theirs, and how many hold anything."""
    lines = text.split("\n")
    n_all, n_theirs, grids, caption = 0, 0, [], ""
    i = 0
    while i < len(lines):
        line = lines[i]
        if "|" in line and i + 1 < len(lines) and "|" in lines[i + 1] and _RULE.fullmatch(lines[i + 1]):
            end = next((j for j in range(i + 2, len(lines)) if "|" not in lines[j]), len(lines))
            rows = [_row(line), *(_row(row) for row in lines[i + 2 : end] if not _RULE.fullmatch(row))]
            grids.append(Grid(_without_markup(caption), rows, i + 1))
            n_all, n_theirs, caption, i = n_all + end - i, n_theirs + end - i, "", end
            continue
        if line.strip():
            n_all, caption = n_all + 1, line.strip()
        i += 1
    if not grids and all(line.strip().startswith("|") for line in lines if line.strip()):
        rows = [_row(line) for line in lines if line.strip() and not _RULE.fullmatch(line)]
        return [Grid("", [[""] * len(rows[0]), *rows], 1)] if rows else [], 1, 1
    return grids, n_theirs, n_all


def _row(line: str) -> list[str]:
    """The cells between pipes; those at both ends may be left out."""
    line = line.strip().removeprefix("|")
    found = [match[1] for match in _CELL.finditer(line)]
    return [_without_markup(cell.strip()) for cell in (found if found[-1].strip() else found[:-1])]


def _without_markup(text: str) -> str:
    if text.isalnum() or cells.is_number(text):  # as most cells are
        return text
    plain = _ESCAPED.sub(r"\1", html.unescape(text))
    stripped = re.sub(r"^(\*\*|__|[*_`])(.+)\1$", r"\2", text)
    return _number(stripped) if cells.is_number(_number(stripped)) else plain


def _number(text: str) -> str:
    """A number without what sets it: a minus of typographers, a power of ten."""
    text = text.strip().strip("$").replace("\u2212", "-").replace("\\,", "").replace("\u221e", "inf")
    return re.sub(r"\s*(?:\\times|\\cdot|×|·)\s*10\s*\^\s*\{?\s*(-?\d+)\s*\}?", r"e\1", text)


# ---- LaTeX ----------------------------------------------------------------------------------------------

_BEGIN = re.compile(r"\\begin\{(tabular[xy*]?|array|longtable|[pbBvV]?matrix)\}")
_ARGUMENT = re.compile(r"\s*(?:\[[^\]]*\])?\s*\{(?:[^{}]|\{[^{}]*\})*\}")
_CAPTION = re.compile(r"\\caption\{((?:\\.|\{[^{}]*\}|[^{}\\])*)\}")
_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|c(?:mid)?rule(?:\([^)]*\))?\{[^}]*\}|cline\{[^}]*\})"
)
_AROUND = re.compile(
    r"\\(?:begin|end)\{(?:table\*?|center|equation\*?|tabular.?|document)\}|\\centering|\\label\{[^}]*\}|\\\[|\\\]|\$\$"
)
_SETTING = re.compile(r"\\(?:textbf|mathbf|textit|emph|underline|num|mathrm|texttt)\{([^{}]*)\}")
_NAMED = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<",
    r"\textgreater{}": ">", r"\textbar{}": "|",
}  # fmt: skip
_WRITTEN = re.compile("|".join(map(re.escape, _NAMED)) + r"|\\([{}$&#%_])|\{([^{}\\])\}")


def _latex(text: str) -> tuple[list[Grid], int, int]:
    """Tabulars and matrices; how much of the text is theirs, and how long it is without what sets it."""
    text = re.sub(r"(?<!\\)%[^\n]*", "", text)
    grids, n_theirs, end = [], 0, 0
    for name, start, inner, stop in _environments(text):
        caption = _CAPTION.search(text, stop, max(text.find("\\begin{tab", stop), 0) or len(text))
        caption = caption or _CAPTION.search(text, end, start)
        grids.append(Grid(_plain(caption[1]) if caption else "", _rows_of(name, text[inner:stop]), 0))
        end = stop + len(f"\\end{{{name}}}")
        n_theirs += end - start + (len(caption[0]) if caption else 0)
    return grids, n_theirs, len(_AROUND.sub("", text).strip())


def _environments(text: str) -> Iterator[tuple[str, int, int, int]]:
    """The name of each table, where it begins, and where its inside begins and ends."""
    place, endless = 0, set()
    while match := _BEGIN.search(text, place):
        name, place = match[1], match.end()
        stop = -1 if name in endless else text.find(f"\\end{{{name}}}", place)
        if stop < 0:
            endless.add(name)
            continue
        yield name, match.start(), place, stop
        place = stop


def _rows_of(name: str, body: str) -> list[list[str]]:
    """The rows of a table as cells; a matrix has no head, so that an empty one stands for it."""
    for _ in range(0 if "matrix" in name else 2 if name in ("tabularx", "tabular*") else 1):
        body = _ARGUMENT.sub("", body, count=1) if _ARGUMENT.match(body) else body
    rows = [row for row in re.split(r"\\\\(?:\[[^\]]*\])?", _RULES.sub("", body)) if row.strip()]
    split = [[_plain(cell) for cell in re.split(r"(?<!\\)&", row)] for row in rows]
    headless = "matrix" in name or name == "array"
    return [[""] * len(split[0]), *split] if headless and split else split


def _plain(cell: str) -> str:
    if cells.is_number(cell):
        return cell.strip()
    cell = _SETTING.sub(r"\1", cell.strip())
    number = _number(cell.replace("\\infty", "inf"))
    if cells.is_number(number):
        return number
    return _WRITTEN.sub(lambda match: _NAMED.get(match[0]) or match[1] or match[2], cell)
