"""Tables as pages: what is in them as bytes, and what a browser does with them."""

import re

import attn_cli as attn
import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.records.attention import Attention
from attn_cli.records.table import Table
from attn_cli.render.colour import ramp
from attn_cli.render.page import table as table_module
from attn_cli.render.page.maps import both, opened, opened_maps, opened_pairs, texts, with_tokens
from attn_cli.render.page.table import table_page
from browser import PROGRAM
from test_page import Elements, random_attention
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


@pytest.fixture
def shown(browser, tmp_path):
    """`shown(document, dark=True)` shows a page; nothing may have gone wrong by the end."""

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
    assert [text for _, text in elements.all("dt")] == ["熵 · entropy", "偏移 · offset", "作用 · role"]
    assert [text.strip() for _, text in elements.all("button")][1:] == ["层", "头", "作用", "熵", "偏移"]
    assert [text for _, text in elements.all("small")] == ["奈特"]
    assert [text for _, text in elements.all("td")][1::4] == [
        "汇聚点（sink）",
        "",
        "前一个词元",
        "汇聚点（sink）",
    ]
    several = Elements(table_page(Table({"entropy": [0.5], "entropy_se": [0.005]}, "stats"), lang="zh"))
    assert [text for _, text in several.all("td")] == ["0.500", "0.005"]  # one notation, not 5.00e−03
    assert [text.strip() for _, text in several.all("button")][1:] == ["熵", "熵的标准误"]
    assert "查询" in elements.all("dd")[0][1]


def test_a_long_sentence_is_set_in_several_lines_and_columns_have_words_of_the_language():
    said = Table({"file": ["a.csv", "b.csv"], "message": ["right", "wrong " * 20]}, "check")
    elements = Elements(table_page(said, lang="zh"))
    assert [a.get("class") for a, _ in elements.all("td")] == ["long", "long"]
    assert [text.strip() for _, text in elements.all("button")][1:] == ["文件", "说明"]


def test_a_difference_names_the_tokens_and_the_text_that_it_is_of():
    one = Attention(("the", "cat"), ("the", "cat"), np.full((1, 1, 2, 2), 0.5), provenance="a")
    table = with_tokens(Table({"head": [0], "query": [1], "key": [0]}, "diff"), (one, one))
    assert (table["query"].tolist(), table["key"].tolist()) == (["1 cat"], ["0 the"])
    assert texts((one, one)) == ["Text: “the cat”"]
    long = Attention(("a",), ("b",) * 70, np.ones((1, 1, 1, 70)) / 70)
    assert texts(long, "zh") == [f"文本：“{'b ' * 60}…”", "文本：“a”"]


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(table_module, "MAX_BYTES", 1000)
    with pytest.raises(InputError, match="4 rows are too many for a page"):
        table_page(HEADS)


def test_a_row_links_to_its_head_query_or_key():
    attention = random_attention(2, 2, 3, 3)
    said = {}
    for columns in (
        {"layer": [1], "head": [0]},
        {"layer": [1]},
        {"query_pos": [2], "query": ["x"]},
        {"key_pos": [1]},
    ):
        ((page, said[tuple(columns)]),) = opened_maps(Table(columns), attention, 10**6).rows
        assert page == 0
    assert list(said.values()) == ["#layer=1&head=0", "#layer=1", "#query=2", "#key=1"]


def test_two_attentions_stand_head_beside_head():
    a, b = (random_attention(2, 2, 3, 4, seed=seed, provenance=f"seed {seed}") for seed in (0, 1))
    pair = both(a, b)
    assert pair.heads == ("0 A", "0 B", "1 A", "1 B")
    assert pair.provenance == "A: seed 0; B: seed 1"
    for i, one in enumerate((a, b)):
        assert (pair.weights[:, i::2] == one.weights).all()
    table = Table({"layer": [0, 0, 1, 1], "head": [0, 1, 0, 1], "query": [0, 1, 2, 0], "key": [0, 3, 1, 2]})
    links = [link for _, link in opened_pairs(table, a, b, 10**6).rows]
    assert links[2] == "#layer=1&head=0+A&view=compare&other=5&query=2&key=1"
    assert pair.weights.reshape(8, 3, 4)[5].tolist() == b.weights[1, 0].tolist()  # what `other` names


