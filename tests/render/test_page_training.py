"""A slider over the steps of a training: all heads at each, on one scale."""

import json
import re

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.page.page import page
from browser import PROGRAM

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no browser")

SHARE = {5: 0.25, 10: 0.5, 300: 1.0}  # what the one query gives its first key, at each step


def at(step, tokens=("x", "y")):
    weights = np.full((1, 2, 1, 2), SHARE[step])
    weights[..., 1] = 1 - SHARE[step]
    return Attention(("q",), tokens, weights, "cross", provenance=f"train.py, step {step}")


STEPS = [(step, at(step)) for step in SHARE]


def shade(tab):
    script = """(() => {
        const copy = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
        copy.drawImage(document.querySelector('.gridcell canvas'), 0, 0);
        return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3).reduce((a, b) => a + b);
    })()"""
    return tab.run(script)


def test_a_slider_goes_through_the_steps_on_one_scale(opened):
    tab = opened(STEPS[-1][1], {"steps": STEPS})
    assert (tab.text("#training h2"), tab.text(".stepper output")) == ("Step 300", "3 of 3")
    tab.run("document.querySelector('.over').focus()")
    tab.press("ArrowDown")
    assert tab.text("#readout .weight") == "1"
    shades = [shade(tab)]
    tab.run("document.activeElement.blur()")
    for step, share in ((10, "0.5"), (5, "0.25")):
        tab.press("ArrowLeft")
        assert (tab.text("#training h2"), tab.text("#live")) == (f"Step {step}", f"Step {step}")
        assert tab.text("#readout .weight") == share
        assert f"time={step}" in tab.run("location.hash")
        tab.wait("document.querySelector('[data-drawn]')")
        shades.append(shade(tab))
    assert shades[0] < shades[1] < shades[2]  # paler, as the scale stays
    assert tab.text("#legend .high") == "1"
    tab.run("location.hash = '#time=10&query=0&key=0'")
    tab.wait("document.querySelector('#training h2').textContent === 'Step 10'")
    tab.run(
        "const s = document.querySelector('.stepper input'); s.value = 3; s.dispatchEvent(new Event('input'))"
    )
    assert tab.text("#training h2") == "Step 300"


def test_each_step_has_its_own_tokens_and_pools(opened):
    cells = {step: np.full((1, 1, 2, 2), 0.1 * (place + 1)) for place, step in enumerate((1, 2))}
    over = [
        (step, Attention(tokens, tokens, cells[step], pooled=True, maxima=cells[step] * 2))
        for step, tokens in ((1, "abcd"), (2, "wxyz"))
    ]
    tab = opened(over[-1][1], {"steps": over, "lang": "zh"}, width=390, height=844, touch=True)
    assert tab.text("#training h2") == "第 2 步"
    tab.run("document.querySelector('.over').focus()")
    tab.press("ArrowDown")
    assert tab.text("#readout").startswith("w … x0→w … x00.2")
    tab.run(
        "const p = document.getElementById('pool'); p.value = 'max'; p.dispatchEvent(new Event('change'))"
    )
    assert tab.text("#readout .weight") == "0.4"
    tab.run("document.activeElement.blur()")
    tab.press("ArrowLeft")
    assert tab.text("#readout").startswith("a … b0→a … b00.2")
    assert tab.run("document.documentElement.scrollWidth") == 390


def test_a_head_is_compared_with_what_it_was(opened):
    tab = opened(STEPS[-1][1], {"steps": STEPS})
    tab.click("#tab-compare")
    tab.run("const t = document.getElementById('then'); t.value = '5'; t.dispatchEvent(new Event('change'))")
    captions = "[...document.querySelectorAll('.panel h3')].map((e) => e.textContent).slice(0, 2)"
    assert tab.run(captions) == ["Layer 0 · head 0", "Layer 0 · head 0 · Step 5"]
    tab.run("document.querySelector('.over').focus()")
    tab.press("ArrowDown")
    assert tab.text("#readout .weight") == "1 · 0.25 · difference +0.75"
    tab.run("document.activeElement.blur()")
    tab.press("ArrowLeft")
    assert tab.text("#readout .weight") == "0.5 · 0.25 · difference +0.25"
    assert "then=5" in tab.run("location.hash")
    tab.run("const o = document.getElementById('other'); o.value = '1'; o.dispatchEvent(new Event('change'))")
    assert tab.run(captions)[1] == "Layer 0 · head 1 · Step 5"
    tab.click("#tab-map")
    assert not tab.run("document.getElementById('then').checkVisibility()")


def test_heads_are_sorted_by_what_they_were_at_the_step(opened):
    over = [(step, at(step)) for step in (5, 10)]
    figures = {"entropy": np.array([[1.0, 2.0], [4.0, 3.0]])}  # the second head first, then the first
    tab = opened(over[-1][1], {"steps": over, "figures": figures})
    tab.run(
        "const s = document.getElementById('sort'); s.value = 'entropy'; s.dispatchEvent(new Event('change'))"
    )
    heads = "[...document.querySelectorAll('[role=gridcell]')].filter((e) => e.checkVisibility()).map((e) => e.ariaLabel)"
    assert [name[:6] for name in tab.run(heads)] == ["L0H0 4", "L0H1 3"]
    tab.run("document.activeElement.blur()")
    tab.press("ArrowLeft")
    assert [name[:6] for name in tab.run(heads)] == ["L0H1 2", "L0H0 1"]


def test_one_step_has_no_slider(opened):
    tab = opened(at(5), {"steps": [(5, at(5))]})
    assert tab.run("document.querySelector('#training').hidden")


def test_all_steps_share_the_room_and_the_scale():
    rng = np.random.default_rng(0)
    over = [
        (step, Attention("a" * 64, "a" * 64, rng.dirichlet(np.ones(64), (2, 4, 64)) * (1 + step) / 10))
        for step in range(5)
    ]
    most = len(page(Attention("a", "a", [[[[1.0]]]]))) + 100_000
    document = page(over[-1][1], steps=over, max_bytes=most)
    assert most - 20_000 < len(document) <= most
    header = json.loads(re.search(r'id="header">(.*?)</script>', document.decode())[1])
    assert (header["times"], header["time"], header["others"]) == (list(range(5)), 4, [])
    assert header["written"] == []  # at each step a model writes something else
    assert header["peak"] == max(each.weights.max() for _, each in over)
    assert len(header["sizes"]) == 5 * 8
