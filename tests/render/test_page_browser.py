"""The page in a real browser, opened from disk without a network, driven by pointer and keys."""

import re
from pathlib import Path

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.colour import ramp
from attn_cli.render.page.page import page
from attn_cli.text.escaping import escape
from browser import PROGRAM
from hypothesis import settings
from test_page import random_attention, trained_like, unpacked

from hostile import HOSTILE

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no browser: neither chromium nor google-chrome is on the PATH"
)

ENGLISH = ("The", "animal", "didn't", "cross", "the", "street", "because", "it", "was", "too", "tired")
CHINESE = tuple("注意力机制让每个词看到整個句子")


def worded(tokens, *shape, **parts):
    weights = random_attention(*shape, len(tokens), len(tokens), spread=2).weights
    return Attention(tokens, tokens, weights, **parts)


def causal(tokens, *shape):
    mask = np.tri(len(tokens), dtype=bool)
    weights = random_attention(*shape, len(tokens), len(tokens), spread=2).weights * mask
    return Attention(
        tokens, tokens, weights / weights.sum(-1, keepdims=True), kind="decoder", mask=mask[None, None]
    )


RECORDS = {
    "one head": worded(ENGLISH[:8], 1, 1),
    "english": worded(ENGLISH, 2, 4, provenance="untrained hash embeddings (dim 64, seed 0)"),
    "chinese": causal(CHINESE, 2, 4),
    "cross": Attention(ENGLISH[:4], CHINESE[:5], random_attention(1, 3, 4, 5).weights, kind="cross"),
    "signed": Attention(ENGLISH, ENGLISH, np.random.default_rng(0).standard_normal((1, 2, 11, 11))),
    "one cell": Attention(("a",), ("b",), np.ones((1, 1, 1, 1))),
    "all zero": Attention(("a", "b"), ("a", "b"), np.zeros((1, 2, 2, 2))),
    "hostile": Attention(HOSTILE, HOSTILE, np.eye(len(HOSTILE))[None, None], provenance=" ".join(HOSTILE)),
    "pooled": Attention(tuple("abcdefghij"), tuple("abcdefghij"), np.full((1, 2, 4, 4), 0.25), pooled=True),
}


def views(tab):
    return tab.run("[...document.querySelectorAll('[role=tab]')].filter((t) => !t.hidden).map((t) => t.id)")


def picture_of(tab, head):
    """The pixels of a thumbnail: [row, column, RGBA]."""
    script = f"""(() => {{
        const {{width, height}} = document.querySelectorAll('[role=gridcell] canvas')[{head}];
        const copy = new OffscreenCanvas(width, height).getContext('2d', {{willReadFrequently: true}});
        copy.drawImage(document.querySelectorAll('[role=gridcell] canvas')[{head}], 0, 0);
        return [height, width, 4, ...copy.getImageData(0, 0, width, height).data];
    }})()"""
    shape_and_data = tab.run(script)
    return np.array(shape_and_data[3:]).reshape(shape_and_data[:3])


def read_cells(tab, across=9):
    """(query, key) → the weight that the page names, for all cells that a fine net of pointer positions meets."""
    tab.click("#tab-map")
    left, top, width, height = tab.run(
        "(b => [b.x, b.y, b.width, b.height])(document.querySelector('.over').getBoundingClientRect())"
    )
    cells = {}
    for y in np.linspace(0.01, 0.99, across):
        for x in np.linspace(0.01, 0.99, across):
            tab.move(left + x * width, top + y * height)
            query, key, weight = tab.run(
                "[...document.querySelectorAll('#readout sub, #readout .weight')].map((e) => e.textContent).concat(['', '', '']).slice(0, 3)"
            )
            if weight:
                cells[int(query), int(key)] = weight
    return cells


# ---- every record, every view, every window ---------------------------------------------------------


