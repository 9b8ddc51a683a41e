"""Worked attention as data: every step with its formula, and the arithmetic of one cell.

`lab.steps` works it out; the terminal, a page and every document print the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from jaxtyping import Float


@dataclass(frozen=True)
class Words:
    """What a worksheet says around its numbers, in one language.

    `terms` are what steps and axes are called in it, where that is not their name. {n} is a number, {shape} a shape.
    """

    language: str
    title: str
    rounding: str
    shape: str
    layer: str
    head: str
    hidden: str  # {mark} stands for −∞
    cell: str
    stop: str
    space: str  # between two sentences
    dimension: str
    terms: Mapping[str, str]

    def term(self, name: str) -> str:
        """What a step or an axis is called."""
        return self.terms.get(name, name)

    def shape_of(self, step: Step) -> str:
        """The size of each axis under its name."""
        sizes = zip(map(self.term, step.axes), step.values.shape, strict=True)
        return f"[{', '.join(f'{axis} {size}' for axis, size in sizes)}]"

    def corner(self, step: Step) -> str:
        """What the rows are called."""
        return self.term(step.corner)

    def heading(self, arithmetic: Arithmetic) -> str:
        """Which cell is worked out."""
        return self.cell.format(**{f.name: getattr(arithmetic, f.name) for f in fields(arithmetic)})

    def begun(self, text: str, n: int | str) -> str:
        """`layer` or `head` with its number, as a heading begins."""
        said = text.format(n=n)
        return f"{said[:1].upper()}{said[1:]}"

    def sentences(self, *texts: str) -> str:
        """Texts one after the other, a full stop at the end of each."""
        return self.space.join(f"{text.rstrip(self.stop)}{self.stop}" for text in texts if text)


@dataclass(frozen=True, eq=False)
class Step:
    """One matrix on the way from vectors to output, or one for each head.

    >>> import numpy as np
    >>> Step("scores", "S = Q · Kᵀ", "", ("head", "query", "key"), np.zeros((2, 3, 3)), (), ()).shape
    '[head 2, query 3, key 3]'
    """

    name: str
    formula: str
    meaning: str
    axes: tuple[str, ...]
    values: Float[np.ndarray, "*head row column"]  # −∞ where a score is masked
    rows: tuple[str, ...]  # tokens, one for each row; none where rows are only numbered
    columns: tuple[str, ...]

    @property
    def row_names(self) -> tuple[str, ...]:
        """What stands beside the rows: tokens, else numbers."""
        return self.rows or tuple(map(str, range(self.matrices.shape[1])))

    @property
    def column_names(self) -> tuple[str, ...]:
        """What stands over the columns: tokens, else numbers."""
        return self.columns or tuple(map(str, range(self.matrices.shape[2])))

    @property
    def corner(self) -> str:
        """What the rows are called."""
        return self.axes[-2] if len(self.axes) > 1 else ""

    @property
    def shape(self) -> str:
        """The size of each axis under its name."""
        return f"[{', '.join(map('{} {}'.format, self.axes, self.values.shape))}]"

    @property
    def matrices(self) -> Float[np.ndarray, "head row column"]:
        """The matrix of each head, or the only one."""
        return (
            self.values.reshape(-1, *self.values.shape[-2:])
            if self.values.ndim > 1
            else self.values[None, None]
        )


@dataclass(frozen=True)
class Line:
    """One line of arithmetic: what it gives, how, written out, and the number itself."""

    name: str
    text: str
    value: float
    remark: str = ""


@dataclass(frozen=True)
class Arithmetic:
    """How the weight of one key for one query comes about, and the first numbers of the output."""

    head: int | str
    query: int
    key: int
    query_token: str
    key_token: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, eq=False)
class Worked:
    """All steps of one layer."""

    layer: int | str
    heads: tuple[int | str, ...]
    steps: tuple[Step, ...]
    arithmetic: Arithmetic | None  # None where a cell is too large to be checked by hand
    provenance: str
    words: Words


def rounded(number: float) -> str:
    """A number as people read it: 4 decimals, or 4 digits of one that is very small or very large.

    >>> rounded(0.489394989), rounded(1.0), rounded(-0.00001234), rounded(float("-inf"))
    ('0.4894', '1', '-1.234e-05', '-∞')
    """
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    if number == 0 or 0.001 <= abs(number) < 1e5:
        return f"{number + 0.0:.4f}".rstrip("0").rstrip(".")
    return f"{number:.4g}"


def printed(matrix: Float[np.ndarray, "row column"]) -> list[list[str]]:
    """The numbers of a table, rounded, with as many decimals as the longest of them needs.

    >>> import numpy as np
    >>> printed(np.array([[0.5, 1.0], [0.25, 1e-9]]))
    [['0.50', '1.00'], ['0.25', '1e-09']]
    """
    texts = [[rounded(number) for number in row] for row in matrix.tolist()]
    plain = [text for row in texts for text in row if _is_plain(text)]
    decimals = max((len(text.partition(".")[2]) for text in plain), default=0)
    return [[f"{float(text):.{decimals}f}" if _is_plain(text) else text for text in row] for row in texts]


def equals(*numbers: float) -> str:
    """The sign before a result: = if all these numbers are printed whole, ≈ if one of them is rounded.

    >>> equals(0.5, 2.0), equals(0.5, 2 / 3)
    ('=', '≈')
    """
    return "=" if all(math.isclose(_read(rounded(x)), x, rel_tol=1e-12) for x in numbers) else "≈"


def _is_plain(text: str) -> bool:
    return not set("e∞") & set(text)


def _read(text: str) -> float:
    return float(text.replace("∞", "inf"))
