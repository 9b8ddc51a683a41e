"""An image in a page, and over it what the query that is pointed at looks at."""

import base64
import io
import json
import re

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.colour import ramp
from attn_cli.render.page.page import page
from browser import PROGRAM
from PIL import Image

KEYS = ("[CLS]", "0,0", "0,1")
PIXELS = np.repeat([[[255, 255, 255], [0, 0, 0]]], 8, axis=1).repeat(8, axis=0)  # white beside black


def seen(**changes):
    weights = [[[[0.2, 0.8, 0], [0.6, 0, 0.4]]]]
    return Attention(("cat", "dog"), KEYS, weights, **{"patches": (1, 2), "image": PIXELS} | changes)


def carried(attention):
    return json.loads(re.search(r'id="header">(.*?)</script>', page(attention).decode())[1]).get("image")


def test_a_page_has_the_image_and_how_it_is_cut():
    said = carried(seen())
    assert np.array(Image.open(io.BytesIO(base64.b64decode(said.pop("data"))))).tolist() == PIXELS.tolist()
    assert said == {"patches": [1, 2], "query": 0, "size": [16, 8]}
    assert carried(seen(image=None)) == {"patches": [1, 2], "query": 0, "size": [2, 1], "data": None}
    patches = Attention(KEYS[1:], KEYS[1:], np.full((1, 1, 2, 2), 0.5), patches=(1, 2))
    assert carried(patches)["query"] == 0


def test_a_photograph_travels_as_jpeg_and_what_cannot_be_drawn_over_it_does_not_travel():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    assert base64.b64decode(carried(seen(image=noise))["data"])[:2] == b"\xff\xd8"
    scores = np.zeros((1, 1, 2, 3))
    assert carried(Attention(("cat", "dog"), KEYS, scores=scores, show="scores", patches=(1, 2))) is None
    assert carried(Attention(("cat", "dog"), KEYS, np.full((1, 1, 2, 3), 1 / 3))) is None


def test_a_page_of_patches_is_called_by_the_first_and_the_last():
    names = [f"{row},{column}" for row in range(2) for column in range(2)]
    document = page(Attention(names, names, np.full((1, 1, 4, 4), 0.25), patches=(2, 2))).decode()
    assert "<title>Attention: 0,0 … 1,1</title>" in document


COLOURS = """(() => {
    const canvas = document.querySelector('#sight canvas');
    const {width, height} = canvas;
    const copy = new OffscreenCanvas(width, height).getContext('2d');
    copy.drawImage(canvas, 0, 0);
    const {data} = copy.getImageData(0, Math.floor(height / 4), width, 1);
    return [0.25, 0.75].map((x) => [...data.subarray(4 * Math.floor(x * width))].slice(0, 4));
})()"""


@pytest.mark.skipif(PROGRAM is None, reason="no browser")
def test_what_a_query_looks_at_lies_in_colour_over_the_image(opened):
    tab = opened(seen())
    tab.wait(f"{COLOURS}[1][0] < 200")  # the image is there
    assert tab.text("#sight h3") == "What “cat” looks at"
    assert tab.text("#sight .hint") == "0.8 of its weight lies on the image."
    heavy, none = np.array(tab.run(COLOURS))[:, :3]
    assert np.abs(none - 127.5).max() <= 2  # black, half of which is gone to the white ground
    assert np.abs(heavy - (0.15 * 255 + 0.85 * ramp("paper")[-1])).max() <= 2
    x, y = tab.run(
        "(b => [b.x + 0.7 * b.width, b.y + b.height / 2])(document.querySelector('#sight canvas').getBoundingClientRect())"
    )
    tab.move(x, y)
    assert tab.text("#readout").startswith("cat0→0,12")
    tab.run("document.querySelector('.over').focus()")
    tab.press("ArrowDown")
    assert tab.text("#sight h3") == "What “dog” looks at"
    assert np.abs(np.array(tab.run(COLOURS))[0, :3] - 255).max() <= 2


@pytest.mark.skipif(PROGRAM is None, reason="no browser")
def test_it_has_its_place_on_a_phone_and_by_night_without_an_image_too(opened):
    tab = opened(seen(image=None), {"lang": "zh"}, width=390, height=844, touch=True, dark=True)
    assert tab.text("#sight h3") == "“cat”关注之处"
    assert tab.run("document.documentElement.scrollWidth") == 390
    plain = opened(Attention("ab", "ab", np.eye(2)[None, None]))
    assert plain.run("document.querySelector('#sight').hidden")
