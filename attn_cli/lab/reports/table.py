"""The table of verdicts: a row for each file, for tsv, csv and whatever else writes tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...records.table import Table
from .registered import points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..verdict import Verdict

COLUMNS = (
    "file", "verdict", "score", "max", "what", "stage", "mistakes", "tied", "max_error", "cell", "message",
)  # fmt: skip


def table(verdicts: Sequence[Verdict], *, hint: int = 3, lang: str = "en") -> Table:
    """A row for each verdict: `file verdict score max what stage mistakes tied max_error cell message`.

    `stage` is the one that is wrong, `mistakes` the alternatives that explain all its numbers (a|b, two at
    once a+b), `tied` how many they are, `cell` the place that differs most.

    >>> from attn_cli.lab.judging import unreadable
    >>> next(table([unreadable("a.csv", "no numbers")]).rows())["verdict"]
    'unreadable'
    """
    rows = [_row(verdict, hint, lang) for verdict in verdicts]
    columns = {name: np.array([row[i] for row in rows]) for i, name in enumerate(COLUMNS)}
    return Table(columns, about="check")


def _row(verdict: Verdict, hint: int, lang: str) -> tuple[object, ...]:
    one = verdict.decisive
    cell = "" if one.cell is None or verdict.right or hint < 1 else ",".join(map(str, one.cell.index))
    return (
        verdict.file, verdict.verdict, points(verdict.score), points(verdict.max), verdict.what,
        "" if verdict.right else one.id, verdict.mistakes if hint >= 2 else "", verdict.tied, verdict.max_error,
        cell, verdict.message(hint, lang),
    )  # fmt: skip
