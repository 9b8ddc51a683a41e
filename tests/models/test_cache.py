"""Models by their names on the hub, out of its local cache, and what is said of those that are not there."""

import os
import shutil
import socket

import pytest
from attn_cli import models
from attn_cli.models import cache
from test_huggingface import saved
from test_model_directories import wordpiece


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return wordpiece(saved(tmp_path_factory.mktemp("models") / "tiny", "bert"))


@pytest.fixture
def hub(original, tmp_path, monkeypatch):
    """A cache with one model in two revisions, the newer of which `main` does not name."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    folder = tmp_path / "hub" / "models--google--tiny"
    for revision in ("old", "new"):
        (snapshot := folder / "snapshots" / revision).mkdir(parents=True)
        (folder / "blobs").mkdir(exist_ok=True)
        for path in original.iterdir():
            blob = folder / "blobs" / f"{revision}-{path.name}"
            shutil.copy(path, blob)
            (snapshot / path.name).symlink_to(os.path.relpath(blob, snapshot))
    os.utime(folder / "snapshots" / "old", (1, 1))
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("old")
    return tmp_path / "hub"


@pytest.mark.parametrize("name", ["google/tiny", "tiny"])
def test_a_name_is_a_model_without_the_network(hub, run, monkeypatch, name):
    def refuse(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    done = run("attend", "--text", "the cat", "--model", name, "--format", "json", "--layer", "0")
    assert (done.code, done.stderr) == (0, "")
    assert '"BERT: google/tiny, 3 layers × 4 heads' in done.stdout
    assert "natively" in run("models", name).stdout


def test_the_revision_is_that_of_main_else_the_last(hub):
    assert cache.find("google/tiny").name == "old"
    (hub / "models--google--tiny" / "refs" / "main").write_text("gone")
    assert cache.find("google/tiny").name == "new"
    (hub / "models--google--tiny" / "refs" / "main").write_text("../../..")
    assert cache.find("google/tiny").name == "new"


def test_a_short_name_that_two_have_is_none(hub):
    shutil.copytree(hub / "models--google--tiny", hub / "models--other--tiny", symlinks=True)
    assert cache.find("tiny") is None
    assert cache.find("other/tiny").parent.parent.name == "models--other--tiny"
    shutil.copytree(hub / "models--google--tiny", hub / "models--tiny", symlinks=True)
    assert cache.find("tiny").parent.parent.name == "models--tiny"


def test_a_directory_comes_before_the_cache(hub, original, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(original, "tiny")
    assert models.load("tiny").provenance.startswith("BERT: tiny,")


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"HF_HUB_CACHE": "/a"}, "/a"),
        ({"HF_HOME": "/b"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({"HOME": "/d"}, "/d/.cache/huggingface/hub"),
    ],
)
def test_where_the_cache_is(monkeypatch, variables, place):
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(cache.home()) == place


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bert-base-chinese", "hf download bert-base-chinese --local-dir bert-base-chinese"),
        ("google-t5/t5-small", "hf download google-t5/t5-small --local-dir t5-small"),
        ("runs/reverse", "train a model: attn train-toy"),
        ("./models/bert", "train a model: attn train-toy"),
    ],
)
def test_what_is_not_there_is_answered_by_how_to_come_to_it(hub, run, name, said):
    for command in (("attend", "--text", "a"), ("models", name)):
        done = run(*command, *(() if "models" in command else ("--model", name)))
        assert done.code == 2
        assert said in done.stderr
        assert ("train-toy" in done.stderr) == ("train-toy" in said)
