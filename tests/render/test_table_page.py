"""Tables as pages: what is in them as bytes, and what a browser does with them."""

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.records.table import Table
from attn_cli.render.colour import ramp
from attn_cli.render.page import table as table_module
from attn_cli.render.page.table import table_page
from browser import PROGRAM, browse
from test_page import Elements
from test_page_browser import AXE

from hostile import HOSTILE

in_a_browser = pytest.mark.skipif(
    PROGRAM is None, reason="no browser: neither chromium nor google-chrome is on the PATH"
)
HEADS = Table(
    {
        "layer": [0, 0, 1, 10],
        "head": [0, 1, 0, 1],
        "entropy": [0.25, 1.0, np.nan, 0.5],
        "offset": [-2.0, 1.0, 0.0, 0.5],
        "role": ["sink", "", "previous token", "sink"],
    },
    "stats",
    "untrained: seed 0",
    {"entropy": "nats"},
)


@pytest.fixture(scope="module")
def browser():
    with browse() as tab:
        yield tab


@pytest.fixture
def opened(browser, tmp_path):
    """`opened(document, dark=True)` shows a page; nothing may have gone wrong by the end."""

    def show(document, **window):
        path = tmp_path / "page.html"
        path.write_bytes(document)
        browser.open(path, **window)
        return browser

    yield show
    assert browser.complaints == []
    assert all(url.startswith("file://") for url in browser.requests)


def column(tab, number):
    """What the rows that are seen say in a column, from the top."""
    rows = "[...document.querySelectorAll('tbody tr')].filter((row) => !row.hidden)"
    return tab.run(f"{rows}.map((row) => row.cells[{number}].textContent)")


# ---- bytes -----------------------------------------------------------------------------------------------


def test_every_number_is_there_in_full_and_roles_stand_before_them():
    elements = Elements(table_page(HEADS))
    names = [text for _, text in elements.all("button")][1:]  # the first is light or dark
    assert [name.strip() for name in names] == ["layer", "head", "role", "entropy", "offset"]
    assert [a.get("data-n") for a, _ in elements.all("td")] == [
        None, None, "0.25", "-2.0", None, None, "1.0", "1.0", None, None, None, "0.0", None, None, "0.5", "0.5",
    ]  # fmt: skip
    assert [text for _, text in elements.all("mark")] == ["untrained"]
    assert table_page(HEADS) == table_page(HEADS)


def test_what_a_table_says_is_text():
    document = table_page(Table({"token": HOSTILE}, provenance=" ".join(HOSTILE)), title=HOSTILE[0])
    tags = {tag for tag, _, _ in Elements(document).found}
    assert not tags & {"img", "svg", "iframe", "base", "a", "link"}
    assert [a.get("type") for a, _ in Elements(document).all("script")].count("module") == 1


def test_a_chinese_page_explains_the_columns_in_chinese():
    elements = Elements(table_page(HEADS, lang="zh"))
    assert elements.all("html") == [({"lang": "zh-Hans"}, "\n")]
    assert elements.all("h1") == [({}, "每个头做什么")]
    assert [text for _, text in elements.all("dt")] == ["entropy", "offset", "role"]
    assert "查询" in elements.all("dd")[0][1]


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(table_module, "MAX_BYTES", 1000)
    with pytest.raises(InputError, match="4 rows are too many for a page"):
        table_page(HEADS)


# ---- in a browser ----------------------------------------------------------------------------------------


@in_a_browser
def test_a_column_sorts_by_pointer_and_keys_and_what_is_missing_comes_last(opened):
    tab = opened(table_page(HEADS))
    entropy = "thead th:nth-child(4)"
    tab.click(f"{entropy} button")
    assert column(tab, 3) == ["1.000", "0.500", "0.250", ""]
    assert tab.run(f"document.querySelector('{entropy}').getAttribute('aria-sort')") == "descending"
    assert tab.text("#live") == "Sorted by entropy nats, largest first"
    tab.press("Enter")
    assert column(tab, 3) == ["0.250", "0.500", "1.000", ""]
    tab.click("thead th:first-child button")
    assert column(tab, 0) == ["0", "0", "1", "10"]  # as numbers; ties stand as in the record
    assert column(tab, 1) == ["0", "1", "0", "1"]
    tab.click("thead th:nth-child(3) button")
    assert column(tab, 2) == ["previous token", "sink", "sink", ""]


@in_a_browser
def test_find_keeps_the_rows_with_every_word(opened):
    tab = opened(table_page(HEADS))
    tab.click("input[type=search]")
    for letter in "SINK 10":
        tab.press(letter)
    assert column(tab, 0) == ["10"]
    assert tab.text("output") == "1 of 4 rows"


@in_a_browser
@pytest.mark.parametrize(("dark", "names"), [(False, ("paper", "signed")), (True, ("night", "signed night"))])
def test_columns_have_the_colours_of_the_terminal(opened, dark, names):
    tab = opened(table_page(HEADS), dark=dark)
    found = tab.run(
        "[...document.querySelectorAll('td[data-n]')].map((cell) => getComputedStyle(cell).backgroundColor)"
    )
    plain, signed = map(ramp, names)
    expected = [
        plain[64], signed[0], plain[255], signed[191], signed[128], plain[128], signed[159],
    ]  # fmt: skip
    assert found == [f"rgb({r}, {g}, {b})" for r, g, b in expected]


@in_a_browser
def test_a_phone_shows_it_without_a_scroll_bar_and_axe_finds_nothing_wrong(opened):
    tab = opened(table_page(HEADS, Table({"a": [0.5]})), width=390, height=844, touch=True)
    assert tab.run("document.documentElement.scrollWidth") <= 390
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci")
    tab.run(AXE.read_text(encoding="utf-8") + ";0")
    found = tab.run("axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))")
    assert found == []
