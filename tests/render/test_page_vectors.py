"""Queries and keys inside a page: their products give the scores of the record, or the page says why it has none."""

import base64
import json
import re
import zlib

import attn_cli as attn
import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.page.page import page
from browser import PROGRAM
from test_page import Elements, softmax
from test_page_browser import AXE

in_a_browser = pytest.mark.skipif(PROGRAM is None, reason="no browser")
X = np.random.default_rng(0).standard_normal((6, 8))


def read(document):
    """(header, per side the vectors [head, token, d_head], bias or None), by the formulas of vectors.py written out again."""
    scripts = {attributes.get("id"): text for attributes, text in Elements(document).all("script")}
    whole = json.loads(scripts["header"])
    header = whole["vectors"]
    if "bits" not in header:
        return header, None, None
    n_query, n_key = len(whole["queries"]), len(whole["keys"] or whole["queries"])
    count = len(whole["layers"]) * len(whole["heads"])
    data = zlib.decompress(base64.b64decode(scripts["vectors"]))
    n_biases = count * (n_query + n_key - 1) if header["biased"] else 0
    n_floats = count * (n_query + n_key) + n_biases
    floats = np.frombuffer(data, "<f4", n_floats).astype(np.float64)
    codes = np.frombuffer(data, f"<i{header['bits'] // 8}", offset=4 * n_floats).astype(np.float64)
    cut = count * n_query
    steps = [
        floats[:cut].reshape(count, n_query),
        floats[cut : count * (n_query + n_key)].reshape(count, n_key),
    ]
    parts = np.split(codes, [cut * header["width"]])
    sides = [part.reshape(*step.shape, -1) * step[..., None] for part, step in zip(parts, steps, strict=True)]
    bias = floats[-n_biases:].reshape(count, -1) if n_biases else None
    return header, sides, bias


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"mask": "causal"},
        {"score": "dot"},
        {"scale": 0.3},
        {"posenc": "alibi"},
        {"posenc": "t5", "mask": "causal"},
        {"posenc": "rope", "mask": "causal"},
        {"posenc": "rope:base=500000,partial=0.5", "scale": 0.2},
        {"posenc": "rope:pairing=interleaved"},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:untrained")
def test_the_sum_of_the_products_is_the_score(how):
    attention = attn.attend(X, heads=2, **how)
    header, (query, key), bias = read(attn.page(attention))
    assert (header["bits"], header["turned"]) == (16, "rope" in str(how))
    assert header["biased"] is (how.get("posenc") in ("alibi", "t5"))
    for head, q, k in np.ndindex(2, 6, 6):
        score = header["scales"][0] * sum(query[head, q, i] * key[head, k, i] for i in range(4))
        if bias is not None:
            score += bias[head, k - q + 5]
        assert abs(score - attention.scores[0, head, q, k]) <= header["error"]
    assert header["error"] < 1e-3


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"posenc": "rope:base=777"}, "scores"),
        ({"score": "cosine"}, "scores"),
        ({"softcap": 2.0}, "scores"),
        ({"normalise": "sparsemax"}, "softmax"),
    ],
    ids=str,
)
def test_where_products_give_other_scores_the_page_says_so_instead(how, why):
    document = attn.page(attn.attend(X, heads=2, **how))
    assert read(document)[0] == {"left_out": why}
    assert f'"qk_without_{why}"' in document.decode()


def record(n_heads, n, d_head, tokens=None):
    rng = np.random.default_rng(0)
    query, key = rng.standard_normal((2, 1, n_heads, n, d_head))
    scores = query @ key.mT / np.sqrt(d_head)
    tokens = tokens or ("a",) * n
    return Attention(tokens, tokens, softmax(scores), query=query, key=key, scores=scores)


def test_many_vectors_are_rounded_more_coarsely_and_too_many_left_out():
    attention = record(4, 40, 1000)
    header, (query, key), _ = read(page(attention))
    assert header["bits"] == 8
    scores = query @ key.mT / np.sqrt(1000)
    off = np.abs(scores - attention.scores[0]).max()
    assert 0.9 * header["error"] <= off <= header["error"] < 0.1
    assert read(page(attention, max_bytes=400_000))[0] == {"left_out": "large"}
    assert len(page(attention, max_bytes=1_500_000)) <= 1_500_000


