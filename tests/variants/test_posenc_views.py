"""Views of positional encodings: the numbers against their closed forms, and what the pictures say."""

import contextlib
import io
import math

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.records.encoding import PositionTable
from attn_cli.render.figure.figure import draw, save
from attn_cli.render.figure.maps import lay_out as maps_sheet
from attn_cli.render.figure.maps import plan_for as maps_plan
from attn_cli.render.figure.positions import WIDTH, lay_out, table_maps
from attn_cli.render.figure.sheet import Stroke
from attn_cli.render.terminal.series import series_table
from attn_cli.variants.posenc import POSENCS, VIEWS
from rich.console import Console


def series(view, kind="sinusoidal", seq_len=16, dim=8):
    return VIEWS.parse(view)(kind, POSENCS.parse(kind), seq_len, dim)


# ---- the numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", POSENCS)
def test_every_view_of_every_kind_is_finite_or_refused(view, kind):
    with contextlib.suppress(InputError):
        assert np.isfinite(series(view, kind).values).all()


def test_heatmap_is_the_table_itself():
    table = series("heatmap", "rope")
    assert isinstance(table, PositionTable)
    assert (table.values == POSENCS["rope"](16, 8)).all()


def test_curves_are_columns_of_the_table():
    chosen = series("curves:dims=5+0")
    table = POSENCS["sinusoidal"](16, 8)
    assert list(chosen.columns) == ["5", "0"]
    assert (chosen.values == table[:, [5, 0]]).all()


@pytest.mark.parametrize(
    ("dim", "expected"), [(3, "0 1 2"), (8, "0 1 2 3 4 5 6 7"), (64, "0 1 16 17 32 33 48 49"), (1, "0")]
)
def test_curves_are_spread_over_the_dimensions(dim, expected):
    assert " ".join(series("curves", dim=dim).columns) == expected


def test_similarity_of_sinusoids_is_a_sum_of_cosines():
    """PE(p)·PE(p + k) = Σ_i cos(k / base^(2i/d)), whatever p."""
    distance = np.arange(50)[:, None]
    expected = np.cos(distance / 10000 ** (np.arange(0, 64, 2) / 64)).sum(axis=1)
    seen = series("similarity", seq_len=50, dim=64)
    for name in ("dot", "lowest", "highest"):
        np.testing.assert_allclose(seen.columns[name], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["sinusoidal", "sinusoidal2d", "rope:values=angles"])
def test_similarity_is_mean_and_ends_of_the_diagonals(kind):
    x = POSENCS.parse(kind)(9, 6)
    diagonals = [np.diagonal(x @ x.T, k) for k in range(9)]
    seen = series("similarity", kind, 9, 6).columns
    for name, reduce in (("dot", np.mean), ("lowest", np.min), ("highest", np.max)):
        np.testing.assert_allclose(seen[name], [reduce(d) for d in diagonals], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "kind", ["sinusoidal", "sinusoidal:layout=concatenated", "sinusoidal:base=100", "xl", "xl:base=500"]
)
@pytest.mark.parametrize("dim", [1, 6, 7])
def test_a_dimension_is_a_sine_or_cosine_of_its_wavelength(kind, dim):
    table, position = POSENCS.parse(kind)(20, dim), np.arange(20)
    for i, wavelength in enumerate(series("wavelengths", kind, 20, dim).columns["wavelength"]):
        angle = 2 * np.pi * position / wavelength
        wave = np.sin(angle) if table[0, i] == 0 else np.cos(angle)
        np.testing.assert_allclose(table[:, i], wave, rtol=0, atol=1e-12)


@pytest.mark.parametrize("scaling", ["none", "linear", "ntk", "yarn"])
def test_rope_turns_once_in_a_wavelength(scaling):
    kind = f"rope:scaling={scaling},factor=4,original=64"
    angles = POSENCS.parse(f"{kind},values=angles")(2, 8)[1]
    wavelengths = series("wavelengths", kind).columns["wavelength"]
    np.testing.assert_allclose(wavelengths, np.repeat(2 * np.pi / angles, 2), rtol=1e-12)
    np.testing.assert_allclose(
        series("wavelengths", f"{kind},values=angles").columns["wavelength"], wavelengths[::2], rtol=1e-15
    )