PHONE = {"width": 390, "height": 844, "touch": True, "dark": True}
# On a phone those with the longest tokens, the widest and the strangest; in a thorough run all.
CARRIED = RECORDS if settings.default.max_examples >= 1000 else ("english", "chinese", "hostile")


@pytest.mark.parametrize(
    ("name", "window"),
    [
        *(pytest.param(name, {}, id=f"desk-{name}") for name in RECORDS),
        *(pytest.param(name, PHONE, id=f"phone-{name}") for name in CARRIED),
    ],
)
def test_every_view_opens_and_fits_the_window(opened, name, window):
    tab = opened(RECORDS[name], **window)
    width = window.get("width", 1280)
    for view in views(tab):
        tab.click(f"#{view}")
        assert tab.run(f"document.querySelector('#{view}').getAttribute('aria-selected')") == "true"
        assert (
            tab.run("document.querySelector('#view').firstElementChild.getBoundingClientRect().height") > 20
        )
        assert tab.run("document.documentElement.scrollWidth") <= width, view


def test_hostile_tokens_do_nothing(opened):
    tab = opened(RECORDS["hostile"])
    for view in views(tab):
        tab.click(f"#{view}")
    tab.click("#tab-tokens")
    assert tab.run("typeof pwned") == "undefined"
    assert (
        tab.run("document.querySelectorAll('img, svg, iframe, base, a, link, [onerror], [onload]').length")
        == 0
    )
    said = tab.run("[...document.querySelectorAll('#view .token')].map((e) => e.textContent)")
    unseen = str.maketrans({mark: f"\\u{ord(mark):04x}" for mark in "\u00ad\u200b\u2060\ufeff"})
    blank = {" ": "␣"}
    assert said == [blank.get(token, escape(token)).translate(unseen) for token in HOSTILE]


def test_tokens_without_a_look_are_seen_and_all_stand_at_their_lines(opened):
    tokens = ("\ufeff", "a\u200bb", "\u3000", "  ", "שלום", "x" * 300)
    tab = opened(worded(tokens, 1, 1))
    tab.click("#tab-lines")
    said = tab.run(
        "[...document.querySelectorAll('#keys-0, #keys-1, #keys-2, #keys-3')].map((e) => e.textContent)"
    )
    assert said == ["\\ufeff", "a\\u200bb", "\\u3000", "␣␣"]
    left = """[...document.querySelectorAll('[id^=keys-]')].map((option) => {
        const range = document.createRange();
        range.selectNodeContents(option);
        return Math.round(range.getBoundingClientRect().left - option.getBoundingClientRect().left);
    })"""
    assert len(set(tab.run(left))) == 1
    tab.click("#queries-5")
    assert tab.run("document.querySelector('#readout').getBoundingClientRect().height") < 70


def test_without_scripts_the_page_says_so(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(page(RECORDS["english"]))
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.send("Page.navigate", url=path.as_uri())
        browser.wait("document.readyState === 'complete'")
        assert browser.run("document.querySelector('noscript').getBoundingClientRect().height") > 0
        assert browser.run("document.querySelector('.provenance mark').textContent") == "untrained"
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)


# ---- numbers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_weight_under_the_pointer_is_the_record_s(opened, dtype):
    attention = random_attention(1, 1, 4, 5, dtype=dtype, kind="cross")
    cells = read_cells(opened(attention))
    digits = 9 if dtype is np.float64 else 7
    assert len(cells) == 20
    for (query, key), written in cells.items():
        assert written == str(float(f"{attention.weights[0, 0, query, key]:.{digits}g}"))


