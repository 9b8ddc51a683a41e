"""Write the pages on mistakes, docs/mistakes/ and docs/zh/mistakes/, from the catalogue of the program.

    python scripts/make_mistakes.py

A page for each group of mistakes, a heading for each mistake, and an index. Texts are those of
`attn_cli/lab/wording/`, evidence that of `attn_cli/lab/mistakes/made_by.py`; what shows and what hides a mistake is
computed by `attn_cli/lab/seen.py`. A test holds the files to what this makes.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from attn_cli.lab.also_right import ALSO_RIGHT
from attn_cli.lab.exercise import proposed
from attn_cli.lab.mistakes import MISTAKES
from attn_cli.lab.mistakes.made_by import MADE_BY
from attn_cli.lab.seen import seen
from attn_cli.lab.wording import GROUPS, LANGUAGES, mistake_text, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DOCS = Path(__file__).parent.parent / "docs"
FOLDERS = {"en": DOCS / "mistakes", "zh": DOCS / "zh" / "mistakes"}
OTHER = {"en": "../zh/mistakes/{}", "zh": "../../mistakes/{}"}  # the same page in the other language
DESIGN = ("heads", "sizes", "sources", "masks", "scores", "digits")


def pages() -> dict[Path, str]:
    """Every page by its path."""
    found = {}
    for language in LANGUAGES:
        found[FOLDERS[language] / "README.md"] = "\n".join(_index(language))
        for group in GROUPS:
            found[FOLDERS[language] / f"{group}.md"] = "\n".join(_group(group, language))
    return found


def names_of(group: str) -> list[str]:
    """The mistakes of a group, in the order of its texts."""
    return list(importlib.import_module(f"attn_cli.lab.wording.en.{group}").TEXTS)


def _index(language: str) -> Iterator[str]:
    yield f"# {say(language, 'page_index')}\n"
    yield f"{say(language, 'page_other_language', {'path': OTHER[language].format('README.md')})}\n"
    yield f"{say(language, 'page_about', {'n': len(MISTAKES)})}\n"
    yield f"{say(language, 'page_read')}\n"
    for group in GROUPS:
        yield f"## {say(language, f'page_{group}')}\n"
        yield f"| {say(language, 'page_column_name')} | {say(language, 'page_column_title')} |"
        yield "| --- | --- |"
        for name in names_of(group):
            yield f"| [{name}]({group}.md#{name}) | {_plain(mistake_text(language, name).title)} |"
        yield ""
    yield f"## {say(language, 'page_right')}\n\n{say(language, 'page_right_about')}\n"
    yield from _bullets([say(language, f"also_{name}") for name in ALSO_RIGHT])
    yield f"## {say(language, 'page_design')}\n\n{say(language, 'page_design_about')}\n"
    yield from _bullets([say(language, f"page_design_{rule}") for rule in DESIGN])


def _group(group: str, language: str) -> Iterator[str]:
    yield f"# {say(language, f'page_{group}')}\n"
    other = say(language, "page_other_language", {"path": OTHER[language].format(f"{group}.md")})
    yield f"{say(language, 'page_back')} · {other}\n\n{say(language, 'page_numbers')}\n"
    for name in names_of(group):
        yield from _mistake(name, language)


def _mistake(name: str, language: str) -> Iterator[str]:
    text, x = mistake_text(language, name), proposed()
    sizes = {size: getattr(x, size) for size in ("n_query", "n_key", "n_heads", "d_head", "d_model")}
    stop = "。" if language == "zh" else "."
    yield f"## {name}\n\n{_plain(text.title)}{stop}\n"
    parts = {"computes": text.computes, "why": text.why, "see": text.see, "fix": text.fix_with(sizes)}
    said = [say(language, f"page_{part}", {"text": _plain(words)}) for part, words in parts.items()]
    yield from _bullets([*said, *_shown(name, language), *_made_by(name, language)])


def _shown(name: str, language: str) -> Iterator[str]:
    found, comma = seen(name), say(language, "page_comma")
    if found.exercise:
        yield say(language, "page_shown_by", {"exercise": say(language, found.exercise)})
    if found.hidden_when:
        reasons = say(language, "page_or").join(say(language, key) for key in found.hidden_when)
        yield say(language, "page_hidden_when", {"reasons": reasons})
    if found.tied_with:
        yield say(language, "page_tied_with", {"names": comma.join(map(_link, found.tied_with))})


def _made_by(name: str, language: str) -> Iterator[str]:
    if name in MADE_BY:
        places = say(language, "page_comma").join(map(_evidence, MADE_BY[name]))
        yield say(language, "page_made_by", {"places": places})


def _link(name: str) -> str:
    group = next(group for group in GROUPS if name in names_of(group))
    return f"[{name}]({group}.md#{name})"


def _evidence(place: str) -> str:
    """An issue or a pull request, owner/repository#number, as a link."""
    repository, _, number = place.partition("#")
    return f"[{place}](https://github.com/{repository}/issues/{number})"


def _bullets(items: Sequence[str]) -> Iterator[str]:
    yield from (f"- {item}" for item in items)
    yield ""


def _plain(text: str) -> str:
    """A text in which nothing is markup."""
    return re.sub(r"([*|<])", r"\\\1", text)


def main() -> None:
    """Write them all, and remove no other."""
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(DOCS.parent))


if __name__ == "__main__":
    main()