@pytest.mark.parametrize(
    ("view", "kind", "message"),
    [
        ("curves:dims=8", "sinusoidal", "no dimension 8; give 0 to 7"),
        ("similarity", "alibi", "alibi has no vector for a position"),
        ("similarity", "t5", "t5 has no vector for a position"),
        ("wavelengths", "sinusoidal2d", "sinusoidal2d has no wavelengths; sinusoidal, rope, xl have"),
        ("wavelengths", "sinusoidal:base=-1", "base -1.0; give a number above 0"),
        ("surface", "sinusoidal", "unknown view 'surface'"),
    ],
)
def test_what_cannot_be_seen_is_refused(view, kind, message):
    with pytest.raises(InputError) as caught:
        series(view, kind)
    assert message in str(caught.value)


# ---- the pictures -------------------------------------------------------------------------------------


def curve(sheet):
    """The points of the longest stroke."""
    return max((mark.points for mark in sheet.marks if isinstance(mark, Stroke)), key=len)


def test_curves_stand_in_strips_of_one_scale():
    sheet = lay_out(series("curves", seq_len=100, dim=64))
    words = sheet.words()
    assert [word for word in words if word.startswith("dimension")] == [
        f"dimension {i}" for i in (0, 1, 16, 17, 32, 33, 48, 49)
    ]
    assert words.count("−1") == words.count("0") - 1 == words.count("1") == 4  # 0 is the first position too
    assert words[-2:] == ["position", "positional encoding sinusoidal: 100 positions × 64 dimensions"]


def test_a_curve_lies_where_its_numbers_say():
    """cos in dimension 1 begins at the top of its strip, and the last position is at the right edge."""
    points = np.array(curve(lay_out(series("curves:dims=1", seq_len=100))))
    x, y = points.T
    assert x[-1] - x[0] == pytest.approx(WIDTH)
    expected = np.cos(np.arange(100))
    np.testing.assert_allclose(
        (y[0] - y) / (y.max() - y.min()) * (expected.max() - expected.min()), expected - 1
    )


def test_a_long_curve_keeps_its_peaks():
    seen = series("curves:dims=0", seq_len=20_000, dim=2)
    seen.columns["0"][12_345] = 9.0
    points = np.array(curve(lay_out(seen)))
    assert len(points) < 3 * 1080  # pixels
    peak = points[points[:, 1].argmin()]
    assert (peak[0] - points[0, 0]) / WIDTH == pytest.approx(12_345 / 19_999, abs=1 / 1080)


def test_rows_and_columns_are_called_what_they_are():
    words = lay_out(series("curves", "alibi", dim=2)).words()
    assert {"head 0", "head 1", "distance"} <= set(words)


def test_a_pair_of_dimensions_shares_a_strip_in_two_colours():
    sheet = lay_out(series("curves:dims=0+1+5", seq_len=100))
    drawn = [mark for mark in sheet.marks if isinstance(mark, Stroke) and len(mark.points) > 50]
    first, second, third = (np.array(mark.points)[:, 1] for mark in drawn)
    assert abs(first.mean() - second.mean()) < 5 < third.mean() - first.mean()
    assert drawn[0].colour == drawn[2].colour != drawn[1].colour


@pytest.mark.parametrize(
    ("kind", "rows", "columns"),
    [
        ("sinusoidal", "position", "dimension"),
        ("alibi", "distance", "head"),
        ("t5", "query", "key"),
        ("clipped", "query", "key"),
    ],
)
def test_axes_are_named_for_what_they_count(kind, rows, columns):
    maps = table_maps(series("heatmap", kind, 8, 4))
    assert (maps.row_name, maps.column_name) == (rows, columns)
    assert {rows, columns} <= set(maps_sheet(maps).words())
    assert "4 keys" in maps.origin or rows != "query"


def test_similarity_of_every_pair_is_a_map():
    x = POSENCS["sinusoidal"](9, 6)
    table = series("similarity:map=true", seq_len=9, dim=6)
    np.testing.assert_allclose(table.values, x @ x.T, atol=1e-12)
    assert (table.rows, table.columns, table.unit) == ("position", "position", "dot product")


def test_averaged_positions_show_no_pattern_that_is_not_there():
    """The fastest waves turn once in 6.3 positions: where a cell is the mean of more, nothing of them is left."""
    cells = maps_plan(table_maps(series("heatmap", seq_len=5000, dim=64))).cells
    assert cells.grain.down > 6
    assert cells.grain.across == 1
    assert np.abs(cells.values[0, 5:-5, :2]).max() < 0.01
    assert np.abs(cells.values[0, :, -1] - 1).max() < 0.25  # slow waves stay as they are