def test_a_rounded_weight_is_shown_with_its_bound(opened):
    attention = random_attention(2, 2, 300, 300, spread=3)
    tab = opened(attention)
    _, error, _ = unpacked(page(attention, title="A page"))
    tab.run("document.querySelector('.over').focus()")
    for query, key in [(0, 0), (0, 1), (1, 1), (1, 2)]:
        tab.press("ArrowRight" if (query + key) % 2 else "ArrowDown")
        written = tab.text("#readout .weight")
        true = attention.weights[0, 0, query, key]
        if written.startswith("<"):
            assert true < float(written[1:])
        else:
            value, bound = map(float, written.split(" ± "))
            assert abs(value - true) <= bound + 0.5 * 10.0 ** -len(written.split(".")[-1])
            assert error[0, query, key] <= bound <= 2 * error[0, query, key] + 1e-5
    assert re.search(r"none is off by more than 0\.\d+", tab.text("#precision"))


def test_a_masked_cell_says_so(opened):
    tab = opened(causal(CHINESE, 1, 1))
    tab.run("document.querySelector('.over').focus()")
    tab.press("ArrowDown")
    tab.press("ArrowRight")
    assert tab.text("#readout .weight") == "masked"


@pytest.mark.parametrize(("dark", "name"), [(False, "paper"), (True, "night")])
def test_thumbnails_have_the_colours_of_one_shared_scale(opened, dark, name):
    attention = RECORDS["chinese"]
    tab = opened(attention, dark=dark)
    for head, weights in enumerate(attention.weights.reshape(-1, 15, 15)):
        pixels = picture_of(tab, head)
        expected = ramp(name)[np.rint(255 * weights / attention.weights.max()).astype(int)]
        seen = np.tri(15, dtype=bool)
        assert (
            np.abs(pixels[seen][:, :3] - expected[seen]) <= 3
        ).all()  # one step of the ramp, from storing codes
        assert (pixels[..., 3] == np.where(seen, 255, 0)).all()


def test_a_thumbnail_shows_the_largest_weight_of_each_pixel(opened):
    weights = np.zeros((1, 2, 512, 512), np.float32)
    weights[0, 1, 100, 200] = 1
    pixels = picture_of(opened(Attention(("a",) * 512, ("a",) * 512, weights)), 1)
    dark = np.argwhere(pixels[..., 0] < 128)
    assert pixels.shape == (128, 128, 4)
    assert dark.tolist() == [[25, 50]]


def test_thumbnails_have_the_pixels_of_the_screen(opened):  # of more, the browser left out part of a diagonal
    tab = opened(Attention(("a",) * 512, ("a",) * 512, np.tile(np.eye(512, dtype=np.float32), (1, 12, 1, 1))))
    script = "(c => [c.width, Math.round(c.clientWidth * devicePixelRatio)])(document.querySelector('.gridcell canvas'))"
    drawn, shown = tab.run(script)
    assert drawn == shown < 128
    assert (np.diagonal(picture_of(tab, 11)[..., 0]) < 128).all()
    tab.resize(900, 700)
    tab.wait(
        "(c => c.width === Math.round(c.clientWidth * devicePixelRatio))(document.querySelector('.gridcell canvas'))"
    )


@pytest.mark.parametrize(("token", "turned"), [("it", False), ("because", True)])
def test_labels_that_do_not_fit_beside_one_another_are_turned(opened, token, turned):
    tab = opened(Attention((token,) * 13, (token,) * 13, np.eye(13)[None, None]))
    x, y = tab.run("(b => [b.x + b.width / 2, b.y])(document.querySelector('.over').getBoundingClientRect())")
    tab.move(x, y + 40)  # where the first row is, if nothing above it is turned
    assert ("attends" in tab.text("#readout") or "→" in tab.text("#readout")) is not turned


def test_colours_on_a_scale_of_each_head_and_on_a_logarithmic_one(opened):
    weights = np.zeros((1, 2, 2, 2))
    weights[0, 0, 0] = [1, 0.1]
    weights[0, 1, 0] = [0.5, 0.05]
    tab = opened(Attention(("a", "b"), ("a", "b"), weights))
    for scale, shades in (("shared", [128, 13]), ("panel", [255, 26]), ("log", [236, 172])):
        tab.run(
            f"(s => (s.value = '{scale}', s.dispatchEvent(new Event('change'))))(document.querySelector('#scale'))"
        )
        tab.wait("document.querySelector('[data-drawn]')")
        pixels = picture_of(tab, 1)
        assert np.abs(pixels[0, :, :3] - ramp("paper")[shades]).max() <= 4, scale
        assert (pixels[1, :, :3] == 255).all()  # zero is the bottom of each


