"""Several attentions in one page: what is in it, and that a browser shows the one that is picked."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.page.page import page
from attn_cli.render.page.several import pages
from browser import PROGRAM, browse
from test_page import Elements, random_attention

from hostile import HOSTILE

NAMES = [f"{number}: {''.join(HOSTILE)}" for number in (1, 2)]


def named(*weights):
    return [
        (name, Attention(("a", "b"), ("x", "y"), [[one]])) for name, one in zip(NAMES, weights, strict=True)
    ]


TWO = named([[1.0, 0.0], [0.25, 0.75]], [[0.5, 0.5], [0.0, 1.0]])


def put_together(document):
    """Each text's page as the picker puts it together."""
    elements = Elements(document)
    held = {a["id"]: json.loads(text) for a, text in elements.all("script") if "id" in a}
    return {
        text["name"]: "".join(held["parts"][piece] if type(piece) is int else piece for piece in text["page"])
        for text in held["texts"]
    }


def test_each_is_the_page_that_it_would_be_alone():
    inside = put_together(pages(TWO, 2))
    alone = {name: page(attention, title=name).decode() for name, attention in TWO}
    assert inside == alone


def test_its_policy_admits_the_scripts_and_styles_of_all_and_no_other():
    document = pages(TWO, 2, title="<b>")
    assert b"<title>&lt;b&gt;</title>" in document
    policy = re.search(rb'Content-Security-Policy" content="([^"]*)"', document)[1].decode()
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    inner = [Elements(text.encode()) for text in put_together(document).values()]
    for kind, tag in (("script", "script"), ("style", "style")):
        ran = [
            text for page in (Elements(document), *inner) for a, text in page.all(tag)
            if tag == "style" or a["type"] == "module"
        ]  # fmt: skip
        hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in ran]
        assert set(allowed[f"{kind}-src"].split()) == {f"'sha256-{one}'" for one in hashes}
    assert allowed["default-src"] == "'none'"


def test_what_they_share_is_in_it_once_and_the_whole_stays_below_the_limit():
    small = len(pages(TWO[:1], 1))
    assert len(pages([(f"{i}", TWO[0][1]) for i in range(20)], 20)) < 4 * small
    large = random_attention(2, 4, 300, 300, dtype="float32")
    assert 700_000 < len(pages(((f"{i}", large) for i in range(2)), 2, max_bytes=900_000)) <= 900_000


@pytest.mark.skipif(PROGRAM is None, reason="no browser: neither chromium nor google-chrome is on the PATH")
def test_a_browser_shows_the_one_that_is_picked(tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(pages(TWO, 2))
    inside = "document.getElementById('frame').contentDocument"
    with browse() as tab:
        tab.open(path)
        tab.wait(f"{inside}?.querySelector('[data-drawn]')")
        options = tab.run("[...document.getElementById('pick').options].map((one) => one.text)")
        assert len(options) == 2
        tab.click("#next")
        tab.wait(f"{inside}?.querySelector('[data-drawn]') && {inside}.title.startsWith('2:')")
        assert tab.run("document.getElementById('next').disabled")
        assert tab.run("document.getElementById('pick').value") == "1"
        assert tab.complaints == []


def test_the_picker_looks_like_the_controls_below_it():
    """One sheet has the look of what one presses: others only say where things stand."""
    for path in (Path(page.__code__.co_filename).parent / "assets").rglob("*.css"):
        sheet = path.read_text(encoding="utf-8")
        shared = re.search(r"^(button|select)[^#.{]*\{[^}]*background:", sheet, re.MULTILINE)
        assert bool(shared) is (path.name == "look.css"), path.name
