"""Attention between words: which tokens are pieces of one, and what their weights are together."""

import json

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.models.native.text import tokenised
from attn_cli.records.attention import Attention
from attn_cli.records.selection import crop
from attn_cli.records.words import merged, words_in
from hypothesis import given
from hypothesis import strategies as st
from test_pieces import byte_level, sentencepiece, wordpiece


def groups(tokenizer, text):
    """The tokens of each word."""
    tokens = tokenised(tokenizer.encode(text), [text]).labels
    numbers = words_in(text, tokens)
    return [[t for t, n in zip(tokens, numbers, strict=True) if n == number] for number in sorted({*numbers})]


def attention(weights, tokens, words=None, **parts):
    return Attention(
        tokens, tokens, np.array(weights, float)[None, None], query_words=words, key_words=words, **parts
    )


def test_pieces_of_a_wordpiece_tokenizer_make_words_and_marks_stay_alone():
    found = groups(wordpiece(), "Unbelievable cats, 注意 don't")
    assert found == [["Un", "believ", "able"], ["cat", "s"], [","], ["注"], ["意"], ["don", "'", "t"]]


def test_bytes_make_characters_and_letters_words():
    found = groups(byte_level(), "ca 你好 c😀")
    assert found == [
        ["c", "a"],
        [" ", "你¹⁄₂", "你²⁄₂"],
        ["好¹⁄₃", "好²⁄₃", "好³⁄₃"],
        ["c"],
        ["😀¹⁄₄", "😀²⁄₄", "😀³⁄₄", "😀⁴⁄₄"],
    ]


def test_marks_of_spaces_begin_words():
    assert groups(sentencepiece(), "abb ab 你") == [
        ["a", "b", "b"],
        ["a", "b"],
        [" ", "你¹⁄₃", "你²⁄₃", "你³⁄₃"],
    ]


def test_special_tokens_stand_alone_and_other_texts_say_nothing():
    assert words_in("[x] ab ab", ("[CLS]", "a", "b", "[SEP]", "a", "b")) == (1, 2, 2, 3, 4, 4)
    assert words_in("something else", ("a", "b", "[SEP]")) is None


def test_weights_are_summed_over_keys_and_averaged_over_queries():
    weights = [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8], [1, 0, 0]]
    words = merged(attention(weights, ("un", "do", "it"), (0, 0, 1), provenance="by hand"))
    assert words.query_tokens == words.key_tokens == ("undo", "it")
    np.testing.assert_allclose(words.weights[0, 0], [[(0.5 + 0.2) / 2, (0.5 + 0.8) / 2], [1, 0]])
    assert words.provenance == "by hand; pieces merged to words"


def test_a_word_is_permitted_where_a_piece_is_and_numbers_of_pieces_are_left_out():
    causal = np.tri(3, dtype=bool)
    weights = causal / causal.sum(axis=1, keepdims=True)
    words = merged(
        attention(weights, ("a", "b", "c"), (0, 0, 1), mask=causal[None, None], scores=np.zeros((1, 1, 3, 3)))
    )
    assert words.mask[0, 0].tolist() == [[True, False], [True, True]]
    assert words.scores is None
    assert words.query_words is words.key_words is None


@given(st.lists(st.integers(0, 2), min_size=1, max_size=12), st.integers(0, 99))
def test_rows_still_sum_to_one_and_weights_to_as_much(words, seed):
    scores = np.random.default_rng(seed).normal(size=(1, 2, len(words), len(words)))
    weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    tokens = tuple("x" * len(words))
    record = Attention(tokens, tokens, weights, query_words=tuple(words), key_words=tuple(words))
    np.testing.assert_allclose(merged(record).weights.sum(axis=-1), 1, rtol=1e-12)


def test_marks_in_tokens_tell_too_and_without_any_it_is_refused():
    eye = np.eye(4)
    assert merged(attention(eye, ("[CLS]", "un", "##do", "it"))).key_tokens == ("[CLS]", "undo", "it")
    assert merged(attention(eye, ("<s>", "un", "do", "Ġit"))).key_tokens == ("<s>", "undo", "Ġit")
    assert merged(attention(eye, ("▁un", "do", "</s>", "it"))).key_tokens == ("undo", "</s>", "it")
    with pytest.raises(InputError, match="token boundaries are unknown; read the text"):
        merged(attention(eye, ("a", "b", "c", "d")))
    with pytest.raises(InputError, match="pooled over positions"):
        merged(Attention(("a", "b"), ("a", "b"), np.ones((1, 1, 1, 1)), pooled=True))


def test_a_range_keeps_the_words_of_what_is_left():
    part = crop(attention(np.eye(3), ("a", "b", "c"), (0, 1, 1)), "key", "1:")
    assert (part.query_words, part.key_words) == ((0, 1, 1), (1, 1))
    with pytest.raises(InputError, match="query_words of length 1 for 2 tokens"):
        Attention(("a", "b"), ("a", "b"), np.eye(2)[None, None], query_words=(0,))


@pytest.mark.parametrize("suffix", ["json", "npz", "safetensors"])
def test_saved_attention_knows_its_words(run, tmp_path, suffix):
    fields = {
        "type": "attention",
        "schema_version": 1,
        "query_tokens": ["un", "do"],
        "key_tokens": ["un", "do"],
    }
    fields |= {"weights": [[[[0.5, 0.5], [0.5, 0.5]]]], "query_words": [4, 4], "key_words": [4, 4]}
    (tmp_path / "a.json").write_text(json.dumps(fields))
    assert run("attend", "a.json", "-o", f"b.{suffix}", cwd=tmp_path).code == 0
    done = run("attend", f"b.{suffix}", "--words", "--format", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["key_tokens"] == ["undo"]
    assert json.loads(done.stdout)["weights"] == [[[[1.0]]]]