def test_heads_of_several_kinds_open_each_their_own_page():
    kinds = {kind: random_attention(1, 2, 2, 2, kind=kind) for kind in ("encoder", "cross")}
    table = Table({"kind": ["encoder", "encoder", "cross"], "layer": [0, 0, 0], "head": [0, 1, 1]})
    found = opened(table, kinds, 10**6)
    assert found.rows == ((0, "#layer=0&head=0"), (0, "#layer=0&head=1"), (1, "#layer=0&head=1"))
    assert ["· encoder self-attention" in one.decode() for one in found.pages] == [True, False]
    assert opened(table.only(["layer", "head"]), {"self": kinds["cross"]}, 10**6).rows[2] == (
        0,
        "#layer=0&head=1",
    )


def test_masks_stay_where_both_have_one():
    mask = np.tri(2, dtype=bool)[None, None]
    a = Attention(("a", "b"), ("a", "b"), [[[[1.0, 0.0], [0.5, 0.5]]]], mask=mask)
    assert both(a, a).mask.tolist() == [[mask[0, 0].tolist()] * 2]
    assert both(a, Attention(a.query_tokens, a.key_tokens, a.weights)).mask is None


# ---- in a browser ----------------------------------------------------------------------------------------


@in_a_browser
def test_a_column_sorts_by_pointer_and_keys_and_what_is_missing_comes_last(shown):
    tab = shown(table_page(HEADS))
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
def test_find_keeps_the_rows_with_every_word(shown):
    tab = shown(table_page(HEADS))
    tab.click("input[type=search]")
    for letter in "SINK 10":
        tab.press(letter)
    assert column(tab, 0) == ["10"]
    assert tab.text("output") == "1 of 4 rows"


@in_a_browser
@pytest.mark.parametrize(("dark", "names"), [(False, ("paper", "signed")), (True, ("night", "signed night"))])
def test_columns_have_the_colours_of_the_terminal(shown, dark, names):
    tab = shown(table_page(HEADS), dark=dark)
    found = tab.run(
        "[...document.querySelectorAll('td[data-n]')].map((cell) => getComputedStyle(cell).backgroundColor)"
    )
    plain, signed = map(ramp, names)
    expected = [
        plain[64], signed[0], plain[255], signed[191], signed[128], plain[128], signed[159],
    ]  # fmt: skip
    assert found == [f"rgb({r}, {g}, {b})" for r, g, b in expected]


def luminance(colour):
    channels = np.array(re.findall(r"\d+", colour), float)[:3] / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@in_a_browser
@pytest.mark.parametrize("dark", [False, True])
def test_numbers_stand_out_from_every_shade(shown, dark):
    n = 256
    columns = {"plain": np.linspace(0, 1, n), "signed": np.linspace(-1, 1, n)}
    tab = shown(table_page(Table(columns)), dark=dark)
    styles = "[...document.querySelectorAll('td')].map((one) => getComputedStyle(one))"
    found = tab.run(f"{styles}.map((style) => [style.backgroundColor, style.color])")
    assert len(found) == 2 * n
    for colours in found:
        dim, bright = sorted(map(luminance, colours))
        assert (bright + 0.05) / (dim + 0.05) >= 4.5


@in_a_browser
def test_a_phone_shows_it_without_a_scroll_bar_and_axe_finds_nothing_wrong(shown):
    tab = shown(table_page(HEADS, Table({"a": [0.5]})), width=390, height=844, touch=True)
    assert tab.run("document.documentElement.scrollWidth") <= 390
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci")
    tab.run(AXE.read_text(encoding="utf-8") + ";0")
    found = tab.run("axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))")
    assert found == []


@in_a_browser
def test_on_paper_every_column_is_there(shown):
    """A4 lengthwise, 0.4 inches of margin on each side."""
    tab = shown(table_page(Table({f"column_{i}": [-0.125] * 3 for i in range(16)})), width=1045)
    assert tab.run("(e => e.scrollWidth > e.clientWidth)(document.querySelector('.wide'))")
    tab.send("Emulation.setEmulatedMedia", media="print", features=[])
    assert tab.run("document.querySelector('table').getBoundingClientRect().right") <= 1045
    assert tab.run("getComputedStyle(document.querySelector('.wide')).overflow") == "visible"


# ---- rows that open maps ---------------------------------------------------------------------------------


def framed(tab, expression):
    """A value from the page in the frame, once it is drawn."""
    tab.wait("document.getElementById('frame').contentDocument?.querySelector('[data-drawn]')")
    return tab.run(f"((document) => {expression})(document.getElementById('frame').contentDocument)")


