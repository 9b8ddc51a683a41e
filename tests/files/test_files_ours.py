"""A file of somebody's is never written over: which files attn made is told by what is in them."""

from __future__ import annotations

import os

import numpy as np
import pytest
from attn_cli import files
from attn_cli.errors import InputError
from attn_cli.files import TABLES, WORKED
from attn_cli.records.attention import Attention
from attn_cli.records.encoding import Encoding
from attn_cli.records.table import Table
from attn_cli.render.figure import figure
from attn_cli.render.look import Look
from PIL import Image

ATTENTION = Attention(("The", "猫"), ("The", "猫"), np.full((1, 1, 2, 2), 0.5), provenance="by hand")


@pytest.fixture(autouse=True)
def _in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def drawn(name, title=""):
    if name == "html":
        from attn_cli.render.page.page import page

        return page(ATTENTION, title=title)
    if name == "gif":
        from attn_cli.render.figure.film import Film, gif

        return gif(Film(ATTENTION, (0, 1), np.stack([ATTENTION.weights] * 2)))
    return figure.save(figure.draw(ATTENTION, Look(title=title)), name)


PICTURES = ("png", "jpg", "svg", "pdf", "html", "gif")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        (name, title)
        for name in PICTURES
        for title in ("", "注意力 </title> (attn) >>")
        if not title or name != "gif"
    ],
)
def test_a_picture_names_its_maker_and_gives_the_same_bytes_each_time(name, title):
    assert drawn(name, title) == drawn(name, title)
    files.write(f"a.{name}", [drawn(name, title)])
    assert files.made_by_attn(f"a.{name}")
    os.rename(f"a.{name}", "renamed")
    assert files.made_by_attn("renamed")  # by what is in it


def test_a_jpeg_is_a_jpeg():
    files.write("a.jpg", [drawn("jpg")])
    with Image.open("a.jpg") as opened:
        assert (opened.format, opened.mode) == ("JPEG", "RGB")
        assert opened.info["comment"] == b"attn"


@pytest.mark.parametrize("name", sorted(set(files.FORMATS) - {"npy", "md", "tex", "tidy"}))
@pytest.mark.parametrize(
    "record", [ATTENTION, Encoding(("a",), np.ones((1, 2)))], ids=["attention", "encoding"]
)
def test_a_record_is_ours(name, record):
    files.write(f"a.{name}", files.FORMATS[name](record))
    assert files.made_by_attn(f"a.{name}")


def test_what_stats_and_steps_write_as_json_is_ours():
    files.write("t.json", TABLES["json"](Table({"a": [1]})))
    assert files.made_by_attn("t.json")
    assert "json" in WORKED


def foreign(name):
    """A file of the same kind that somebody else made."""
    if name in ("png", "jpg", "gif"):
        Image.new("RGB", (4, 4)).save(f"a.{name}")
        return
    if name == "npz":
        np.savez("a.npz", weights=np.eye(2))
        return
    if name == "safetensors":
        from safetensors.numpy import save_file

        save_file({"weights": np.eye(2)}, "a.safetensors", metadata={"type": "other"})
        return
    content = {
        "svg": '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><title>attn</title></svg>',
        "pdf": "%PDF-1.4\n1 0 obj\n<< /Creator (LaTeX) /Title (attn) >>\nendobj\n",
        "html": '<!doctype html><html><head><meta name="generator" content="Jekyll"></head>attn',
        "json": '{"type": "invoice", "attention": 1}',
        "tsv": "pos\tname\n1\tx\n",
        "csv": "1,2\n3,4\n",
        "txt": "layer head query_pos query 0:a",
        "empty": "",
    }[name]
    files.write(f"a.{name}", [content.encode()])


FOREIGN = [*PICTURES, "npz", "safetensors", "json", "tsv", "csv", "txt", "empty"]


@pytest.mark.parametrize("name", FOREIGN)
def test_what_others_made_is_not_ours(name):
    foreign(name)
    assert not files.made_by_attn(f"a.{name}")
    assert files.own_name("a", f".{name}") == f"a-attention.{name}"


@pytest.mark.parametrize("name", PICTURES)
def test_a_file_cut_short_or_unreadable_is_not_ours(name):
    files.write("cut", [drawn(name)[:12]])
    assert not files.made_by_attn("cut")
    assert not files.made_by_attn("no-such-file")
    assert not files.made_by_attn(".")


def test_a_drawing_that_somebody_went_on_with_in_inkscape_is_theirs():
    text = drawn("svg").decode()
    files.write(
        "a.svg", [text.replace("<svg ", '<svg xmlns:inkscape="http://www.inkscape.org/" ', 1).encode()]
    )
    assert not files.made_by_attn("a.svg")


# ---- a name ------------------------------------------------------------------------------------------------


def test_a_free_name_and_one_of_ours_are_taken():
    assert files.own_name("photo", ".png") == "photo.png"
    files.write("photo.png", [drawn("png")])
    assert files.own_name("photo", ".png") == "photo.png"  # drawn again


def test_input_is_never_named_not_even_one_of_ours():
    files.write("photo.png", [drawn("png")])
    for path in ("photo.png", "./photo.png", os.path.abspath("photo.png"), "photo.png:image"):
        assert files.own_name("photo", ".png", [None, "-", path]) == "photo-attention.png"
    os.symlink("photo.png", "link.png")
    assert files.own_name("link", ".png", ["photo.png"]) == "link-attention.png"
    os.link("photo.png", "hard.png")
    assert files.own_name("hard", ".png", ["photo.png"]) == "hard-attention.png"


def test_where_both_names_are_taken_it_says_what_to_type():
    foreign("png")
    os.rename("a.png", "a-attention.png")
    foreign("png")
    with pytest.raises(InputError) as caught:
        files.own_name("a", ".png")
    assert str(caught.value) == "a.png and a-attention.png are files that attn did not make; give -o NAME.png"


def test_a_folder_and_a_broken_link_are_in_the_way():
    os.mkdir("a.png")
    os.symlink("nowhere", "b.png")
    assert files.own_name("a", ".png") == "a-attention.png"
    assert files.own_name("b", ".png") == "b-attention.png"


def test_the_second_name_of_an_attention_is_numbered():
    np.savez("attention.npz", x=np.eye(2))
    assert files.own_name("attention", ".npz") == "attention-2.npz"


def test_heatmap_leaves_a_photo_of_its_own_name_alone(run):
    """It was written over."""
    foreign("png")
    before = open_bytes("a.png")
    files.write("a.txt", [b"the cat"])
    done = run("heatmap", "a.txt", "--model", "none", "-q", cwd=".")
    assert (done.code, done.stdout) == (0, "a-attention.png\n")
    assert open_bytes("a.png") == before
    assert run("heatmap", "a.txt", "--model", "none", "-q", cwd=".").stdout == "a-attention.png\n"


def open_bytes(path):
    with open(path, "rb") as file:
        return file.read()
