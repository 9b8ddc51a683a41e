"""The pages on mistakes: equal to what the catalogue makes, linked to what there is, the same in both languages."""

import importlib.util
import re
from pathlib import Path

import pytest
from attn_cli.lab.exercise import proposed
from attn_cli.lab.mistakes import MISTAKES
from attn_cli.lab.seen import seen
from attn_cli.lab.wording.about import about

ROOT = Path(__file__).parent.parent.parent


def maker():
    spec = importlib.util.spec_from_file_location("make_mistakes", ROOT / "scripts" / "make_mistakes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages():
    return maker().pages()


def test_every_page_is_what_the_catalogue_makes(pages):
    stale = [path.name for path, text in pages.items() if not path.exists() or path.read_text() != text]
    assert not stale, "run python scripts/make_mistakes.py"


@pytest.mark.parametrize(
    "folder", [ROOT / "docs" / "mistakes", ROOT / "docs" / "zh" / "mistakes"], ids=["en", "zh"]
)
def test_every_mistake_has_one_heading_and_no_page_is_left_over(pages, folder):
    assert set(folder.glob("*")) <= set(pages)
    headings = [h for path in folder.glob("*.md") for h in re.findall(r"^## (\S+)$", path.read_text(), re.M)]
    assert sorted(set(headings) & set(MISTAKES)) == sorted(MISTAKES)
    assert len([h for h in headings if h in MISTAKES]) == len(MISTAKES)


def test_links_lead_to_a_file_and_a_heading(pages):
    for path, text in pages.items():
        for target in re.findall(r"\]\((?!https:)([^)]+)\)", text):
            name, _, anchor = target.partition("#")
            there = (path.parent / name).resolve()
            assert there in pages, f"{path}: {target}"
            assert not anchor or f"\n## {anchor}\n" in pages[there], f"{path}: {target}"


def test_what_shows_and_what_hides_is_what_the_formulas_say():
    """By hand: with one head √d_model is √d_head; /d_head is scaling twice; a swap needs two kinds of vectors."""
    assert "if_one_head" in seen("scale_d_model").hidden_when
    assert "if_one_head" not in seen("no_scale").hidden_when
    assert seen("scale_twice").tied_with == ("scale_d_k_not_root",)
    assert seen("query_key_swapped").hidden_when == ("if_keys_are_queries",)
    assert seen("causal_top_left").exercise == "try_causal"
    assert "if_as_many_queries" in seen("causal_top_left").hidden_when
    assert seen("softmax_over_all").hidden_when == ("if_one_query",)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_mistake_names_its_page(lang):
    for name in MISTAKES:
        said = about(name, lang, proposed()).splitlines()[-1]
        path, anchor = re.search(r"(docs/\S+\.md)#(\w.*)$", said).groups()
        assert f"\n## {anchor}\n" in (ROOT / path).read_text(encoding="utf-8")
