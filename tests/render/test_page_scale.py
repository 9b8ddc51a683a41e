"""Where the colours of a page end, and how its labels stand: maps of many tokens are neither white nor crowded."""

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.colour import ramp, top_of
from browser import PROGRAM
from test_page import random_attention
from test_page_browser import RECORDS, picture_of

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no browser")


def spiky(n=60, n_heads=2):
    """Weights nearly all alike, beside a few that are large."""
    weights = random_attention(1, n_heads, n, n, spread=0.5).weights.copy()
    weights[0, 0, 3, :3] = [0.2, 0.3, 0.74]
    weights[0, 0, ::5, 7] = 0.25
    return Attention(tuple(f"Tag{i}" for i in range(n)), ("Tag",) * n, weights)


def choose(tab, kind):
    tab.run(
        f"(s => (s.value = '{kind}', s.dispatchEvent(new Event('change'))))(document.querySelector('#scale'))"
    )
    tab.wait("document.querySelector('[data-drawn]')")
    return [tab.text(f"#legend .{end}") for end in ("low", "high")]


def test_the_few_largest_weights_of_many_do_not_set_the_scale(opened):
    attention = spiky()
    tab = opened(attention)
    top = top_of(attention.weights)
    assert 5 * top < 0.74
    assert [tab.text(f"#legend .{end}") for end in ("low", "high")] == ["0", f"≥ {top:g}"]
    part = (attention.weights > top * (1 + 1e-6)).mean()
    assert part >= 0.001
    said = f"the last colour stands for {top:g} and more: {part:.1%} of the cells, up to 0.74"
    assert tab.text("#beyond") == said
    expected = ramp("paper")[np.rint(255 * (attention.weights[0, 0] / top).clip(0, 1)).astype(int)]
    assert np.abs(picture_of(tab, 0)[..., :3] - expected).max() <= 4
    own = top_of(attention.weights[0, 0])
    assert choose(tab, "panel") == ["0", f"≥ {own:g}"]
    assert choose(tab, "log") == ["0.000074", "0.74"]
    assert choose(tab, "whole") == ["0", "1"]
    assert tab.text("#scale [value=whole]") == "0 … 1"
    assert tab.text("#beyond") == ""
    expected = ramp("paper")[np.rint(255 * attention.weights[0, 0]).astype(int)]
    assert np.abs(picture_of(tab, 0)[..., :3] - expected).max() <= 4


def test_a_difference_of_many_weights_has_the_end_that_pictures_have(opened):
    attention = spiky()
    tab = opened(attention)
    tab.click("#tab-compare")
    top = top_of(attention.weights[0, 0] - attention.weights[0, 1])
    assert tab.text(".panel:last-child .axes").endswith(f"blue ≤ −{top:g} … orange ≥ {top:g}")


@pytest.mark.parametrize("name", ["english", "signed"])
def test_of_few_weights_the_largest_is_the_end(opened, name):
    attention = RECORDS[name]
    tab = opened(attention)
    peak = np.abs(attention.weights).max()
    assert tab.text("#legend .high") == f"{peak:.2g}"
    assert tab.text("#beyond") == ""
    assert tab.run("document.querySelector('#scale [value=whole]').hidden") is (name == "signed")


SLANTED = """(() => {
    const said = [], draw = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
        const { a, b, e } = this.getTransform();
        const { actualBoundingBoxAscent: over, actualBoundingBoxDescent: under } = this.measureText(text);
        if (b) said.push([e / devicePixelRatio, -b / Math.hypot(a, b), over, under]);
        draw.call(this, text, ...rest);
    };
    document.querySelector('#zoom-fit').click();
    CanvasRenderingContext2D.prototype.fillText = draw;
    return said;
})()"""


@pytest.mark.parametrize("window", [{}, {"width": 390, "height": 844, "touch": True}], ids=["desk", "phone"])
def test_slanted_labels_do_not_touch(opened, window):
    for n in (16, 300):
        tokens = tuple(f"注意力Tag{i}" for i in range(n))
        tab = opened(Attention(tokens, tokens, np.eye(n)[None, None]), **window)
        labels = np.array(tab.run(SLANTED))
        assert len(labels) > 5
        apart = np.diff(labels[:, 0]) * labels[1:, 1]  # from line to line
        assert (apart >= labels[:-1, 3] + labels[1:, 2]).all()


LABELS = SLANTED.replace(
    "if (b) said.push([e / devicePixelRatio, -b / Math.hypot(a, b), over, under])", "said.push(text)"
)


def test_on_a_phone_every_single_character_of_a_chinese_sentence_is_named(opened):
    tokens = tuple("父亲有空，我父亲坐在地上看一本很有意思的书。")
    tab = opened(Attention(tokens, tokens, np.eye(22)[None, None]), width=390, height=844, touch=True)
    assert tab.run(LABELS)[:44] == [*tokens, *tokens]  # of queries, then of keys
    assert tab.run(SLANTED) == []
