"""A page opened by its address shows exactly what was seen, whatever was chosen."""

import time

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from browser import PROGRAM
from test_page_browser import ENGLISH, RECORDS, causal, worded
from test_page_training import STEPS
from test_page_vectors import record
from test_page_writing import written

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no browser")

# Everything that is seen: what is written, how controls stand, and the pixels of the view and of all heads.
SEEN = """[
    ...['#which', '#grid', '#view', '#found', '#least', '#legend', '#beyond', '#precision', '#strongest', '.stepper']
        .map((name) => document.querySelector(name)?.textContent),
    ...[...document.querySelectorAll('#readout > :not(.hint)')].map((one) => one.textContent),
    ...[...document.querySelectorAll('select, input')].filter((one) => one.checkVisibility())
        .map((one) => [one.id, one.value, one.checked]),
    ...[...document.querySelectorAll('[aria-pressed=true], [role=tab][aria-selected=true], .open, .beside')]
        .map((one) => one.textContent),
    ...[...document.querySelectorAll('#view canvas, .gridcell canvas')].map((one) => {
        const copy = new OffscreenCanvas(one.width, one.height).getContext('2d', { willReadFrequently: true });
        copy.drawImage(one, 0, 0);
        const { data } = copy.getImageData(0, 0, one.width, one.height);
        return new Uint32Array(data.buffer).reduce((sum, pixel) => (Math.imul(31, sum) + pixel) | 0);
    }),
].map(String)"""


def chosen(name, value, kind="change"):
    def act(tab):
        tab.run(
            f"(e => (e.value = {value!r}, e.dispatchEvent(new Event('{kind}'))))(document.querySelector('{name}'))"
        )

    return act


def click(name, **how):
    return lambda tab: tab.click(name, **how)


def press(key):
    return lambda tab: tab.press(key)


def settled(tab):
    tab.wait("location.hash.includes('part=')")


FIGURES = {"entropy": np.array([[0.5, 0.1, 0.9, 0.3], [0.7, 0.2, 0.8, 0.4]])}
SPECIAL = worded(("[CLS]", *ENGLISH), 1, 3)
POOLED = Attention(
    "abcdefgh", "abcdefgh", np.full((1, 2, 2, 2), 0.1), pooled=True, maxima=np.eye(2) * np.ones((1, 2, 1, 1))
)
SORTED = [
    chosen("#sort", "entropy"),
    click("#sort-down"),
    chosen("#keep", ">"),
    chosen("#limit", "0.35", "input"),
]
FOUND = [chosen("#find", "T", "input"), chosen("#threshold", "41", "input"), chosen("#scale", "whole")]
CASES = {
    "sorted, filtered, found": (RECORDS["english"], {"figures": FIGURES}, SORTED + FOUND),
    "heads together": (RECORDS["english"], {}, [click("#tab-lines"), click("#overlay [data-head='2']"), click("#keys-3")]),
    "all lines": (RECORDS["english"], {"figures": FIGURES}, [press("]"), *SORTED[::2], click("#tab-lines"), chosen("#scale", "panel")]),
    "what attends to it": (SPECIAL, {}, [click("#special"), click("#tab-tokens"), click(".directions button:last-child"), click(".token:nth-child(5)")]),
    "largest": (POOLED, {}, [chosen("#pool", "max"), chosen("#scale", "log")]),
    "compared": (RECORDS["english"], {}, [press("]"), click("#tab-compare"), chosen("#other", "6"), click(".over")]),
    "query and key": (record(2, 6, 8), {}, [click("#tab-qk"), chosen("[name=query]", "4"), chosen("[name=key]", "1")]),
    "zoomed": (causal(tuple(ENGLISH * 3), 1, 1), {}, [click("#zoom-in"), click("#zoom-in"), click(".over"), settled]),
    "a token it wrote": (written(), {}, [press("ArrowRight"), press("ArrowRight")]),
    "steps compared": (STEPS[0][1], {"steps": STEPS}, [press("ArrowRight"), click("#tab-compare"), chosen("#then", "300")]),
}  # fmt: skip


def seen(tab):
    tab.move(1, 1)
    tab.run("document.activeElement.blur()")
    tab.wait("document.querySelector('[data-drawn]')")
    return tab.run(SEEN)


def seen_again(tab, wanted):
    """What is seen once the page has followed its address, which it does a moment after it has changed."""
    for _ in range(50):
        if (now := seen(tab)) == wanted:
            break
        time.sleep(0.1)
    return now


@pytest.mark.parametrize("name", CASES)
def test_the_address_brings_back_what_was_seen(opened, tmp_path, name):
    attention, said, acts = CASES[name]
    tab = opened(attention, said)
    first = seen(tab)
    for act in acts:
        act(tab)
    there = seen(tab)
    address = tab.run("location.hash")
    assert there != first
    tab.run("location.replace('#')")
    assert seen_again(tab, first) == first
    tab.run(f"location.replace({address!r})")
    assert seen_again(tab, there) == there
    tab.send("Page.navigate", url="about:blank")
    tab.send("Page.navigate", url=(tmp_path / "page.html").as_uri() + address)
    tab.wait("document.readyState === 'complete' && document.querySelector('[data-drawn]')")
    assert seen_again(tab, there) == there


def test_what_an_address_gets_wrong_is_left_out(opened):
    tab = opened(RECORDS["english"], {"figures": FIGURES})
    first = seen(tab)
    for end in (
        "sort=none&order=sideways&above=x&part=a b c d",
        "part=1 1 -1 1&colours=red&pool=sum&least=-1",
    ):
        tab.run(f"location.replace({'#' + end!r})")
        assert seen(tab) == first
