"""Figures of many texts: their mean, each text counted once, and its standard error, in constant memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .statistics import STATISTICS, kind
from .tally import has_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .tally import Figures


class Corpus:
    """The running mean and spread of every column over texts.

    After each text: n ← n + 1, δ = x − mean, mean ← mean + δ / n, M₂ ← M₂ + δ · (x − mean). Two parts of a corpus
    are put together exactly: M₂ = M₂ₐ + M₂ᵦ + δ² nₐ nᵦ / n. A text in which a column says nothing (no token is
    there twice) does not count for that column. Welford 1962; Chan, Golub & LeVeque 1983,
    doi:10.1080/00031305.1983.10483115.

    >>> corpus = Corpus()
    >>> for share in (0.25, 0.75):
    ...     corpus.add({"self": np.array([[share]])})
    >>> {name: numbers.tolist() for name, numbers in corpus.figures().items()}
    {'self': [[0.5]], 'self_se': [[0.25]]}
    """

    def __init__(self) -> None:
        self.texts = 0
        self._count: dict[str, np.ndarray] = {}
        self._mean: dict[str, np.ndarray] = {}
        self._square: dict[str, np.ndarray] = {}  # M₂: the sum of squares about the mean
        self._votes: dict[str, np.ndarray] = {}  # of a column that has no mean: texts by value

    def add(self, figures: Figures) -> None:
        """Count a text."""
        one = Corpus()
        one.texts = 1
        for name, numbers in figures.items():
            if has_mean(name):
                counted = ~np.isnan(numbers)
                one._count[name] = counted.astype(np.float64)
                one._mean[name] = np.where(counted, numbers, 0)
                one._square[name] = np.zeros(numbers.shape)
            elif kind(name) != "figures":
                n = int(np.nan_to_num(numbers).max()) + 1
                one._votes[name] = (numbers[..., None] == np.arange(n)).astype(np.int64)
        self.merge(one)

    def merge(self, other: Corpus) -> None:
        """Count the texts of another corpus too."""
        self.texts += other.texts
        for name, mean in other._mean.items():
            if name not in self._mean:
                self._count[name], self._mean[name], self._square[name] = (
                    part[name].copy() for part in (other._count, other._mean, other._square)
                )
                continue
            a, b = self._count[name], other._count[name]
            n, apart = np.maximum(a + b, 1), mean - self._mean[name]
            self._square[name] += other._square[name] + apart**2 * a * b / n
            self._mean[name] += apart * b / n
            self._count[name] = a + b
        for name, votes in other._votes.items():
            self._votes[name] = _sum(self._votes.get(name, votes[..., :0]), votes)

    def figures(self) -> Figures:
        """Each column and, as `…_se`, its standard error: the sample deviation (ddof 1) over √texts.

        NaN with fewer than two texts. A key position is given as its most frequent value, the first of equally frequent ones.
        """
        made: Figures = {}
        for name in STATISTICS:
            if name in self._mean:
                n = self._count[name]
                made[name] = np.where(n > 0, self._mean[name], np.nan)
                made[f"{name}_se"] = np.sqrt(self._square[name] / np.where(n > 1, (n - 1) * n, np.nan))
            elif name in self._votes:
                made[name] = self._votes[name].argmax(axis=-1).astype(np.float64)
        return made

    def state(self) -> dict[str, np.ndarray]:
        """The whole corpus as named arrays, to save; `Corpus.from_state` goes on from them."""
        parts = {"count": self._count, "mean": self._mean, "square": self._square, "votes": self._votes}
        arrays = {f"{part}.{name}": array for part, of in parts.items() for name, array in of.items()}
        return {"texts": np.array(self.texts), **arrays}

    @classmethod
    def from_state(cls, arrays: Mapping[str, np.ndarray]) -> Corpus:
        """The corpus whose `state` this is.

        >>> corpus = Corpus()
        >>> corpus.add({"self": np.array([[0.5]])})
        >>> Corpus.from_state(corpus.state()).figures()["self"].tolist()
        [[0.5]]
        """
        corpus = cls()
        corpus.texts = int(arrays["texts"])
        parts = {
            "count": corpus._count,
            "mean": corpus._mean,
            "square": corpus._square,
            "votes": corpus._votes,
        }
        for key, array in arrays.items():
            part, dot, name = key.partition(".")
            if dot:
                parts[part][name] = array.copy()
        return corpus


def with_roles(figures: Figures) -> Figures:
    """The columns of a corpus, and the role that follows from their means.

    >>> with_roles({"previous": np.array([[0.9]])})["role"].tolist()
    [['previous token']]
    """
    return {**figures, "role": STATISTICS["role"](figures)}


def _sum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The sum of two lists of counts; the shorter is filled up with zeros."""
    longer, shorter = (a, b) if a.shape[-1] >= b.shape[-1] else (b, a)
    total = longer.copy()
    total[..., : shorter.shape[-1]] += shorter
    return total
