"""`attn mask`: a mask by itself, in numbers, on a terminal and as a picture."""

import io
import re

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.figure.artists import Shades
from attn_cli.render.figure.figure import save
from attn_cli.render.figure.masks import mask_figure, mask_picture
from attn_cli.variants.masks import MASKS, as_matrix, is_of_vectors
from rich.console import Console

NEEDED = {"prefix": "length=3", "padding": "length=3", "document": "lengths=3+4"}
SPECS = [
    f"{name}:{NEEDED[name]}" if name in NEEDED else name for name in MASKS if not is_of_vectors(MASKS[name])
]


def drawn(run, *arguments):
    """The mask as zeros and ones, and the names of rows and columns."""
    result = run("mask", *arguments)
    assert result.code == 0, result.stderr
    header, *rows = (line.split("\t") for line in result.stdout.splitlines())
    return np.array([row[4:] for row in rows], float), [row[3] for row in rows], header[4:]


@pytest.mark.parametrize("spec", SPECS)
def test_every_mask_of_positions_is_drawn(run, spec):
    matrix, rows, columns = drawn(run, spec, "--len", "12")
    assert (matrix == as_matrix(MASKS.parse(spec), 12, 12)).all()
    assert rows == [str(i) for i in range(12)]
    assert columns == [f"{i}:{i}" for i in range(12)]


def test_and_and_or(run):
    causal, near, first = (
        as_matrix(MASKS.parse(spec), 16, 16)
        for spec in ("causal", "window:size=5,ahead=2", "global:tokens=0")
    )
    matrix, *_ = drawn(run, "window:size=5,ahead=2|global:tokens=0", "--and", "causal")
    assert (matrix == (causal & (near | first))).all()


def test_a_text_gives_its_tokens_and_a_context_its_keys(run, tmp_path):
    (tmp_path / "context.txt").write_text("x y z")
    matrix, rows, columns = drawn(run, "causal", "--text", "注意", "--context", str(tmp_path / "context.txt"))
    assert (rows, columns) == (["注", "意"], ["0:x", "1:y", "2:z"])
    assert matrix.tolist() == [[1, 1, 0], [1, 1, 1]]


def test_what_is_drawn_reads_back_as_a_mask(run, tmp_path):
    (tmp_path / "m.tsv").write_text(run("mask", "strided", "--len", "5").stdout)
    text = ("attend", "--text", "a b c d e")
    assert run(*text, "--mask", str(tmp_path / "m.tsv")).stdout == run(*text, "--mask", "strided").stdout
    again, *_ = drawn(run, str(tmp_path / "m.tsv"))  # a file has its own size
    assert (again == as_matrix(MASKS.parse("strided"), 5, 5)).all()


def test_a_mask_of_vectors_is_drawn_for_each_head(run):
    matrix, *_ = drawn(run, "lsh", "--text", "a b a", "--heads", "2")
    assert matrix.shape == (6, 3)
    assert (matrix[[0, 3], 2] == 1).all()  # the same word has the same bucket


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no SPEC; give a mask; attn mask help lists them"),
        (["lsh"], "this mask depends on the vectors; give a text or vectors as INPUT"),
        (["causal", "--len", "9", "--text", "a"], "--len cannot be combined with INPUT; drop one"),
        (["causal", "--len", "5000"], "a mask of 5000 × 5000 positions; give at most 4096"),
        (["window:size=0"], "window of size 0"),
    ],
)
def test_what_cannot_be_drawn(run, arguments, message):
    result = run("mask", *arguments)
    assert result.code == 2
    assert message in result.stderr


# ---- pictures -----------------------------------------------------------------------------------------

HOSTILE = ("[/red]", "\x1b[31m", "$\\frac{$", "注意力")


def mask(spec="causal", n=4, tokens=None):
    names = tokens or tuple(map(str, range(n)))
    weights = as_matrix(MASKS.parse(spec), len(names), len(names)).astype(float)[None, None]
    return Attention(names, names, weights, provenance=f"mask {spec}")


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_picture_counts_what_is_permitted():
    assert "mask causal: 10 of 16 pairs permitted (62.5%)" in words(mask_figure(mask()))
    assert "dark: the query may attend to the key" in words(mask_figure(mask()))


def test_a_mask_has_no_colour_bar():
    assert not mask_figure(mask()).axes[0].images


def test_small_masks_have_lines_to_count_by():
    few, many = (
        sum(len(c.get_paths()) for c in mask_figure(mask(n=n)).axes[0].collections) for n in (40, 41)
    )
    assert few - many > 70


def test_cells_are_dark_where_a_query_may_attend():
    (cells,) = mask_figure(mask("block:size=1", n=2)).axes[0].findobj(Shades)
    light = cells.colours.mean(axis=-1).tolist()
    assert light[0][0][0] == light[0][1][1] < 100
    assert light[0][0][1] == light[0][1][0] == 255


@pytest.mark.parametrize(("name", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_picture_goes_to_its_file(run, tmp_path, name, start):
    path = tmp_path / f"mask.{name}"
    run("mask", "window:size=4", "-o", str(path))
    first = path.read_bytes()
    assert first.startswith(start)
    run("mask", "window:size=4", "-o", str(path))
    assert path.read_bytes() == first


def test_hostile_tokens_are_only_text():
    assert {"[/red]", "\\u001b[31m", "注意力"} <= set(words(mask_figure(mask(tokens=HOSTILE))))
    assert save(mask_figure(mask(tokens=HOSTILE)), "svg")
    console = Console(width=60, file=io.StringIO(), force_terminal=True, markup=False)
    console.print(mask_picture(mask(tokens=HOSTILE)))
    plain = re.sub(r"\x1b\[[\d;]*m", "", console.file.getvalue())
    assert "\x1b" not in plain
    assert "[/red]" in plain
    assert "permitted (62.5%)" in plain
