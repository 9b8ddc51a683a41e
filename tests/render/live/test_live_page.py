"""The live page as bytes, from the command line and from Python: what is in it, what may run, what is refused."""

import re

import attn_cli as attn
import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.render.page.document import script_of, sha256, source, wording
from attn_cli.render.page.live import MAX_BYTES, MODULES, WORKER, live_page
from attn_cli.render.page.model import pack_model
from attn_cli.render.page.page import MODULES as PAGE
from nodejs import ASSETS
from test_live_forward import tiny
from test_page import Elements

WORDINGS = {lang: wording(lang) for lang in ("en", "zh")}


@pytest.fixture(scope="module")
def mini_page(tmp_path_factory):
    path = tmp_path_factory.mktemp("live") / "live.html"
    attn.page("mini", path, live=True)
    return path.read_bytes()


def test_mini_fits_and_only_the_own_script_style_and_worker_may_run(mini_page):
    assert len(mini_page) <= MAX_BYTES
    elements = Elements(mini_page)
    [policy] = [a["content"] for a, _ in elements.all("meta") if a.get("http-equiv")]
    [script] = [text for a, text in elements.all("script") if a["type"] == "module"]
    [(_, style)] = elements.all("style")
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{sha256(script)}'; "
        f"style-src 'sha256-{sha256(style)}'; worker-src blob:; base-uri 'none'; form-action 'none'"
    )
    assert {a["type"] for a, _ in elements.all("script")} == {
        "application/json", "application/octet-stream", "text/plain", "module",
    }  # fmt: skip


def test_a_page_of_the_same_model_is_the_same_page():
    assert attn.page(tiny("both"), live=True) == attn.page(tiny("both"), live=True)


@pytest.mark.parametrize("modules", [MODULES, WORKER])
def test_scripts_import_only_what_stands_before_them_and_nothing_in_the_end(modules):
    for at, name in enumerate(modules):
        folder = (ASSETS / f"{name}.js").parent
        for imported in re.findall(r'from "(\./[./\w]+)\.js"', source(f"{name}.js")):
            assert str((folder / imported).resolve().relative_to(ASSETS)) in modules[:at], (name, imported)
    script = script_of(modules)
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    assert "</script" not in script.lower()
    assert "<!--" not in script


@pytest.mark.parametrize("modules", [PAGE, MODULES, WORKER])
def test_no_two_modules_of_a_script_give_the_same_name_to_something(modules):
    whole = "".join(source(f"{name}.js") for name in modules)  # where what is within another is indented
    names = re.findall(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", whole, re.MULTILINE)
    assert sorted(names) == sorted(set(names))


def test_every_module_of_the_live_page_is_in_it():
    assert {path.stem for path in (ASSETS / "live").glob("*.js")} == {
        name.removeprefix("live/") for name in (*MODULES, *WORKER) if name.startswith("live/")
    }


def test_both_languages_have_the_same_sentences_with_the_same_parts():
    english, chinese = WORDINGS["en"], WORDINGS["zh"]
    assert english.keys() == chinese.keys()
    for name, said in english.items():
        assert set(re.findall(r"\{(\w+)\}", chinese[name])) <= set(re.findall(r"\{(\w+)\}", said)), name


def test_a_chinese_page_says_so_and_is_in_chinese():
    elements = Elements(attn.page(tiny("decoder"), live=True, lang="zh"))
    [(html, _)] = elements.all("html")
    assert html["lang"] == "zh-Hans"
    assert elements.all("h1") == [({}, WORDINGS["zh"]["live_title"])]


def test_what_a_text_holds_is_text(run, tmp_path):
    text = "</textarea><script>pwned=1</script>\"'"
    done = run("heatmap", "--live", "--text", text, "-o", "x.html", cwd=tmp_path)
    assert done.code == 0, done.stderr
    [(_, shown)] = Elements((tmp_path / "x.html").read_bytes()).all("textarea")
    assert shown == text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--layer", "1"), "--live with --layer"),
        (("--view", "lines"), "--live with --view"),
        (("--mask", "causal"), "--live with --mask"),
        (("--lang", "fr"), "language 'fr' is not available"),
        (("-o", "x.png"), "--live as png"),
        (("--model", "none"), "no such directory"),
    ],
)
def test_what_a_live_page_does_not_take_is_refused(run, tmp_path, given, said):
    done = run("heatmap", "--live", "-o", "x.html", *given, cwd=tmp_path)
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_weights_that_do_not_fit_are_refused_and_those_that_nearly_do_are_rounded():
    tensors = {"a": np.random.default_rng(0).standard_normal(1000).astype(np.float32)}
    assert pack_model(tensors, 4000)[0]["store"] == "f4"
    header, _ = pack_model(tensors, 2000)
    assert (header["store"], header["rounded"]) == ("f2", True)
    with pytest.raises(InputError, match="too many for one page"):
        pack_model(tensors, 1000)
    with pytest.raises(InputError, match="vocabulary is too large"):
        live_page(
            {"provenance": "", "config": {"stack": "encoder", "n_layers": 1, "n_heads": 1, "d_model": 1}},
            tensors,
            None,
            max_bytes=99,
        )