def test_what_weighs_less_than_the_threshold_is_drawn_as_zero(opened):
    weights = np.array([[[[0.9, 0.1], [0.4, 0.6]]]] * 2).reshape(1, 2, 2, 2)
    tab = opened(Attention(("a", "b"), ("a", "b"), weights))
    tab.run(
        "(s => (s.value = 70, s.dispatchEvent(new Event('input'))))(document.querySelector('#threshold'))"
    )
    tab.wait("document.querySelector('[data-drawn]')")
    assert tab.text("#least") == "0.44"  # 0.9 · 0.7²
    white = (picture_of(tab, 0)[..., :3] == 255).all(-1)
    assert white.tolist() == [[False, True], [True, False]]


# ---- views ------------------------------------------------------------------------------------------


def test_compare_shows_both_weights_and_their_difference(opened):
    attention = RECORDS["english"]
    tab = opened(attention)
    tab.click("[role=gridcell]:nth-child(4)", shift=True)  # layer 0, head 2
    assert tab.run("[...document.querySelectorAll('.panel h3')].map((e) => e.textContent)")[:2] == [
        "Layer 0 · head 0", "Layer 0 · head 2"
    ]  # fmt: skip
    tab.run("document.querySelector('.over').focus()")
    tab.press("ArrowDown")
    first, second = attention.weights[0, 0, 0, 0], attention.weights[0, 2, 0, 0]
    written = tab.text("#readout .weight").replace("−", "-").split(" · ")
    assert [float(written[0]), float(written[1])] == pytest.approx([first, second], abs=1e-9)
    assert float(written[2].removeprefix("difference ")) == pytest.approx(first - second, abs=1e-3)
    peak = np.abs(attention.weights[0, 0] - attention.weights[0, 2]).max()
    assert f"{float(f'{peak:.2g}')}" in tab.text(".panel:last-child .axes")


def test_tokens_are_shaded_by_the_query_that_is_pointed_at(opened):
    attention = RECORDS["one head"]
    tab = opened(attention)
    tab.click("#tab-tokens")
    tab.click(".token:nth-child(3)")
    colours = tab.run(
        "[...document.querySelectorAll('#view .token')].map((e) => e.style.backgroundColor.match(/\\d+/g).map(Number))"
    )
    weights = attention.weights[0, 0, 2]
    expected = ramp("paper")[np.rint(255 * weights / attention.weights.max()).astype(int)]
    assert np.abs(np.array(colours)[:, :3] - expected).max() <= 3
    heaviest = np.argsort(-weights)[:3]
    assert [
        int(i) for i in tab.run("[...document.querySelectorAll('#readout sub')].map((e) => e.textContent)")
    ] == [2, *heaviest]


def test_lines_lead_from_the_token_that_is_pointed_at(opened):
    attention = RECORDS["cross"]
    tab = opened(attention)
    tab.click("#tab-lines")
    empty = tab.run("document.querySelector('.lines canvas').toDataURL()")
    tab.click(".lines .tokens:last-child .token:nth-child(2)")
    readout = tab.text("#readout")
    heaviest = ENGLISH[attention.weights[0, 0, :, 1].argmax()]
    assert readout.startswith(f"{CHINESE[1]}1gets most from{heaviest}")
    assert tab.run("document.querySelector('.lines canvas').toDataURL()") != empty


