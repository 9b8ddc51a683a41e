"""Everything about verdicts as JSON, whole or a line for each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from ...text.escaping import json_text
from ..wording import mistake_text
from .registered import REPORTS, points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..verdict import Said, StageVerdict, Verdict

SCHEMA_VERSION = 1


@REPORTS.register
def json(verdicts: Sequence[Verdict], *, hint: int = 3, lang: Literal["en", "zh"] = "en") -> bytes:
    """All verdicts as one object; its schema is `lab/reports/schemas/check.json`.

    >>> from attn_cli.lab.judging import unreadable
    >>> json([unreadable("a.csv", "no numbers")])[:46]
    b'{"schema_version": 1, "type": "check", "answer'
    """
    answers = [as_value(verdict, hint, lang) for verdict in verdicts]
    return _line({"schema_version": SCHEMA_VERSION, "type": "check", "answers": answers})


@REPORTS.register
def jsonl(verdicts: Sequence[Verdict], *, hint: int = 3, lang: Literal["en", "zh"] = "en") -> bytes:
    """A line of JSON for each verdict, each as one answer of json.

    >>> from attn_cli.lab.judging import unreadable
    >>> jsonl([unreadable("a.csv", "no numbers")] * 2).count(b"\\n")
    2
    """
    head = {"schema_version": SCHEMA_VERSION}
    return b"".join(_line(head | as_value(verdict, hint, lang)) for verdict in verdicts)


def as_value(verdict: Verdict, hint: int = 3, language: str = "en") -> dict[str, Any]:
    """A verdict as plain values.

    >>> from attn_cli.lab.judging import unreadable
    >>> as_value(unreadable("a.csv", "no numbers"))["verdict"]
    'unreadable'
    """
    return {
        "file": verdict.file,
        "verdict": verdict.verdict,
        "score": points(verdict.score),
        "max": points(verdict.max),
        "message": verdict.message(hint, language),
        "stages": [_stage(stage, hint, language) for stage in verdict.stages],
    }


def _stage(stage: StageVerdict, hint: int, language: str) -> dict[str, Any]:
    certain = "certain" if len(stage.alternatives) == 1 else "one of several"
    tolerance = {"value": finite(stage.tolerance), "from": stage.tolerance_from}
    return {
        "name": stage.id,
        "verdict": stage.verdict,
        "score": points(stage.score),
        "max": points(stage.points),
        "max_error": finite(stage.max_error) if stage.cell else None,
        "tolerance": tolerance if stage.tolerance_from else None,
        "follows_from_own": stage.followed,
        "cell": _cell(stage) if hint >= 1 else None,
        "confidence": certain if stage.alternatives else None,
        "alternatives": [[_mistake(name, stage, language) for name in ids] for ids in stage.alternatives]
        if hint >= 2
        else [],
        "evidence": [_said(said, language) for said in (*stage.evidence, *stage.said)] if hint >= 2 else [],
        "told_apart_by": stage.told_apart_by.text(language) if stage.told_apart_by and hint >= 3 else None,
        "lines": stage.lines(hint, language),
    }


def _cell(stage: StageVerdict) -> dict[str, Any] | None:
    if stage.cell is None:
        return None
    index, given, expected = stage.cell.index, stage.cell.given, stage.cell.expected
    return {"index": list(index), "given": finite(given), "expected": finite(expected)}


def _mistake(name: str, stage: StageVerdict, language: str) -> dict[str, str]:
    text = mistake_text(language, name)
    return {
        "id": name,
        "title": text.title,
        "here": text.here_with(stage.facts),
        "fix": text.fix_with(stage.facts),
    }


def _said(said: Said, language: str) -> dict[str, str]:
    return {"key": said.key, "text": said.text(language)}


def finite(x: float) -> float | str:
    """A number; JSON has no infinity and no NaN, so these are texts.

    >>> finite(0.5), finite(float("-inf")), finite(float("nan"))
    (0.5, '-Infinity', 'NaN')
    """
    if math.isfinite(x):
        return x
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"


def _line(value: dict[str, Any]) -> bytes:
    return f"{json_text(value)}\n".encode()
