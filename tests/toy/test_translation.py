"""BLEU and chrF of `train-toy translate`: by hand, and from the command line."""

import json
import sys

import pytest
from attn_cli.errors import InputError
from attn_cli.toy.own import translate
from attn_cli.toy.translation import measure, score

PAIRS = "".join(f"{n} red cats\t{n} 只红猫\n{n} red cats\t{n}只猫\n" for n in range(60))


@pytest.fixture
def dataset():
    return translate(PAIRS, vocab=40, both=True, source="en", target="zh")


def test_scores_by_hand():
    same = score(["the cat sat down"], [["the cat sat down"]], "en")
    assert (round(same.bleu, 9), same.chrf, same.sentences) == (100, 100, 1)
    assert score(["a dog"], [["the cat sat down"]], "en").bleu == 0
    # BLEU of 4 words of 5, in a row: precisions 1, 1, 1, 1, brevity exp(1 − 5/4)
    assert score(["the cat sat down"], [["the cat sat down now"]], "en").bleu == pytest.approx(
        77.8800783, rel=1e-8
    )


def test_chinese_is_scored_by_character():
    assert score(["我必须回家"], [["我必须回家"]], "zh").bleu == pytest.approx(100)
    assert (
        score(["我必须回家"], [["我必须回家吧"]], "en").bleu
        < 1
        < score(["我必须回家"], [["我必须回家吧"]], "zh").bleu
    )


def test_every_translation_of_a_sentence_is_right(dataset):
    asked = {}

    def write(examples):
        asked[examples[0].start] = len(examples)
        last = {example.source: example for example in dataset.held_out}  # any of its translations
        return ["".join(last[example.source].target).replace("▁", " ") for example in examples]

    measured = measure(dataset, write)
    assert list(measured) == ["en", "zh"]
    assert [round(one.chrf, 9) for one in measured.values()] == [100, 100]
    english = [example.source for example in dataset.held_out if example.start == "[zh]"]
    assert len(english) == 2 * asked["[zh]"] == 2 * len(set(english)) == 2 * measured["zh"].sentences


def test_what_is_unknown_is_never_right(dataset):
    assert "[unk]" in dataset.vocabulary
    written = measure(dataset, lambda examples: ["[unk]"] * len(examples))
    assert all(one.chrf < 10 for one in written.values())


def test_train_toy_reports_both_directions(run, tmp_path, monkeypatch):
    (tmp_path / "pairs.tsv").write_text(PAIRS, "utf-8")
    sizes = ("--steps", "2", "--dim", "8", "--layers", "1", "--heads", "2", "--batch", "8")
    train = ("train-toy", "translate:vocab=40,both=true,source=en,target=zh", "--data", "pairs.tsv", *sizes)
    done = run(*train, cwd=tmp_path)
    assert done.code == 0
    assert "Into en: BLEU " in done.stderr
    assert "Into zh: BLEU " in done.stderr
    header, row = (line.split("\t") for line in done.stdout.splitlines())
    told = dict(zip(header, row, strict=True))
    for language, scores in json.loads((tmp_path / "runs/translate/config.json").read_text())["results"][
        "translations"
    ].items():
        assert float(told[f"bleu_{language}"]) == scores["bleu"]
        assert float(told[f"chrf_{language}"]) == scores["chrf"]
    assert (tmp_path / "runs/translate/cross.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    without = run(*train, "--overwrite", cwd=tmp_path)
    assert without.code == 0
    assert "attn: note: BLEU and chrF need sacrebleu; pip install 'attn-cli[translate]'\n" in without.stderr
    with pytest.raises(InputError, match="need sacrebleu"):
        score(["a"], [["a"]], "en")
