"""Several heads at once in lines and over the text, and the text read from its queries or from its keys."""

import re

import numpy as np
import pytest
from browser import PROGRAM
from test_page_browser import ENGLISH, RECORDS, worded

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no browser: neither chromium nor google-chrome is on the PATH"
)
PRESSED = "[...document.querySelectorAll('#overlay [aria-pressed=true]')].map((e) => e.textContent)"
BLUE, ORANGE = "0 114 178", "213 94 0"  # of Okabe and Ito


def bands(tab, place):
    """(colour, strength) of each head's band under a token."""
    style = tab.run(f"document.querySelectorAll('#view .token')[{place}].style.backgroundImage")
    found = re.findall(r"rgba?\((\d+), (\d+), (\d+)(?:, ([\d.]+))?\)", style)
    return list(dict.fromkeys((" ".join(rgb), round(float(alpha or 1), 2)) for *rgb, alpha in found))


def test_a_click_lays_a_head_over_the_open_one_in_a_colour_of_its_own(opened):
    attention = RECORDS["english"]
    tab = opened(attention)
    tab.click("#tab-tokens")
    tab.click("#overlay [data-head='2']")
    assert tab.run(PRESSED) == ["L0H0", "L0H2"]
    tab.click("#view .token:nth-child(4)")
    peak = attention.weights.max()
    for key in (0, 5):
        strengths = [round(float(attention.weights[0, head, 3, key] / peak), 2) for head in (0, 2)]
        found = bands(tab, key)
        assert [colour for colour, _ in found] == [BLUE, ORANGE]
        assert np.abs(np.subtract([alpha for _, alpha in found], strengths)).max() <= 0.011
    best = attention.weights[0, 2, 3].argmax()
    weight = float(f"{attention.weights[0, 2, 3, best]:.2g}")
    named = tab.run("[...document.querySelectorAll('#readout .overlaid')].map((e) => e.textContent)")
    assert named == ["L0H0", f"L0H2{ENGLISH[best]}{best}{weight}"]
    assert tab.text("#which") == "Layer 0 · head 0 + L0H2"
    assert tab.text("#strongest h3").startswith(f"L0H0: {ENGLISH[3]}")
    assert tab.run("document.querySelector('#legend').hidden")
    tab.click("#overlay [data-head='0']")  # the open one goes, the other stays
    assert (tab.run(PRESSED), tab.text("#which")) == (["L0H2"], "Layer 0 · head 2")


def test_a_token_that_is_pointed_at_stays_where_it_is(opened):
    """The line above has room for all six heads from the first."""
    tab = opened(RECORDS["english"])
    tab.run("location.replace('#view=lines&also=0.1 0.2 0.3 1.0 1.1')")
    tab.wait("document.querySelector('#queries-6')")
    where = "(b => [b.x + b.width / 2, b.y + b.height / 2])(document.querySelector('#queries-6').getBoundingClientRect())"
    before = tab.run(where)
    tab.move(*before)
    assert tab.text("#readout").startswith(f"L0H0{ENGLISH[6]}")
    assert tab.run(where) == before


def test_a_token_that_is_touched_stays_under_the_finger(opened):
    tab = opened(RECORDS["english"], width=390, height=844, touch=True)
    tab.click("#tab-lines")
    where = "(b => [b.x + b.width / 2, b.y + b.height / 2])(document.querySelector('#queries-6').getBoundingClientRect())"
    tab.run("document.querySelector('#queries-6').scrollIntoView({block: 'center'})")
    before = tab.run(where)
    for held in (True, False):
        tab.tap(*before)
        tab.wait(f"document.querySelector('#readout').textContent.includes('held') === {str(held).lower()}")
        assert tab.run(where) == before


def test_one_head_alone_has_no_colour_of_its_own(opened):
    tab = opened(RECORDS["english"])
    tab.click("#tab-lines")
    below = "getComputedStyle(document.querySelector('#overlay [aria-pressed=true]')).borderBottomColor"
    accent = "getComputedStyle(document.documentElement).getPropertyValue('--accent')"
    assert tab.run(below) == tab.run(accent)
    tab.click("#overlay [data-head='2']")
    assert tab.run(below) == f"rgb({', '.join(BLUE.split())})"


