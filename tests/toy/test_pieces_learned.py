"""The pieces that texts are cut into, learned from texts: the mark of a word, and words that are kept whole."""

import json
from collections import Counter

import pytest
from attn_cli.errors import InputError
from attn_cli.toy.own import translate
from attn_cli.toy.pieces import new_tokenizer
from hypothesis import given
from hypothesis import strategies as st

FEW = [
    *["the cat sees the hat", "the hat"] * 20,
    *["The cat", '"Hats," said the cats'] * 2,
    *["小猫 and 猫"] * 2,
]


@pytest.fixture(scope="module")
def tokenizer():
    return new_tokenizer(FEW, 80)


def test_a_word_at_the_beginning_is_the_same_piece_as_in_the_middle(tokenizer):
    first, _, middle = tokenizer.encode("the cat the").tokens
    assert first == middle == "▁the"
    assert tokenizer.encode("The").tokens == ["▁The"]
    assert tokenizer.encode("the").offsets == [(0, 3)]  # the mark is no character of the text


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("小猫", "小"),  # has no spaces between words
        ('"the', '"'),
        (" the", "▁the"),  # not two marks
        ("▁the", "▁the"),
    ],
)
def test_what_begins_with_no_word_has_no_mark(tokenizer, text, first):
    assert tokenizer.encode(text).tokens[0] == first


@given(st.text("theca小猫 \"'.é", max_size=20))
def test_pieces_join_to_the_text_again_but_for_a_space_in_front(text):
    tokenizer = new_tokenizer([*FEW, "\"' é.é"] * 2, 80, whole=2)
    assert tokenizer.decode(tokenizer.encode(text).ids) == text.removeprefix(" ")


def test_the_most_frequent_words_are_whole_in_every_form_that_is_written_twice():
    words = {word for n in (1, 2) for word in new_tokenizer(FEW, 30, whole=n).get_vocab()}
    assert {"▁the", "▁The"} <= words
    for whole in range(6):
        tokenizer = new_tokenizer(FEW, 40, whole=whole)
        said = " ".join(FEW).replace('"', " ").replace(",", " ").split()
        counts = Counter(word.lower() for word in said if word.isascii())
        for word in [word for word, _ in counts.most_common(whole)]:
            for form in {form for form in said if form.lower() == word}:
                assert tokenizer.encode(f"{form} {form}").tokens == [f"▁{form}"] * 2


def test_words_take_the_place_of_what_was_merged_last():
    sizes = {whole: new_tokenizer(FEW, 34, ["[end]"], whole=whole) for whole in (0, 4)}
    assert {one.get_vocab_size() for one in sizes.values()} == {34}
    assert sizes[4].token_to_id("[end]") == 1
    merges = [json.loads(one.to_str())["model"]["merges"] for one in sizes.values()]
    assert merges[1] == merges[0][: len(merges[1])]
    assert sizes[4].encode("[end]").tokens[0] == "[unk]"  # in a text it is text


def test_more_words_than_there_is_room_for_are_refused():
    with pytest.raises(
        InputError, match=r"^vocab 23, but 24 are needed for 7 words and every character; give a larger"
    ):
        new_tokenizer(FEW, 23, whole=5)
    with pytest.raises(InputError, match=r"^whole -1; give 0 to 1,000,000$"):
        new_tokenizer(FEW, 24, whole=-1)


def test_pairs_have_words_whole_on_both_sides():
    pairs = "".join(f"animals {n}\tanimaux {n}\n" for n in range(100))
    tokens = [
        {token for e in translate(pairs, vocab=30, whole=n).train for token in e.source + e.target}
        for n in (0, 2)
    ]
    assert [{"▁animals", "▁animaux"} <= some for some in tokens] == [False, True]
