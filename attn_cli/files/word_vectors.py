"""Vectors by token: word2vec and GloVe text, arrays by name, or an encoding. Only what is wanted is kept."""

from __future__ import annotations

import functools
import io
import itertools
import re
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..errors import InputError, note
from ..records.checks import check_finite
from ..records.encoding import Encoding
from . import cells, npz, reading, safetensors
from .contents import kind
from .decoding import marked
from .source import called, opened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from jaxtyping import Float

_SAMPLE = 100  # lines from which the number of dimensions is told


def read_vectors(
    path: str, tokens: Sequence[str], *, encoding: str | None = None
) -> Float[np.ndarray, "seq_len dim"]:
    """One row per token, from a file of word vectors.

    Text holds a token and its numbers per line (word2vec and GloVe, with or without the line of counts; a
    token may hold blanks). `.npz` holds one array per token, or `tokens` and `vectors`; `.safetensors` one
    tensor per token; `.json` one list per token; a saved encoding will do as well. A token that is missing
    takes the vector of its lower case. Raises InputError that names the tokens which then still miss.
    """
    wanted = {form for token in tokens for form in (token, token.lower())}
    with opened(path) as file:
        found = _find(file, path, wanted, set(tokens), encoding)
        vectors = np.stack(_in_order(found, tokens, called(path)))
        check_finite("vectors", vectors)
        return vectors


def _in_order(found: Mapping[str, np.ndarray], tokens: Sequence[str], where: str) -> list[np.ndarray]:
    forms = [token if token in found else token.lower() for token in tokens]
    if missing := list(dict.fromkeys(t for t, form in zip(tokens, forms, strict=True) if form not in found)):
        raise InputError(f"no vector for {_listed(missing)}", hint="add them, or choose --embed hash")
    if lowered := [t for t, form in zip(tokens, forms, strict=True) if t != form]:
        note(f"{where}: lower case used for {_listed(list(dict.fromkeys(lowered)))}")
    rows = [np.asarray(found[form]) for form in forms]
    for token, row in zip(tokens, rows, strict=True):
        if row.ndim != 1 or row.shape != rows[0].shape or row.dtype.kind not in "fiub":
            raise InputError(
                f"the vector of {token!r} is {row.dtype} {list(row.shape)}, of {tokens[0]!r} {list(rows[0].shape)}",
                hint="give every token as many numbers",
            )
    return rows


def _listed(tokens: list[str], most: int = 5) -> str:
    """Tokens as messages name them: the first few, then how many more.

    >>> _listed(list("abcdefg"))
    "'a', 'b', 'c', 'd', 'e' and 2 more"
    """
    shown = ", ".join(repr(cells.shortened(token)) for token in tokens[:most])
    return f"{shown} and {len(tokens) - most} more" if len(tokens) > most else shown


def _find(
    file: BinaryIO, path: str, wanted: Collection[str], exact: Collection[str], encoding: str | None
) -> Mapping[str, np.ndarray]:
    held = kind(file, path)
    if held == "text" and not _OURS.match(_first_line(file)):
        return _scan(_lines(file, encoding), path, wanted, exact)
    if held in ("npz", "safetensors"):
        by_format = npz if held == "npz" else safetensors
        if "vectors" not in by_format.names(file):
            return by_format.load(file, wanted)
    file.seek(0)
    return _by_token(reading.parse(file, path, encoding))


# JSON with names, and the table of an encoding; the word "{" of a vector file is neither.
_OURS = re.compile(rb'\s*\{\s*"[^"]*"\s*:|pos[\t,]token[\t,]')


def _first_line(file: BinaryIO) -> bytes:
    line = file.readline(1 << 16)
    file.seek(0)
    return line


def _by_token(held: reading.Parsed) -> Mapping[str, np.ndarray]:
    if isinstance(held, dict) and {"tokens", "vectors"} <= held.keys() and held["vectors"].ndim == 2:
        held = Encoding(tuple(held["tokens"].tolist()), held["vectors"])
    if isinstance(held, Encoding):
        pairs = zip(reversed(held.tokens), held.vectors[::-1], strict=True)
        return dict(pairs)  # of a token that is there twice, the first
    if isinstance(held, dict):
        return held
    raise InputError("holds no vectors by token", hint="give word2vec or GloVe text, .npz or .safetensors")


