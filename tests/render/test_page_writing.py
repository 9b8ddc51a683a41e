"""Stepping through what a model wrote, in a browser."""

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.records.selection import crop
from browser import PROGRAM
from test_written import translated

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no browser")

TOKENS = ("the", "cat", "sat", "on", "it", ".")


def written():
    """Three tokens after three; the second is not among the likeliest."""
    weights = np.tril(np.random.default_rng(0).dirichlet(np.ones(6), (1, 2, 6)))
    return Attention(
        TOKENS,
        TOKENS,
        weights / weights.sum(-1, keepdims=True),
        "decoder",
        mask=np.tri(6, dtype=bool)[None, None],
        written=(0, 0, 0, 1, 1, 1),
        probabilities=[0, 0, 0, 0.5, 0.125, 0.75],
        top_tokens=[[-1, -1]] * 3 + [[0, 1], [2, 3], [4, -1]],
        top_probabilities=[[0, 0]] * 3 + [[0.5, 0.25], [0.375, 0.25], [0.75, 0]],
        candidates=(" on", " at", " a", " the", "."),
    )


def rivals(tab):
    return tab.run("[...document.querySelectorAll('.rivals li')].map((e) => e.textContent)")


def test_a_page_steps_through_the_writing_with_the_row_of_each_token(opened):
    attention = written()
    tab = opened(attention)
    assert tab.text(".stepper output") == "1 of 3"
    assert rivals(tab) == ["on0.500", "at0.250"]
    tab.press("ArrowRight")
    assert rivals(tab) == ["a0.375", "the0.250", "it0.125"]
    assert tab.text(".rivals b") == "it"
    assert tab.text("#live") == "“it”: probability 0.125"
    row = attention.weights[0, 0, 3]  # that of “on”, from which “it” was written
    assert tab.text("#readout").startswith(f"on3→{TOKENS[row.argmax()]}{row.argmax()}")
    assert tab.run("[...document.querySelectorAll('.story bdi')].map((e) => e.style.background !== '')") == [
        True, True, True, True, False, False
    ]  # fmt: skip
    assert tab.run("document.querySelector('.story .begins').textContent") == "on"
    assert "step=1" in tab.run("location.hash")
    tab.click("#tab-lines")
    tab.click(".story .later")
    assert tab.text(".stepper output") == "3 of 3"
    assert tab.text("#readout").startswith("it4attends most to")


def test_an_answer_stands_after_the_text_that_it_looks_at(opened):
    tab = opened(translated())
    assert tab.run("[...document.querySelectorAll('.story bdi')].map((e) => e.textContent)") == [
        "the", "cat", "sat", "el", "fin"
    ]  # fmt: skip
    lit = "[...document.querySelectorAll('.story bdi')].map((e) => e.style.background)"
    first = tab.run(lit)
    assert first[0] != first[2]
    assert first[3:] == ["", ""]
    tab.press("ArrowRight")
    assert tab.run(lit)[1] == tab.run(lit)[2] != first[2]
    assert tab.text("#readout").startswith("fin1→cat1")


def test_a_part_of_a_text_is_no_answer_to_the_whole(opened):
    tab = opened(crop(written(), "query", "1:"))
    words = "[...document.querySelectorAll('.story bdi')]"
    assert tab.run(f"{words}.map((e) => e.textContent)") == list(TOKENS[1:])
    assert tab.run(f"{words}.every((e) => e.style.background === '')")  # it is not the columns


def test_the_writing_plays_by_itself_and_stops_at_its_end(opened):
    tab = opened(written(), {"lang": "zh"}, width=390, height=844, touch=True)
    assert tab.run("document.querySelector('.play').getAttribute('aria-label')") == "播放"
    tab.click(".play")
    assert tab.run("document.querySelector('.play').getAttribute('aria-label')") == "暂停"
    tab.wait("document.querySelector('.stepper output').textContent === '3 / 3'")
    assert tab.run("document.querySelector('.play').getAttribute('aria-label')") == "播放"
    assert tab.run("document.querySelector('.stepper input').ariaValueText") == "“.”：概率 0.75"
    assert tab.run("document.documentElement.scrollWidth") == 390


def test_a_map_and_every_head_part_what_was_given_from_what_was_written(opened):
    tab = opened(written())
    assert "model's own text" in tab.text(".map .axes")
    script = """((canvas) => {
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const found = getComputedStyle(canvas).getPropertyValue('--found');
        const rows = new Set();
        for (let i = 0; i < data.length; i += 4)
            if (`rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})` === found) rows.add(Math.floor(i / 4 / canvas.width));
        return rows.size / canvas.height;
    })(document.querySelector('.map canvas'))"""
    assert tab.run(script) > 0.5  # a line across, and one all the way down
    assert tab.run("getComputedStyle(document.querySelector('.gridcell'), '::after').left") != "auto"
    assert tab.run("document.querySelector('#grid').style.getPropertyValue('--began-row')") == "50%"


def test_what_was_given_whole_has_no_steps(opened):
    tab = opened(Attention(TOKENS, TOKENS, np.eye(6)[None, None]))
    assert tab.run("document.querySelector('#writing').hidden && !document.querySelector('.stepper')")
    assert not tab.run("document.querySelector('#grid').hasAttribute('data-parted')")
