"""Pieces of words as a reader knows them, whatever tokenizer has cut them: real ones, made here."""

import json

import pytest
from attn_cli.models.native.text import tokenised
from attn_cli.text.pieces import in_bytes, joined, labels
from attn_cli.text.tokenizers import json_tokenizer
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors


def byte_level(*, trim=False):
    """A tokenizer like GPT-2's that has learned no merge but that of a space and a letter: bytes alone."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: i for i, piece in enumerate([*alphabet, "Ġc", "½ł"])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("Ġ", "c"), ("½", "ł")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim)
    return tokenizer


def wordpiece():
    """A tokenizer like BERT's."""
    pieces = ["[UNK]", "un", "##believ", "##able", "cat", "##s", "注", "意", ",", "don", "'", "t"]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def sentencepiece():
    """A tokenizer like Llama's: a mark before every word, and bytes for what it has no piece for."""
    pieces = ["<unk>", "▁", "a", "b", "▁a", "ab", "<0xE4>", "<0xBD>", "<0xA0>"]
    merges = [("▁", "a"), ("a", "b")]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return tokenizer


@pytest.mark.parametrize("trim", [False, True])
def test_bytes_are_shown_as_the_character_of_which_they_are_parts(trim):
    read = json_tokenizer(byte_level(trim=trim).to_str())
    assert read("你") == ["你¹⁄₂", "你²⁄₂"]
    assert read("好😀") == ["好¹⁄₃", "好²⁄₃", "好³⁄₃", "😀¹⁄₄", "😀²⁄₄", "😀³⁄₄", "😀⁴⁄₄"]
    assert read("c 你")[1:] == [" ", "你¹⁄₂", "你²⁄₂"]


def test_models_call_pieces_as_encode_does_but_for_the_space_before():
    tokenizer = byte_level()
    for text in ("c c 你", "好😀c"):
        shown = tokenised(tokenizer.encode(text), [text]).labels
        assert shown == [name.strip() or name for name in json_tokenizer(tokenizer.to_str())(text)]


def test_the_mark_of_a_space_is_a_space_and_no_part_of_a_character():
    tokenizer = sentencepiece()
    assert json_tokenizer(tokenizer.to_str())("你ab a") == [" ", "你¹⁄₃", "你²⁄₃", "你³⁄₃", "ab", " a"]
    assert tokenised(tokenizer.encode("b b"), ["b b"]).labels == [" ", "b", " ", "b"]


def test_a_pair_of_texts_keeps_both_apart():
    tokenizer = wordpiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[UNK] $A [UNK]", pair="[UNK] $A [UNK] $B [UNK]", special_tokens=[("[UNK]", 0)]
    )
    shown = tokenised(tokenizer.encode("cats", "注意"), ["cats", "注意"]).labels
    assert shown == ["[UNK]", "cat", "s", "[UNK]", "注", "意", "[UNK]"]


def test_a_mark_that_the_text_itself_has_is_left_alone():
    assert labels("a ▁", ["a", "▁"], [(0, 1), (2, 3)]) == ["a", "▁"]


def test_encode_says_which_part_a_piece_is(run, tmp_path):
    (tmp_path / "t.json").write_text(byte_level().to_str())
    done = run(
        "encode", "--text", "你", "--tokenizer", "t.json", "--dim", "1", "--format", "json", cwd=tmp_path
    )
    assert json.loads(done.stdout)["tokens"] == ["你¹⁄₂", "你²⁄₂"]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12))
def test_the_pieces_of_a_text_join_to_it_again(text):
    assert "⁄" in text or joined(json_tokenizer(byte_level().to_str())(text)) == text


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\xe4", "<0xE4>"), (b" \xe4\xbd", " <0xE4><0xBD>"), ("你".encode(), "你"), (b"\xa0a", "<0xA0>a"), (b"\x00\xff", "\0<0xFF>")],
)  # fmt: skip
def test_what_is_no_character_is_called_by_its_bytes(data, said):
    """The letters of bytes are those that the library shows a text of that byte in."""
    splitter = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    ((whole, _),) = splitter.pre_tokenize_str("".join(map(chr, range(0x80))))
    letters = dict(enumerate(whole))
    known = [chr(byte) for byte in (*range(0xA1, 0xAD), *range(0xAE, 0x100))]
    letters |= {ord(letter): letter for letter in known}
    letters |= {0x80 + i: chr(0x122 + i) for i in range(0x21)} | {0xAD: "\u0143"}
    assert set(letters.values()) == set(splitter.alphabet())
    piece = "".join(letters[byte] for byte in data)
    assert in_bytes(piece, data.decode("utf-8", "replace")) == said
