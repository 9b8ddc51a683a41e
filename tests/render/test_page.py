"""The page as bytes: what is in it, what is not, how large it is, and that the weights come back out of it."""

import base64
import hashlib
import html
import itertools
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.page import document
from attn_cli.render.page import page as page_module
from attn_cli.render.page.document import script_of
from attn_cli.render.page.page import MAX_BYTES, page
from attn_cli.render.page.weights import by_pool
from attn_cli.text.escaping import escape

from hostile import HOSTILE

ASSETS = Path(page_module.__file__).parent / "assets"
# Elements of the page's own, and nothing else, whatever the tokens are.
OWN = {
    "html", "head", "meta", "title", "style", "body", "header", "div", "h1", "h2", "h3", "p", "button", "noscript",
    "main", "section", "label", "input", "output", "select", "option", "span", "canvas", "footer", "kbd", "script", "mark",
}  # fmt: skip


def softmax(scores):
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def random_attention(*shape, dtype=np.float64, spread=1.0, seed=0, **parts):
    rng = np.random.default_rng(seed)
    weights = softmax(rng.standard_normal(shape, dtype=np.float32) * np.float32(spread)).astype(dtype)
    queries, keys = ([f"{kind}{i}" for i in range(n)] for kind, n in zip("tt", shape[2:], strict=True))
    return Attention(tuple(queries), tuple(keys), weights, **parts)


class Elements(HTMLParser):
    """Every element with its attributes, and the text up to the next tag."""

    def __init__(self, document):
        super().__init__(convert_charrefs=True)
        self.found, self.inside = [], False
        self.feed(document.decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])
        self.inside = True

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.found[-1][2] += data

    def all(self, tag):
        return [(attributes, text) for name, attributes, text in self.found if name == tag]


def contents(document, which=0):
    """(header, inflated bytes) of a page, read as the page's script reads them."""
    scripts = {attributes.get("id"): text for attributes, text in Elements(document).all("script")}
    header = json.loads(scripts["header"])
    data = base64.b64decode(scripts["weights"].split(" ")[which], validate=True)
    said = [header, *header["others"]][which]
    if said["store"] != "steps":
        return header, zlib.decompress(data)
    ends = np.cumsum([0, *said["sizes"]])
    return header, [zlib.decompress(data[a:b]) for a, b in itertools.pairwise(ends)]


def unpacked(document):
    """(weights, error bound of each, where masked), by the formulas of packing.py written out again."""
    header, data = contents(document)
    shape = (-1, len(header["queries"]), len(header["keys"] or header["queries"]))
    if header["store"] != "steps":
        weights = np.frombuffer(data, "<" + header["store"]).reshape(shape)
        return np.nan_to_num(weights), np.zeros(weights.shape), np.isnan(weights)
    cells = shape[1] * shape[2]
    planes = [np.frombuffer(one, np.uint8).astype(np.int64) for one in data[header["overview"] is not None :]]
    each = [one if len(one) == cells else one[:cells] * 256 + one[cells:] for one in planes]
    codes = np.concatenate(each)
    steps = np.maximum(codes - 1, 0) >> 1 if header["signed"] else np.maximum(codes - 1, 0)
    sign = np.where(header["signed"] & (codes - 1) & 1, -1, 1)
    weights = sign * header["peak"] * (steps / header["steps"]) ** 2
    error = header["peak"] * (steps + 0.25) / header["steps"] ** 2
    return weights.reshape(shape), error.reshape(shape), (codes == 0).reshape(shape)


# ---- the weights come back --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_few_weights_are_exact(dtype):
    true = (random_attention(2, 3, 5, 5).weights / 3).astype(dtype)  # thirds need every bit
    attention = Attention(("a",) * 5, ("a",) * 5, true)
    weights, error, masked = unpacked(page(attention))
    assert (weights == attention.weights.reshape(weights.shape)).all()
    assert weights.dtype == dtype
    assert not error.any()
    assert not masked.any()