# ---- word2vec and GloVe text ------------------------------------------------------------------------


def _lines(file: BinaryIO, encoding: str | None) -> Iterator[bytes]:
    """The lines in UTF-8, one at a time."""
    if encoding is None and (mark := marked(file.read(4))) is not None:
        encoding = {"utf-8": "utf-8-sig"}.get(mark, mark.removesuffix("-le").removesuffix("-be"))
    file.seek(0)
    if encoding is None:
        yield from _no_longer_than(file)
        return
    try:
        with io.TextIOWrapper(file, encoding) as text:
            for line in text:
                yield line.encode("utf-8", "surrogatepass")
    except (LookupError, UnicodeError) as problem:
        raise InputError(f"is not {encoding} ({problem})", hint="give --encoding NAME") from None


def _no_longer_than(file: BinaryIO, most: int = 2**24) -> Iterator[bytes]:
    """The lines of a file, each of a length that a vector may have: a file may be one line of any size."""
    for number, line in enumerate(iter(functools.partial(file.readline, most), b""), start=1):
        if len(line) == most:
            raise InputError(
                f"line {number} is longer than {most:,} bytes", hint="give word2vec or GloVe text"
            )
        yield line


def _scan(
    lines: Iterator[bytes], path: str, wanted: Collection[str], exact: Collection[str]
) -> dict[str, np.ndarray]:
    """The vectors of the wanted tokens; reading ends once all the exact ones are there."""
    sample = list(itertools.islice(lines, _SAMPLE))
    skipped, dim = _measure(sample, path)
    forms = {form.encode("utf-8", "surrogatepass"): form for form in wanted}
    beginnings = {piece for form in forms for piece in form.split(None, 1)[:1]}
    found: dict[str, np.ndarray] = {}
    missing = set(exact)
    for number, line in enumerate(itertools.chain(sample, lines), start=1):
        # Most lines end here: only what begins like a wanted token is taken apart.
        if line[: _end_of_word(line)] not in beginnings or number <= skipped:
            continue
        token, *row = line.rsplit(None, dim)
        if (form := forms.get(token)) is None or form in found:
            continue
        found[form] = _numbers(row, dim, path, number)
        missing.discard(form)
        if not missing:
            break
    return found


def _end_of_word(line: bytes) -> int:
    ends = [place for place in (line.find(b" "), line.find(b"\t")) if place > 0]
    return min(ends, default=len(line))


def _numbers(row: list[bytes], dim: int, path: str, line: int) -> np.ndarray:
    if len(row) != dim:
        raise InputError(f"{len(row)} numbers, expected {dim}", where=called(path, line))
    texts = [cell.decode("ascii", "replace") for cell in row]
    return np.array(cells.numbers(texts, path, line, first=2))


def _measure(sample: list[bytes], path: str) -> tuple[int, int]:
    """How many lines to skip (the counts of word2vec), and how many numbers each token has.

    The numbers are what most lines end with: a token may hold blanks and digits too.
    """
    if any(b"\0" in line for line in sample):
        raise InputError("is binary, not text", hint="export the vectors as text, .npz or .safetensors")
    rows = [line.split() for line in sample if line.strip()]
    first, second = [*rows, [], []][:2]
    counted = len(first) == 2 and all(map(bytes.isdigit, first)) and (len(second) > 2 or first[1] == b"1")
    tails = [min(_numeric_tail(row), len(row) - 1) for row in rows[counted:]]
    if not tails or not (dim := _commonest(tails)):
        raise InputError(
            "has no line with a token and its numbers", hint="write a token and its numbers per line"
        )
    if not counted:
        return 0, dim
    if (declared := first[1].decode().lstrip("0")) not in map(str, tails):
        what = f"line 1 declares vectors of {cells.shortened(declared)} numbers, the next line has {tails[0]}"
        raise InputError(what, hint="correct line 1 or leave it out")
    return 1, int(declared)


def _commonest(lengths: list[int]) -> int:
    return max(lengths, key=lengths.count)


def _numeric_tail(row: list[bytes]) -> int:
    numeric = (cells.is_number(cell.decode("ascii", "replace")) for cell in reversed(row))
    return sum(1 for _ in itertools.takewhile(bool, numeric))
