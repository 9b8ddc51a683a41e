"""Tasks on one's own files: labels, tags, and pre-training on a text."""

import re

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.toy import find
from attn_cli.toy.labelled import classify, tag
from attn_cli.toy.own import is_held_out, translate
from attn_cli.toy.texts import MASK, lm, mlm

LABELLED = "".join(f"{('even', 'odd')[n % 2]}\tthe number {n} 号\n" for n in range(300))
TAGGED = "-DOCSTART- X O\n\n" + "".join(
    f"in X O\nnew{n % 9} X B-LOC\noslo X I-LOC\n\nrun{n} X O\n\n" for n in range(99)
)
PAIRS = "".join(f"{n} cats\t{n} Katzen\n" for n in range(300))
PROSE = "".join(f"{n} or not {n}?\n{n} 是 {n}。\n" for n in range(300))


FEW = "too few to hold one in twenty out"


def text_of(example):
    """Pieces joined again, without the token that the label is asked at."""
    return "".join(example.source).removeprefix("[CLS]").replace("▁", " ").strip()


def test_a_label_is_asked_before_its_text():
    dataset = classify(LABELLED, vocab=60)
    assert dataset.outputs == ("even", "odd")
    for example in dataset.train + dataset.held_out:
        assert example.source[0] == "[CLS]"
        assert example.target[1:] == (None,) * (len(example.source) - 1)
        assert example.written == [("even", "odd")[int(re.search(r"\d+", text_of(example))[0]) % 2]]
    assert dataset.facts == {"most frequent label": pytest.approx(0.5, abs=0.05)}


def test_texts_held_out_are_never_trained_on():
    dataset = classify(LABELLED + LABELLED.replace("even", "odd"), vocab=60)
    assert all(is_held_out(text_of(example)) for example in dataset.held_out)
    assert not any(is_held_out(text_of(example)) for example in dataset.train)


def test_a_word_of_several_pieces_has_its_tag_on_the_first():
    dataset = tag(TAGGED, vocab=20)
    assert dataset.outputs == ("B-LOC", "I-LOC", "O")
    example = next(e for e in dataset.train if text_of(e).startswith("in"))
    assert example.written == ["O", "B-LOC", "I-LOC"]
    begins = [i for i, piece in enumerate(example.source) if piece.startswith("▁")]
    assert begins == [i for i, its_tag in enumerate(example.target) if its_tag]
    assert not any("DOCSTART" in text_of(example) for example in dataset.train)


def test_a_language_model_is_asked_for_the_next_piece():
    dataset = lm(PROSE, vocab=60, length=6)
    for example in dataset.train + dataset.held_out:
        assert example.source[1:] == example.target[:-1]
        assert len(example.source) == 6
    assert not any(np.triu(example.expected, 1).any() for example in dataset.held_out)
    example = next(e for e in dataset.held_out if e.source[5] in e.source[:3])
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
        (
            classify,
            "good\tfine\nbad",
            "line 2: this line is not two columns separated by a tab; give LABEL<tab>TEXT",
        ),
        (
            classify,
            "a\tb\na\tc\n",
            "1 different label of 2 texts; give LABEL<tab>TEXT in each line, the label first",
        ),
        (classify, "a\tb\nb\tc\n", f"2 different texts are {FEW}; give a few hundred"),
        (tag, "in O\nOslo\n", "line 2: this line is not a word and its tag; give WORD TAG"),
        (tag, "in\tO\n\tO\n", "line 2: this line is not a word and its tag; give WORD TAG"),
        (tag, "", f"0 different sentences are {FEW}; give a few hundred"),
        (tag, "in O\n\n" * 200, f"1 different sentence is {FEW}; give a few hundred"),
        (lm, "to be or not", f"0 different windows are {FEW}; give a longer text, or a smaller length"),
        (lm, "a" * 20_000, f"0 different windows are {FEW}; give a longer text, or a smaller length"),
        (translate, "a\tb", f"1 different source sentence is {FEW}; give a few hundred"),
        (
            translate,
            "".join(f"{n}\tb\n" for n in range(200)),
            f"1 different target sentence is {FEW}; give a few hundred",
        ),
        (
            translate,
            "a\tb\n\tb\n",
            "line 2: this line is not two columns separated by a tab; give SOURCE<tab>TARGET",
        ),
        (
            translate,
            "a\t\tc\n",
            "line 1: this line is not two columns separated by a tab; give SOURCE<tab>TARGET",
        ),
    ],
)
def test_what_cannot_be_learned_from(make, text, said):
    with pytest.raises(InputError) as problem:
        make(text)
    assert str(problem.value) == said


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("lm:length=0", "length 0; give 2 to 1,000"),
        ("lm:length=1", "length 1; give 2 to 1,000"),
        ("mlm:length=-3", "length -3; give 2 to 1,000"),
        ("lm:vocab=1", "vocab 1; give 2 to 1,000,000"),
        ("mlm:vocab=0", "vocab 0; give 2 to 1,000,000"),
        ("tag:vocab=1", "vocab 1; give 2 to 1,000,000"),
        ("classify:vocab=1", "vocab 1; give 2 to 1,000,000"),
        ("classify:skip=-1", "skip -1; give at least 0"),
        ("translate:vocab=-1", "vocab -1; give 2 to 1,000,000"),
        ("translate:vocab=1000000000000", "vocab 1000000000000; give 2 to 1,000,000"),  # ended Python itself
        ("translate:skip=-5", "skip -5; give at least 0"),
        ("translate:source=\x1b[31mx", "source '\\x1b[31mx'; name it by letters, digits, - and _"),
        ("translate:target=a]\nb", "target 'a]\\nb'; name it by letters, digits, - and _"),
        ("translate:target=b\n", "target 'b\\n'; name it by letters, digits, - and _"),
        ("translate:source=", "source ''; name it by letters, digits, - and _"),
        ("translate:target=end", "target 'end': another token has that name; give another name"),
        ("translate:target=unk", "target 'unk': another token has that name; give another name"),
        ("translate:source=x,target=x,both=true", "source and target are both 'x'; name two languages"),
    ],
)
def test_options_that_cannot_be(spec, said):
    texts = {"tag": TAGGED, "classify": LABELLED, "translate": PAIRS}
    make, _ = find(spec)
    with pytest.raises(InputError) as problem:
        make(texts.get(spec.partition(":")[0], PROSE), 0, 0)
    assert str(problem.value) == said