@pytest.mark.parametrize("spread", [0.1, 1.0, 6.0])
def test_many_weights_are_within_the_bound_that_each_states(spread):
    attention = random_attention(4, 4, 140, 141, spread=spread)
    document = page(attention, max_bytes=250_000)
    weights, error, _ = unpacked(document)
    assert contents(document)[0]["store"] == "steps"
    off = np.abs(weights - attention.weights.reshape(weights.shape))
    assert (off <= error * (1 + 1e-9)).all()
    assert off.max() > 0.1 * error.max()  # and the bound says something


def test_signed_weights_keep_their_sign():
    rng = np.random.default_rng(0)
    attention = Attention(("a",) * 300, ("a",) * 300, rng.standard_normal((1, 2, 300, 300)))
    weights, error, _ = unpacked(page(attention))
    true = attention.weights.reshape(weights.shape)
    assert (np.abs(weights - true) <= error * (1 + 1e-9)).all()
    assert ((np.sign(weights) == np.sign(true)) | (weights == 0)).all()


@pytest.mark.parametrize("n", [6, 400])
def test_a_masked_cell_is_told_from_a_weight_of_zero(n):
    mask = np.tri(n, dtype=bool)[None, None]
    weights = np.where(mask, 1.0, 0.0) * (np.arange(n) > 0)  # the first key gets nothing, though it may
    weights[..., 0, 2] = 0.5  # a weight where none should be is shown, not hidden
    attention = Attention(tuple("a" * n), tuple("b" * n), weights, mask=mask)
    _, _, masked = unpacked(page(attention))
    expected = ~mask[0].copy()
    expected[0, 0, 2] = False
    assert (masked == expected).all()


def test_more_weights_than_fit_become_means_of_blocks():
    attention = random_attention(1, 1, 400, 398)
    document = page(attention, max_bytes=100_000)
    header, _ = contents(document)
    # 400 · 398 cells, no more than 250,000 of them: as they are. With room for 80,000 they are halved, means and maxima.
    assert header["block"] == [1, 1]
    small = page(attention, max_bytes=32_000)
    weights, error, _ = unpacked(small)
    header, _ = contents(small)
    assert header["block"] == [2, 2]
    assert (header["queries"][0], header["queries"][-1]) == ("t0 … t1", "t398 … t399")
    means = attention.weights.reshape(200, 2, 199, 2).mean((1, 3))
    assert (np.abs(weights[0] - means) <= error[0] * (1 + 1e-6)).all()
    assert "400 queries × 398 keys in 200 × 199 cells" in small.decode()


def test_a_pooled_record_labels_its_cells():
    attention = Attention(tuple("abcde"), tuple("abcde"), np.full((1, 1, 2, 3), 1 / 3), pooled=True)
    header, _ = contents(page(attention))
    assert header["queries"] == ["a … b", "c … e"]
    assert header["keys"] == ["a", "b … c", "d … e"]
    assert header["block"] == [3, 2]


# ---- nothing but text -------------------------------------------------------------------------------


def hostile_page():
    n = len(HOSTILE)
    assert n >= 50
    return page(
        Attention(HOSTILE, HOSTILE, np.eye(n)[None, None], provenance="untrained " + " ".join(HOSTILE)),
        title="".join(HOSTILE),
    )


def test_hostile_tokens_make_no_element_and_no_attribute():
    elements = Elements(hostile_page())
    calm = Elements(page(Attention(("a",), ("a",), np.ones((1, 1, 1, 1)), provenance="untrained")))
    assert {tag for tag, _, _ in elements.found} <= OWN
    assert [(tag, attributes) for tag, attributes, _ in elements.found if tag != "meta"] == [
        (tag, attributes) for tag, attributes, _ in calm.found if tag != "meta"
    ]


