"""`attn lab key`: the right answers, for instructors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..io.languages import Lang, language
from ..io.options import Output
from .start import Name, Student, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...lab.course.marking import Course

FORMATS = ("json", "npz")


def key(to: Output, name: Name = None, seed: Student = "0", lang: Lang = None) -> None:
    """Print the right answers of one student, for instructors.

    \b
    attn lab key by-hand --seed s1234567
    attn lab key by-hand --seed s1234567 -o key.npz

    A terminal or pipe gets Markdown; -o writes .json or .npz, by exercise.
    """
    from ...files import format_of
    from ...sources import labs
    from ..io.output import check, deliver

    check(to, FORMATS, ())
    course = labs.course_of(labs.find(named(name)), labs.find(named(name)).resolve().name, seed)
    if to.output is None and to.format is None:
        print(_markdown(course, language(lang)), end="")
        return
    form = format_of(to.output, to.format, formats=FORMATS)
    deliver(_json(course) if form == "json" else _npz(course), form, to)


def _markdown(course: Course, lang: str) -> str:
    from ...lab.course.readme import answers

    return answers(course, lang if lang in course.texts else next(iter(course.texts)))


def _json(course: Course) -> Iterator[bytes]:
    from ...lab.course.readme import key as right
    from ...text.escaping import json_text

    plain = {name: _plain(x) for name, x in right(course).items()}
    head = {"schema_version": 1, "type": "key", "lab": course.lab.name, "student": course.student}
    yield f"{json_text(head | {'answers': plain})}\n".encode()


def _plain(x: Any) -> Any:
    from ...lab.reports.plain import finite

    if isinstance(x, np.ndarray):
        return [_plain(one) for one in x]
    return finite(float(x)) if isinstance(x, float) else list(x) if isinstance(x, tuple) else x


def _npz(course: Course) -> Iterator[bytes]:
    from ...files.npz import packed
    from ...lab.course.readme import key as right

    yield from packed((name, _field(x)) for name, x in right(course).items() if x is not None)


def _field(x: Any) -> Any:
    """A number as an array, words as texts."""
    return list(x) if isinstance(x, tuple) else x if isinstance(x, str) else np.asarray(x)
