"""An explanation as a page: its text shaded by each method, its tests beside chance."""

import io

import numpy as np
import pytest
from attn_cli.records.explanation import Explanation
from attn_cli.records.table import Table
from attn_cli.render.colour import ramp, scale_for
from attn_cli.render.explained import shading, standings
from attn_cli.render.figure.explained import explanation_sheet, explanation_text
from attn_cli.render.look import PLAIN
from attn_cli.render.page.document import wording
from attn_cli.render.page.explained import explained_page
from attn_cli.render.terminal.pictures import explained_text
from browser import PROGRAM
from rich.console import Console
from test_page import Elements
from test_page_browser import AXE

from hostile import HOSTILE

METHODS = {
    "flow": np.array([0.25, 0.5, 0.0]),
    "leave_one_out": np.array([-0.5, 1.0, 0.25]),
    "random": np.ones(3),
}
TESTS = Table(
    {
        "method": ["flow", "leave_one_out", "uniform", "random"],
        "comprehensiveness": [0.5, 0.1, 0.3, 0.25],
        "comprehensiveness_se": [np.nan, np.nan, np.nan, 0.05],
        "sufficiency": [0.125, 0.1, 0.3, 0.25],
        "sufficiency_se": [np.nan, np.nan, np.nan, 0.05],
        "deletion": [0.25, 0.5, 0.3, 0.25],
        "deletion_se": [np.nan, np.nan, np.nan, 0.05],
    }
)  # fmt: skip
FOUND = Explanation(
    ("un", "##do", "it"), (0, 1, 2), ("父",), (1,), 0.5, METHODS, TESTS, "an embedding of zeros", "mini"
)


def test_better_and_worse_are_beyond_two_standard_errors_of_random():
    assert standings(FOUND) == {  # 0.1 is 2 standard errors of 0.05 away
        "flow": {"comprehensiveness": "better", "sufficiency": "better", "deletion": "within"},
        "leave_one_out": {"comprehensiveness": "worse", "sufficiency": "better", "deletion": "worse"},
    }


def test_figure_and_page_say_what_is_within_chance_and_what_is_worse():
    in_words = (
        "flow: better than random (comprehensiveness, sufficiency), within chance (deletion) "
        "leave_one_out: better than random (sufficiency), worse than random (comprehensiveness, deletion) "
        "within chance: no more than 2 standard errors from the mean of random orders"
    )
    assert in_words in " ".join(explanation_sheet(FOUND).words())
    elements = Elements(explained_page(FOUND))
    footer = (
        "; within chance, 2 standard errors of random: deletion (flow); "
        "worse than random: comprehensiveness (leave_one_out), deletion (leave_one_out)"
    )
    assert any(text.endswith(footer) for a, text in elements.all("p") if a.get("class") == "provenance")
    assert [text for a, text in elements.all("span") if a.get("class") == "hint"] == [
        "better than random in 2 of 3 tests, within chance in 1",
        "better than random in 1 of 3 tests, worse in 2",
    ]


def test_what_speaks_for_the_output_has_one_hue_whether_anything_speaks_against_it():
    for night, plain in ((False, "paper"), (True, "night")):
        scale = scale_for(np.array([-1.0, 1.0]), night=night, toward=True)
        assert scale.colours(np.array([1.0])).tolist() == [ramp(plain)[255].tolist()]


def test_each_method_is_shaded_by_its_own_largest_without_chance():
    view = shading(FOUND, "said")
    assert view.titles == ("flow", "leave_one_out")
    assert view.weights.tolist() == [[0.5, 1.0, 0.0], [-0.5, 1.0, 0.25]]
    assert [piece.before for piece in view.pieces] == ["nothing", "nothing", "space"]


