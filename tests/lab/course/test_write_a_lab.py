"""The page on writing a lab, in both languages: it names all kinds of data and all quantities; its example is a lab."""

import re
from pathlib import Path

import attn_cli.sources.lab_quantities  # noqa: F401 (registers those that need a model)
import pytest
from attn_cli.lab.course.layout import KINDS, OF_ATTENTION
from attn_cli.lab.course.quantities import QUANTITIES
from attn_cli.registry import options

DOCS = Path(__file__).parents[3] / "docs"
PAGES = {
    language: (DOCS / folder / "write-a-lab.md").read_text()
    for language, folder in [("en", ""), ("zh", "zh")]
}
EVERYWHERE = {"model", "past", "sides"}  # options that the page explains once, or that labs need alone


@pytest.mark.parametrize("language", PAGES)
@pytest.mark.parametrize("name", QUANTITIES)
def test_every_quantity_is_in_the_page_with_its_keys(name, language):
    (row,) = re.findall(rf"^\| `{name}` .*$", PAGES[language], re.MULTILINE)
    keys = set(re.findall(r"\w+", row))
    assert set(options(QUANTITIES[name])) - EVERYWHERE <= keys


@pytest.mark.parametrize("language", PAGES)
def test_every_kind_of_data_and_every_option_is_in_the_page(language):
    for name in (*KINDS, *OF_ATTENTION):
        assert f"`{name}" in PAGES[language], name


def test_its_example_is_a_lab(run, tmp_path):
    toml, text = (
        block for block in re.findall(r"^```text\n(.*?)^```", PAGES["en"], re.MULTILINE | re.DOTALL)[1:]
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "lab.toml").write_text(toml)
    (tmp_path / "mine" / "en.md").write_text(text)
    assert run("lab", "start", "./mine", "-o", "a", cwd=tmp_path).stdout.startswith(
        "a: Title of the lab, 2 exercises"
    )
    (tmp_path / "a" / "count.txt").write_text("144")
    said = run("lab", "check", "a", "--format", "jsonl", cwd=tmp_path).stdout
    assert "Shown when the answer is this known wrong one." in said