def test_a_search_finds_tokens_and_goes_from_one_to_the_next(opened):
    tab = opened(RECORDS["english"])
    tab.run(
        "(f => (f.focus(), f.value = 'T', f.dispatchEvent(new Event('input'))))(document.querySelector('#find'))"
    )
    wanted = [i for i, token in enumerate(ENGLISH) if "t" in token.lower()]
    assert tab.text("#live") == f"{len(wanted)} of 11 tokens found"
    assert tab.text("#found") == tab.text("#live")
    assert not tab.run("document.querySelector('#pixel-hint').checkVisibility()")  # each pixel is one weight
    for place in [*wanted, wanted[0]]:
        tab.press("Enter")
        assert tab.text("#readout sub") == str(place)
    tab.click("#tab-tokens")
    assert (
        tab.run("[...document.querySelectorAll('.token')].flatMap((e, i) => e.matches('.found') ? [i] : [])")
        == wanted
    )


def test_zoomed_in_one_reads_the_same_weights_of_fewer_cells(opened):
    attention = random_attention(1, 1, 40, 40)
    tab = opened(attention)
    for _ in range(5):
        tab.click("#zoom-in")
    cells = read_cells(tab, across=7)
    assert max(q for q, _ in cells) - min(q for q, _ in cells) < 10
    for (query, key), written in cells.items():
        assert float(written) == pytest.approx(attention.weights[0, 0, query, key], rel=1e-8)
    tab.click("#zoom-fit")
    cells = read_cells(tab, across=5)
    assert max(q for q, _ in cells) - min(q for q, _ in cells) > 20


def test_a_search_goes_to_the_largest_weight(opened):
    attention = causal(ENGLISH, 1, 1)
    tab = opened(attention)
    tab.run(
        "(f => (f.focus(), f.value = 'street', f.dispatchEvent(new Event('input'))))(document.querySelector('#find'))"
    )
    tab.press("Enter")
    heaviest = attention.weights[0, 0, 5].argmax()
    assert tab.run("[...document.querySelectorAll('#readout sub')].map((e) => e.textContent)") == [
        "5",
        str(heaviest),
    ]


def test_a_search_moves_a_map_that_is_zoomed_in_to_where_the_weight_is(opened):
    weights = np.tri(40) * 1e-3
    weights[38, 25] = 1
    tokens = (*(f"t{i}" for i in range(38)), "needle", "end")
    tab = opened(Attention(tokens, tokens, weights[None, None], mask=np.tri(40, dtype=bool)[None, None]))
    for _ in range(5):
        tab.click("#zoom-in")
    tab.run(
        "(f => (f.focus(), f.value = 'NEEDLE', f.dispatchEvent(new Event('input'))))(document.querySelector('#find'))"
    )
    tab.press("Enter")
    assert tab.run("[...document.querySelectorAll('#readout sub')].map((e) => e.textContent)") == ["38", "25"]
    assert (38, 25) in read_cells(tab)  # it is on screen


def test_the_address_says_what_is_seen_and_shows_it_again(opened):
    tab = opened(RECORDS["english"])
    tab.press("]")
    tab.click("#tab-tokens")
    tab.click(".token:nth-child(3)")
    assert tab.run("location.hash") == "#layer=0&head=1&view=tokens&query=2"
    tab.run("location.hash = '#layer=1&head=2&view=map&query=4&key=5'")
    tab.wait("document.querySelector('#which').textContent === 'Layer 1 · head 2'")
    assert tab.run("[...document.querySelectorAll('#readout sub')].map((e) => e.textContent)") == ["4", "5"]
    tab.run("location.hash = '#layer=99&head=nine&view=none&query=-1'")  # nothing of it is there
    tab.wait("document.querySelector('#readout sub').textContent === '0'")


@pytest.mark.parametrize(
    ("axis", "head", "verb"), [("query", 5, "attends most to"), ("key", 2, "gets most from")]
)
def test_an_address_shows_the_lines_and_the_text_of_its_token(opened, axis, head, verb):
    tab = opened(RECORDS["english"])
    for view in ("lines", "tokens"):
        asked = f"#layer={head // 4}&head={head % 4}&view={view}&{axis}=7"
        tab.run(f"location.replace('{asked}')")
        tab.wait(f"document.querySelector('#tab-{view}').getAttribute('aria-selected') === 'true'")
        assert tab.text("#readout").startswith(f"{ENGLISH[7]}7{verb}")
        assert tab.text("#view [aria-selected=true]") == ENGLISH[7]
        assert tab.run("location.hash") == asked


