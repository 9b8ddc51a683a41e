"""What a cell shows of several weights, their mean or the largest: in records, tables, pictures, the terminal."""

from dataclasses import replace

import numpy as np
import pytest
from attn_cli import api, files
from attn_cli.attention import layers
from attn_cli.attention.streaming import kept
from attn_cli.errors import AttnNote, InputError
from attn_cli.records.attention import Attention
from attn_cli.records.pooled import pooled_by
from attn_cli.records.selection import choose
from attn_cli.render import pooling
from attn_cli.render.figure.grid import lay_out as grid
from attn_cli.render.figure.maps import attention_maps, plan_for
from attn_cli.render.look import PLAIN, Look
from attn_cli.render.views import with_known_view


def needle(n=100):
    """Weights alike but for a row that looks at one key alone."""
    weights = np.full((1, 1, n, n), 1 / n)
    weights[0, 0, 37] = np.eye(n)[61]
    tokens = tuple(map(str, range(n)))
    return Attention(tokens, tokens, weights)


def test_blocks_by_hand():
    """Rows two by two, columns three by three; what is masked does not count, nor does a block that all is."""
    values = np.array([[[0.1, 0.2, 0.3, 0.9], [0.0, 0.4, 0.9, 0.8]]])
    hidden = np.array([[[False, False, False, True], [False, False, True, True]]])
    shown, covered = pooling.pooled(values, hidden, (2, 3), "max")
    assert (shown.tolist(), covered.tolist()) == ([[[0.4, 0.0]]], [[[False, True]]])
    shown, covered = pooling.pooled(values, None, (1, 2), "max")
    assert (shown.tolist(), covered.any()) == ([[[0.2, 0.9], [0.4, 0.9]]], False)
    assert pooling.pooled(-values, None, 2, "max")[0].tolist() == [[[-0.4, -0.9]]]


def test_a_single_1_among_100_times_100_is_seen_where_a_picture_pools():
    """On so little paper a cell is several weights; their mean hides what their largest shows."""
    look = {"size": (1.9, 1.9), "dpi": 36, "no": ("title", "provenance", "colorbar")}
    means, peaks = (plan_for(attention_maps(needle(), Look(pool=pool, **look))) for pool in (None, "max"))
    assert means.cells.factor == peaks.cells.factor > 2
    assert means.cells.values.max() < 0.3
    assert peaks.cells.values.max() == 1
    down, across = peaks.sharing
    assert peaks.notes[0] == f"each cell is the largest of {down} × {across} weights"
    assert (
        plan_for(attention_maps(needle(), Look(pool="max", size=(1.9, 1.9), dpi=36))).bar.name
        == "largest weight"
    )
    assert plan_for(attention_maps(Attention("a", "a", [[[[1.0]]]]), Look(pool="max"))).bar.name == "weight"


POOLED = Attention(
    tuple("abcd"), tuple("abcd"), np.full((1, 2, 2, 2), 0.25), pooled=True, maxima=np.full((1, 2, 2, 2), 0.75)
)  # fmt: skip


def test_pooled_maps_show_what_was_chosen():
    assert pooled_by(POOLED, "max").shown.max() == 0.75
    assert pooled_by(pooled_by(POOLED, "max"), "mean").show == "weights"
    assert plan_for(attention_maps(pooled_by(POOLED, "max"))).notes == [
        "each cell is the largest of 2 × 2 weights"
    ]
    assert pooled_by(needle(), "max").show == "weights"  # nothing is pooled
    with pytest.raises(InputError, match="this attention holds no maxima; compute it again"):
        pooled_by(choose(POOLED, "head", "mean"), "max")
    with pytest.raises(InputError, match="--pool does not apply to --view tokens; give --view map or grid"):
        with_known_view(Look(view="tokens", pool="max"))


def test_a_grid_shows_the_largest_unless_told():
    assert grid(POOLED, PLAIN).words() == grid(POOLED, Look(pool="max")).words()
    assert "maximum" not in " ".join(grid(POOLED, PLAIN).words())
    look = Look(size=(2, 2), dpi=36)
    peaks, means = (grid(needle(200), replace(look, pool=pool)) for pool in (None, "mean"))
    assert "each pixel is the largest of 10 × 10 weights" in peaks.words()
    assert "each pixel is the mean of 10 × 10 weights" in means.words()
    assert "0.2% of the cells, up to 1" in peaks.words()
    assert "0.010" in means.words()  # where the bar ends


@pytest.mark.parametrize("name", ["tsv", "csv", "tidy"])
def test_a_table_of_maxima_says_that_they_are(tmp_path, name):
    path = tmp_path / f"x.{name}"
    files.write(str(path), files.FORMATS[name](pooled_by(POOLED, "max")))
    read = files.read(str(path))
    assert (read.show, read.pooled, read.unit) == ("maxima", True, "maximum")
    assert (read.maxima == 0.75).all()
    with pytest.raises(InputError, match="holds maxima, not weights"):
        read.weights  # noqa: B018


def test_the_commands_and_python_take_it(run, monkeypatch, tmp_path):
    monkeypatch.setattr(kept, "MOST_CELLS", 3)
    monkeypatch.setattr(layers, "MOST_DENSE", 8 * 24)
    long = ("--text", "a b c d e f g", "--model", "none")
    table = files.tables.parse(run("attend", *long, "--pool", "max").stdout, "-")
    means = files.tables.parse(run("attend", *long).stdout, "-")
    assert (table.maxima >= means.weights).all()
    picture = tmp_path / "x.svg"
    assert run("heatmap", *long, "--pool", "max", "-o", str(picture)).code == 0
    assert "each cell is the largest of 3 × 3 weights" in picture.read_text()
    with pytest.warns(AttnNote, match="cells, mean and max"):
        found = api.attend(np.eye(7), pool="max")
    assert found.show == "maxima"
    assert api.heatmap(pooled_by(found, "mean"), pool="max")
    assert "'most'" in run("attend", *long, "--pool", "most").stderr
    assert "unknown --pool 'most'" in run("heatmap", *long, "--pool", "most").stderr


@pytest.mark.parametrize("view", ["map", "grid"])
def test_pooling_that_changes_nothing_is_told(view):
    with pytest.warns(AttnNote, match="pool max has no effect: each weight has a cell of its own"):
        api.heatmap([[1.0, 0.0], [0.5, 0.5]], view=view, pool="max")