def test_vectors_are_left_out_where_that_is_asked_for_or_nothing_is_known_of_them():
    attention = attn.attend(X, heads=2)
    assert read(attn.page(attention, vectors=False))[0] == {}
    assert read(page(Attention("ab", "ab", np.eye(2)[None, None])))[0] == {}


def test_on_the_command_line_they_are_left_out_of_pages_alone(run, tmp_path):
    attn.save(attn.attend(X, heads=2), tmp_path / "a.npz")
    assert run("heatmap", "a.npz", "--without-vectors", "-o", "a.html", cwd=tmp_path).code == 0
    assert read((tmp_path / "a.html").read_bytes())[0] == {}
    said = run("heatmap", "a.npz", "--without-vectors", "-o", "a.png", cwd=tmp_path)
    assert said.code == 2
    assert "--without-vectors does not apply to png; write html" in said.stderr


@in_a_browser
def test_the_softmax_is_over_special_tokens_too_while_they_are_hidden_and_finer_than_rounded_weights(opened):
    attention = record(1, 370, 4, ("[CLS]",) + ("a",) * 369)
    tab = opened(attention)  # weights are rounded
    assert "rounded to" in tab.text("#precision")
    tab.click("#special")
    tab.click("#tab-qk")
    total = np.exp(attention.scores[0, 0, 0]).sum()
    found = [
        float(n)
        for n in re.findall(r"-?[\d.]+[\d]", tab.text(".qk .result:nth-of-type(3)").replace("−", "-"))
    ]
    score, weight = attention.scores[0, 0, 0, 0], attention.weights[0, 0, 0, 0]
    assert np.allclose(found, [score, np.exp(score), total, weight], rtol=0.006)


@in_a_browser
@pytest.mark.filterwarnings("ignore:untrained")
def test_one_sees_how_a_weight_came_about(opened):
    attention = attn.attend(X, heads=2, posenc="alibi", mask="causal")
    tab = opened(attention, {"lang": "en"}, width=390, height=844, touch=True)
    tab.click("#tab-qk")
    for axis, place in (("query", 4), ("key", 2)):
        tab.run(
            f"(e => (e.value = {place}, e.dispatchEvent(new Event('change'))))(document.querySelector('[name={axis}]'))"
        )
    said = tab.run("[...document.querySelectorAll('.qk .result')].map((e) => e.textContent)")
    numbers = [float(n) for n in re.findall(r"[-]?\d+\.?\d*(?:e-?\d+)?", said[0].replace("−", "-"))]
    q, k = attention.query[0, 0, 4], attention.key[0, 0, 2]
    score, weight = attention.scores[0, 0, 4, 2], attention.weights[0, 0, 4, 2]
    assert np.allclose([numbers[1], numbers[-1]], [q @ k, score], rtol=0.006)
    assert np.allclose(numbers[-2], score - q @ k / 2, rtol=0.006)  # ALiBi's part
    assert said[1].endswith(f"weight {float(f'{weight:.3g}')}.")
    rows = tab.run("[...document.querySelectorAll('.softmax .weight')].map((e) => e.textContent)")
    assert rows == [f"{w:.3f}" for w in attention.weights[0, 0, 4, :5]] + ["masked"]
    tab.run("document.querySelector('.strip:nth-child(3) canvas').focus()")
    tab.press("ArrowRight")
    _, left, right, product = (float(n) for n in re.findall(r"-?[\d.]+", tab.text("#live").replace("−", "-")))
    assert np.allclose([left, right, product], [q[1], k[1], q[1] * k[1]], rtol=0.006)
    tab.click(".softmax tr:nth-child(5)")  # the key of that line
    assert tab.run("document.querySelector('[name=key]').value") == "3"
    assert tab.run("document.documentElement.scrollWidth") <= 390
    if AXE.exists():
        tab.run(AXE.read_text(encoding="utf-8") + ";0")
        assert (
            tab.run("axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))")
            == []
        )
