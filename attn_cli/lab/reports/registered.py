"""The registry of reports, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...registry import Registry

if TYPE_CHECKING:
    from ..verdict import StageVerdict, Verdict

Report = Callable[..., bytes]

REPORTS: Registry[Report] = Registry("report")


def output(stage: StageVerdict, hint: int, language: str) -> str:
    """What a student reads of a stage: no more than this level of hints tells."""
    return "\n".join(stage.lines(hint, language))


def name(verdict: Verdict, stage: StageVerdict, language: str) -> str:
    """What a test is called: the file, if there is one, and the stage."""
    what = stage.called(language)
    return f"{verdict.file}: {what}" if verdict.file else what


def points(x: float) -> float:
    """Rounded to five places, as graders show points.

    >>> points(2 / 3)
    0.66667
    """
    return round(x, 5)
