"""What a PrairieLearn external grader leaves in `/grade/results/results.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ...text.escaping import json_text
from .registered import REPORTS, name, output, points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..verdict import StageVerdict, Verdict

MOST = 1_000_000  # bytes that PrairieLearn takes
_LONGEST = 2_000  # characters of one text, so that a hundred tests stay below that


@REPORTS.register
def prairielearn(verdicts: Sequence[Verdict], *, hint: int = 1, lang: Literal["en", "zh"] = "en") -> bytes:
    """Points from 0 to 1; what cannot be read is not gradable, so that no attempt is lost.

    >>> from attn_cli.lab.judging import unreadable
    >>> b'"gradable": false' in prairielearn([unreadable("a.csv", "no numbers")])
    True
    """
    stages = [(verdict, stage) for verdict in verdicts for stage in verdict.stages]
    errors = [output(stage, 3, lang)[:_LONGEST] for _, stage in stages if stage.verdict == "unreadable"]
    gradable = not any(verdict.verdict == "unreadable" for verdict in verdicts)
    most = sum(verdict.max for verdict in verdicts)
    result: dict[str, Any] = {
        "gradable": gradable,
        "score": points(sum(verdict.score for verdict in verdicts) / most) if gradable and most else 0.0,
        "message": "\n".join(verdict.message(hint, lang) for verdict in verdicts)[:_LONGEST],
        "tests": [_test(*pair, hint, lang) for pair in stages],
    }
    if not gradable:
        result["format_errors"] = errors
    return f"{json_text(_fitting(result))}\n".encode()


def _test(verdict: Verdict, stage: StageVerdict, hint: int, language: str) -> dict[str, Any]:
    return {
        "name": name(verdict, stage, language),
        "points": points(stage.score),
        "max_points": points(stage.points),
        "output": output(stage, hint, language)[:_LONGEST],
    }


def _fitting(result: dict[str, Any]) -> dict[str, Any]:
    """Without the texts of tests if there are so many that the whole would be too large."""
    if len(json_text(result).encode()) < MOST:
        return result
    tests = [{key: x for key, x in test.items() if key != "output"} for test in result["tests"]]
    return {**result, "tests": tests[:5000]}
