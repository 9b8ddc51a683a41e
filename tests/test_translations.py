"""The Chinese pages: the same headings, code blocks and commands as the English ones, and nothing left in English.

Their commands are not run again: they are those of the English page, which runs.

    python tests/test_translations.py    # writes the code blocks of the English pages into the Chinese ones
"""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = {ROOT / "README.zh-CN.md": ROOT / "README.md"} | {
    path: ROOT / "docs" / path.name for path in sorted((ROOT / "docs" / "zh").glob("*.md"))
}
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HAN = re.compile("[\u4e00-\u9fff]")
each = pytest.mark.parametrize(("chinese", "english"), PAGES.items(), ids=lambda path: path.name)


def prose(path):
    return BLOCK.sub("", path.read_text(encoding="utf-8"))


def commands(path):
    """The commands and options that the text names, without what they are given as an example."""
    spans = (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(path)))
    return sorted(span for span in spans if re.match(r"attn |torchrun|-", span))


@each
def test_code_blocks_are_the_same(chinese, english):
    """python tests/test_translations.py copies them."""
    same = BLOCK.findall(chinese.read_text()) == BLOCK.findall(english.read_text())
    assert same, f"run python tests/test_translations.py, which copies code blocks into {chinese.name}"


@each
def test_headings_are_of_the_same_levels(chinese, english):
    levels = [re.findall(r"^(#+) ", prose(path), re.MULTILINE) for path in (chinese, english)]
    assert levels[0] == levels[1]


@each
def test_the_same_commands_are_named(chinese, english):
    """A page may say `--lang zh` where the other has no reason to."""
    assert [span for span in commands(chinese) if "--lang" not in span] == [
        span for span in commands(english) if "--lang" not in span
    ]


@each
def test_every_paragraph_is_in_chinese(chinese, english):
    for part in re.split(r"\n\s*\n", prose(chinese)):
        plain = re.sub(r"`[^`]*`|\]\([^)]*\)|[|\-:\s]", "", part)
        assert HAN.search(plain) or plain in ("", "#attn", "[English"), part


@each
def test_links_lead_somewhere_and_to_each_other(chinese, english):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", prose(chinese))
    assert all((chinese.parent / target).exists() for target in targets), targets
    assert english.resolve() in {(chinese.parent / target).resolve() for target in targets}


@each
def test_chinese_sentences_end_in_chinese(chinese, english):
    """A full stop or comma between two Chinese characters is the Chinese one."""
    assert not re.findall("[\u4e00-\u9fff][.,;:!?](?:[\u4e00-\u9fff]|$)", prose(chinese))


def test_the_notebook_is_the_same_but_for_its_words():
    ours, theirs = (
        json.loads((ROOT / "docs" / folder / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
        for folder in ("zh", "")
    )
    for chinese, english in zip(ours, theirs, strict=True):
        if english["cell_type"] == "code":
            assert chinese == english
        else:
            assert HAN.search("".join(chinese["source"]))
            assert {**chinese, "source": ""} == {**english, "source": ""}


def copied(chinese, english):
    """The Chinese text with the code blocks of the English page, in their order."""
    theirs = iter(BLOCK.findall(english.read_text(encoding="utf-8")))
    return BLOCK.sub(lambda _: next(theirs), chinese.read_text(encoding="utf-8"))


if __name__ == "__main__":
    for page, original in PAGES.items():
        page.write_text(copied(page, original), encoding="utf-8")