def test_the_page_holds_text_tests_numbers_and_the_warning():
    page = explained_page(FOUND, lang="zh")
    elements = Elements(page)
    assert [a["data-n"] for a, _ in elements.all("span") if "data-n" in a and "role" in a] == [
        "0.25", "0.5", "0.0", "-0.5", "1.0", "0.25",
    ]  # fmt: skip
    said = [text for a, text in elements.all("p") if a.get("class") == "summary"]
    assert said[:2] == ["针对输出“父”，p = 0.5", "去掉的词元换成 全零的嵌入"]
    assert "Jain & Wallace 2019" in said[2]
    heads = [text for _, text in elements.all("button")][1:]
    methods = [text for a, text in elements.all("th") if a == {"scope": "row"}][:4]
    assert methods == ["注意力流", "留一法", "文本次序", "随机次序"]
    rows = [a["aria-label"] for a, _ in elements.all("p") if a.get("class") == "running"]
    assert rows == ["注意力流", "留一法"]
    footer = next(text for a, text in elements.all("p") if a.get("class") == "provenance")
    assert "随机次序 的标准误：完备性 0.050" in footer
    assert "flow" not in footer
    assert heads[:4] == ["方法", "完备性", "充分性", "删除曲线"]
    assert heads[7:] == ["位置", "词元", "注意力流", "留一法"]
    assert explained_page(FOUND) == explained_page(FOUND)


def test_what_tokens_hold_is_text():
    methods = {"flow": np.ones(len(HOSTILE))}
    found = Explanation(HOSTILE, tuple(range(len(HOSTILE))), HOSTILE, (0,), 0.5, methods, TESTS, HOSTILE[0])
    tags = {tag for tag, _, _ in Elements(explained_page(found)).found}
    assert not tags & {"img", "svg", "iframe", "base", "a", "link"}


@pytest.mark.skipif(PROGRAM is None, reason="no browser: neither chromium nor google-chrome is on the PATH")
def test_a_token_is_marked_in_every_method_by_pointer_and_keys(browser, tmp_path):
    path = tmp_path / "x.html"
    path.write_bytes(explained_page(FOUND))
    browser.open(path)
    browser.click("#token-1-1")
    marked = "[...document.querySelectorAll('.running [aria-selected]')].map((token) => token.id)"
    assert browser.run(marked) == ["token-0-1", "token-1-1"]
    assert browser.text("#told") == "do: flow 0.500 · leave_one_out 1.00"
    browser.run("document.querySelector('.running').focus()")
    browser.press("ArrowLeft")
    browser.press("ArrowLeft")  # there is none before the first
    assert browser.run(marked) == ["token-0-0", "token-1-0"]
    assert browser.text("#live") == "un: flow 0.250 · leave_one_out −0.500"
    colours = browser.run(
        "[...document.querySelectorAll('.running .token')].map((one) => getComputedStyle(one).backgroundColor)"
    )
    plain, signed = ramp("paper"), ramp("toward")
    expected = [plain[128], plain[255], plain[0], signed[64], signed[255], signed[159]]
    assert colours == [f"rgb({r}, {g}, {b})" for r, g, b in expected]
    assert browser.complaints == []
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci")
    browser.run(AXE.read_text(encoding="utf-8") + ";0")
    found = browser.run(
        "axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))"
    )
    assert found == []


def test_a_figure_of_the_text_has_a_paragraph_for_each_method_and_says_its_tests():
    words = explanation_text(FOUND).words()
    assert words[:3] == ["toward 父", "flow", "un"]
    assert words.count("it") == 2
    said = " ".join(words)
    assert "flow: better than random (comprehensiveness, sufficiency), within chance (deletion)" in said


def test_a_figure_in_chinese_keeps_names_and_numbers():
    words = " ".join(explanation_sheet(FOUND, lang="zh").words())
    for part in (
        "针对 父",
        "方法",
        "词元",
        "leave_one_out",
        "去掉的词元换成 全零的嵌入",
        "flow：优于随机（comprehensiveness, sufficiency），与随机无异（deletion）",
    ):
        assert part in words


def test_a_terminal_shades_the_text_once_for_each_method():
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(explained_text(FOUND, PLAIN, wording("en")))
    lines = console.file.getvalue().splitlines()
    assert lines[0].split() == ["flow", "undo", "it"]
    assert lines[2].split() == [
        "leave_one_out",
        "undo",
        "it",
    ]  # between them the shades, where there are no colours
    assert "share of the row's largest" in lines[5]
    assert "below 0: against it" in lines[5]
    assert lines[5].endswith("toward 父")