@in_a_browser
def test_a_row_opens_the_map_of_its_head_by_pointer_and_keys(shown):
    attention = random_attention(2, 2, 5, 5)
    table = Table({"layer": [0, 0, 1, 1], "head": [0, 1, 0, 1], "entropy": [0.5, 0.25, 0.75, 1.0]}, "stats")
    tab = shown(table_page(table, opens=lambda room: opened_maps(table, attention, room)), dark=True)
    assert tab.run("document.getElementById('maps').hidden")
    tab.click("thead th:nth-child(3) button")  # 1.1, 1.0, 0.0, 0.1
    tab.click("tbody tr:nth-child(2) td:last-child")
    which = "document.getElementById('which').textContent"
    assert framed(tab, which) == "Layer 1 · head 0"
    assert framed(tab, "document.getElementById('theme').dataset.dark") == "true"
    assert (
        framed(tab, "document.defaultView.getComputedStyle(document.getElementById('overview')).display")
        == "none"
    )
    assert tab.text("#live") == "Layer 1 · head 0: its map stands below the table."
    assert tab.run("document.querySelectorAll('.open[tabindex=\"0\"]').length") == 1
    tab.run("document.querySelector('.open[tabindex=\"0\"]').focus()")  # of the open row, the second
    tab.press("ArrowDown")
    tab.press("ArrowDown")
    tab.press("ArrowDown")  # there is none below the last
    tab.press("Enter")
    tab.wait(
        f"document.getElementById('frame').contentDocument.{which.partition('.')[2]} === 'Layer 0 · head 1'"
    )
    if AXE.exists():
        tab.run(AXE.read_text(encoding="utf-8") + ";0")
        assert tab.run("axe.run({iframes: false}).then(({violations}) => violations.map(({id}) => id))") == []
    tab.press("Escape")
    assert tab.run("document.getElementById('maps').hidden")
    assert tab.run("document.activeElement.getAttribute('aria-label')") == "Layer 0 · head 1: open the map"
    assert tab.run("document.activeElement.textContent") == "Layer 0 · head 1"


@in_a_browser
def test_a_row_of_a_difference_opens_both_maps_at_the_largest(shown):
    a, b = (random_attention(1, 2, 3, 4, seed=seed) for seed in (0, 1))
    apart = a.weights - b.weights
    at = np.unravel_index(abs(apart[0, 1]).argmax(), (3, 4))
    table = Table(
        {"layer": [0, 0], "head": [0, 1], "max": [0.1, 0.2], "query": [0, at[0]], "key": [0, at[1]]}
    )
    document = table_page(table, opens=lambda room: opened_pairs(table, a, b, room))
    assert len(document) < 300_000
    tab = shown(document, width=1500)
    tab.click("tbody tr:nth-child(2) .open")
    titles = "[...document.querySelectorAll('.compare h3')].map((one) => one.textContent)"
    assert framed(tab, titles) == ["Layer 0 · head 1 A", "Layer 0 · head 1 B", "Difference: L0H1 A − L0H1 B"]
    tops = "[...document.querySelectorAll('.compare .panel')].map((one) => one.getBoundingClientRect().y)"
    assert len(set(framed(tab, tops))) == 1
    assert f"difference {apart[0, 1][at]:+.3g}".replace("-", "−") in framed(
        tab, "document.getElementById('readout').textContent"
    )


@in_a_browser
def test_the_frame_is_as_high_as_the_map_in_it_and_the_window_stays_where_it_was(shown):
    table = Table({"layer": [0], "head": [0]}, "stats")
    attention = random_attention(1, 1, 5, 5)
    tab = shown(table_page(table, opens=lambda room: opened_maps(table, attention, room)))
    tab.click("tbody .open")
    at = tab.run("scrollY")
    assert at > 0  # it was not seen whole
    framed(tab, "1")
    inside = "document.getElementById('frame').contentDocument"
    grown = f"{inside}.body.offsetHeight === document.getElementById('frame').offsetHeight"
    tab.wait(grown)
    assert tab.run("scrollY") == min(at, tab.run("document.documentElement.scrollHeight - innerHeight"))
    high = tab.run(f"{inside}.body.offsetHeight")
    tab.resize(390, 844)
    tab.wait(f"{grown} && {inside}.body.offsetHeight !== {high}")
    tab.run(f"{inside}.getElementById('tab-tokens').click()")
    tab.wait(f"{grown} && {inside}.documentElement.scrollHeight <= {inside}.documentElement.clientHeight")


def test_python_makes_the_same_pages(tmp_path):
    table = attn.stats(random_attention(1, 2, 3, 3))
    assert attn.page(table, tmp_path / "x.html", lang="zh") == table_page(table, lang="zh")
    assert (tmp_path / "x.html").exists()
