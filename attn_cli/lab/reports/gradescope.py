"""What a Gradescope autograder leaves in `/autograder/results/results.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ...text.escaping import json_text
from .plain import as_value
from .registered import REPORTS, name, output, points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..verdict import StageVerdict, Verdict


@REPORTS.register
def gradescope(verdicts: Sequence[Verdict], *, hint: int = 1, lang: Literal["en", "zh"] = "en") -> bytes:
    """A test for each stage; students read up to `hint`, instructors the whole verdict in extra_data.

    >>> from attn_cli.lab.judging import unreadable
    >>> b'"status": "failed"' in gradescope([unreadable("a.csv", "no numbers")])
    True
    """
    stages = [(verdict, stage) for verdict in verdicts for stage in verdict.stages]
    result = {
        "score": points(sum(verdict.score for verdict in verdicts)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(i, *pair, hint, lang) for i, pair in enumerate(stages, start=1)],
        "extra_data": {"answers": [as_value(verdict, language=lang) for verdict in verdicts]},
    }
    return f"{json_text(result)}\n".encode()


def _test(number: int, verdict: Verdict, stage: StageVerdict, hint: int, language: str) -> dict[str, Any]:
    return {
        "name": name(verdict, stage, language),
        "number": str(number),
        "score": points(stage.score),
        "max_score": points(stage.points),
        "status": "passed" if stage.verdict == "right" else "failed",
        "output": output(stage, hint, language),
        "tags": [stage.id, stage.verdict],
        "visibility": "visible",
    }