def test_a_row_of_zeros_attends_to_nothing(opened):
    weights = np.array([[1.0, 0, 0], [0, 0, 0], [0.5, 0.5, 0]])
    tab = opened(Attention("abc", "abc", np.stack([weights, weights])[None]))
    tab.click("#tab-lines")
    for pressed, said in (("#queries-1", "b1attends to nothing"), ("#keys-2", "c2gets nothing")):
        tab.click(pressed)
        assert tab.text("#readout").startswith(said)
        assert re.sub(r"\s", "", tab.text("#strongest")) == re.sub(r"\s", "", said)
    tab.click("#tab-compare")
    tab.run("document.querySelector('.over').focus()")
    tab.press("ArrowDown")
    assert tab.text("#readout").endswith("difference 0")


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            Attention("ab", "ab", np.array([[[[0.5, -2], [0, 0]]]])),
            ("strongest numbers:", "numbers are all 0"),
        ),
        (
            Attention("ab", "ab", scores=np.array([[[[0.5, 2], [0, 0]]]]), show="scores"),
            ("strongest scores:", "scores are all 0"),
        ),
    ],
)
def test_what_is_no_weight_is_not_said_to_be_attention(opened, record, said):
    tab = opened(record)
    tab.click("#tab-lines")
    for query, sentence in zip((0, 1), said, strict=True):
        tab.click(f"#queries-{query}")
        assert tab.text("#readout").startswith(f"{'ab'[query]}{query}{sentence}")


def test_the_panel_forgets_the_numbers_of_another_head(opened):
    tab = opened(RECORDS["english"])
    tab.click("#tab-lines")
    tab.move(
        *tab.run("(b => [b.x + 5, b.y + 5])(document.querySelector('#queries-3').getBoundingClientRect())")
    )
    assert tab.run("document.querySelectorAll('#strongest li').length") == 8
    tab.move(5, 5)
    assert tab.run("document.querySelectorAll('#strongest li').length") == 8  # to be read
    tab.press("]")
    assert tab.text("#strongest").strip() == "Choose a query or a key to see its strongest weights."


def test_hovering_previews_and_a_click_holds_until_escape(opened):
    tab = opened(RECORDS["one head"])
    x, y, width, height = tab.run(
        "(b => [b.x, b.y, b.width, b.height])(document.querySelector('.over').getBoundingClientRect())"
    )
    at = "[...document.querySelectorAll('#readout sub')].map((e) => e.textContent).join()"
    tab.move(x + 0.6 * width, y + 0.5 * height)
    hovered = tab.run(at)
    tab.click(".over")
    held = tab.run(at)
    tab.move(x + 0.9 * width, y + 0.9 * height)
    assert tab.run(at) == held
    tab.press("Escape")
    tab.move(x + 0.9 * width, y + 0.9 * height)
    assert len({held, tab.run(at), hovered}) > 1
    assert tab.run(at) != held


def test_cells_show_their_mean_or_the_largest_as_is_chosen(opened):
    made = np.zeros((1, 2, 2, 2))
    made[0, :, 1, 0] = 1
    tab = opened(Attention("abcdefgh", "abcdefgh", made / 16, pooled=True, maxima=made))
    tab.run("document.querySelector('.over').focus()")
    tab.press("ArrowDown")
    tab.press("ArrowDown")
    assert "mean of up to 4 × 4" in tab.text("#precision")
    assert tab.text("#readout .weight") == "0.0625"
    tab.run(
        "const p = document.getElementById('pool'); p.value = 'max'; p.dispatchEvent(new Event('change'))"
    )
    tab.wait("document.querySelector('[data-drawn]')")
    assert "largest of up to 4 × 4" in tab.text("#precision")
    assert (tab.text("#readout .weight"), tab.text("#legend .high")) == ("1", "1")


