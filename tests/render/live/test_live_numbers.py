"""What the worker of the live page computes in a browser, against torch: every number that the page shows."""

import base64
import json
import math

import attn_cli as attn
import numpy as np
import pytest
import torch
from attn_cli import models
from attn_cli.models.portable import portable
from attn_cli.render.page.model import pack_model
from attn_cli.render.page.tokenizer import tokenizer_spec
from attn_cli.transformer.capture import Capture
from browser import PROGRAM, browse
from test_live_forward import VARIANTS, WORDS, tiny

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no browser: neither chromium nor google-chrome is on the PATH"
)
CLOSE = {"rtol": 0, "atol": 1e-4}
# A worker as the page starts it, given a model and asked once; its arrays as JSON has them.
ASK = """async ({header, weights, text, target, change}) => {
  const script = new Blob([document.getElementById("worker").textContent], {type: "text/javascript"});
  const worker = new Worker(URL.createObjectURL(script));
  const heard = (wanted) => new Promise((resolve, fail) => {
    worker.onmessage = ({data}) => data.broken || data.problem ? fail(JSON.stringify(data)) : data[wanted] && resolve(data);
  });
  worker.postMessage({header, weights});
  await heard("opened");
  worker.postMessage({id: 1, text, target, change});
  const {original, changed} = await heard("original");
  worker.terminate();
  const plain = (x) => ArrayBuffer.isView(x) ? Array.from(x) : Array.isArray(x) ? x.map(plain)
    : x && typeof x === "object" ? Object.fromEntries(Object.entries(x).map(([name, y]) => [name, plain(y)])) : x;
  return plain(change ? changed : original);
}"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("live") / "live.html"
    attn.page(tiny("both"), path, live=True)
    with browse() as tab:
        tab.send("Page.navigate", url=path.as_uri())
        tab.wait("document.body?.dataset.answered === '1'")
        yield tab


def answer(tab, run, text, target="", change=None):
    """What the worker says of a text, and of what is to be written."""
    made = portable(run)
    header, data = pack_model({name: tensor.numpy() for name, tensor in made.tensors.items()}, 12_000_000)
    spec = (
        None if made.tokenizer is None else tokenizer_spec(made.tokenizer, verbatim=made.header["verbatim"])
    )
    asked = {
        "header": made.header | header | {"tokenizer": spec},
        "weights": base64.b64encode(data).decode(),
        "text": text,
        "target": target,
        "change": change,
    }
    return tab.run(f"({ASK})({json.dumps(asked)})")


@torch.no_grad()
def assert_is_torch_s(said, run, source, target=None):
    """All of `said`, against one pass of the model; target begins with the token that begins what is written."""
    capture = Capture()
    given = None if target is None else torch.tensor([target])
    hidden = run.model.hidden(torch.tensor([source]), attend=capture, target=given)
    for kind, found in said["kinds"].items():
        layers = [layer for layer in capture.layers if layer.part.kind == kind]
        assert found["layers"] == len(layers)
        for part in ("query", "key", "value"):
            assert_same(found[part], [getattr(layer, part)[0] for layer in layers])
        for part in ("weights", "output"):
            assert_same(found[part], [getattr(layer.steps, part)[0] for layer in layers])
        raised = [
            layer.query[0] @ layer.key[0].mT * scale
            for layer, scale in zip(layers, found["scales"], strict=True)
        ]
        assert_same(found["scores"], raised)
    if run.model.config.unembedding == "none":
        assert said["expected"] == []
        return
    shares = run.model.logits(hidden)[0].softmax(-1)
    if run.model.config.stack == "decoder":
        shares = shares[-1:]  # what it goes on with
    for row, likeliest in zip(shares, said["expected"], strict=False):
        np.testing.assert_allclose(
            [one["share"] for one in likeliest], row.topk(len(likeliest)).values, **CLOSE
        )


def assert_same(flat, layers):
    """Numbers in the order of the page; a weight that a mask forbids is none there, and 0 in torch."""
    expected = torch.stack(list(layers)).numpy()
    np.testing.assert_allclose(
        np.nan_to_num(np.array(flat, float).reshape(expected.shape)), expected, **CLOSE
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_worker_in_the_page_computes_what_torch_computes(page, variant):
    run = tiny(variant)
    both = run.model.config.stack == "both"
    said = answer(page, run, "b d a c e", "c a b" if both else "")
    source, target = (run.read(text).numbers for text in ("b d a c e", "c a b"))
    assert_is_torch_s(said, run, source, [WORDS.index("[go]"), *target] if both else None)


def test_mini_in_the_page_computes_what_torch_computes(page):
    mini = models.load("mini")
    source = mini.read("The cat sat on the mat.").numbers
    said = answer(page, mini, "The cat sat on the mat.")
    written = mini.generate(torch.tensor([source]), "[zh]")
    assert said["written"] == written.labels
    assert_is_torch_s(said, mini, source, [mini.tokenizer.token_to_id("[zh]"), *written.numbers])
    assert math.isclose(
        np.nansum(said["kinds"]["cross"]["weights"]), 12 * (1 + len(written.labels)), rel_tol=1e-5
    )
