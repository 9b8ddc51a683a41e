"""Files of answers → verdicts: each is judged against one exercise, and a bad one stops nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import files
from ..errors import InputError
from ..lab.answer import STAGES, stage_named
from ..lab.judging import Judge, unreadable
from ..variants.masks import MASKS
from ..variants.posenc import POSENCS
from .exercises import exercise
from .text import known_or_file, posencs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..lab.judging import Points
    from ..lab.verdict import Verdict
    from .groups import Options


def judge_files(
    paths: Sequence[str],
    options: Options,
    *,
    data: Any = None,
    against: Any = None,
    size: tuple[int | None, int | None] = (None, None),
    what: str | None = None,
    tolerance: float | None = None,
    points: Points = 1.0,
) -> list[Verdict]:
    """The verdict on every file, in their order.

    `data` is the text or the vectors of the exercise, `size` that of a mask or a table, by default each
    answer's own. Raises InputError where nothing says what the truth is; a file that cannot be read has a
    verdict of its own.
    """
    judges = Judges(options, data, against, size)
    judges.check(what)
    return [_judged(path, judges, what, tolerance, points) for path in paths]


class Judges:
    """One judge for all answers, or for masks and tables alone one for each size."""

    def __init__(
        self, options: Options, data: Any, against: Any, size: tuple[int | None, int | None] = (None, None)
    ) -> None:
        self.options, self.data, self.against, self.size = options, data, against, size
        self._made: dict[tuple[int, int], Judge] = {}

    def check(self, what: str | None) -> None:
        """Raise InputError for options that cannot be right, before any answer is read."""
        if what is not None:
            stage_named(what, STAGES)
        if self.sized:
            asked = self.of(np.zeros((1, 1))).exercise.asked
            if what is not None:
                stage_named(what, asked)
            return
        masks, tables = self.options.scoring.mask, posencs(self.options.positions.posenc)
        if not masks and not tables:
            exercise(None, self.options)  # which says what is missing
        for registry, specs in ((MASKS, masks), (POSENCS, tables)):
            for part in (part for spec in specs if isinstance(spec, str) for part in spec.split("|")):
                known_or_file(part, registry)

    @property
    def sized(self) -> bool:
        """Whether the exercise has a size before there is an answer."""
        vectors = self.against is not None or self.data is not None or self.options.vectors.query is not None
        return vectors or None not in self.size

    def of(self, answer: Any) -> Judge:
        """The judge for an answer."""
        rows, columns = self._shape(answer)
        if (rows, columns) not in self._made:
            asked = exercise(self.data, self.options, against=self.against, shape=(rows, columns))
            self._made[rows, columns] = Judge(asked)
        return self._made[rows, columns]

    def _shape(self, answer: Any) -> tuple[int, int]:
        if self.sized and None in self.size:
            return 0, 0  # one for all
        array = next(iter(answer.values())) if isinstance(answer, dict) else answer
        shape = np.shape(array)[-2:] if np.ndim(array) > 1 else (1, np.size(array))
        return self.size[0] or shape[0], self.size[1] or shape[1]


def _judged(path: str, judges: Judges, what: str | None, tolerance: float | None, points: Points) -> Verdict:
    try:
        answer = files.read_answer(path)
        return judges.of(answer)(answer, what=what, tolerance=tolerance, points=points, file=path)
    except (InputError, OSError, MemoryError) as problem:
        return unreadable(path, _in_words(problem, path), points=points, what=what)


def _in_words(problem: Exception, path: str) -> str:
    if isinstance(problem, InputError):
        return str(problem).removeprefix(f"{path}: ")
    return getattr(problem, "strerror", None) or "not enough memory"
