"""`--show scores`: wherever they go, nobody takes them for weights."""

import json

import numpy as np
import pytest
from attn_cli import files
from attn_cli.attention.vectors import attend
from attn_cli.errors import InputError
from attn_cli.records.attention import Attention
from attn_cli.records.fields import changed
from attn_cli.render.figure.figure import draw
from attn_cli.render.figure.maps import attention_maps
from attn_cli.render.look import Look

SOURCE = ("attend", "--text", "a b c", "--heads", "2", "--project", "random", "--mask", "causal")
SHOWN = Attention(("a", "b\t"), ("a", "c"), kind="cross", scores=[[[[-1.5, 2], [0, 3]]]], show="scores")


@pytest.mark.parametrize("name", ["tsv", "csv", "tidy", "json", "npz", "safetensors"])
def test_scores_come_back_as_scores(tmp_path, name):
    path = str(tmp_path / f"s.{name}")
    files.write(path, files.FORMATS[name](SHOWN))
    read = files.read(path)
    assert read.show == "scores"
    assert read.query_tokens == SHOWN.query_tokens
    assert (read.shown == SHOWN.shown).all()
    with pytest.raises(InputError, match="this attention holds scores, not weights"):
        read.weights  # noqa: B018
    assert not hasattr(read, "weights")


def test_the_header_says_so(run):
    for form, header in (
        ("tsv", "layer head query_pos score_of 0:a 1:b 2:c"),
        ("tidy", "layer head query_pos query key_pos key score"),
    ):
        table = run(*SOURCE, "--show", "scores", "--format", form).stdout
        assert table.splitlines()[0].split("\t") == header.split()
    assert run(*SOURCE).stdout.startswith("layer\thead\tquery_pos\tquery\t0:a")


def test_a_picture_says_so_from_the_command_and_from_its_table(run, tmp_path):
    run(*SOURCE, "--show", "scores", "-o", "s.svg", cwd=tmp_path)
    run(*SOURCE, "--show", "scores", "-o", "s.tsv", cwd=tmp_path)
    run("heatmap", "s.tsv", "-o", "t.svg", cwd=tmp_path)
    run(*SOURCE, "-o", "w.svg", cwd=tmp_path)
    said = {name: (tmp_path / f"{name}.svg").read_text() for name in "stw"}
    assert [name for name in said if ">score</text>" in said[name]] == ["s", "t"]
    assert [name for name in said if ">weight</text>" in said[name]] == ["w"]
    assert run(*SOURCE, "--show", "scores", "--format", "html").stdout.count(", scores before softmax") == 1


def test_a_whole_record_still_holds_weights(run):
    record = json.loads(run(*SOURCE, "--show", "scores", "--format", "json").stdout)
    assert record["show"] == "scores"
    np.testing.assert_allclose(np.array(record["weights"]).sum(-1), 1)


def test_a_map_has_its_unit_and_lines_are_refused():
    assert attention_maps(SHOWN).unit == "score"
    assert attention_maps(attend(np.eye(2))).unit == "weight"
    with pytest.raises(InputError, match="lines of scores; draw a map"):
        draw(changed(SHOWN, scores=abs(SHOWN.scores)), Look(view="lines"))
