"""What is said of an answer: right, wrong or unreadable, stage by stage, and why."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .wording import mistake_text, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

Word = Literal["right", "wrong", "unreadable"]
ALL = 3  # levels of hints: 0 that something is wrong, 1 where, 2 what, 3 how it should be


@dataclass(frozen=True)
class Said:
    """A sentence of `wording/`, by its key, with the numbers that it names."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """The sentence in a language."""
        return say(language, self.key, self.values)


@dataclass(frozen=True)
class Cell:
    """The place where an answer is farthest from the truth, and both numbers."""

    index: tuple[int, ...]
    given: float
    expected: float


@dataclass(frozen=True)
class Trail:
    """How the number of one cell comes about by one way: (what, number) in their order."""

    mistakes: tuple[str, ...]
    steps: tuple[tuple[str, float], ...]


@dataclass(frozen=True, eq=False)
class Numbers:
    """An answer beside the truth, for pictures: both in one shape, and how far they may be apart."""

    given: Float[np.ndarray, "*head row column"]
    expected: Float[np.ndarray, "*head row column"]
    slack: Float[np.ndarray, "*head row column"]


@dataclass(frozen=True)
class StageVerdict:
    """One array judged. `alternatives` are the mistakes that explain every number: one id, or two made at once."""

    stage: str
    verdict: Word
    score: float
    points: float
    said: tuple[Said, ...] = ()  # what it is, in one sentence, and remarks
    alternatives: tuple[tuple[str, ...], ...] = ()
    evidence: tuple[Said, ...] = ()
    cell: Cell | None = None
    max_error: float = 0.0
    trails: tuple[Trail, ...] = ()
    told_apart_by: Said | None = None
    tolerance: float = 0.0
    tolerance_from: str = ""  # decimals, digits, whole, float32, …, given
    followed: bool = False  # judged from the student's own stage before it
    facts: Mapping[str, Any] = field(default_factory=dict)  # sizes, for texts that name them
    numbers: Numbers | None = None
    task: str = ""  # the exercise of a lab that it answers
    title: Said | None = None  # what that exercise is called

    @property
    def id(self) -> str:
        """Its name for programs: the exercise of a lab, else the stage."""
        return self.task or self.stage

    @property
    def missing(self) -> bool:
        """Whether nothing was handed in for it."""
        return any(said.key == "missing" for said in self.said)

    def called(self, language: str = "en") -> str:
        """Its name for people."""
        return say(language, self.stage) if self.title is None else self.title.text(language)

    @property
    def mistakes(self) -> str:
        """The alternatives in a line: `a|b+c`.

        >>> StageVerdict("weights", "wrong", 0, 1, alternatives=(("a",), ("b", "c"))).mistakes
        'a|b+c'
        """
        return "|".join("+".join(ids) for ids in self.alternatives)

    def lines(self, hint: int = ALL, language: str = "en") -> list[str]:
        """What there is to say, up to a level of hints: that, where, what, how."""
        if self.missing:
            return [say(language, "not_handed_in", {"stages": self.called(language)})]
        lines = [say(language, f"stage_{self.verdict}", {"stage": self.called(language)})]
        if self.verdict != "wrong":
            return lines + [said.text(language) for said in self.said]
        if hint >= 1 and self.cell is not None:
            lines.append(say(language, "where", {"place": place(self.stage, self.cell.index, language)}))
        if hint >= 2:
            lines += [
                said.text(language) for said in (*self.evidence, *self.said) if said.key != "explained_by"
            ]
            lines += self._named(language)
            lines += [said.text(language) for said in self.said if said.key == "explained_by"]
        if hint >= 3:
            lines += self._how(language)
        return lines

    def _named(self, language: str) -> list[str]:
        named = []
        for ids in self.alternatives:
            texts = [mistake_text(language, name).here_with(self.facts) for name in ids]
            said = {"ids": "+".join(ids), "texts": say(language, "and").join(texts)}
            named.append(say(language, "named", said))
        if len(named) > 1:
            named = [say(language, "one_of", {"n": len(named)}), *named]
        return named

    def _how(self, language: str) -> list[str]:
        lines = []
        for trail in self.trails:
            numbers = (f"{say(language, f'short_{what}')} = {number(x)}" for what, x in trail.steps)
            steps = say(language, "list_comma").join(numbers)
            by = "+".join(trail.mistakes)
            lines.append(say(language, "worked_wrong" if by else "worked_right", {"by": by, "steps": steps}))
        if self.cell is not None:
            lines.append(say(language, "written", {"given": number(self.cell.given)}))
        fixes = dict.fromkeys(name for ids in self.alternatives for name in ids)
        lines += [mistake_text(language, name).fix_with(self.facts) for name in fixes]
        if self.told_apart_by is not None:
            lines.append(self.told_apart_by.text(language))
        return lines


@dataclass(frozen=True, repr=False)
class Verdict:
    """An answer judged, whole: what `attn check` reports and `attn.check` returns.

    >>> Verdict("a.csv", (StageVerdict("weights", "right", 1.0, 1.0),)).right
    True
    """

    file: str
    stages: tuple[StageVerdict, ...]

    @property
    def verdict(self) -> Word:
        """Wrong if any stage is, else unreadable if any is, else right."""
        words = {stage.verdict for stage in self.stages}
        return "wrong" if "wrong" in words else "unreadable" if "unreadable" in words else "right"

    @property
    def right(self) -> bool:
        """Whether everything is right."""
        return self.verdict == "right"

    @property
    def score(self) -> float:
        """The points that were reached."""
        return sum(stage.score for stage in self.stages)

    @property
    def max(self) -> float:
        """The points that there are."""
        return sum(stage.points for stage in self.stages)

    @property
    def decisive(self) -> StageVerdict:
        """The first stage that is wrong, else unreadable, else not handed in, else the last."""
        wrong = [stage for stage in self.stages if stage.verdict == "wrong"]
        unreadable = [stage for stage in self.stages if stage.verdict == "unreadable"]
        return (*wrong, *sorted(unreadable, key=lambda stage: stage.missing), self.stages[-1])[0]

    @property
    def what(self) -> str:
        """The stages that were handed in."""
        return "+".join(stage.id for stage in self.stages)

    @property
    def mistakes(self) -> str:
        """The mistakes of the stage that decides: alternatives joined by |, two at once by +."""
        return self.decisive.mistakes

    @property
    def tied(self) -> int:
        """How many alternatives explain the numbers."""
        return len(self.decisive.alternatives)

    @property
    def max_error(self) -> float:
        """The largest difference from the truth, of the stage that decides."""
        return self.decisive.max_error

    def __repr__(self) -> str:
        found = f": {self.mistakes}" if self.mistakes else ""
        return f"Verdict({self.what}: {self.verdict}, {self.score:g} of {self.max:g}{found})"

    def lines(self, hint: int = ALL, language: str = "en") -> list[str]:
        """All that is said of it, a line each."""
        return [line for stage in self.stages for line in stage.lines(hint, language)]

    def message(self, hint: int = ALL, language: str = "en") -> str:
        """The stage that decides, and all that cannot be judged, in one line."""
        lines = [] if self.decisive.verdict == "unreadable" else self.decisive.lines(hint, language)
        lines += self.not_judged(language)
        return say(language, "sentence_space").join(line.replace("\n", " ") for line in lines)

    def not_judged(self, language: str = "en") -> list[str]:
        """What is said of the stages that cannot be read, and of those that were not handed in."""
        stages = [stage for stage in self.stages if stage.verdict == "unreadable"]
        lines = [line for stage in stages if not stage.missing for line in stage.lines(language=language)]
        missing = [stage.called(language) for stage in stages if stage.missing]
        if len(missing) == len(self.stages):
            return [say(language, "nothing_handed_in")]
        names = {"stages": say(language, "list_comma").join(missing)}
        return lines + [say(language, "not_handed_in", names)] * bool(missing)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        colour = {"right": "#007a4d", "wrong": "#b3261e", "unreadable": "#8a6100"}[self.verdict]
        first, *rest = self.lines()
        listed = "".join(f"<li>{html.escape(line)}</li>" for line in rest)
        return f'<div><strong style="color: {colour}">{html.escape(first)}</strong><ul>{listed}</ul></div>'

    def require(self) -> None:
        """Raise AssertionError with one line unless everything is right: for nbgrader and otter."""
        if not self.right:
            raise AssertionError(self.message())


def place(stage: str, index: tuple[int, ...], language: str = "en") -> str:
    """The place of a cell in words.

    >>> place("weights", (0, 1, 2))
    'head 0, query 1, key 2'
    """
    axes = _AXES.get(stage, ("row", "column"))[-len(index) :] if len(index) <= 3 else ()
    axes = ("index",) * (len(index) - len(axes)) + tuple(axes)
    return say(language, "list_comma").join(
        say(language, f"axis_{axis}", {"i": i}) for axis, i in zip(axes, index, strict=True)
    )


def axes_of(stage: str, language: str = "en") -> tuple[str, str]:
    """What the rows and columns of a stage are called.

    >>> axes_of("weights")
    ('query', 'key')
    """
    rows, columns = _AXES.get(stage, ("row", "column"))[-2:]
    return say(language, f"name_{rows}"), say(language, f"name_{columns}")


_AXES = {
    **dict.fromkeys(("dots", "scores", "mask", "masked", "weights"), ("head", "query", "key")),
    **dict.fromkeys(("query", "key", "value", "head_output"), ("head", "row", "column")),
    "table": ("position", "column"),
}


def number(x: float) -> str:
    """A number as people read it.

    >>> number(0.333333), number(float("-inf")), number(1e-9)
    ('0.3333', '−∞', '1e-09')
    """
    if np.isnan(x):
        return "NaN"
    if np.isinf(x):
        return "−∞" if x < 0 else "∞"
    return f"{x:.4g}"
