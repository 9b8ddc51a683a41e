"""The text of a lab in one language: Markdown with a heading for every exercise, its hints and its known answers.

# Title
Introduction.
## ID: Title of the exercise
What to do.
### hint 1
### if NAME        (said of a known wrong answer)
### right          (said once it is right)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from .data import PLACE

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADING = re.compile(r"^(#{1,3}) +(.*?)\s*$")
_TASK = re.compile(r"([A-Za-z][\w-]*)\s*[:：]\s*(.+)")


@dataclass
class TaskText:
    """What is said of one exercise."""

    title: str
    text: str = ""
    hints: list[str] = field(default_factory=list)
    if_wrong: dict[str, str] = field(default_factory=dict)
    right: str = ""


@dataclass
class Texts:
    """What is said of a lab."""

    language: str
    title: str = ""
    intro: str = ""
    tasks: dict[str, TaskText] = field(default_factory=dict)


def parsed(markdown: str, language: str, where: str = "") -> Texts:
    """The parts of a text. Raises InputError, naming the line, for a heading that has no place.

    >>> texts = parsed("# A\\nIntro.\\n## one: First\\nDo.\\n### hint 1\\nThink.", "en")
    >>> texts.title, texts.tasks["one"].title, texts.tasks["one"].hints
    ('A', 'First', ['Think.'])
    """
    texts = Texts(language)
    sections: list[tuple[str, list[str]]] = [("intro", [])]
    fenced = False
    for number, line in enumerate(markdown.splitlines(), start=1):
        fenced ^= line.startswith("```")
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            sections[-1][1].append(line)
        else:
            sections.append((_opened(texts, heading, f"{where}:{number}"), []))
    _fill(texts, sections)
    return texts


def _opened(texts: Texts, heading: re.Match[str], where: str) -> str:
    """Begin what a heading begins, and give the name of its section."""
    marks, said = heading.groups()
    if len(marks) == 1:
        texts.title = said
        return "intro"
    if len(marks) == 2:
        if (task := _TASK.fullmatch(said)) is None:
            raise InputError(f"heading {said!r}", hint="write ## ID: Title", where=where)
        texts.tasks[task[1]] = TaskText(task[2])
        return f"{task[1]}/text"
    if not texts.tasks or not re.fullmatch(r"hint \d|if [\w-]+|right", said):
        raise InputError(
            f"heading {said!r}", hint="under an exercise write ### hint 1, if NAME or right", where=where
        )
    return f"{list(texts.tasks)[-1]}/{said}"


def _fill(texts: Texts, sections: list[tuple[str, list[str]]]) -> None:
    for name, lines in sections:
        text = "\n".join(lines).strip()
        task, _, part = name.partition("/")
        if name == "intro":
            texts.intro = "\n\n".join(filter(None, [texts.intro, text]))
        elif part.startswith("hint"):
            texts.tasks[task].hints.append(text)
        elif part.startswith("if "):
            texts.tasks[task].if_wrong[part.removeprefix("if ")] = text
        else:
            setattr(texts.tasks[task], part, text)


def with_data(text: str, data: Mapping[str, Any]) -> str:
    """A text with a student's own numbers in the places of {{NAME}}.

    >>> with_data("Take {{w}} keys.", {"w": 3})
    'Take 3 keys.'
    """
    return PLACE.sub(lambda place: shown(data[place[1]]) if place[1] in data else place[0], text)


def shown(value: Any) -> str:
    """A datum as Markdown: a table for a matrix.

    >>> print(shown(np.array([[1.0, 0.5]])))
    | | 0 | 1 |
    | --- | --- | --- |
    | **0** | 1 | 0.5 |
    """
    if not isinstance(value, np.ndarray):
        return str(value)
    if value.ndim > 2:
        return "\n\n".join(map(shown, value))
    rows = np.atleast_2d(value)
    lines = [f"| | {' | '.join(map(str, range(rows.shape[1])))} |", "|" + " --- |" * (rows.shape[1] + 1)]
    lines += [f"| **{i}** | {' | '.join(map(number, row))} |" for i, row in enumerate(rows)]
    return "\n".join(lines)


def number(x: float) -> str:
    """A number as a student copies it.

    >>> number(2.0), number(-0.5), number(float("-inf"))
    ('2', '−0.5', '−∞')
    """
    if np.isinf(x):
        return "∞" if x > 0 else "−∞"
    return f"{x:.10g}".replace("-", "−")
