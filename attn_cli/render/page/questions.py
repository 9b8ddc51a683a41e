"""Questions beside a page: their text as HTML, and what judges the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .document import as_text
from .prose import blocks_html
from .sealing import sealed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...records.prose import Prose


@dataclass(frozen=True, eq=False)
class Question:
    """One exercise; `wrong` are known wrong answers, each with what is said of it."""

    name: str
    title: str
    text: Prose
    hints: tuple[Prose, ...]
    right: Any
    if_right: Prose
    wrong: tuple[tuple[Any, Prose], ...] = ()
    reads: str = ""  # the text that it is about


@dataclass(frozen=True, eq=False)
class Sheet:
    """Questions of one lab, and what is said before and after them."""

    title: str
    intro: Prose
    data: Prose  # the numbers that no question shows itself
    questions: tuple[Question, ...]
    left_out: str = ""

    def judging(self, salt: str) -> list[dict[str, Any]]:
        """For each question what its right answer is, and known wrong ones, sealed."""
        return [
            {
                "salt": f"{salt} {one.name}",
                "right": sealed(one.right, f"{salt} {one.name}"),
                "wrong": [sealed(wrong, f"{salt} {one.name}") for wrong, _ in one.wrong],
                "reads": one.reads,
            }
            for one in self.questions
        ]

    def html(self, words: Mapping[str, str]) -> str:
        """A section that holds them all, the first of them open."""
        return "".join([
            f'<section id="lab" aria-label="{as_text(words["lab_name"])}">\n',  # a title may be that of another part
            f"<h2>{as_text(self.title)}</h2>\n",
            blocks_html(self.intro),
            _folded(words["lab_data"], blocks_html(self.data)) if self.data.blocks else "",
            *(_question(one, i, words) for i, one in enumerate(self.questions)),
            f'<p class="hint">{as_text(self.left_out)}</p>\n' if self.left_out else "",
            f'<p class="hint">{as_text(words["lab_learning"])}</p>\n</section>\n',
        ])  # fmt: skip


def _folded(name: str, body: str) -> str:
    return f"<details>\n<summary>{as_text(name)}</summary>\n{body}</details>\n"


def _question(one: Question, i: int, words: Mapping[str, str]) -> str:
    return "".join(_parts(one, i, words))


def _parts(one: Question, i: int, words: Mapping[str, str]) -> Iterator[str]:
    yield f'<details class="question"{" open" if i == 0 else ""}>\n<summary>{i + 1}. {as_text(one.title)}</summary>\n'
    yield blocks_html(one.text)
    yield f"<form><label>{as_text(words['lab_answer'])} {_field(one, words)}</label>\n"
    yield f'<button type="submit">{as_text(words["lab_check"])}</button>\n'
    yield _button("more", words["lab_hint"])
    if one.reads:
        yield _button("read", words["lab_read"])
    yield '</form>\n<p class="verdict" role="status"></p>\n'
    said = {"right": one.if_right, **{f"wrong-{n}": text for n, (_, text) in enumerate(one.wrong)}}
    for name, text in said.items():
        yield f'<div data-said="{name}" hidden>{blocks_html(text)}</div>\n'
    for text in one.hints:
        yield f'<div class="clue" hidden>{blocks_html(text)}</div>\n'
    yield "</details>\n"


def _button(name: str, said: str) -> str:
    return f'<button type="button" class="{name}">{as_text(said)}</button>\n'


def _field(one: Question, words: Mapping[str, str]) -> str:
    """Room for an answer: a line, or as many as there are rows."""
    said = f'name="answer-{as_text(one.name)}" autocomplete="off" spellcheck="false"'
    if getattr(one.right, "size", 1) == 1:
        return f'<input type="text" {said}>'
    rows = min(10, one.right.size // one.right.shape[-1])
    return f'<textarea rows="{rows}" {said} placeholder="{as_text(words["lab_rows"])}"></textarea>'
