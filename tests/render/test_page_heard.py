"""The spectrogram of a sound along the sides of a page's map."""

import base64
import io
import json
import re
import zlib

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.figure.spectrogram import spectrogram_of
from attn_cli.render.page.page import page
from browser import PROGRAM
from PIL import Image
from test_page_svg import SPACE, saved

TIMES = ("0.00s", "0.02s", "0.04s")


def carried(document):
    """The bytes that a page has of a spectrogram, the highest band first."""
    said = json.loads(re.search(r'id="header">(.*?)</script>', document.decode())[1])["heard"]
    return np.frombuffer(zlib.decompress(base64.b64decode(said["data"])), np.uint8).reshape(said["bands"], -1)


def heard(queries=TIMES, **known):
    """A pitch that rises, a band with each moment; the lowest band is silent."""
    loud = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]])
    weights = np.full((1, 1, len(queries), 3), 1 / 3)
    return Attention(queries, TIMES, weights, "encoder", spectrogram=loud, **known)


def test_a_page_has_a_byte_for_each_band_and_column():
    assert carried(page(heard())).tolist() == [[0, 0, 255], [0, 255, 0], [255, 0, 0], [0, 0, 0]]
    assert b'"heard"' not in page(Attention(TIMES, TIMES, np.eye(3)[None, None]))


def test_half_a_minute_of_sound_takes_less_than_100_kb():
    """Noise, which packs worst; of 80 bands two become one, and a cell of two moments is their mean."""
    noise = np.random.default_rng(0).integers(0, 256, (80, 1500))
    keys = [f"{i / 50:.2f}s" for i in range(1500)]
    document = page(Attention(("a",), keys, np.full((1, 1, 1, 1500), 1 / 1500), spectrogram=noise))
    pairs = noise.reshape(40, 2, 1500).mean(axis=1)
    np.testing.assert_allclose(carried(document), pairs[::-1], atol=0.5)
    assert len(re.search(rb'"heard":\{.*?\}', document)[0]) < 100_000
    pooled = Attention("ab", keys, np.full((1, 1, 1, 750), 1 / 750), pooled=True, spectrogram=noise)
    np.testing.assert_allclose(carried(page(pooled)), pairs.reshape(40, 750, 2).mean(axis=2)[::-1], atol=0.5)


@pytest.mark.skipif(PROGRAM is None, reason="no browser")
@pytest.mark.parametrize("queries", [TIMES, ("a", "b")])
def test_it_stands_over_the_columns_and_beside_queries_that_are_the_same_moments(opened, queries):
    tab = opened(heard(queries))
    assert "grey: the spectrogram of the sound" in tab.text(".map .axes")
    root = saved(tab)
    above, *beside = root.iter(f"{SPACE}image")
    cells = [one for one in root.iter(f"{SPACE}rect") if one.get("fill") not in (None, "none")][1:]
    left, top = (min(float(one.get(side)) for one in cells) for side in ("x", "y"))
    assert float(above.get("x")) == pytest.approx(left)
    assert float(above.get("y")) + float(above.get("height")) == pytest.approx(top - 6)
    assert middles(above) == [[0, 0, 255], [0, 255, 0], [255, 0, 0], [0, 0, 0]]
    assert len(beside) == (queries == TIMES)
    for one in beside:
        assert float(one.get("y")) == pytest.approx(top)
        assert middles(one) == [[0, 0, 255, 0], [0, 255, 0, 0], [255, 0, 0, 0]]


@pytest.mark.skipif(PROGRAM is None, reason="no browser")
def test_bands_are_named_by_round_frequencies(opened):
    names = {
        one.text: float(one.get("y"))
        for one in saved(opened(heard(frequencies=[500, 1000, 2000, 4000]))).iter(f"{SPACE}text")
        if one.text and one.text.endswith("Hz")
    }
    assert list(names) == ["2 kHz", "1 kHz", "500 Hz"]
    assert np.diff(list(names.values())).tolist() == [14, 14]  # a band is a quarter of 56 pixels
    assert (
        "spectrogram of the sound, from the bottom 500 to 4,000 Hz"
        in spectrogram_of(heard(frequencies=[500, 1000, 2000, 4000])).said
    )


@pytest.mark.skipif(PROGRAM is None, reason="no browser")
def test_a_cell_marks_its_moment_by_night_and_on_a_phone_too(opened):
    tab = opened(heard(), {"lang": "zh"}, width=390, height=844, touch=True, dark=True)
    tab.run("document.querySelector('.over').focus()")
    tab.press("ArrowDown")
    (column,) = (
        one
        for one in saved(tab).iter(f"{SPACE}rect")
        if one.get("stroke-opacity") and float(one.get("height")) > 2 * float(one.get("width"))
    )
    above = next(saved(tab).iter(f"{SPACE}image"))
    assert float(column.get("y")) <= float(above.get("y")) + 0.5
    assert "灰色：声音的频谱图" in tab.text(".map .axes")
    assert tab.run("document.documentElement.scrollWidth") == 390


def middles(image):
    """How much ink there is in the middle of each band and moment."""
    data = base64.b64decode(image.get("href").partition(",")[2])
    ink = np.array(Image.open(io.BytesIO(data)))[..., 3]
    rows, columns = (3, 4) if ink.shape[1] == 4 else (4, 3)
    at = [(np.arange(n) + 0.5) * size / n for n, size in zip((rows, columns), ink.shape, strict=True)]
    return ink[np.ix_(*(places.astype(int) for places in at))].tolist()