def test_special_tokens_are_hidden_at_a_click(opened):
    tab = opened(worded(("[CLS]", "a", "b", "[SEP]"), 1, 2))
    tab.run("document.querySelector('.over').focus()")
    for key in ("ArrowDown", "ArrowDown"):
        tab.press(key)
    tab.click("#special")
    tab.wait("document.querySelector('[data-drawn]')")
    assert tab.text("#readout .weight") == "masked"
    assert (picture_of(tab, 1)[..., 3] == np.pad(np.full((2, 2), 255), 1)).all()
    assert tab.run("document.querySelectorAll('#strongest li').length") == 2


def test_axe_finds_nothing_wrong(opened):
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci")
    tab = opened(worded(("[CLS]", *ENGLISH), 2, 4), {"figures": {"entropy": np.arange(8.0)}})
    tab.run(
        "(s => (s.value = 'entropy', s.dispatchEvent(new Event('change'))))(document.getElementById('sort'))"
    )
    tab.run(AXE.read_text(encoding="utf-8") + ";0")
    for view in views(tab):
        tab.click(f"#{view}")
        found = tab.run(
            "axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))"
        )
        assert found == [], view


# ---- keyboard, screen readers, light and dark -------------------------------------------------------


def test_heads_are_reached_by_arrow_keys_and_opened_by_enter(opened):
    tab = opened(RECORDS["english"])
    tab.run("document.querySelector('[role=gridcell][tabindex=\"0\"]').focus()")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        tab.press(key)
    assert tab.text("#which") == "Layer 0 · head 0"
    tab.press("Enter")
    assert tab.text("#which") == "Layer 1 · head 2"
    assert tab.text("#live") == "Layer 1 · head 2"
    tab.press("]")
    assert tab.text("#which") == "Layer 1 · head 3"
    assert tab.run("document.querySelectorAll('[role=gridcell][tabindex=\"0\"]').length") == 1


def test_cells_are_reached_by_arrow_keys_and_spoken(opened):
    attention = RECORDS["one head"]
    tab = opened(attention)
    tab.run("document.querySelector('.over').focus()")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        tab.press(key)
    assert tab.text("#live") == f"animal to animal: {float(f'{attention.weights[0, 0, 1, 1]:.9g}')}"
    tab.press("ArrowDown", shift=True)
    assert tab.text("#live").startswith("it to animal: ")


def test_the_pointer_does_not_chatter(opened):
    tab = opened(RECORDS["one head"])
    before = tab.text("#live")
    assert len(read_cells(tab, across=4)) > 4
    assert tab.text("#live") == before


def test_tab_reaches_every_part_and_all_that_it_reaches_has_a_name(opened):
    tab = opened(RECORDS["english"])
    reached = []
    for _ in range(20):
        tab.press("Tab")
        reached.append(tab.run(
            "(e => [e.id || e.className || e.tagName, (e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent).trim()])"
            "(document.activeElement)"
        ))  # fmt: skip
    assert {"theme", "gridcell open", "tab-map", "find", "threshold", "scale", "zoom-in", "over"} <= {
        name for name, _ in reached
    }
    assert all(label for name, label in reached if name != "BODY")


def test_every_role_is_named_for_those_who_cannot_see(opened):
    tab = opened(RECORDS["english"])
    for view in views(tab):
        tab.click(f"#{view}")
        nodes = tab.send("Accessibility.getFullAXTree")["nodes"]
        for node in nodes:
            if node["role"]["value"] in (
                "button",
                "tab",
                "gridcell",
                "grid",
                "listbox",
                "application",
                "slider",
                "combobox",
                "searchbox",
            ):
                assert node["name"]["value"], node["role"]