def test_hostile_tokens_come_through_as_they_are_printed_everywhere():
    document = hostile_page()
    assert contents(document)[0]["queries"] == [escape(token) for token in HOSTILE]
    shown = "".join(escape(token) for token in HOSTILE)
    elements = Elements(document)
    assert elements.all("title")[0][1] == shown
    assert elements.all("h1")[0][1].strip() == shown
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", document.decode())


def test_only_the_own_script_and_style_may_run():
    elements = Elements(hostile_page())
    [policy] = [
        a["content"] for a, _ in elements.all("meta") if a.get("http-equiv") == "Content-Security-Policy"
    ]
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    [script] = [text for a, text in elements.all("script") if a["type"] == "module"]
    [(_, style)] = elements.all("style")
    assert allowed == {
        "default-src": "'none'",
        "script-src": f"'sha256-{sha256(script)}'",
        "style-src": f"'sha256-{sha256(style)}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert {a["type"] for a, _ in elements.all("script")} == {
        "module", "application/json", "application/octet-stream"
    }  # fmt: skip


def sha256(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_no_address_and_no_parser_of_html_is_in_the_page():
    document = page(random_attention(2, 2, 9, 9)).decode()
    for mark in (
        "://",
        "url(",
        "@import",
        "src=",
        "href=",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "eval(",
        "fetch(",
    ):
        assert mark not in document, mark
    assert not re.search(r"\son\w+=", document)


# ---- what it says -----------------------------------------------------------------------------------


def test_untrained_stands_out_and_provenance_is_printed():
    document = page(random_attention(1, 1, 2, 2, provenance="untrained <hash>, seed 0")).decode()
    assert "<mark>untrained</mark> &lt;hash&gt;, seed 0" in document
    assert "origin not recorded" in page(random_attention(1, 1, 2, 2)).decode()
    assert "<mark>" not in page(random_attention(1, 1, 2, 2, provenance="run, step 4000")).decode()


@pytest.mark.parametrize(
    ("shape", "kind", "summary"),
    [
        ((1, 1, 8, 8), "self", "1 layer × 1 head · 8 tokens · self-attention"),
        ((6, 12, 4, 4), "decoder", "6 layers × 12 heads · 4 tokens · decoder self-attention"),
        ((2, 1, 3, 5), "cross", "2 layers × 1 head · 3 queries × 5 keys · cross-attention"),
        ((1, 2, 1, 2), "cross", "1 layer × 2 heads · 1 query × 2 keys · cross-attention"),
    ],
)
def test_the_summary_counts(shape, kind, summary):
    document = page(random_attention(*shape, kind=kind)).decode()
    assert html.escape(summary) in document


# ---- size and bytes ---------------------------------------------------------------------------------


def trained_like(n_layers, n_heads, n):
    """Heads as trained ones are: neighbours, a first token that collects, a few strong keys, a blur."""
    rng = np.random.default_rng(0)
    ahead = np.subtract.outer(np.arange(n), np.arange(n)).astype(np.float32)
    patterns = (
        -np.abs(ahead - 1) * 1.5,
        -np.abs(ahead) * 0.1,
        9.0 * (np.arange(n) == 0),
        2.5 * rng.standard_normal(n),
    )
    weights = np.empty((n_layers, n_heads, n, n), np.float32)
    for head, (layer, place) in enumerate(np.ndindex(n_layers, n_heads)):
        noise = rng.standard_normal((n, n), dtype=np.float32)
        weights[layer, place] = softmax(noise + patterns[head % len(patterns)])
    tokens = tuple(f"token{i}" for i in range(n))
    return Attention(tokens, tokens, weights)


def test_72_random_heads_of_512_tokens_fit_in_10_mb():
    document = page(random_attention(6, 12, 512, 512, dtype=np.float32))
    header, _ = contents(document)
    assert len(document) <= MAX_BYTES == 10_000_000
    assert header["steps"] >= 30


def test_72_trained_heads_of_512_tokens_are_stored_finely():
    document = page(trained_like(6, 12, 512))
    assert len(document) <= MAX_BYTES
    assert contents(document)[0]["steps"] >= 300


@pytest.mark.parametrize("max_bytes", [300_000, 1_000_000])
def test_a_page_is_no_larger_than_asked_for(max_bytes):
    assert 0.8 * max_bytes < len(page(random_attention(2, 4, 256, 256), max_bytes=max_bytes)) <= max_bytes


def test_a_page_is_no_larger_either_where_every_row_that_is_sampled_packs_well():
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(256), (1, 1, 2048))
    weights[..., ::4, :] = 1 / 256  # one row in 4 is what 2,048 × 256 cells are judged by
    attention = Attention(("a",) * 2048, ("b",) * 256, weights)
    assert len(page(attention, max_bytes=300_000)) <= 300_000


