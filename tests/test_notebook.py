"""An attention in a notebook: what it shows of itself, and the files it writes."""

import base64
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import attn_cli as attn
import nbformat
import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.render.page.page import page
from attn_cli.sources.sorting import sorting
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


@pytest.fixture
def attention():
    weights = [[[[0.9, 0.1], [0.25, 0.75]]]]
    return attn.Attention(
        ("a", "</iframe>\"'"), ("a", "</iframe>\"'"), weights, provenance="untrained, seed 0"
    )


def test_it_shows_itself_as_the_page_in_a_frame_without_rights(attention):
    elements = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: elements.append((tag, dict(attributes)))
    parser.feed(attention._repr_mimebundle_()["text/html"])
    [(script, _), (tag, attributes)] = elements
    assert (script, tag, attributes["sandbox"]) == ("script", "iframe", "allow-scripts")
    assert attributes["srcdoc"].encode() == page(attention, figures=sorting(attention), grows=True)


def test_it_is_a_line_in_a_terminal_and_a_figure_where_that_is_asked_for_but_nothing_is_kept_twice(attention):
    assert {*attention._repr_mimebundle_()} == {"text/html", "text/plain"}
    shown = attention._repr_mimebundle_(include=["image/png"])
    assert {*shown} == {"image/png", "text/plain"}
    assert base64.b64decode(shown["image/png"], validate=True).startswith(b"\x89PNG")
    assert shown["text/plain"] == repr(attention)


@pytest.mark.parametrize(("shape", "token"), [((4, 4, 256, 256), "a"), ((1, 1, 600, 600), "'&" * 9)])
def test_a_large_one_is_packed_for_a_notebook_that_holds_many(shape, token):
    weights = np.random.default_rng(0).dirichlet(np.ones(shape[-1]), shape[:-1])
    shown = attn.Attention((token,) * shape[-1], (token,) * shape[-1], weights)._repr_mimebundle_()
    assert len(shown["text/html"].encode()) <= 1_500_000


@pytest.mark.parametrize(
    ("name", "start"),
    [("x.png", b"\x89PNG"), ("x.svg", b"<?xml"), ("x.pdf", b"%PDF")],
)
def test_heatmap_writes_the_picture_that_the_suffix_names(attention, tmp_path, name, start):
    attn.heatmap(attention, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_page_writes_a_page_whatever_the_name(attention, tmp_path):
    attn.page(attention, str(tmp_path / "weights"))
    assert (tmp_path / "weights").read_bytes() == page(attention, figures=sorting(attention))


def test_an_unknown_suffix_is_answered_with_the_known_ones(attention, tmp_path):
    with pytest.raises(InputError, match=r"unknown format 'gif'; known are png, svg, pdf"):
        attn.heatmap(attention, tmp_path / "x.gif")
    assert list(tmp_path.iterdir()) == []


def test_whatever_is_used_first_an_attention_can_show_itself():
    script = "import attn_cli as attn; print(hasattr(attn.attend([[1.0]]), '_repr_mimebundle_'))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """What each cell of the notebook in the documentation shows: a bundle by its type."""
    cells = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.get("outputs") for cell in cells.cells)  # nothing generated is committed
    place = {"metadata": {"path": str(tmp_path_factory.mktemp("notebook"))}}
    NotebookClient(cells, timeout=150, kernel_name="python3", resources=place).execute()
    return {
        cell.id: [output.data for output in cell.outputs if "data" in output]
        for cell in cells.cells
        if cell.cell_type == "code"
    }


@pytest.mark.parametrize("cell", ["attend", "mini"])
def test_in_a_real_notebook_a_record_is_a_page(notebook, cell):
    [shown] = notebook[cell]
    assert '<iframe title="Attention" sandbox="allow-scripts"' in shown["text/html"]
    assert "image/png" not in shown
    assert shown["text/plain"].startswith("Attention([1 layer, ")


@pytest.mark.parametrize("cell", ["heatmap", "axes"])
def test_in_a_real_notebook_a_picture_is_shown_once(notebook, cell):
    [shown] = notebook[cell]
    assert base64.b64decode(shown["image/png"]).startswith(b"\x89PNG")
