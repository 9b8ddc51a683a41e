"""Bars of single queries and keys beside a long map: from the page's own weights, or with a pooled map."""

import base64
import json
import math
import re

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.page.page import page
from attn_cli.render.single_tokens import single_tokens
from browser import PROGRAM
from test_page import random_attention

N = 30


def header(document):
    return json.loads(re.search(r'id="header">(.*?)</script>', document.decode())[1])


def long():
    """The first head looks at key 3 alone, the second everywhere alike."""
    weights = np.stack([np.tile(np.eye(N)[3], (N, 1)), np.full((N, N), 1 / N)])
    return Attention("a" * N, "a" * N, weights[None])


def pooled():
    known = {
        "entropy": np.full((1, 1, 60), math.log(60) / 2),
        "top_weights": np.tile([[0.25], [0.75]], (30, 1))[None, None],
        "top_keys": np.zeros((1, 1, 60, 1), int),
        "mass": np.r_[100, np.full(59, 0.01)][None, None],
    }
    return Attention("a" * 60, "a" * 60, np.full((1, 1, N, N), 1 / 60), pooled=True, **known)


def test_figures_of_weights_are_those_that_a_pooled_map_keeps():
    found = single_tokens(random_attention(1, 2, 7, 9))
    weights = random_attention(1, 2, 7, 9).weights[0]
    for head, query in np.ndindex(2, 7):
        row = weights[head, query]
        assert found.entropy[head, query] * found.most == pytest.approx(-sum(w * math.log(w) for w in row))
        assert found.heaviest[head, query] == max(row)
    for head, key in np.ndindex(2, 9):
        total = 0.01 * (found.highest / 0.01) ** found.mass[head, key]
        assert total == pytest.approx(weights[head, :, key].sum())
    scores = Attention("ab", "ab", scores=np.zeros((1, 1, 2, 2)), show="scores")
    assert single_tokens(scores) is None


def test_a_page_of_cells_has_a_byte_for_each_bar():
    """A row has the mean of two queries, a column the largest of two keys."""
    said = header(page(pooled()))["bars"]
    entropy, heaviest, mass = (
        np.frombuffer(base64.b64decode(said[name]), np.uint8) for name in ("entropy", "heaviest", "mass")
    )
    assert entropy.tolist() == [128] * N
    assert heaviest.tolist() == [128] * N
    assert mass.tolist() == [255] + [0] * (N - 1)
    assert (said["most"], said["highest"]) == (math.log(60), 100)
    assert header(page(long()))["sums"] is True
    assert header(page(Attention("ab", "ab", scores=np.zeros((1, 1, 2, 2)), show="scores")))["sums"] is False
    small = page(random_attention(1, 1, 400, 400), max_bytes=32_000)  # a cell of several weights
    assert len(base64.b64decode(header(small)["bars"]["entropy"])) == 200


@pytest.mark.skipif(PROGRAM is None, reason="no browser")
def test_bars_stand_beside_a_long_map_and_are_read_out(opened):
    tab = opened(long())
    bars = """(() => {
        const canvas = document.querySelector('.map canvas');
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
        copy.drawImage(canvas, 0, 0);
        const style = getComputedStyle(canvas), found = {};
        const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
        for (const name of ['--muted', '--accent']) {
            const colour = style.getPropertyValue(name);
            found[name] = 0;
            for (let i = 0; i < data.length; i += 4)
                found[name] += `rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})` === colour;
        }
        return [found['--muted'], found['--accent']];
    })()"""
    tab.run("document.querySelector('.over').focus()")
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        tab.press(key)
    assert "entropy 0 nats, heaviest 1; the key gets 30 in all" in tab.text("#readout")
    assert "entropy 0 nats" in tab.text("#live")
    tab.press("ArrowLeft")
    assert "the key gets ≤ 0.01 in all" in tab.text("#readout")  # nothing; a bar begins at 0.01
    one = tab.run(bars)
    tab.press("]")
    assert f"entropy {math.log(N):.3g} nats, heaviest 0.0333; the key gets 1 in all" in tab.text("#readout")
    other = tab.run(bars)
    assert other[0] > one[0] + 1000  # grey: long bars of entropy, and every key has its total
    assert other[1] < one[1] / 5  # blue: short bars of the heaviest weight
    assert "0 to 3.4 nats" in tab.text(".map .axes")
    tab.click("#tab-compare")
    assert "nats" not in tab.text(".panel:last-child .axes")  # of a difference there are none


@pytest.mark.skipif(PROGRAM is None, reason="no browser")
def test_bars_of_a_pooled_map_come_with_the_page(opened):
    tab = opened(pooled(), {"lang": "zh"}, width=390, height=844, touch=True)
    tab.run("document.querySelector('.over').focus()")
    tab.press("ArrowDown")
    assert "熵 2.1 奈特，最大权重 0.5；该键共得 100" in tab.text("#readout")
    assert tab.run("document.documentElement.scrollWidth") == 390
    short = opened(Attention("ab", "ab", np.eye(2)[None, None]))
    assert "nats" not in short.text(".map .axes")