def test_only_a_line_feed_ends_a_line():
    inside = PAIRS.replace("1 cats", "1\u2028ca\x85t\x0bs\x0cx\x1cy")
    assert any("\u2028" in "".join(example.source) for example in translate(inside, vocab=60).train)
    with pytest.raises(InputError, match=r"^line 301: "):
        translate(inside + "no tab", vocab=60)
    assert (
        translate(PAIRS.replace("\n", "\r\n"), vocab=60).vocabulary == translate(PAIRS, vocab=60).vocabulary
    )


def test_a_word_with_spaces_is_whole_where_tabs_stand_between():
    dataset = tag("".join(f"in X\tO\nNew York{n % 9}\tB-LOC\nrun{n}\tO\n\n" for n in range(300)), vocab=60)
    assert all("inX▁New▁York" in "".join(e.source).replace("in▁X", "inX") for e in dataset.train)
    assert {tuple(e.written) for e in dataset.train} == {("O", "B-LOC", "O")}


@pytest.mark.parametrize(
    ("task", "data", "said"),
    [
        ("translate", "a\tb\nno tab\n", "notab.tsv:2: this line is not two columns separated by a tab"),
        ("classify", "a\tb\n\nno tab\n", "notab.tsv:3: this line is not two columns separated by a tab"),
        ("tag", "in O\nOslo\n", "notab.tsv:2: this line is not a word and its tag"),
    ],
)
def test_an_error_in_a_line_names_its_file(run, tmp_path, task, data, said):
    (tmp_path / "notab.tsv").write_text(data, "utf-8")
    done = run("train-toy", task, "--data", "notab.tsv", cwd=tmp_path)
    assert (done.code, done.stderr.partition(";")[0]) == (2, f"attn: error: {said}")


def test_data_in_an_encoding_that_is_named(run, tmp_path):
    (tmp_path / "pairs.tsv").write_bytes(("好\tgood\n" + PAIRS).encode("gbk"))
    sizes = ("--steps", "2", "--dim", "8", "--layers", "1", "--heads", "2", "--batch", "8")
    train = ("train-toy", "translate:vocab=60", "--data", "pairs.tsv", *sizes, "--overwrite")
    guessed = run(*train, cwd=tmp_path)
    assert (guessed.code, "pairs.tsv: read as GB18030; --encoding sets it" in guessed.stderr) == (0, True)
    named = run(*train, "--encoding", "gbk", cwd=tmp_path)
    assert (named.code, "--encoding" in named.stderr, named.stdout) == (0, False, guessed.stdout)
    wrong = run(*train, "--encoding", "utf-8", cwd=tmp_path)
    assert (wrong.code, "pairs.tsv:1: is not utf-8" in wrong.stderr) == (2, True)
    without = run("train-toy", "copy", "--encoding", "gbk", cwd=tmp_path)
    assert without.code == 2
    assert without.stderr == "attn: error: --encoding does not apply to the task 'copy'; leave it out\n"


def test_texts_and_labels_the_wrong_way_round():
    rows = (line.split("\t") for line in LABELLED.splitlines())
    with pytest.raises(InputError, match=r"the label first$"):
        classify("".join(f"{b}\t{a}\n" for a, b in rows))


@pytest.mark.parametrize(
    ("spec", "text", "said"),
    [
        ("lm:vocab=60,length=6", PROSE, "Baseline (token frequencies): "),
        ("mlm:vocab=60,length=6", PROSE, "Baseline (token frequencies): "),
        ("classify:vocab=60", LABELLED, "held-out sequences"),
        ("tag:vocab=60", TAGGED, "Entity F1: "),
    ],
)
def test_from_a_file_to_a_picture_of_a_text(run, tmp_path, spec, text, said):
    (tmp_path / "data.txt").write_text(text, "utf-8")
    sizes = ("--steps", "2", "--dim", "8", "--layers", "1", "--heads", "2", "--batch", "8")
    done = run("train-toy", spec, "--data", "data.txt", *sizes, "-o", "run", cwd=tmp_path)
    assert (done.code, said in done.stderr) == (0, True)
    shown = run("heatmap", "--model", "run", "--text", "the number 7 号", "-o", "x.png", cwd=tmp_path)
    assert shown.code == 0
    unknown = r"(attn: note: the model does not know .*; it reads \[unk\] there\n)?"
    longer = r"(attn: warning: \d+ tokens, and the longest text in training had \d+: more was not learned\n)?"
    assert re.fullmatch(unknown + longer, shown.stderr)


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
    loss, frequencies = (
        float(re.search(f"{before} ([0-9.]+[0-9])", said)[1]) for before in ("Loss:", r"frequencies\):")
    )
    assert loss < 0.8 * frequencies
