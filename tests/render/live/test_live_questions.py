"""Questions of a lab beside the live model, in a browser: answered, hinted at, in both languages, and not given away."""

from dataclasses import replace

import pytest
from attn_cli.sources.lab_page import lab_page, questions_of
from attn_cli.sources.labs import course_of, find
from attn_cli.sources.live import live_page
from browser import PROGRAM, browse
from test_page_browser import AXE

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no browser: neither chromium nor google-chrome is on the PATH"
)


@pytest.fixture(scope="module")
def tab():
    with browse() as one:
        yield one


@pytest.fixture(scope="module")
def translate():
    """(a page of the lab, its questions by exercise)."""
    course = course_of(find("translate"), "translate", "0")
    lab = replace(course.lab, tasks=course.lab.tasks[:3])
    sheet = questions_of(replace(course, lab=lab), "en", "en", "translate")
    page = live_page("mini", title=sheet.title, beside=sheet, salt="any")
    return page, {one.name: one for one in sheet.questions}


@pytest.fixture
def opened(tab, tmp_path):
    def show(page, **window):
        path = tmp_path / "lab.html"
        path.write_bytes(page)
        tab.open(path, **window)
        tab.wait("document.body?.dataset.answered === '1'")
        return tab

    yield show
    assert tab.complaints == []
    assert all(url.startswith(("file://", "blob:")) for url in tab.requests)


def answered(tab, i, typed):
    """What the page says of an answer to a question; of what belongs to it only what is seen."""
    question = f"document.querySelectorAll('.question')[{i}]"
    tab.run(f"{question}.open = true, {question}.querySelector('input, textarea').value = {typed!r}")
    tab.run(f"{question}.querySelector('input, textarea').focus()")
    tab.press("Tab")
    tab.press("Enter")  # on “Check”
    seen = f"[...{question}.querySelectorAll('[data-said]')].filter((e) => e.checkVisibility()).map((e) => e.textContent.trim())"
    return tab.run(f"[{question}.querySelector('.verdict').textContent, ...{seen}]")


def test_questions_stand_beside_the_model_and_answers_are_judged(opened, translate):
    page, asked = translate
    tab = opened(page)
    assert tab.text("h1") == "Translate"
    assert tab.run("document.querySelectorAll('.question').length") == len(asked)
    assert answered(tab, 0, " ") == ["Write an answer first."]
    assert answered(tab, 0, "a b c") == ["Not yet."]
    verdict, said = answered(
        tab, 0, asked["to-chinese"].right[0].replace("_", " ") + "."
    )  # which comparing took off
    assert verdict == "Right."
    assert said.startswith("Several characters that look at one word")
    verdict, said = answered(tab, 2, asked["sharpest"].right[0].upper())
    assert (verdict, said[:12]) == ("Right.", "A sharp head")


def test_a_known_mistake_is_named_and_hints_come_one_at_a_time(opened, translate):
    tab = opened(translate[0], width=390, touch=True)
    flattest, _ = translate[1]["sharpest"].wrong[0]
    assert answered(tab, 2, flattest[0]) == [
        "Not yet.",
        "That is the highest entropy: the head that looks at the most tokens.",
    ]
    clues = "[...document.querySelectorAll('.question')[2].querySelectorAll('.clue')].filter((e) => e.checkVisibility()).length"
    for n in (1, 2, 3):
        tab.run("document.querySelectorAll('.question')[2].querySelector('.more').click()")
        assert tab.run(clues) == n
    assert tab.run("document.querySelectorAll('.question')[2].querySelector('.more').disabled")
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")


def test_the_model_reads_the_text_of_a_question(opened, translate):
    tab = opened(translate[0])
    tab.run("document.querySelectorAll('.question')[1].open = true")
    tab.run("document.querySelectorAll('.question')[1].querySelector('.read').click()")
    tab.wait("document.body.dataset.answered === '2'")
    written = tab.run("[...document.querySelectorAll('.written .chip')].map((e) => e.textContent)")
    assert "tea" in written


def test_right_answers_are_not_in_the_page(translate):
    page, asked = translate
    section = page[: page.index(b'id="weights"')].decode()
    for one in asked.values():
        for answer in one.right:
            assert f'"{answer}"' not in section.lower()
            assert len(answer) < 6 or answer.replace("_", " ") not in section.lower()


def test_axe_finds_nothing_wrong_in_chinese(opened):
    page = lab_page("masks", lang="zh")
    tab = opened(page, dark=True)
    assert answered(tab, 0, "1")[0] == "需要 5 行，每行 7 个数字，而不是 1。"
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci")
    tab.run(AXE.read_text(encoding="utf-8") + ";0")
    found = tab.run("axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))")
    assert found == []


def test_no_header_is_empty_and_no_two_parts_have_one_name(translate):
    """A corner of a table names nothing; the lab “Heads” has the name of a part of the page."""
    page, _ = translate
    assert b'<th scope="col"></th>' not in lab_page("by-hand")
    assert b'<section id="lab" aria-label="Questions">' in page
