"""Tables in text: `.tsv` and `.csv` with a row per token or query, and tidy, with a row per number.

They hold tokens and numbers; provenance, kind and parts are lost. A number is written so that reading it
back gives the same float, a token so that it stays on its line (`tokens.escape`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..records.attention import Attention
from ..records.encoding import Encoding
from ..records.fields import maps
from ..text.escaping import escape
from . import spans
from .formats import FORMATS
from .rounding import short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jaxtyping import Float

    from ..records.attention import Record

# The columns before the numbers; `tables` reads by the same names.
ATTENTION = ("layer", "head", "query_pos", "query")
ENCODING = ("pos", "token")
POSITIONS = ("pos",)
TIDY_ATTENTION = (*ATTENTION, "key_pos", "key", "weight")
TIDY_ENCODING = (*ENCODING, "dim", "value")
TIDY_POSITIONS = (*POSITIONS, "dim", "value")
# The same of tables that show another map: nobody may take that for weights.
UNITS = {part.traits.unit: name for name, part in maps(Attention).items()}
OF_MAP = {unit: (*ATTENTION[:3], f"{unit}_of") for unit in UNITS} | {"weight": ATTENTION}
TIDY_OF_MAP = {unit: (*TIDY_ATTENTION[:-1], unit) for unit in UNITS}


@FORMATS.register
def tsv(record: Record, digits: int = 0) -> Iterator[bytes]:
    r"""Tab-separated, a row per token, or per layer, head and query; tabs in tokens are escaped.

    >>> list(tsv(Encoding(("a",), [[0.0, 1.0]])))
    [b'pos\ttoken\t0\t1\n', b'0\ta\t0.0\t1.0\n']
    """
    return _wide(record, "\t", str, digits)


@FORMATS.register
def csv_(record: Record, digits: int = 0) -> Iterator[bytes]:
    r"""Comma-separated, with the columns of tsv; what holds a comma or a quote is quoted.

    >>> list(csv_(Encoding((",",), [[0.0, 1.0]])))
    [b'pos,token,0,1\n', b'0,",",0.0,1.0\n']
    """
    return _wide(record, ",", _quoted, digits)


@FORMATS.register
def tidy(record: Record, digits: int = 0) -> Iterator[bytes]:
    r"""Tab-separated, a row per number as data frames want it, with the scores where they are known.

    >>> list(tidy(Encoding(("a",), [[0.5]])))
    [b'pos\ttoken\tdim\tvalue\n', b'0\ta\t0\t0.5\n']
    """
    yield _line("\t", tidy_header(record))
    columns = ["\t".join(column) for column in _columns(record)]
    for labels, *rows in zip(_labels(record), *_matrices(record), strict=True):
        label = "\t".join(labels)
        cells = zip(columns, *(_texts(row, digits) for row in rows), strict=True)
        yield b"".join(_line("\t", (label, *cell)) for cell in cells)


def tidy_header(record: Record) -> tuple[str, ...]:
    """The names of the tidy columns."""
    if isinstance(record, Attention):
        return (*TIDY_OF_MAP[record.unit], *(["score"] if _with_scores(record) else []))
    return TIDY_ENCODING if isinstance(record, Encoding) else TIDY_POSITIONS


def _wide(record: Record, delimiter: str, cell: Callable[[str], str], digits: int) -> Iterator[bytes]:
    header = [*_label_names(record), *map(":".join, _columns(record))]
    yield _line(delimiter, map(cell, header))
    for labels, row in zip(_labels(record), _matrices(record)[0], strict=True):
        yield _line(delimiter, (*map(cell, labels), *_texts(row, digits)))


def _label_names(record: Record) -> tuple[str, ...]:
    if isinstance(record, Attention):
        return OF_MAP[record.unit]
    return ENCODING if isinstance(record, Encoding) else POSITIONS


def _labels(record: Record) -> Iterator[tuple[str, ...]]:
    """What stands before the numbers of each row."""
    if isinstance(record, Attention):
        queries = spans.labels(record.query_tokens, record.query_cells)
        for layer in record.layers:
            for head in record.heads:
                yield from ((str(layer), str(head), *query) for query in queries)
    elif isinstance(record, Encoding):
        yield from ((str(i), escape(token)) for i, token in enumerate(record.tokens))
    else:
        yield from ((str(i),) for i in range(len(record.values)))


def _columns(record: Record) -> list[tuple[str, ...]]:
    """What each number of a row is about: a key and its token, or a dimension."""
    if isinstance(record, Attention):
        return [*spans.labels(record.key_tokens, record.key_cells)]
    width = _matrices(record)[0].shape[1]
    return [(str(i),) for i in range(width)]


def _matrices(record: Record) -> list[Float[np.ndarray, "row column"]]:
    if isinstance(record, Encoding):
        return [record.vectors]
    if not isinstance(record, Attention):
        return [record.values]
    parts = [record.shown, *([record.scores] if _with_scores(record) else [])]
    return [part.reshape(-1, part.shape[-1]) for part in parts if part is not None]


def _with_scores(attention: Attention) -> bool:
    """Whether scores stand beside the weights in a tidy table."""
    return attention.show == "weights" and attention.scores is not None


def _texts(numbers: np.ndarray, digits: int) -> Iterator[str]:
    """Numbers so that reading them back gives the same floats, or rounded for people."""
    exact = numbers.astype(np.float64).tolist()
    return map(repr, exact) if digits == 0 else (repr(float(short(number, digits))) for number in exact)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if "," in cell or '"' in cell else cell


def _line(delimiter: str, cells: Iterable[str]) -> bytes:
    return f"{delimiter.join(cells)}\n".encode()
