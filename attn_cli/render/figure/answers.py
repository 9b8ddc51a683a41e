"""An answer beside the truth: both maps on one scale, their difference centred at zero, the worst cells framed."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..fonts.faces import preferring
from ..look import PLAIN
from .maps import fit
from .panels import Maps, Plan
from .paper import lay_out as on_paper
from .several import Several, fit_several
from .sheet import Sheet, Stroke, draw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jaxtyping import Float
    from matplotlib.figure import Figure

    from ..look import Look
    from .paper import Paper, Room
    from .sheet import Mark

MOST_FRAMED = 5  # cells
_FRAME = "#d55e00"

Place = tuple[int, int, int]  # head, row, column


@dataclass(frozen=True, eq=False)
class Compared:
    """What is drawn: numbers in one shape, how far they may be apart, and the words of a language."""

    given: Float[np.ndarray, "*head row column"]
    expected: Float[np.ndarray, "*head row column"]
    slack: Float[np.ndarray, "*head row column"]
    unit: str
    axes: tuple[str, str]  # what rows and columns are called
    heads: tuple[str, ...]  # what each is called, none where there is one map
    words: Mapping[str, str]  # given, expected, difference, hidden
    origin: str = ""  # whose answer it is


@dataclass(frozen=True, eq=False)
class Framed(Plan):
    """Panels in which some cells have a frame."""

    places: tuple[Place, ...] = ()

    def marks(self, x: float, y: float) -> Iterator[Mark]:
        """Everything, from this corner, and the frames on top."""
        yield from super().marks(x, y)
        at = self.at(x, y)
        for panel, row, column in self.places:
            left, top = at.corners[panel]
            left, top = left + column * self.cells.width, top + row * self.cells.height
            right, bottom = left + self.cells.width, top + self.cells.height
            around = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
            yield Stroke(around, _FRAME, self.paper.letters / 6)


def answer_figure(compared: Compared, said: Sequence[str] = (), look: Look = PLAIN) -> Figure:
    """The figure; `said` stands at its foot."""
    with preferring(look.font):
        return draw(answer_sheet(compared, said, look), look.pixels)


def answer_sheet(compared: Compared, said: Sequence[str] = (), look: Look = PLAIN) -> Sheet:
    """Where everything of `answer_figure` stands."""
    given, expected = (_heads(array) for array in (compared.given, compared.expected))
    known = np.isfinite(given) & np.isfinite(expected)
    with np.errstate(invalid="ignore"):
        apart = np.where(known, given - expected, 0.0)
    worst = _worst(apart, known, given, expected, _heads(np.asarray(compared.slack)))
    n, words = len(given), compared.words
    names = [f"{name}: " for name in compared.heads] or [""] * n
    both = Maps(
        np.nan_to_num(np.stack([given, expected], axis=1).reshape(2 * n, *given.shape[1:]), posinf=0, neginf=0),
        tuple(map(str, range(given.shape[1]))), tuple(map(str, range(given.shape[2]))), *compared.axes, compared.unit, None,
        hidden=~np.isfinite(np.stack([given, expected], axis=1).reshape(2 * n, *given.shape[1:])),
        across=1 if look.columns == 1 else 2, titles=tuple(f"{name}{words[key]}" for name in names for key in ("given", "expected")),
        look=look, hidden_name=words["hidden"], flows=False, said=tuple(said),
    )  # fmt: skip
    difference = replace(
        both, values=apart, hidden=~known, across=1, unit=words["difference"], said=(),
        titles=tuple(f"{name}{words['difference']}" for name in names),
    )  # fmt: skip
    framed = [(both, tuple((2 * h, r, c) for h, r, c in worst)), (difference, tuple(worst))]

    def fit_all(paper: Paper, room: Room) -> Several:
        return fit_several([partial(_fit, maps, places) for maps, places in framed], paper, room)

    return on_paper(look, fit_all, origin=compared.origin or None).sheet()


def _fit(maps: Maps, places: tuple[Place, ...], paper: Paper, room: Room) -> Framed:
    plan = fit(maps, paper, room)
    return Framed(
        **{f.name: getattr(plan, f.name) for f in fields(Plan)},
        places=places if plan.cells.factor == 1 else (),
    )


def _heads(array: np.ndarray) -> Float[np.ndarray, "head row column"]:
    return array.reshape(-1, *array.shape[-2:]) if array.ndim > 1 else array.reshape(1, 1, -1)


def _worst(
    apart: np.ndarray, known: np.ndarray, given: np.ndarray, expected: np.ndarray, slack: np.ndarray
) -> list[Place]:
    """The cells farthest beyond what they may be off; what is no number on one side alone goes first."""
    unlike = ~known & ~((given == expected) | (np.isnan(given) & np.isnan(expected)))
    beyond = np.where(unlike, np.inf, np.abs(apart) - slack)
    order = np.argsort(-beyond, axis=None, kind="stable")[:MOST_FRAMED]
    places = (np.unravel_index(i, beyond.shape) for i in order)
    return [(int(h), int(r), int(c)) for h, r, c in places if beyond[h, r, c] > 0]
