"""Figures of whatever attends: of one text, record or tensor of any length, and of many texts in constant memory."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import AttnNote, AttnWarning, InputError
from ..interpret import report
from ..interpret.corpus import Corpus, with_roles
from ..interpret.tally import figures, regrouped
from ..interpret.watching import Counting
from . import batching
from .resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..interpret.report import By
    from ..interpret.tally import Figures
    from ..records.table import Table
    from .groups import Options, Show


@dataclass(frozen=True, eq=False)
class Measured:
    """The figures of an attention, and the attention itself, which may be pooled."""

    figures: Figures
    attention: Any  # an Attention; of texts that were read together, an Origin


def measure(
    data: Any,
    options: Options,
    *,
    model: Any = None,
    default_model: str = "mini",
    show: Show | None = None,
    where: str = "",
) -> Measured:
    """What each head does in one text, record or tensor; a text too long to be held is counted while it passes.

    Raises InputError for a saved record whose maps are pooled.
    """
    if show not in (None, "weights", "norms"):
        raise InputError(f"statistics of {show} are not defined", hint="give weights or norms")
    counting = Counting(show=show or "weights")
    found = resolve(
        data, options, model=model, default_model=default_model, show=show, where=where, watch=counting
    )
    if not counting:
        if found.show == "scores":
            raise InputError("statistics of scores are not defined", hint="give weights or norms")
        return Measured(figures(found, show=show or found.show), found)
    made = counting.figures()
    heads = [number for number in found.heads if isinstance(number, int)]
    if len(heads) < len(found.heads) or any(isinstance(number, str) for number in found.layers):
        raise InputError(
            "the mean of heads is not available for a text this long", hint="choose heads by number"
        )
    if made["entropy"].shape[1] > len(heads):  # where a head's number matters, all were computed
        made = {name: np.take(numbers, heads, axis=1) for name, numbers in made.items()}
    return Measured(made, found)


def stats(
    data: Any,
    options: Options,
    *,
    model: Any = None,
    default_model: str = "mini",
    show: Show | None = None,
    by: By | None = None,
    where: str = "",
) -> Table:
    """A row per layer and head, or what `by` says: layer, head, query or key."""
    found = measure(data, options, model=model, default_model=default_model, show=show, where=where)
    return table_of(found, show=show, by=by)


def table_of(found: Measured, *, show: Show | None = None, by: By | None = None) -> Table:
    """The figures of one attention as a table."""
    attention = found.attention
    if by in ("query", "key") and attention.pooled:
        n = len(attention.query_tokens)
        raise InputError(
            f"statistics by {by} of {n:,} tokens take too much memory",
            hint="give a part: --query-range FROM:TO",
        )
    if by is None:
        return report.per_head(found.figures, attention.layers, attention.heads, attention.provenance)
    if by == "layer" or by == "head":
        names = attention.layers if by == "layer" else attention.heads
        return report.grouped(found.figures, by, names, attention.provenance)
    return report.per_position(attention, by, show=show or attention.show)


@dataclass(eq=False)
class Texts:
    """The figures of many texts: their mean, each text counted once, and its standard error."""

    by: Literal["layer", "head"] | None = None
    corpus: Corpus = field(default_factory=Corpus)
    layers: tuple[int | str, ...] = ()
    heads: tuple[int | str, ...] = ()
    provenance: str = ""

    def add(self, measured: Measured) -> None:
        """Count a text.

        Raises InputError where it has other layers or heads than those before.
        """
        attention = measured.attention
        if not self.layers:
            self.layers, self.heads = attention.layers, attention.heads
            self.provenance = attention.provenance
        elif (self.layers, self.heads) != (attention.layers, attention.heads):
            raise InputError("these texts have different layers or heads", hint="give them to one model")
        made = measured.figures
        self.corpus.add(regrouped(made, self.by) if self.by else made)

    def table(self) -> Table:
        """A row per layer and head, or per layer or head; a second column for each error, and how many texts."""
        if not self.corpus.texts:
            raise InputError("no texts", hint="give a text on each line, or several files")
        made = self.corpus.figures()
        said = f"{self.provenance}; mean over {self.corpus.texts:,} texts".removeprefix("; ")
        if self.by is None:
            table = report.per_head(with_roles(made), self.layers, self.heads, said)
        else:
            names = self.layers if self.by == "layer" else self.heads
            table = report.grouped_means(made, self.by, names, said)
        return table.beside({"texts": np.full(len(table), self.corpus.texts)})

    def state(self) -> dict[str, np.ndarray]:
        """All of it as arrays by name, to be saved: `Texts.from_state`."""
        names = {"layers": self.layers, "heads": self.heads, "provenance": (self.provenance,)}
        return {
            **self.corpus.state(),
            **{name: np.array(list(map(str, held))) for name, held in names.items()},
        }

    def take(self, arrays: dict[str, np.ndarray]) -> None:
        """Count the texts of a saved state too."""
        arrays = dict(arrays)
        layers, heads = (tuple(map(_number, arrays.pop(name).tolist())) for name in ("layers", "heads"))
        (provenance,) = arrays.pop("provenance").tolist()
        if not self.layers:
            self.layers, self.heads, self.provenance = layers, heads, provenance
        self.corpus.merge(Corpus.from_state(arrays))


def _number(name: str) -> int | str:
    return int(name) if name.lstrip("-").isdigit() else name


def stats_of_texts(
    texts: Iterable[Any],
    options: Options,
    *,
    model: Any = None,
    default_model: str = "mini",
    show: Show | None = None,
    by: Literal["layer", "head"] | None = None,
) -> Table:
    """The mean over texts, each counted once, and its standard error in a second column."""
    from .. import models

    name = model or default_model
    known = models.load(name) if isinstance(name, str) and name not in ("none", "untrained") else name
    found = Texts(by)

    def one(data: Any, where: str) -> Measured:
        return measure(data, options, model=known if isinstance(data, str) else None, show=show, where=where)

    several = together(known, options, show)
    for _ in measure_texts(((text, f"text {i}") for i, text in enumerate(texts)), found, one, several):
        pass
    return found.table()


def measure_texts(
    texts: Iterable[tuple[Any, str]],
    found: Texts,
    one: Callable[[Any, str], Measured],
    several: Callable[[Sequence[Any]], Sequence[Measured | None]] | None = None,
) -> Iterator[int]:
    """Count texts, each with where it stands, by what `one` makes of it; says how many are done.

    `several` makes of many texts at once what it can, a few hundred of them being read before. What is noted of the
    first text is noted once, and no warning twice.
    """
    done = 0
    with warnings.catch_warnings():
        for window in _windows(texts, 1 if several is None else batching.WINDOW):
            made = [None] * len(window) if several is None else several([text for text, _ in window])
            for (text, where), measured in zip(window, made, strict=True):
                found.add(_alone(one, text, where) if measured is None else measured)
                done += 1
                if done == 1:
                    warnings.simplefilter("ignore", AttnNote)
                yield done


def _windows(texts: Iterable[tuple[Any, str]], size: int) -> Iterator[list[tuple[Any, str]]]:
    """So many texts at a time; what is no text, which may be large, comes alone.

    >>> [len(window) for window in _windows([("a", ""), ("b", ""), (0, ""), ("c", "")], 3)]
    [2, 1, 1]
    """
    window: list[tuple[Any, str]] = []
    for each in texts:
        alone = not isinstance(each[0], str)
        if window and (alone or len(window) == size):
            yield window
            window = []
        window.append(each)
        if alone:
            yield window
            window = []
    if window:
        yield window


def _alone(one: Callable[[Any, str], Measured], text: Any, where: str) -> Measured:
    """One text measured by itself; a warning that was there before is not repeated."""
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", AttnWarning)
            measured = one(text, where)
    except InputError as problem:
        raise problem.at(where) from None
    for each in said:
        warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
        warnings.filterwarnings("ignore", re.escape(str(each.message)), each.category)
    return measured


def together(
    model: Any, options: Options, show: Show | None
) -> Callable[[Sequence[Any]], Sequence[Measured | None]] | None:
    """What measures several texts at once; None where they are to be read one by one."""
    if not batching.can_be_batched(model, options, show):
        return None

    def several(texts: Sequence[Any]) -> list[Measured | None]:
        found, origin = batching.figures_of(model, texts, options)
        return [None if figures is None else Measured(figures, origin) for figures in found]

    return several
