"""JUnit XML, which CodeGrade, GitLab, Jenkins and Codio read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree as ET

from ...text.escaping import escape
from .registered import REPORTS, output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..verdict import StageVerdict, Verdict


@REPORTS.register
def junit(verdicts: Sequence[Verdict], *, hint: int = 3, lang: Literal["en", "zh"] = "en") -> bytes:
    """A suite for each file, a case for each stage: wrong is a failure, unreadable an error.

    >>> from attn_cli.lab.judging import unreadable
    >>> b'failures="0" errors="1"' in junit([unreadable("a.csv", "no numbers")])
    True
    """
    root = ET.Element("testsuites")
    for verdict in verdicts:
        words = [stage.verdict for stage in verdict.stages]
        counts = {"tests": len(words), "failures": words.count("wrong"), "errors": words.count("unreadable")}
        suite = ET.SubElement(root, "testsuite", {"name": escape(verdict.file) or "attn check"})
        suite.attrib |= {key: str(n) for key, n in counts.items()} | {"skipped": "0", "time": "0"}
        for stage in verdict.stages:
            _case(suite, verdict, stage, hint, lang)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _case(suite: ET.Element, verdict: Verdict, stage: StageVerdict, hint: int, language: str) -> None:
    named = {"classname": escape(verdict.file) or "attn check", "name": stage.id, "time": "0"}
    case = ET.SubElement(suite, "testcase", named)
    if stage.verdict == "right":
        return
    lines = [escape(line) for line in output(stage, hint, language).split("\n")]
    kind = "failure" if stage.verdict == "wrong" else "error"
    found = {
        "message": " ".join(lines),
        "type": stage.mistakes if hint >= 2 and stage.mistakes else stage.verdict,
    }
    ET.SubElement(case, kind, found).text = "\n".join(lines)
