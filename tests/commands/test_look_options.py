"""One set of look options for the picture of every command, and the same in Python."""

import numpy as np
import pytest
from attn_cli import api
from attn_cli.commands.io.options import Appearance
from PIL import Image

PICTURES = {
    "heatmap": ("heatmap", "--text", "a b c", "--model", "none"),
    "table": ("posenc", "--len", "9", "--dim", "4"),
    "curves": ("posenc", "--len", "9", "--dim", "4", "--view", "curves"),
    "similarity": ("posenc", "--len", "9", "--dim", "4", "--view", "similarity:map=true"),
    "mask": ("mask", "causal", "--len", "5"),
    "stats": ("stats", "--text", "a b c", "--model", "none", "--column", "entropy"),
    "diff": ("diff", "--text", "a b c", "--model", "none", "--against", "mask=causal"),
}
CHOSEN = (
    "--size",
    "6x7",
    "--dpi",
    "50",
    "--style",
    "dark",
    "--title",
    "A title",
    "--no",
    "numbers",
    "--font-size",
    "4",
)


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_takes_the_same_look(run, tmp_path, name):
    done = run(*PICTURES[name], *CHOSEN, "-o", str(tmp_path / "x.png"))
    assert (done.code, done.stdout) == (0, "")
    with Image.open(tmp_path / "x.png") as image:
        assert image.size == (300, 350)
        assert image.convert("RGB").getpixel((0, 0)) == (20, 20, 20)
    done = run(*PICTURES[name], "--title", "A title", "-o", str(tmp_path / "x.svg"))
    assert "A title" in (tmp_path / "x.svg").read_text()


@pytest.mark.parametrize("name", PICTURES)
def test_a_look_that_cannot_be_is_said_by_every_command(run, tmp_path, name):
    done = run(*PICTURES[name], "--cmap", "sunset", "-o", str(tmp_path / "x.png"))
    assert done.code == 2
    assert "unknown --cmap 'sunset'; known are paper, ember" in done.stderr


@pytest.mark.parametrize("name", [name for name in PICTURES if name not in ("stats", "diff")])
def test_a_table_has_no_look(run, tmp_path, name):
    done = run(*PICTURES[name], "--cmap", "magma", "-o", str(tmp_path / "x.tsv"))
    assert (done.code, done.stderr) == (
        2,
        "attn: error: --cmap does not apply to tsv; write png, svg, pdf, jpg\n",
    )


def test_every_command_that_draws_lists_all_of_them(run):
    for command in ("heatmap", "posenc", "mask", "stats", "diff", "train-toy"):
        listed = run(command, "--help-all").stdout
        for name in vars(Appearance()):
            assert f"--{name.replace('_', '-')} " in listed, (command, name)


@pytest.mark.parametrize("view", ["heatmap", "curves", "similarity"])
def test_python_draws_positions_with_the_same_look(run, tmp_path, view):
    typed, called = tmp_path / "typed.png", tmp_path / "called.png"
    run("posenc", "--len", "9", "--dim", "4", "--view", view, "--style", "dark", "-o", str(typed))
    api.heatmap(api.posenc(len=9, dim=4, view=view), called, style="dark")
    with Image.open(typed) as one, Image.open(called) as other:
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
