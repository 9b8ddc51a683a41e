"""The view as SVG: its letters are text and its cells rectangles, whatever the tokens are."""

import base64
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.colour import ramp
from attn_cli.text.escaping import escape
from browser import PROGRAM
from test_page_browser import CHINESE, ENGLISH, RECORDS, causal
from test_page_vectors import record

from hostile import HOSTILE

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no browser")
SPACE = "{http://www.w3.org/2000/svg}"


def saved(tab):
    """What the page hands over to be saved: Chromium would ask where."""
    tab.run(
        "URL.createObjectURL = (blob) => ((window.saved = blob), 'blob:'); HTMLAnchorElement.prototype.click = function () { window.named = this.download; }; 0"
    )
    tab.click("#save-svg")
    assert tab.run("saved.type") == "image/svg+xml"
    return ET.fromstring(tab.run("saved.text()"))


def texts(root):
    return [one.text for one in root.iter(f"{SPACE}text")]


def test_a_map_is_rectangles_in_their_colours_and_text(opened):
    attention = causal(CHINESE, 1, 1)
    root = saved(opened(attention))
    assert {one.tag.removeprefix(SPACE) for one in root.iter()} <= {"svg", "rect", "path", "text"}
    found = [one.get("fill") for one in root.iter(f"{SPACE}rect")]
    n = len(CHINESE)
    weights = attention.weights[0, 0][np.tri(n, dtype=bool)]
    expected = ramp("paper")[np.rint(255 * weights / weights.max()).astype(int)]
    cells = [fill for fill in found if fill != "none"][1:]  # the first is the ground
    assert len(cells) == len(weights)
    colours = np.array([[int(fill[at : at + 2], 16) for at in (1, 3, 5)] for fill in cells])
    assert np.abs(colours - expected).max() <= 3
    said = texts(root)
    assert all(said.count(token) >= 2 * CHINESE.count(token) for token in CHINESE)
    assert {"A page", "Layer 0 · head 0", "origin not recorded", "queries ↓ · keys →", "0"} <= set(said)


def test_hostile_tokens_are_text_in_it_too(opened):
    tab = opened(RECORDS["hostile"])
    for view in ("map", "lines", "tokens"):
        tab.click(f"#tab-{view}")
        root = saved(tab)
        assert {one.tag.removeprefix(SPACE) for one in root.iter()} <= {"svg", "rect", "path", "text"}
        assert not any(name.startswith("on") for one in root.iter() for name in one.attrib)
        seen = (escape(token).replace("\ufeff", r"\ufeff") for token in HOSTILE)  # it has no look of its own
        short = {token for token in seen if 0 < len(token.strip()) < 9}
        if view != "map":  # which leaves out labels that would lie on others
            assert short <= set(texts(root))


def test_lines_of_several_heads_and_a_text_are_drawn_whole(opened):
    attention = RECORDS["english"]
    tab = opened(attention, width=390, height=500, touch=True)
    tab.click("#tab-lines")
    tab.click("#overlay [data-head='2']")
    root = saved(tab)
    peak = f"{attention.weights.max():.2g}"
    keys = {one.get("fill") for one in root.iter(f"{SPACE}rect")}
    assert {"#0072b2", "#d55e00"} <= keys  # of the key under it, each beside its name
    assert not [one for one in root.iter(f"{SPACE}path") if one.get("stroke-opacity")]  # they would mix
    assert [text for text in texts(root) if text in ENGLISH] == [*ENGLISH, *ENGLISH]
    heads = {f"Layer 0 · head {head}: 0 … {peak}" for head in (0, 2)}
    assert {*heads, "queries left · keys right"} <= set(texts(root))
    tab.click("#tab-tokens")
    root = saved(tab)
    assert [text for text in texts(root) if text in ENGLISH] == [*ENGLISH]
    assert "The (0): What it attends to" in texts(root)
    assert tab.run("document.querySelector('#tab-qk').hidden")


def test_of_more_cells_than_64_by_64_it_has_an_image_with_a_pixel_for_each(opened):
    n = 80
    tab = opened(Attention(("a",) * n, ("a",) * n, np.eye(n)[None, None]), width=1280, dark=True)
    root = saved(tab)
    [image] = root.iter(f"{SPACE}image")
    kind, data = image.get("href").split(",")
    assert kind == "data:image/png;base64"
    png = base64.b64decode(data)
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (n, n)
    assert len(list(root.iter(f"{SPACE}rect"))) < 5 * n  # of bars, not of cells


def test_a_product_of_query_and_key_is_saved_with_its_vectors_and_its_softmax(opened):
    attention = record(2, 6, 8, ("the", "cat", "sat", "on", "the", "mat"))
    tab = opened(attention, width=390)
    tab.click("#tab-qk")
    tab.run(
        "(e => (e.value = 4, e.dispatchEvent(new Event('change'))))(document.querySelector('[name=query]'))"
    )
    root = saved(tab)
    assert tab.run("window.named") == "attention-L0H0-qk.svg"
    said = texts(root)
    assert {"Layer 0 · head 0: the 4 → the 0", "A page"} <= set(said)
    assert {f"{weight:.3f}" for weight in attention.weights[0, 0, 4]} <= set(said)
    results = tab.run("[...document.querySelectorAll('.result, .softmax th')].map((e) => e.textContent)")
    lines = " ".join(text.strip() for text in said)  # as the screen has them
    assert all(" ".join(result.split()) in lines for result in results)
    query = attention.query[0, 0, 4]
    top = 3 * np.sqrt((query**2).mean())
    assert f"query of the · blue −{top:.2g} … orange +{top:.2g}" in said
    expected = ramp("signed")[np.rint(127.5 + 127.5 * (query / top).clip(-1, 1)).astype(int)]
    [panel] = [one for one in root if one.tag == f"{SPACE}svg"]
    fills = [one.get("fill") for one in panel.iter(f"{SPACE}rect")][: len(query)]
    colours = np.array([[int(fill[at : at + 2], 16) for at in (1, 3, 5)] for fill in fills])
    assert np.abs(colours - expected).max() <= 3
    beyond = [one for one in panel.iter(f"{SPACE}text") if float(one.get("x")) > float(panel.get("width"))]
    assert beyond == []


def test_compared_heads_stand_side_by_side(opened):
    tab = opened(RECORDS["english"])
    tab.click("#tab-compare")
    root = saved(tab)
    panels = [one for one in root if one.tag == f"{SPACE}svg"]
    lefts = [float(one.get("x")) for one in panels]
    assert len(panels) == 3
    assert lefts == sorted(lefts)
    assert lefts[-1] + float(panels[-1].get("width")) < float(root.get("width"))
    assert tab.run("window.named") == "attention-L0H0-L0H1-compare.svg"
    peak = f"{abs(RECORDS['english'].weights[0, 0] - RECORDS['english'].weights[0, 1]).max():.2g}"
    assert {f"−{peak}", peak} <= set(texts(root))
    assert {"Layer 0 · head 0", "Layer 0 · head 1", "Difference: L0H0 − L0H1"} <= set(texts(root))