@pytest.mark.parametrize("n", [7, 300])
def test_the_same_record_gives_the_same_bytes(n):
    assert page(random_attention(1, 4, n, n), title="t") == page(random_attention(1, 4, n, n), title="t")


# ---- its sources ------------------------------------------------------------------------------------


def test_every_module_is_in_the_page_after_what_it_imports():
    order = page_module.MODULES
    assert sorted([*order, "several", "frame"]) == sorted(path.stem for path in ASSETS.glob("*.js"))
    for place, name in enumerate(order):
        for imported in re.findall(
            r'from "\./(\w+)\.js"', (ASSETS / f"{name}.js").read_text(encoding="utf-8")
        ):
            assert imported in order[:place], f"{name} imports {imported}, which stands after it"


def test_no_line_of_the_script_still_imports_or_exports():
    script = script_of(page_module.MODULES)
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    assert "</script" not in script.lower()


def test_a_page_holds_neither_comments_nor_indentation(monkeypatch):
    files = {
        "one.js": "/** A.\n * // B */\nexport const a = 1; // kept\n\n  // C\n  /* D */ f(`  // ${a}`);\n/* E */\n"
    }
    monkeypatch.setattr(document, "source", files.__getitem__)
    assert script_of(["one"]) == "const a = 1; // kept\n/* D */ f(`  // ${a}`);\n"


