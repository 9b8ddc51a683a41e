"""Every page is made of one shell: the same strict policy, and nothing that it would not let through."""

import base64
import hashlib
import re

import attn_cli as attn
import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.records.prose import Block, Prose, Span
from attn_cli.render.figure.figure import draw, save
from attn_cli.render.page.answers import answer_page
from attn_cli.render.page.page import page
from attn_cli.render.page.prose import prose_page
from attn_cli.render.page.several import pages
from test_live_forward import tiny
from test_page import Elements

ONE = Attention(("<a>", "b"), ("<a>", "b"), np.eye(2)[None, None])
PAGES = {
    "attention": lambda: page(ONE),
    "several": lambda: pages([("first", ONE), ("second", ONE)], 2),
    "live": lambda: attn.page(tiny("both"), live=True),
    "answer": lambda: answer_page(save(draw(ONE), "svg"), ["<wrong>"], "a.csv"),
    "prose": lambda: prose_page(Prose("Sheet", "zh", (Block("paragraph", (Span("<b>"),)),))),
}
MORE = {"live": {"worker-src": "blob:"}, "answer": {"img-src": "data:"}}


@pytest.mark.parametrize("name", PAGES)
def test_its_policy_admits_its_own_script_and_style_alone(name):
    document = PAGES[name]()
    elements = Elements(document)
    [policy] = [a["content"] for a, _ in elements.all("meta") if a.get("http-equiv")]
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    [(_, style)] = elements.all("style")
    scripts = [text for a, text in elements.all("script") if a["type"] == "module"]
    own = {"style-src": style, **({"script-src": scripts[0]} if scripts else {})}
    hashed = {kind: base64.b64encode(hashlib.sha256(text.encode()).digest()) for kind, text in own.items()}
    fixed = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"} | MORE.get(name, {})
    if name == "several":  # which admits what its frames hold, as test_page_several.py has it
        assert f"'sha256-{hashed['script-src'].decode()}'" in allowed["script-src"].split()
        assert set(allowed) == {*fixed, *hashed}
    else:
        assert allowed == fixed | {kind: f"'sha256-{one.decode()}'" for kind, one in hashed.items()}
    assert document.startswith(b'<!doctype html>\n<html lang="')
    for attributes in (attributes for _, attributes, _ in elements.found):
        assert not {key for key in attributes if key == "style" or key.startswith("on")}


def test_a_drawing_in_a_page_has_the_marks_that_it_had():
    svg = save(draw(ONE), "svg").decode()
    document = answer_page(svg.encode(), [], "").decode()
    rules = dict(re.findall(r"^\.(broad\d+) \{ (.*) \}$", document, re.MULTILINE))
    said = re.findall(r'style="([^"]*)"', svg)
    assert [rules[name] for name in re.findall(r'class="(broad\d+)"', document)] == said
    assert "svg *{stroke-linejoin: round" in document
    assert document.count("<text") == svg.count("<text") > 0


@pytest.mark.parametrize(("lang", "said"), [("en", "2 texts"), ("zh", "2 段文本")])
def test_a_page_of_several_texts_speaks_the_language_of_all(lang, said):
    document = pages([("first", ONE), ("second", ONE)], 2, lang=lang).decode()
    assert f"<title>{said}</title>" in document
    assert ("下一段" in document) == (lang == "zh")
    assert ("Next" in re.sub("<script.*", "", document, flags=re.DOTALL)) == (lang == "en")
    assert document.count('lang=\\"zh-Hans\\"') == (2 if lang == "zh" else 0)  # of the pages within
