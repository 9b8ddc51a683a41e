"""The bundled model: what it is, that it is what the card says, and what it shows."""

import json
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from attn_cli import models
from attn_cli.errors import AttnNote, InputError
from attn_cli.models.reading import Reading
from benchmarks.mini import LINKS, agreement
from safetensors import safe_open

ROOT = Path(__file__).parents[2]
MINI = Path(models.__file__).parent / "mini"
ENGLISH, CHINESE = "I have to go home.", "我必须回家。"


@pytest.fixture(scope="module")
def mini():
    return models.load("mini")


def test_it_is_small_and_whole():
    assert sorted(path.name for path in MINI.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    assert sum(path.stat().st_size for path in MINI.iterdir()) <= 8e6
    with safe_open(MINI / "model.safetensors", framework="np") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F16"}  # noqa: SIM118


def test_its_card_says_what_it_is_and_how_it_was_made():
    card, config = (MINI / "README.md").read_text("utf-8"), json.loads((MINI / "config.json").read_text())
    for said in ("CC BY 2.0", "Tatoeba", "28,201", "chrF", "BLEU", "attn train-toy"):
        assert said in card
    assert f"{config['results']['loss']:.3f}" in card
    assert f"--steps {config['training']['steps']}" in card


def test_the_same_weights_by_hand_in_torch_give_the_same_attention(mini, tmp_path, monkeypatch):
    sentence = ROOT / "samples" / "sentence.txt"
    monkeypatch.setattr(sys, "argv", ["reference", str(sentence), str(tmp_path / "x.png")])
    by_hand = runpy.run_path(str(ROOT / "benchmarks" / "reference_heatmap.py"))["maps"]
    attention = mini.attend(sentence.read_text())
    np.testing.assert_allclose(attention.weights, by_hand, atol=5e-6)


def test_a_word_is_the_same_token_first_and_later(mini):
    for word in ("the", "The", "animal", "I'm"):
        first, _, later = mini.read(f"{word} and {word}").numbers
        assert first == later
        assert mini.read(word).labels == [word]  # without the mark of a word


def test_every_word_of_the_samples_is_one_token(mini):
    texts = [path.read_text("utf-8") for path in (ROOT / "samples").rglob("*.txt")]
    words = {word for text in texts for word in re.findall(r"[a-z][a-z']*|[一-鿿]", text, re.IGNORECASE)}
    assert len(words) > 20
    for text in texts:
        assert set(mini.read(text).labels) <= words | set(".，。")


def test_it_is_what_heatmap_shows_by_itself(run, tmp_path):
    (tmp_path / "s.txt").write_text(ENGLISH)
    done = run("heatmap", "s.txt", "--format", "json", cwd=tmp_path)
    shown = json.loads(done.stdout)
    assert (done.code, done.stderr, shown["kind"]) == (0, "", "encoder")
    assert shown["provenance"].startswith("mini (English ↔ Chinese), 3 + 3 layers × 4 heads, seed 0, loss ")
    assert shown["query_tokens"] == ["I", "have", "to", "go", "home", "."]
    assert np.shape(shown["weights"]) == (3, 4, 6, 6)


@pytest.mark.parametrize(("source", "written"), [(ENGLISH, "[一-鿿]"), (CHINESE, "[A-Za-z]")])
def test_cross_attention_comes_with_a_translation(run, source, written):
    done = run("heatmap", "--text", source, "--kind", "cross", "--format", "json")
    shown = json.loads(done.stdout)
    said = re.fullmatch(r"attn: note: greedy output: (.+)\n", done.stderr)[1]
    assert re.search(written, said)
    assert f'greedy output "{said}"' in shown["provenance"]
    assert shown["query_tokens"][-1] == "[end]"
    assert "".join(shown["query_tokens"][:-1]) == said.replace(" ", "")
    assert "".join(shown["key_tokens"]) == source.replace(" ", "")


@pytest.mark.filterwarnings("ignore:greedy output")
def test_what_it_writes_comes_with_how_likely_each_token_was(mini):
    """One pass over the whole translation gives what each step of writing it gave; the first token stands after [zh]."""
    numbers = mini.generate(torch.tensor([mini.read(ENGLISH).numbers]), "[zh]").numbers
    end = mini.vocabulary.index("[end]")
    read = torch.tensor([[mini.vocabulary.index("[zh]"), *numbers]])
    with torch.no_grad():
        logits = mini.model(torch.tensor([mini.read(ENGLISH).numbers]), target=read)[0]
    chances = logits.double().softmax(-1).numpy()
    expected = [chances[row, number] for row, number in enumerate([*numbers, end])]
    cross, decoder = (mini.attend(ENGLISH, Reading(kind=kind)) for kind in ("cross", "decoder"))
    np.testing.assert_allclose(cross.probabilities, expected, rtol=1e-4)
    np.testing.assert_allclose(decoder.probabilities, [0, *expected[:-1]], rtol=1e-4)
    assert (cross.written, decoder.written) == (None, (0, *[1] * len(numbers)))
    likeliest = [mini.vocabulary[number] for number in chances[0].argsort()[::-1][:5]]
    named = [cross.candidates[place].replace(" ", "▁") for place in cross.top_tokens[0]]
    assert named == likeliest
    np.testing.assert_allclose(cross.top_probabilities[0], sorted(chances[0])[:-6:-1], rtol=1e-4)
    assert cross.top_tokens.shape == (len(numbers) + 1, 5)
    given = mini.attend(ENGLISH, Reading(kind="cross", target=CHINESE))
    assert given.probabilities is given.top_tokens is None


def test_a_translation_of_ones_own_is_aligned(mini, run, tmp_path):
    (tmp_path / "zh.txt").write_text(CHINESE + "\n", "utf-8")
    options = ("--text", ENGLISH, "--kind", "cross", "--format", "json")
    by_text = run("heatmap", *options, "--target", CHINESE)
    by_file = run("heatmap", *options, "--target", "zh.txt", cwd=tmp_path)
    assert by_text.stdout == by_file.stdout
    assert by_text.stderr == ""
    assert json.loads(by_text.stdout)["query_tokens"] == [*CHINESE, "[end]"]
    home = mini.attend(ENGLISH, Reading(kind="cross", target=CHINESE, layers="last")).weights[0].mean(axis=0)
    assert home[4].argmax() == 4  # 家, home


def test_a_file_that_is_not_there_is_not_aligned_as_a_translation(run, tmp_path):
    (tmp_path / "mine.txt").write_text(CHINESE, "utf-8")
    done = run("heatmap", "--text", ENGLISH, "--kind", "cross", "--target", "mien.txt", cwd=tmp_path)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == "attn: error: mien.txt: no such file; did you mean 'mine.txt'?\n"


def test_what_looks_like_a_token_of_its_own_is_text(mini):
    with pytest.warns(AttnNote, match=r"does not know \[ \]"):
        shown = mini.attend("Go [end] home.", Reading(kind="cross", target="[zh]回家。"))
    assert shown.query_tokens == ("[", "z", "h", "]", "回", "家", "。", "[end]")
    assert "[end]" not in shown.key_tokens


def test_it_says_what_it_cannot_read(run):
    done = run("heatmap", "--text", "I like 😀 ѣ 😀.", "--format", "json")
    assert done.stderr == "attn: note: the model does not know 😀 ѣ; it reads [unk] there\n"
    assert "😀" in json.loads(done.stdout)["key_tokens"]


def test_the_decoder_sees_what_it_has_written_only(mini):
    shown = mini.attend(ENGLISH, Reading(kind="decoder", target=CHINESE))
    assert shown.query_tokens == shown.key_tokens == ("[zh]", *CHINESE)
    assert not np.triu(shown.weights, 1).any()
    with pytest.warns(AttnNote, match="special tokens are hidden; rows sum to less than 1"):
        hidden = mini.attend(ENGLISH, Reading(kind="decoder", target=CHINESE, special="drop"))
    assert hidden.key_tokens == tuple(CHINESE)


def test_one_layer_is_the_same_as_of_all(mini):
    for kind in ("encoder", "decoder", "cross"):
        whole = mini.attend(ENGLISH, Reading(kind=kind, target=CHINESE))
        one = mini.attend(ENGLISH, Reading(kind=kind, target=CHINESE, layers=(1,)))
        np.testing.assert_allclose(one.weights[0], whole.weights[1], atol=1e-6)


def test_fifty_words_are_aligned_as_a_person_aligned_them(mini):
    assert len(LINKS.read_text("utf-8").splitlines()) == 51
    for name, shares in agreement(mini).items():
        assert shares.max() >= 0.85, name  # by chance one in nine


def test_text_too_long_and_in_pieces(mini, run):
    long = ("a b " * 300).strip()
    with pytest.raises(
        InputError, match=r"600 tokens, the model reads at most 256; --too-long truncate reads"
    ):
        mini.attend(long)
    pieces = mini.attend(long, Reading(too_long="chunk"))
    assert len(pieces.query_tokens) == 600
    assert not pieces.weights[:, :, 0, 256:].any()
    assert run("heatmap", "--text", long, "--kind", "cross", "--too-long", "chunk").stderr.startswith(
        "attn: error: --too-long chunk"
    )


def test_what_it_reads_is_said(run):
    assert dict(line.split("\t") for line in run("models", "mini").stdout.splitlines())["stack"] == "both"
    assert run("heatmap", "--text", "a", "--model", "mini", "--pair", "b").stderr.startswith(
        "attn: error: a run"
    )
