"""Tasks on one's own files: labels, tags, and pre-training on a text."""

import re

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.toy.labelled import classify, tag
from attn_cli.toy.own import is_held_out
from attn_cli.toy.texts import MASK, lm, mlm

LABELLED = "".join(f"{('even', 'odd')[n % 2]}\tthe number {n} 号\n" for n in range(300))
TAGGED = "-DOCSTART- X O\n\n" + "".join(
    f"in X O\nnew{n % 9} X B-LOC\noslo X I-LOC\n\nrun{n} X O\n\n" for n in range(99)
)
PROSE = "".join(f"{n} or not {n}?\n{n} 是 {n}。\n" for n in range(300))


def text_of(example):
    """Pieces joined again, without the token that the label is asked at."""
    return "".join(example.source).removeprefix("[CLS]").replace("▁", " ")


def test_a_label_is_asked_before_its_text():
    dataset = classify(LABELLED, vocab=60)
    assert dataset.outputs == ("even", "odd")
    for example in dataset.train + dataset.held_out:
        assert example.source[0] == "[CLS]"
        assert example.target[1:] == (None,) * (len(example.source) - 1)
        assert example.written == [("even", "odd")[int(re.search(r"\d+", text_of(example))[0]) % 2]]
    assert dataset.facts == {"what is most frequent": pytest.approx(0.5, abs=0.05)}


def test_texts_held_out_are_never_trained_on():
    dataset = classify(LABELLED + LABELLED.replace("even", "odd"), vocab=60)
    assert all(is_held_out(text_of(example)) for example in dataset.held_out)
    assert not any(is_held_out(text_of(example)) for example in dataset.train)


def test_a_word_of_several_pieces_has_its_tag_on_the_first():
    dataset = tag(TAGGED, vocab=20)
    assert dataset.outputs == ("B-LOC", "I-LOC", "O")
    example = next(e for e in dataset.train if text_of(e).startswith("in"))
    assert example.written == ["O", "B-LOC", "I-LOC"]
    begins = [i for i, piece in enumerate(example.source) if piece.startswith("▁") or i == 0]
    assert begins == [i for i, its_tag in enumerate(example.target) if its_tag]
    assert not any("DOCSTART" in text_of(example) for example in dataset.train)


def test_a_language_model_is_asked_for_the_next_piece():
    dataset = lm(PROSE, vocab=60, length=6)
    for example in dataset.train:
        assert example.source[1:] == example.target[:-1]
        assert len(example.source) == 6
        assert not np.triu(example.expected, 1).any()
    example = next(e for e in dataset.train if e.source[5] in e.source[:2])
    assert example.expected[5, example.source.index(example.source[5]) + 1]  # after its earlier self


def test_what_is_covered_is_asked_for_and_nothing_else():
    dataset = mlm(PROSE, vocab=60, length=8, share=0.3)
    asked = [token for e in dataset.train for token in e.written]
    seen = [token for e in dataset.train for token, ask in zip(e.source, e.target, strict=True) if ask]
    assert 0.7 < np.mean([token == MASK for token in seen]) < 0.9
    assert 0.05 < np.mean([a == b for a, b in zip(asked, seen, strict=True)]) < 0.2
    assert 0.25 < len(asked) / (8 * len(dataset.train)) < 0.42
    hidden = [token for e in dataset.train for token, ask in zip(e.source, e.target, strict=True) if not ask]
    assert MASK not in hidden


@pytest.mark.parametrize(
    ("make", "text", "said"),
    [
        (classify, "good\tfine\nbad", "line 2: no label and text with a tab between; give LABEL<tab>TEXT"),
        (
            classify,
            "a\tb\na\tc\n",
            "1 different label of 2 texts; give LABEL<tab>TEXT in each line, the label first",
        ),
        (classify, "a\tb\nb\tc\n", "2 examples are too few; give at least a hundred"),
        (tag, "in O\nOslo\n", "line 2: a word without a tag; give WORD TAG"),
        (tag, "", "0 examples are too few; give at least a hundred"),
        (lm, "to be or not", "0 pieces of text are too few; give a longer text"),
    ],
)
def test_what_cannot_be_learned_from(make, text, said):
    with pytest.raises(InputError) as problem:
        make(text)
    assert str(problem.value) == said


def test_texts_and_labels_the_wrong_way_round():
    rows = (line.split("\t") for line in LABELLED.splitlines())
    with pytest.raises(InputError, match=r"the label first$"):
        classify("".join(f"{b}\t{a}\n" for a, b in rows))


@pytest.mark.parametrize(
    ("spec", "text", "said"),
    [
        ("lm:vocab=60,length=6", PROSE, "Knowing only how frequent each token is gives "),
        ("mlm:vocab=60,length=6", PROSE, "Knowing only how frequent each token is gives "),
        ("classify:vocab=60", LABELLED, "held-out sequences are right"),
        ("tag:vocab=60", TAGGED, "Entities are found with F1 "),
    ],
)
def test_from_a_file_to_a_picture_of_a_text(run, tmp_path, spec, text, said):
    (tmp_path / "data.txt").write_text(text, "utf-8")
    sizes = ("--steps", "2", "--dim", "8", "--layers", "1", "--heads", "2", "--batch", "8")
    done = run("train-toy", spec, "--data", "data.txt", *sizes, "-o", "run", cwd=tmp_path)
    assert (done.code, said in done.stderr) == (0, True)
    shown = run("heatmap", "--model", "run", "--text", "the number 7 号", "-o", "x.png", cwd=tmp_path)
    assert (shown.code, shown.stderr) == (0, "")


def test_a_small_language_model_beats_the_frequencies(run, tmp_path):
    (tmp_path / "data.txt").write_text(PROSE, "utf-8")
    train = (
        "train-toy",
        "lm:vocab=40,length=8",
        "--data",
        "data.txt",
        "--steps",
        "60",
        "--dim",
        "16",
        "--lr",
        "0.01",
    )
    said = run(*train, "--layers", "1", "--evaluate-every", "60", cwd=tmp_path).stderr
    loss, frequencies = (float(re.search(f"{before} ([0-9.]+[0-9])", said)[1]) for before in ("is", "gives"))
    assert loss < 0.8 * frequencies