def test_the_button_changes_between_light_and_dark(opened):
    tab = opened(RECORDS["english"], dark=True)
    assert tab.run("getComputedStyle(document.body).color") == "rgb(236, 236, 241)"
    assert tab.text("#theme") == "Light"
    tab.click("#theme")
    tab.wait("document.querySelector('[data-drawn]')")
    assert tab.run("document.querySelector('#theme').dataset.dark") == "false"
    assert tab.text("#theme") == "Dark"  # what a press leads to
    assert tab.run("getComputedStyle(document.body).color") == "rgb(27, 27, 34)"
    assert (picture_of(tab, 0)[..., :3].max((0, 1)) == 255).all()


# ---- large ------------------------------------------------------------------------------------------


def test_72_heads_of_512_tokens_open_and_are_read(opened):
    attention = trained_like(6, 12, 512)
    tab = opened(attention)
    tab.run("document.querySelector('.over').focus()")
    tab.press("ArrowDown")
    value, bound = map(float, tab.text("#readout .weight").split(" ± "))
    assert abs(value - attention.weights[0, 0, 0, 0]) <= bound
    tab.press("]")  # each head is inflated when it is opened
    tab.wait("document.querySelector('#which').textContent === 'Layer 0 · head 1'")
    value, bound = map(float, tab.text("#readout .weight").split(" ± "))
    assert abs(value - attention.weights[0, 1, 0, 0]) <= bound
    assert tab.run("document.querySelectorAll('[role=gridcell]').length") == 72
    for view in views(tab):
        tab.click(f"#{view}")


# ---- in a notebook ----------------------------------------------------------------------------------


def test_in_a_notebook_the_page_is_whole_and_not_measured_by_its_frame(opened):
    tab = opened(RECORDS["english"], {"grows": True}, width=900, height=3000)
    assert tab.run(
        "['header', '#overview', '#stage'].every((name) => document.querySelector(name).offsetHeight > 20)"
    )
    high = "document.body.offsetHeight"
    before = tab.run(high)
    tab.resize(900, 600)
    assert tab.run(f"new Promise(requestAnimationFrame).then(() => {high})") == before


def test_in_a_notebook_the_page_draws_inside_a_frame_without_rights(browser, tmp_path):
    import attn_cli as attn
    import matplotlib.image

    attention = attn.Attention(("a", "b"), ("a", "b"), [[[[0.7, 0.3], [0.0, 1.0]]]], provenance="'\"><b>")
    path = tmp_path / "notebook.html"
    path.write_text(
        f"<!doctype html><meta charset=utf-8><body>{attention._repr_mimebundle_()['text/html']}",
        encoding="utf-8",
    )
    browser.complaints.clear()
    browser.resize(1280, 900)
    browser.dark(False)
    browser.send("Page.navigate", url=path.as_uri())
    browser.wait("document.readyState === 'complete'")
    darkest = ramp("paper")[255]
    for _ in range(100):
        browser.run("new Promise((resume) => setTimeout(resume, 50))")
        browser.screenshot(tmp_path / "seen.png")
        seen = matplotlib.image.imread(tmp_path / "seen.png")[..., :3] * 255
        if (np.abs(seen - darkest).max(-1) < 2).sum() > 500:
            break
    else:
        pytest.fail("the frame shows no map")
    height = "document.querySelector('iframe').style.height"
    browser.wait(f"{height} !== '760px'")  # it grows with the page, and no further
    browser.resize(500, 900)
    narrow = [browser.run(f"new Promise((done) => setTimeout(() => done({height}), 300))") for _ in range(2)]
    assert narrow[0] == narrow[1]
    browser.resize(1280, 900)
    wide = browser.run(f"new Promise((done) => setTimeout(() => done({height}), 300))")
    assert 300 < int(wide.removesuffix("px")) != int(narrow[0].removesuffix("px"))
    assert browser.complaints == []
