"""Heads sorted and filtered on a page, by the figures of `attn stats`."""

import attn_cli as attn
import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.sources.sorting import COLUMNS, sorting
from browser import PROGRAM
from test_page import contents, random_attention
from test_page_browser import CHINESE, ENGLISH, RECORDS, causal

ORDER = "[...document.querySelectorAll('.gridcell .figure')].map((e) => e.textContent)"


@pytest.mark.parametrize(
    "attention",
    [causal(("a", "b", "a", "b", "[SEP]"), 2, 3), RECORDS["cross"], RECORDS["one head"]],
    ids=["repeats", "cross", "one head"],
)
def test_a_page_sorts_by_what_attn_stats_says(attention):
    stated = attn.stats(attention).columns
    figures = contents(attn.page(attention))[0]["figures"]
    known = [name for name in COLUMNS if not np.isnan(stated[name]).all()]
    assert list(figures) == known
    for name in known:
        numbers = np.array(figures[name], dtype=float)
        assert np.allclose(numbers, stated[name], rtol=5e-4, atol=0, equal_nan=True), name


def test_pooled_maps_and_others_than_weights_are_not_sorted():
    assert sorting(Attention("abcd", "abcd", np.full((1, 1, 2, 2), 0.25), pooled=True)) == {}
    scores = random_attention(1, 2, 3, 3)
    assert sorting(Attention("abc", "abc", scores.weights, scores=scores.weights, show="scores")) == {}


def choose(tab, name, value):
    kind = "input" if name == "limit" else "change"
    tab.run(
        f"(e => (e.value = {value!r}, e.dispatchEvent(new Event('{kind}'))))(document.getElementById('{name}'))"
    )


@pytest.mark.skipif(PROGRAM is None, reason="no browser: neither chromium nor google-chrome is on the PATH")
def test_heads_are_sorted_and_filtered(opened):
    attention = causal(CHINESE, 2, 3)
    figures = sorting(attention)
    tab = opened(attention, {"figures": figures})
    assert tab.run("document.getElementById('sort-down').hidden")
    choose(tab, "sort", "previous")
    previous = figures["previous"].ravel()
    down = np.argsort(-previous)
    assert tab.run(ORDER) == [
        f"L{head // 3}H{head % 3} {float(f'{previous[head]:.2g}'):g}".replace("e-0", "e-") for head in down
    ]
    tab.click("#sort-down")
    assert tab.run(ORDER)[0].startswith(f"L{down[-1] // 3}H{down[-1] % 3} ")
    choose(tab, "keep", ">")
    choose(tab, "limit", f"{np.median(previous):.4f}")
    assert len(tab.run(ORDER)) == 3
    assert tab.text("#live") == "3 of 6 heads, sorted by previous token"
    tab.run("document.querySelector('[role=gridcell][tabindex=\"0\"]').focus()")
    tab.press("ArrowRight")
    tab.press("Enter")
    assert tab.text("#which") == f"Layer {down[1] // 3} · head {down[1] % 3}"
    tab.press("]")
    assert tab.text("#which") == f"Layer {down[0] // 3} · head {down[0] % 3}"
    choose(tab, "limit", "2")  # no head
    assert tab.run(ORDER) == []
    assert tab.text("#kept-count") == "0 of 6 heads"
    choose(tab, "sort", "")
    assert not tab.run("document.querySelector('#kept-count').checkVisibility()")
    assert tab.run("document.querySelectorAll('.gridcell').length") == 6
    assert tab.run("document.querySelectorAll('.columnheader').length") == 4


@pytest.mark.skipif(PROGRAM is None, reason="no browser: neither chromium nor google-chrome is on the PATH")
def test_a_figure_that_a_head_lacks_stands_last(opened):
    figures = {"induction": np.array([[np.nan, 0.5], [0.25, np.nan]])}
    tab = opened(causal(ENGLISH, 2, 2), {"figures": figures}, width=390, height=844, touch=True)
    choose(tab, "sort", "induction")
    assert tab.run(ORDER) == ["L0H1 0.5", "L1H0 0.25", "L0H0 –", "L1H1 –"]
    tab.click("#sort-down")
    assert tab.run(ORDER) == ["L1H0 0.25", "L0H1 0.5", "L0H0 –", "L1H1 –"]
    choose(tab, "keep", "<")
    choose(tab, "limit", "0.3")
    assert tab.run(ORDER) == ["L1H0 0.25"]
    assert tab.run("document.documentElement.scrollWidth") <= 390
