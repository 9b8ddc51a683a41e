"""The live page in a real browser, from disk and without a network, driven by pointer, touch and keyboard."""

import json
import re

import attn_cli as attn
import numpy as np
import pytest
import torch
from attn_cli import models
from attn_cli.transformer.capture import Capture
from browser import PROGRAM, browse
from test_live_forward import tiny
from test_page_browser import AXE

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no browser: neither chromium nor google-chrome is on the PATH"
)
TEXT = "My father is free."
LETTERS = "a b c d e f"  # what the page of a tiny model begins with


@pytest.fixture(scope="module")
def tab():
    with browse() as one:
        yield one


@pytest.fixture(scope="module")
def mini_page(tmp_path_factory):
    path = tmp_path_factory.mktemp("live") / "live.html"
    attn.page("mini", path, live=True)
    return path


@pytest.fixture
def live(tab, mini_page, tmp_path):
    """`live(model)` opens its page, of mini unless told; nothing may have gone wrong by the end."""

    def show(model=None, lang="en", **window):
        path = mini_page
        if model is not None:
            path = tmp_path / "live.html"
            attn.page(model, path, live=True, lang=lang)
        tab.complaints.clear()
        tab.requests.clear()
        tab.resize(window.get("width", 1280), 900, touch=window.get("touch", False))
        tab.dark(window.get("dark", False))
        early = window.get("before")  # a script that runs in the page before its own
        script = early and tab.send("Page.addScriptToEvaluateOnNewDocument", source=early)
        tab.send("Page.navigate", url=path.as_uri())
        answered(tab, 1)
        if script:
            tab.send("Page.removeScriptToEvaluateOnNewDocument", **script)
        return tab

    yield show
    assert tab.complaints == []
    assert all(url.startswith(("file://", "blob:")) for url in tab.requests)


def answered(tab, number):
    tab.wait(f"document.body?.dataset.answered === '{number}' && document.querySelector('#grid[data-drawn]')")


def typed(tab, text, field="#text"):
    tab.run(
        f"(t => (t.value = {text!r}, t.dispatchEvent(new Event('input'))))(document.querySelector('{field}'))"
    )


def labels(tab, selector):
    return tab.run(f"[...document.querySelectorAll('{selector}')].map((e) => e.textContent)")


def softmax_rows(tab, side=""):
    """The weights that the table of the chosen cell lists."""
    return [float(text) for text in labels(tab, f"{side} .softmax td.weight")]


