"""What holds for every view of an attention: nothing in it acts, no character is a box, the same bytes each time."""

import io
import re
import warnings
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.figure import figure
from attn_cli.render.look import Look
from attn_cli.render.views import VIEWS

from hostile import HOSTILE

SCRIPTS = (
    "注意力机制", "處理", "カタカナ", "ひらがな", "한국어", "مرحبا", "שלום", "😀", "👩‍👩‍👧", "e\u0301\u0323", "Ελληνικά", "Привет", "½", "→",
)  # fmt: skip
SHAPES = {"svg", "g", "defs", "metadata", "path", "use", "image", "style", "clipPath", "rect", "RDF", "Work", "type", "format", "text", "title", "creator", "Agent"}  # fmt: skip
ACTIVE = re.compile(rb"/(?:JavaScript|JS|URI|Launch|OpenAction|AA|SubmitForm|EmbeddedFile)\b")


def attention(tokens, heads=2):
    n = len(tokens)
    weights = np.random.default_rng(0).dirichlet(np.ones(n), size=(1, heads, n))
    parts = {"provenance": " ".join(tokens[:20])}
    if n == 4:
        parts |= {"patches": (2, 2), "image": np.zeros((8, 8, 3), np.uint8)}
    return Attention(tuple(tokens), tuple(tokens), weights, **parts)


def drawn(tokens, view, suffix, **look):
    return figure.save(figure.draw(attention(tokens), Look(view=view, **look)), suffix)


@pytest.mark.filterwarnings("ignore::attn_cli.errors.AttnWarning")  # no font draws some of them
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_in_an_svg_or_a_pdf_acts_or_leads_elsewhere(view):
    tokens = HOSTILE[:4] if view == "image" else HOSTILE
    shown = figure.draw(attention(tokens), Look(view=view, title=tokens[0] + tokens[3]))
    for element in ET.fromstring(figure.save(shown, "svg")).iter():
        assert element.tag.rpartition("}")[2] in SHAPES
        for name, value in element.attrib.items():
            plain = name.rpartition("}")[2].lower()
            assert not plain.startswith("on")
            assert plain != "href" or value.startswith(("#", "data:image/png;base64,"))
    assert not ACTIVE.search(figure.save(shown, "pdf"))


@pytest.mark.parametrize("view", VIEWS)
def test_no_character_of_any_script_is_missing(view):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn(SCRIPTS[:4] if view == "image" else SCRIPTS, view, "png", dpi=72)


@pytest.mark.parametrize(
    ("view", "style"), [*((view, "paper") for view in VIEWS), ("map", "dark"), ("tokens", "slide")]
)
def test_the_same_attention_gives_the_same_bytes(view, style):
    one, other = (
        figure.draw(attention(("注", "b", "c", "d")), Look(view=view, style=style, dpi=72)) for _ in range(2)
    )
    for suffix in ("png", "svg", "pdf"):
        assert figure.save(one, suffix) == figure.save(other, suffix)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_a_form_in_the_terminal_and_in_axes_unless_it_says_so(view):
    from matplotlib.figure import Figure
    from rich.console import Console

    record = attention(("注", "b", "c", "d"), heads=1)
    console = Console(width=80, force_terminal=True, record=True, file=io.StringIO())
    console.print(VIEWS[view].screen(record, Look()))
    assert record.provenance in console.export_text()
    if VIEWS[view].axes is not None:
        VIEWS[view].into(ax := Figure().subplots(), record, Look())
        assert ax.images or ax.collections