def test_lines_of_several_heads_have_their_colours(opened):
    tab = opened(RECORDS["english"])
    tab.click("#tab-lines")
    seen = """(() => {
        const canvas = document.querySelector('.lines canvas'), {width, height} = canvas;
        const copy = new OffscreenCanvas(width, height).getContext('2d', {willReadFrequently: true});
        copy.drawImage(canvas, 0, 0);
        const {data} = copy.getImageData(0, 0, width, height);
        let orange = 0;
        for (let i = 0; i < data.length; i += 4) orange += data[i + 3] > 99 && data[i] > 180 && data[i + 2] < 60;
        return orange;
    })()"""
    assert tab.run(seen) == 0
    tab.click("[role=gridcell][aria-label='Layer 1 · head 3']", shift=True)
    assert tab.run(PRESSED) == ["L0H0", "L1H3"]
    assert tab.run(seen) > 100
    assert tab.run("document.querySelectorAll('.gridcell.beside').length") == 1
    assert tab.run("location.hash") == "#layer=0&head=0&view=lines&also=1.3"
    tab.run("location.hash = '#layer=0&head=1&view=lines&also=1.2+0.3+9.9'")
    tab.wait("document.querySelector('#which').textContent.startsWith('Layer 0 · head 1 ')")
    assert tab.run(PRESSED) == ["L0H1", "L0H3", "L1H2"]


def test_heads_are_laid_over_one_another_by_keys_and_no_more_than_there_are_colours(opened):
    tab = opened(worded(ENGLISH, 1, 9))
    tab.click("#tab-lines")
    tab.run("document.querySelector('#overlay button').focus()")
    for _ in range(5):
        tab.press("ArrowRight")
        tab.press("Enter")
    assert tab.run(PRESSED) == [f"L0H{head}" for head in range(6)]
    assert tab.run("document.querySelectorAll('#overlay button:disabled').length") == 3
    tab.press("ArrowRight")  # those are passed over
    assert tab.run("document.activeElement.textContent") == "L0H0"
    assert tab.run("getComputedStyle(document.querySelector('#overlay')).display") == "flex"
    tab.click("#tab-map")
    assert tab.run("document.querySelector('#overlay').hidden")


@pytest.mark.parametrize("name", ["one head", "cross"])
def test_over_the_text_one_reads_what_attends_to_a_key_too(opened, name):
    attention = RECORDS[name]
    tab = opened(attention)
    tab.click("#tab-tokens")
    if name == "cross":
        tab.click("#view .tokens:last-child .token:nth-child(3)")
    else:
        tab.click(".directions button:last-child")
        tab.click("#view .token:nth-child(3)")
    best = attention.weights[0, 0, :, 2].argmax()
    said = f"{attention.key_tokens[2]}2gets most from{attention.query_tokens[best]}{best}"
    assert tab.text("#readout").startswith(said)
    shaded = tab.run(
        "[...document.querySelectorAll('#view .tokens')][0].querySelectorAll('.token[style*=background]').length"
    )
    assert shaded == len(attention.query_tokens)


@pytest.mark.parametrize("view", ["lines", "tokens"])
def test_hovering_over_a_token_previews_it_and_a_press_holds_it(opened, view):
    tab = opened(RECORDS["one head"])
    tab.click(f"#tab-{view}")
    at = "document.querySelector('#readout sub').textContent"

    def over(place):
        x, y = tab.run(
            f"(b => [b.x + b.width / 2, b.y + b.height / 2])(document.querySelectorAll('#view .token')[{place}].getBoundingClientRect())"
        )
        tab.move(x, y)
        return tab.run(at)

    assert [over(2), over(4)] == ["2", "4"]
    tab.click("#view .token:nth-child(4)")
    assert [over(2), over(5)] == ["3", "3"]
    tab.press("Escape")
    assert over(1) == "1"
