"""A figure of an explanation: a row per method, a column per token, each row shaded by itself; its tests below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..fonts.faces import preferring
from ..labels import label
from ..look import PLAIN
from .heads import side_by_side
from .maps import LONGEST
from .panels import Maps
from .sheet import Sheet, draw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from ...records.explanation import Explanation
    from ..look import Look


def explanation_figure(found: Explanation, look: Look = PLAIN) -> Figure:
    """What each method says of each token, as a share of what it says of the token it puts first."""
    with preferring(look.font):
        return draw(explanation_sheet(found, look), look.pixels)


def explanation_sheet(found: Explanation, look: Look = PLAIN) -> Sheet:
    """Where everything of `explanation_figure` stands."""
    rows = np.array(list(found.methods.values()))
    most = abs(rows).max(axis=1, keepdims=True)
    shares = rows / np.where(most > 0, most, 1)
    maps = Maps(
        shares[None],
        rows=tuple(found.methods),
        columns=tuple(label(token, LONGEST) for token in found.tokens),
        row_name="method",
        column_name="token",
        unit="share of the row's largest",
        origin=None,
        titles=(f"toward {label(' '.join(found.output), LONGEST)}",),
        look=look,
        said=tuple(_tests(found)),
    )
    return side_by_side([maps], found.said, look)


def _tests(found: Explanation) -> Iterator[str]:
    """How each method stood each test, a line per test, beside chance."""
    table = found.by_method()
    for name in list(table.columns)[1:]:
        numbers = zip(table["method"].tolist(), table[name].tolist(), strict=True)
        yield f"{name}: {', '.join(f'{method} {number:z.3f}' for method, number in numbers)}"
    yield table.provenance
