"""A lab → a page in which its questions stand beside mini, for classes without Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..lab.course.blocks import prose
from ..lab.course.data import filled_in
from ..lab.course.readme import data_tables
from ..lab.course.single import alike
from ..lab.course.texts import with_data
from ..models import MINI
from .labs import course_of, find
from .live import live_page

if TYPE_CHECKING:
    from ..lab.course.layout import Task
    from ..lab.course.marking import Course
    from ..records.prose import Prose
    from ..render.page.questions import Question, Sheet

_BEYOND = ("show", "reduce")  # of a quantity: what a live page does not show
_COMMANDS = re.compile(  # and the paragraph that ends in a colon before them
    r"(?:^(?:[^\n]+\n)*[^\n]*[:：]\n\n)?^```sh\n.*?^```\n?", re.MULTILINE | re.DOTALL
)
_QUOTED = re.compile(r"^> ?", re.MULTILINE)


def lab_page(name: str, *, student: str = "0", lang: str = "en", title: str = "") -> bytes:
    """One HTML file with the questions of a lab and mini beside them; `student` says whose numbers.

    Raises InputError for a lab of which a page can judge nothing, as it is about what a student trains.
    """
    source = find(name)
    course = course_of(source, source.resolve().name, student)
    course.check()
    spoken = lang if lang in course.texts else next(iter(course.texts))
    sheet = questions_of(course, spoken, lang, name)
    text = next((one.reads for one in sheet.questions if one.reads), "")
    told = title or sheet.title
    return live_page(
        MINI, text=text, title=told, lang=lang, beside=sheet, salt=f"{course.lab.name} {student}"
    )


def questions_of(course: Course, spoken: str, lang: str, name: str) -> Sheet:
    """The questions of a lab that a page can judge, in one language. Raises InputError for none."""
    from ..render.page.document import wording
    from ..render.page.questions import Sheet

    asked = [
        _question(course, task, right, spoken)
        for task in course.lab.tasks
        if not set(_BEYOND) & {*task.options} and (right := course.known(task)) is not None
    ]
    if not asked:
        raise InputError(f"lab {name!r} has no question that a page can judge", hint=f"attn lab start {name}")
    texts = course.texts[spoken]
    left = len(course.lab.tasks) - len(asked)
    said = wording(lang)["lab_left_out"].format(n=left, name=name) if left else ""
    _, *tables = [*data_tables(course, texts, spoken)] or [""]  # the first is a heading
    intro, data = (_prose(text, course, spoken) for text in (texts.intro, "\n\n".join(tables)))
    return Sheet(texts.title, intro, data, tuple(asked), said)


def _question(course: Course, task: Task, right: Any, spoken: str) -> Question:
    from ..render.page.questions import Question

    said = course.texts[spoken].tasks[task.id]
    wrong = [(course.known_wrong(task, name), said.if_wrong.get(name, "")) for name in task.wrong]
    options = filled_in(dict(task.options), course.data)
    return Question(
        task.id,
        said.title,
        _prose(said.text, course, spoken),
        tuple(_prose(hint, course, spoken) for hint in said.hints),
        compared(right),
        _prose(said.right, course, spoken),
        tuple(
            (compared(answer), _prose(text, course, spoken)) for answer, text in wrong if answer is not None
        ),
        str(options.get("text", "")),
    )


def compared(answer: Any) -> Any:
    """Words as they are compared with what is typed; numbers as they are."""
    if isinstance(answer, str | tuple | list):
        return tuple(alike(str(word)) for word in ((answer,) if isinstance(answer, str) else answer))
    return answer


def _prose(markdown: str, course: Course, spoken: str) -> Prose:
    """A text with the numbers of the student, without the commands that are typed in a folder."""
    plain = _QUOTED.sub("", _COMMANDS.sub("", markdown))
    return prose(with_data(plain, course.data), spoken)