def test_nothing_in_a_line_of_a_script_or_style_goes_on_in_the_next():
    for path in [*ASSETS.rglob("*.js"), *ASSETS.rglob("*.css")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert line.count("`") % 2 == 0, f"{path.name}: {line}: a page leaves indentation out"
            assert not line.endswith("\\"), f"{path.name}: {line}"


def test_a_page_speaks_chinese_too_and_its_title_says_of_what_text_it_is():
    tokens = tuple("注意力")
    elements = Elements(page(Attention(tokens, tokens, np.eye(3)[None, None]), lang="zh"))
    [(html, _)] = elements.all("html")
    assert html["lang"] == "zh-Hans"
    assert elements.all("h1") == [({}, "注意力：注意力")]
    assert "1 层 × 1 头 · 3 个词元 · 自注意力" in [text for _, text in elements.all("p")]


def test_a_title_counts_tokens_that_have_no_names_but_their_positions():
    for lang, title in (("en", "Attention: 12 tokens"), ("zh", "注意力：12 个词元")):
        elements = Elements(page(Attention(range(12), range(12), np.eye(12)[None, None]), lang=lang))
        assert elements.all("h1") == [({}, title)]
    assert Elements(page(Attention("12", "12", np.eye(2)[None, None]))).all("h1") == [({}, "Attention: 1 2")]


@pytest.mark.parametrize(
    ("tokens", "words", "title"),
    [
        (("The", "cat", "didn't", "move", "."), None, "The cat didn't move."),
        (("没", "有", "，", "因", "为", "。"), None, "没有，因为。"),
        (("[CLS]", "play", "##ing", "[MASK]", "[SEP]"), None, "playing [MASK]"),
        (("[CLS]", "un", "do", "it"), (0, 1, 1, 2), "undo it"),
        (("[CLS]", "[SEP]"), None, "[CLS] [SEP]"),
        (("word",) * 20, None, "word " * 12 + "…"),
    ],
)
def test_a_title_is_the_text_as_it_runs(tokens, words, title):
    n = len(tokens)
    record = Attention(tokens, tokens, np.eye(n)[None, None], query_words=words, key_words=words)
    assert Elements(page(record)).all("h1") == [({}, f"Attention: {title.replace(' …', '…')}")]


def test_moments_of_a_sound_are_titled_by_the_first_and_the_last():
    heard = Attention(("0.00s", "0.02s", "0.04s"), ("0.00s", "0.02s", "0.04s"), np.eye(3)[None, None])
    assert Elements(page(heard)).all("h1") == [({}, "Attention: 0.00s … 0.04s")]


@pytest.mark.parametrize(
    ("origin", "named"),
    [
        ("recorded from my, run.py: Model, step 2", "my, run.py · Model"),
        ("recorded: MultiheadAttention 2, step 10, example 0 of 4", "MultiheadAttention 2"),
    ],
)
def test_a_recording_without_names_of_tokens_is_titled_by_what_was_recorded(origin, named):
    recorded = Attention(range(2), range(2), np.eye(2)[None, None], provenance=origin)
    assert Elements(page(recorded)).all("h1") == [({}, f"Attention: {named}")]


@pytest.mark.parametrize(
    ("tokens", "given", "special"),
    [
        (("[CLS]", "a", "</s>"), None, [0, 2]),
        (("[CLS]", "a", "b"), (0, 1, 0), [1]),
        (("[a b]", "<b>", "x"), None, []),
    ],
)
def test_special_tokens_are_known_by_the_record_or_else_by_their_names(tokens, given, special):
    header, _ = contents(page(Attention(tokens, tokens, np.eye(3)[None, None], special=given)))
    assert header["special"] == special


def test_where_cells_stand_for_several_weights_a_page_has_their_mean_and_the_largest():
    """A single 1 among 16: a mean of 1/16; the maxima of a pooled record, or of the blocks of a dense one."""
    needle = np.zeros((1, 1, 8, 8))
    needle[0, 0, 5, 2] = 1
    made = np.zeros((1, 1, 2, 2))
    made[0, 0, 1, 0] = 1
    pooled = Attention("abcdefgh", "abcdefgh", made / 16, pooled=True, maxima=made)
    dense = Attention("abcdefgh", "abcdefgh", needle)
    header, means = contents(page(pooled))
    assert (header["pool"], [other["pool"] for other in header["others"]]) == ("mean", ["max"])
    assert np.frombuffer(means, "<f8").tolist() == [0, 0, 1 / 16, 0]
    assert np.frombuffer(contents(page(pooled), 1)[1], "<f8").tolist() == [0, 0, 1, 0]
    views = by_pool(dense, 8)
    assert {name: view.weights.max() for name, view in views.items()} == {"mean": 1 / 16, "max": 1}
    assert contents(page(pooled, pool="max"))[0]["pool"] == "max"
    assert contents(page(dense))[0]["others"] == []
    assert contents(page(Attention("ab", "ab", np.full((1, 1, 1, 1), 0.5), pooled=True)))[0]["others"] == []


def test_a_page_is_larger_rather_than_that_a_cell_is_several_tokens(monkeypatch):
    largest = len(page(random_attention(1, 1, 1, 1))) + 30_000
    monkeypatch.setattr(page_module, "MAX_BYTES", 150_000)  # room for fewer cells than there are
    monkeypatch.setattr(page_module, "LARGEST_BYTES", largest)  # as 144 heads of 512 tokens are to 10 MB
    attention = trained_like(1, 5, 300)
    document = page(attention)
    header, data = contents(document)
    assert len(document) <= largest
    assert (header["block"], header["overview"]) == ([1, 1], [128, 128])
    assert len(data) == 1 + 5
    assert np.abs(unpacked(document)[0] - attention.weights[0]).max() <= header["peak"] / header["steps"]