@torch.no_grad()
def expected(run, text, head, query):
    """(weights of a query in a head of the encoder, tokens)."""
    capture, tokens = Capture(), run.read(text)
    run.model.encoder(run.model.embed(torch.tensor([tokens.numbers])), attend=capture)
    return capture.layers[head // 4].steps.weights[0, head % 4, query].numpy(), tokens.labels


THREE_DECIMALS = 6e-4  # are written


def test_mini_runs_in_the_page_as_in_torch_and_what_is_typed_is_computed(live):
    tab, mini = live(), models.load("mini")
    weights, tokens = expected(mini, TEXT, 0, 0)
    assert labels(tab, "#tokens .chip") == tokens
    np.testing.assert_allclose(softmax_rows(tab), weights, atol=THREE_DECIMALS)
    source = mini.read(TEXT)
    written = mini.generate(torch.tensor([source.numbers]), "[zh]")
    assert labels(tab, ".written .chip") == written.labels
    tab.run("document.querySelector('#text').select()")
    tab.run("document.querySelector('#text').focus()")
    tab.send("Input.insertText", text="I like tea.")
    answered(tab, 2)
    weights, tokens = expected(mini, "I like tea.", 0, 0)
    assert labels(tab, "#tokens .chip") == tokens
    np.testing.assert_allclose(softmax_rows(tab), weights, atol=THREE_DECIMALS)


def test_heads_and_cells_are_reached_by_keyboard_and_spoken(live):
    run = tiny("both")
    tab = live(run)
    tab.run("document.querySelector('[role=gridcell][tabindex=\"0\"]').focus()")
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        tab.press(key)
    assert tab.text("#which") == "Encoder: Layer 1 · head 1"
    tab.run("document.querySelector('.over').focus()")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        tab.press(key)
    weights, tokens = expected(run, "a b c d e f", 5, 2)
    np.testing.assert_allclose(softmax_rows(tab), weights, atol=THREE_DECIMALS)
    assert tab.text("#live").startswith(f"{tokens[2]} → {tokens[1]}: 0.")


def test_a_dropped_word_and_a_masked_key_stand_beside_the_original(live):
    run = tiny("both")
    tab = live(run)
    assert shown(tab) == ["Original"]
    tab.click("#tokens .chip:nth-child(3)")
    answered(tab, 2)
    assert shown(tab) == ["Original", "Changed", "Changed − original"]
    assert labels(tab, "#changes .change") == ["without c"]
    np.testing.assert_allclose(changed_row(tab), expected(run, "a b d e f", 0, 0)[0], atol=THREE_DECIMALS)
    assert labels(tab, "#arithmetic h3") == ["Original", "Changed"]
    before = expected(run, LETTERS, 0, 0)[0]
    np.testing.assert_allclose(softmax_rows(tab, "[data-side=original]"), before, atol=THREE_DECIMALS)
    tab.run("document.querySelector('.panel .over').focus()")
    for _ in range(2):
        tab.press("ArrowDown")  # to the row that was dropped
    assert labels(tab, "#arithmetic h3") == ["Original"]
    tab.click("#reset")
    answered(tab, 3)
    assert shown(tab) == ["Original"]
    assert labels(tab, "#arithmetic h3") == []
    tab.run(
        "(s => (s.value = 'hide', s.dispatchEvent(new Event('change'))))(document.querySelector('#click'))"
    )
    tab.click("#tokens .chip:nth-child(2)")
    answered(tab, 4)
    assert labels(tab, "#changes .change") == ["nobody sees b"]
    weights, _ = expected(run, "a b c d e f", 0, 0)
    weights[1] = 0
    assert np.isnan(changed_row(tab)[1])
    np.testing.assert_allclose(np.nan_to_num(changed_row(tab)), weights / weights.sum(), atol=THREE_DECIMALS)


def shown(tab):
    """The names of the maps that are there."""
    script = "[...document.querySelectorAll('.panel')].filter((e) => !e.hidden).map((e) => e.querySelector('h3').textContent)"
    return tab.run(script)


def changed_row(tab):
    """The first row of the changed head, read out of its table."""
    tab.run("document.querySelectorAll('.panel .over')[1].focus()")
    tab.press("ArrowUp")
    return [
        np.nan if text == "masked" else float(text)
        for text in labels(tab, "[data-side=changed] .softmax td.weight")
    ]


def test_blanks_behind_a_text_are_no_tokens(live):
    tab = live(tiny("as train-toy has it"))
    typed(tab, "a ")
    answered(tab, 2)
    assert labels(tab, "#tokens .chip") == ["a"]
    assert tab.text("#precision").startswith("1 token in ")
    typed(tab, " ")
    tab.wait("document.querySelector('#problem').textContent")
    assert tab.text("#problem") == "Type at least one word."


def test_a_silent_head_a_temperature_and_no_positions(live):
    run = tiny("both")
    tab = live(run)
    tab.click("#silence")
    answered(tab, 2)
    assert labels(tab, "#changes .change") == ["silent: Encoder L0H0"]
    assert tab.run("document.querySelectorAll('.gridcell.silent').length") == 1
    tab.click("#silence")
    answered(tab, 3)
    tab.run(
        "(s => (s.value = -20, s.dispatchEvent(new Event('input'))))(document.querySelector('#temperature'))"
    )
    answered(tab, 4)
    assert labels(tab, "#changes .change") == ["temperature 0.1"]
    powers = expected(run, "a b c d e f", 0, 0)[0].astype(float) ** 10
    np.testing.assert_allclose(changed_row(tab), powers / powers.sum(), atol=THREE_DECIMALS)
    tab.click("#reset")
    answered(tab, 5)
    tab.click("#positions")
    answered(tab, 6)
    assert labels(tab, "#changes .change") == ["no positions"]
    run.model.position.weight.zero_()
    np.testing.assert_allclose(changed_row(tab), expected(run, "a b c d e f", 0, 0)[0], atol=THREE_DECIMALS)


def test_a_target_is_aligned_instead_of_what_it_would_write(live):
    tab = live(tiny("both"))
    typed(tab, "c a b", "#target")
    answered(tab, 2)
    assert labels(tab, ".written .chip") == ["c", "a", "b"]
    tab.click("#tab-cross")
    assert tab.text("#which") == "Cross: Layer 0 · head 0"
    assert shown(tab) == ["Original"]


@pytest.mark.parametrize("variant", ["as train-toy has it", "decoder"])
def test_runs_of_other_stacks_open_and_say_what_they_do_not_know(live, variant):
    tab = live(tiny(variant))
    assert labels(tab, "#tokens .chip") == list("abcdef")
    typed(tab, "a b zzz")
    tab.wait("document.querySelector('#problem').textContent")
    assert "does not know “zzz”" in tab.text("#problem")


def middle(tab, selector):
    """Where it is in the window, scrolled there."""
    box = f"document.querySelector({json.dumps(selector)})"
    return tab.run(
        f"{box}.scrollIntoView({{block: 'center'}}), (b => [b.x + b.width / 2, b.y + b.height / 2])({box}.getBoundingClientRect())"
    )


def focus(tab, selector):
    tab.run(f"document.querySelector({json.dumps(selector)}).focus()")


def test_a_finger_drops_a_word_opens_a_head_and_reads_a_cell(live):
    run = tiny("both")
    tab = live(run, width=390, touch=True)
    tab.tap(*middle(tab, "#tokens .chip:nth-child(3)"))
    answered(tab, 2)
    assert shown(tab) == ["Original", "Changed", "Changed − original"]
    tab.tap(*middle(tab, "#reset"))
    answered(tab, 3)
    tab.tap(*middle(tab, "[role=row]:nth-child(3) [role=gridcell]:nth-child(3)"))
    assert tab.text("#which") == "Encoder: Layer 1 · head 1"
    x, y = middle(tab, ".panel .over")
    tab.tap(x, y)
    name, weight = re.fullmatch(r"(. → .)(0\.\d+)", tab.text("#readout")).groups()
    query, key = (LETTERS.split().index(token) for token in name.split(" → "))
    weights, _ = expected(run, LETTERS, 5, query)
    assert float(weight) == pytest.approx(weights[key], abs=6e-5)
    np.testing.assert_allclose(softmax_rows(tab), weights, atol=THREE_DECIMALS)
    tab.tap(*middle(tab, ".written .chip:nth-child(2)"))
    assert tab.text(".written .hint").startswith("Likeliest: ")
    tab.run("document.querySelector('.written .chip').focus()")
    first = tab.text(".written .hint")
    tab.press("Tab")
    assert tab.text(".written .hint") != first  # by keyboard, too


def test_every_change_is_made_by_keyboard_alone(live):
    tab = live(tiny("both"))
    focus(tab, "#text")
    tab.press("Tab")
    tab.press("Enter")  # on the first token
    answered(tab, 2)
    assert labels(tab, "#changes .change") == ["without a"]
    focus(tab, "#click")
    tab.press("m")  # “masks the key”, as a list is chosen from by letters
    focus(tab, "#tokens .chip:nth-child(2)")
    tab.press("Enter")
    answered(tab, 3)
    focus(tab, "#positions")
    tab.press(" ")
    answered(tab, 4)
    focus(tab, "#temperature")
    tab.press("ArrowRight")
    answered(tab, 5)
    focus(tab, "#silence")
    tab.press("Enter")
    answered(tab, 6)
    assert labels(tab, "#changes .change") == [
        "without a", "nobody sees b", "silent: Encoder L0H0", "no positions", "temperature 1.1",
    ]  # fmt: skip
    focus(tab, "#tab-encoder")
    tab.press("ArrowRight")
    assert tab.text("#which") == "Decoder: Layer 0 · head 0"
    focus(tab, "#reset")
    tab.press("Enter")
    answered(tab, 7)
    assert labels(tab, "#changes .change") == []


def test_what_is_typed_before_the_model_is_there_is_read_once_it_is(live):
    early = "addEventListener('DOMContentLoaded', () => { const text = document.querySelector('#text'); text.value = 'c a'; text.dispatchEvent(new Event('input')); window.early = [document.querySelector('#opening').checkVisibility(), document.querySelector('#streams').checkVisibility(), document.querySelector('#view > .hint').hidden]; });"
    tab = live(tiny("both"), before=early)
    assert tab.run("early") == [True, False, True]
    assert labels(tab, "#tokens .chip") == ["c", "a"]
    assert tab.run(
        "[...document.querySelectorAll('#opening, #streams')].map((e) => e.checkVisibility())"
    ) == [False, True]


def test_a_head_that_is_silenced_says_that_it_weighs_the_same(live):
    tab = live(tiny("both"))
    tab.click("#silence")
    answered(tab, 2)
    assert shown(tab) == ["Original", "Changed"]
    assert tab.text("#view > .hint").startswith("This head weighs the same")


def test_a_temperature_is_part_of_the_arithmetic(live):
    tab = live(tiny("both"))
    focus(tab, "#temperature")
    for n in range(6):
        tab.press("ArrowRight")
        answered(tab, 2 + n)
    focus(tab, ".panel:nth-child(2) .over")
    tab.press("ArrowUp")
    said = labels(tab, "[data-side=changed] .result")
    score = float(re.search(r"score (\S+)\.$", said[0].replace("−", "-"))[1])
    assert said[1].startswith("Divided by the temperature 2: ")
    assert float(said[1].split(": ")[1].rstrip(".").replace("−", "-")) == pytest.approx(score / 2, rel=1e-2)


def test_the_mean_of_heads_stands_beside_them_and_has_no_arithmetic_of_its_own(live):
    run = tiny("both")
    tab = live(run)
    tab.click("[role=row]:nth-child(3) [role=gridcell]:last-child")
    assert tab.text("#which") == "Encoder: Layer 1 · mean of heads"
    focus(tab, ".over")
    tab.press("ArrowUp")
    mean = np.mean([expected(run, LETTERS, head, 0)[0] for head in range(4, 8)], axis=0)
    assert float(tab.text("#readout .weight")) == pytest.approx(mean[0], abs=6e-5)
    assert tab.text("#arithmetic").startswith("Each cell is the mean of the heads")
    assert tab.run("document.querySelector('#silence').disabled")


def test_layer_by_layer_there_is_a_row_for_each_token_and_a_column_for_each_dimension(live):
    tab = live(tiny("both"))
    sizes = "[...document.querySelectorAll('#layers canvas')].map(({width, height}) => [width, height])"
    assert tab.run(sizes) == [[16, 6]] * 3  # before the first layer, and behind both
    assert labels(tab, "#layers figure:first-child .names span") == LETTERS.split()
    tab.click("#tokens .chip:nth-child(3)")
    answered(tab, 2)
    assert tab.run(sizes) == [[16, 6], [16, 5]] * 3


def test_what_it_writes_follows_what_is_typed(live):
    tab = live()
    focus(tab, "#text")
    tab.run("document.querySelector('#text').select()")
    for n, typed in enumerate("I can", start=2):
        tab.press(typed)
        answered(tab, n)
    assert labels(tab, "#tokens .chip") == ["I", "can"]
    before = labels(tab, ".written .chip")
    tab.send("Input.insertText", text=" swim.")
    answered(tab, 7)
    assert before != labels(tab, ".written .chip")
    assert "我会游泳" in "".join(labels(tab, ".written .chip"))


@pytest.mark.parametrize(
    "window", [{}, {"width": 390, "touch": True}, {"dark": True}], ids=["desktop", "phone", "dark"]
)
def test_nothing_is_wider_than_the_window(live, window):
    tab = live(tiny("both"), lang="zh", **window)
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    assert tab.text("h1") == "看得见的 Transformer"


def test_axe_finds_nothing_wrong(live):
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci")
    tab = live(tiny("both"))
    tab.click("#tokens .chip:nth-child(2)")
    answered(tab, 2)
    tab.run(AXE.read_text(encoding="utf-8") + ";0")
    found = tab.run("axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))")
    assert found == []