def test_similarity_shows_a_band_only_where_pairs_differ():
    assert "lowest to highest" not in lay_out(series("similarity", seq_len=50, dim=64)).words()
    assert "lowest to highest" in lay_out(series("similarity", "sinusoidal2d", 50, 64)).words()


def test_wavelengths_stand_on_a_logarithmic_scale_beside_the_length():
    sheet = lay_out(series("wavelengths", seq_len=100, dim=4))
    words = sheet.words()
    assert words[:4] == ["wavelength in positions", "1", "10", "100"]
    assert "100 positions" in words
    places = {mark.text: mark.y for mark in sheet.marks if getattr(mark, "text", "") in ("10", "100")}
    dashes = [mark.points[0][1] for mark in sheet.marks if isinstance(mark, Stroke) and mark.width == 1.6]
    decade = places["10"] - places["100"]
    assert (dashes[0] - dashes[2]) / decade == pytest.approx(2)  # base^(2/4) = 100
    assert dashes[0] == dashes[1]
    hundred = dashes[0] - decade * math.log10(100 / (2 * math.pi))
    rule = next(
        mark for mark in sheet.marks if isinstance(mark, Stroke) and mark.width == 1 and len(mark.points) == 2
    )
    assert rule.points[0][1] == pytest.approx(hundred)


@pytest.mark.parametrize("view", ["curves", "similarity", "wavelengths"])
@pytest.mark.parametrize(("seq_len", "dim"), [(1, 1), (3, 5), (1000, 64)])
def test_all_words_and_lines_lie_on_the_sheet(view, seq_len, dim):
    sheet = lay_out(series(view, seq_len=seq_len, dim=dim))
    for mark in sheet.marks:
        points = mark.points if isinstance(mark, Stroke) else [(mark.x, mark.y)]
        assert all(0 <= x <= sheet.width and 0 <= y <= sheet.height for x, y in points), mark


@pytest.mark.parametrize(("name", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_pictures_repeat_byte_for_byte(name, start):
    first, second = (save(draw(series("similarity")), name) for _ in range(2))
    assert first.startswith(start)
    assert first == second


# ---- the command --------------------------------------------------------------------------------------


def test_a_pipe_gets_the_numbers(run):
    result = run("posenc", "--view", "wavelengths", "--dim", "4")
    assert result.stdout.splitlines()[:2] == ["dim\twavelength", f"0\t{2 * math.pi!r}"]
    header, *rows = run("posenc", "--view", "similarity", "--len", "3", "--dim", "2").stdout.splitlines()
    assert header == "distance\tdot\tlowest\thighest"
    assert [row.split("\t")[0] for row in rows] == ["0", "1", "2"]
    assert float(rows[1].split("\t")[1]) == pytest.approx(math.cos(1), abs=1e-15)
    whole = [line.split("\t") for line in run("posenc", "--len", "5", "--dim", "6").stdout.splitlines()]
    curves = run("posenc", "--len", "5", "--dim", "6", "--view", "curves:dims=2+4").stdout.splitlines()
    assert curves == ["\t".join((row[0], row[3], row[5])) for row in whole]


def test_a_picture_goes_to_its_file(run, tmp_path):
    for view in VIEWS:
        assert run("posenc", "--view", view, "--len", "20", "-o", str(tmp_path / f"{view}.png")).code == 0
    pictures = {path.read_bytes() for path in tmp_path.iterdir()}
    assert len(pictures) == len(VIEWS)
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)


def test_a_format_that_a_view_has_not_is_refused(run, tmp_path):
    result = run("posenc", "--view", "curves", "-o", str(tmp_path / "x.npz"))
    assert result.code == 2
    assert "known are tsv, png" in result.stderr


def test_views_are_listed(run):
    assert [line.split()[0] for line in run("posenc", "--view", "help").stdout.splitlines()] == [
        "heatmap", "curves:dims=…", "similarity:map=false", "wavelengths"
    ]  # fmt: skip


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_gets_a_table_of_its_width(width):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(series_table(series("similarity", seq_len=100)))
    lines = console.export_text().splitlines()
    assert lines[0].split() == ["distance", "dot", "lowest", "highest"]
    assert "60 more" in "".join(lines) or "61 more" in "".join(lines)
    assert max(map(len, lines)) <= width
