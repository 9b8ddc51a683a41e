"""Positions that a model has learned: the very numbers of its weights, in every view."""

import io
import json
import shutil

import numpy as np
import pytest
from attn_cli import files, models
from attn_cli.errors import InputError
from attn_cli.variants.posenc import POSENCS, VIEWS, usual_size
from safetensors.numpy import load_file, save_file
from test_huggingface import saved

from test_house import loaded_by

TABLE = np.arange(12.0).reshape(4, 3)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A directory of each family."""
    here = tmp_path_factory.mktemp("models")
    for name in ("bert", "roberta", "gpt2", "vit", "llama"):
        saved(here / name, name)
    return here


def test_by_hand():
    assert POSENCS["learned"](2, 3, file={"position": TABLE}).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert usual_size(POSENCS.parse("learned", given={"file": {"any": TABLE}})) == (4, 3)
    assert usual_size(POSENCS["sinusoidal"]) == (128, 64)


@pytest.mark.parametrize(
    ("family", "tensor"),
    [
        ("bert", "embeddings.position_embeddings.weight"),
        ("gpt2", "transformer.wpe.weight"),
        ("vit", "embeddings.position_embeddings"),
    ],
)
def test_the_table_is_the_models_own(run, home, family, tensor):
    expected = load_file(home / family / "model.safetensors")[tensor].squeeze()
    done = run("posenc", "learned", "--model", str(home / family), "--format", "npy")
    assert done.stderr == ""
    assert np.load(io.BytesIO(done.output)).tolist() == expected.tolist()


def test_roberta_begins_after_the_places_of_its_padding(home):
    called, table = models.positions(str(home / "roberta"))
    whole = load_file(home / "roberta" / "model.safetensors")["roberta.embeddings.position_embeddings.weight"]
    assert called == "RoBERTa: roberta"
    assert table.tolist() == whole[2:].tolist()


def test_no_other_weight_is_needed_to_be_right(home, tmp_path):
    """A checkpoint whose other numbers are damaged, which attention would refuse or show, still has its positions."""
    broken = shutil.copytree(home / "bert", tmp_path / "bert")
    weights = load_file(broken / "model.safetensors")
    for name, numbers in weights.items():
        if "position" not in name:
            numbers[...] = np.nan
    save_file(weights, broken / "model.safetensors")
    assert np.isfinite(models.positions(str(broken))[1]).all()


@pytest.mark.parametrize("view", [view for view in VIEWS if view != "wavelengths"])
def test_every_view_says_whose_positions_they_are(run, home, tmp_path, view):
    picture = tmp_path / "x.svg"
    done = run("posenc", "learned", "--model", str(home / "bert"), "--view", view, "-o", str(picture))
    assert done.code == 0, done.stderr
    assert "learned (BERT: bert): 40 positions × 24 dimensions" in picture.read_text()


def test_the_record_names_the_model(run, home):
    done = run("posenc", "learned", "--model", str(home / "gpt2"), "--format", "json", "--len", "3")
    assert json.loads(done.stdout)["kind"] == "learned (GPT-2: gpt2)"
    assert files.json_.parse(done.stdout, "-").values.shape == (3, 24)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["learned"], "'learned' needs a model; attn posenc learned --model DIR"),
        (["learned", "--model", "llama"], "Llama: llama has no learned positions; its own are rope:base=10000"),
        (["rope", "--model", "bert"], "--model does not apply to rope; give attn posenc learned --model DIR"),
        (["learned", "--model", "bert", "--view", "wavelengths"], "learned (BERT: bert) has no wavelengths; "),
        (["learned", "--model", "bert", "--len", "41"], "41 positions × 24 numbers of a learned table [40, 24]; give at most 40 × 24"),
        (["learned", "--model", "bert", "--dim", "8"], "40 positions × 8 numbers of a learned table [40, 24]; give 24 numbers per position"),
        (["learned", "--model", "none"], "none: no such directory"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_in_a_line(run, home, arguments, message):
    done = run("posenc", *arguments, cwd=home)
    assert (done.code, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(f"attn: error: {message}")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ({"a": TABLE, "b": TABLE}, "a file of 2 arrays, none called position"),
        ({"a": TABLE[0]}, r"learned positions \[3\]; give a row of numbers per position"),
    ],
)
def test_a_file_without_a_table_is_refused(file, message):
    with pytest.raises(InputError, match=message):
        POSENCS["learned"](1, 3, file=file)


def test_positions_of_a_file_are_added_to_vectors(run, tmp_path):
    np.savez(tmp_path / "p.npz", position=TABLE)
    plain, moved = (
        files.tables.parse(run("encode", "--text", "a b", "--dim", "3", *more, cwd=tmp_path).stdout, "-")
        for more in ([], ["--posenc", "learned:file=p.npz"])
    )
    np.testing.assert_array_equal(moved.vectors, plain.vectors + TABLE[:2])


def test_other_kinds_still_need_no_torch(tmp_path):
    np.savez(tmp_path / "p.npz", position=TABLE)
    for kind in ("rope", f"learned:file={tmp_path / 'p.npz'}"):
        assert "torch" not in loaded_by("posenc", kind, "-o", tmp_path / "x.tsv")


def test_a_run_of_train_toy_has_learned_some(run, tmp_path):
    assert run("train-toy", "reverse", "--steps", "2", "-o", "r", "-q", cwd=tmp_path).code == 0
    called, table = models.positions(str(tmp_path / "r"))
    assert called.startswith("train-toy reverse, ")
    assert table.tolist() == load_file(tmp_path / "r" / "model.safetensors")["position.weight"].tolist()
    shown = run("posenc", "learned", "--model", "r", "--view", "similarity", cwd=tmp_path)
    assert len(shown.stdout.splitlines()) == 1 + len(table)
