"""What a person says about arrays from elsewhere on the command line: an example of a batch, and names of tokens."""

import numpy as np
import pytest

BATCH = np.random.default_rng(0).dirichlet(np.ones(3), (3, 2, 2))  # [batch, head, query, key]
NAMED = ("--tokens", "q.txt", "--key-tokens", "k.txt")


@pytest.fixture(autouse=True)
def _files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("batch.npy", BATCH)
    np.save("one.npy", BATCH[1, 0])
    for name, tokens in (("q.txt", "a b"), ("k.txt", "x y z"), ("four.txt", "a b c d")):
        (tmp_path / name).write_text(tokens.replace(" ", "\n"))


def rows(text):
    header, *lines = (line.split("\t") for line in text.splitlines())
    return header[4:], [line[3] for line in lines], np.array([line[4:] for line in lines], dtype=float)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("batch.npy", "--batch", "1"), BATCH[1].reshape(4, 3)),
        (("--weights", "one.npy"), BATCH[1, 0]),
        (("batch.npy", "--batch", "2", "--head", "1"), BATCH[2, 1]),
    ],
)
def test_an_example_of_a_batch_and_the_names_of_its_tokens(run, tmp_path, given, expected):
    done = run("attend", *given, *NAMED, cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "")
    keys, queries, weights = rows(done.stdout)
    assert keys == ["0:x", "1:y", "2:z"]
    assert queries == ["a", "b"] * (len(expected) // 2)
    np.testing.assert_array_equal(weights, expected)


def test_a_saved_attention_is_shown_under_other_names(run, tmp_path):
    assert run("attend", "--weights", "one.npy", "-o", "saved.npz", cwd=tmp_path).code == 0
    keys, queries, _ = rows(run("attend", "saved.npz", *NAMED, cwd=tmp_path).stdout)
    assert (keys, queries) == (["0:x", "1:y", "2:z"], ["a", "b"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("batch.npy", "--batch", "3"), "batch.npy: batch 3 of 3 in numbers; give 0 to 2"),
        (("--weights", "one.npy", "--key-tokens", "four.txt"), "one.npy: 4 tokens for 3 key positions"),
        (("saved.tsv", "--tokens", "four.txt"), "4 tokens for 2 positions; give one for each"),
        (("saved.tsv", "--batch", "0"), "--batch does not apply to saved attention; leave it out"),
        (("--text", "a b", "--tokens", "q.txt"), "--tokens does not apply to text; leave it out"),
    ],
)
def test_what_does_not_fit_is_refused(run, tmp_path, given, said):
    run("attend", "--weights", "one.npy", "-o", "saved.tsv", cwd=tmp_path)
    done = run("attend", *given, cwd=tmp_path)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"attn: error: {said}")
