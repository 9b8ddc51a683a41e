"""The toy tasks that are sentences: each worked out by hand, and what their grammars must not give away."""

import re

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.toy.tasks import TASKS
from attn_cli.toy.tasks.sentences import _OPINIONS


def drawn(spec, n=400):
    """Some examples of a task."""
    rng, task = np.random.default_rng(0), TASKS.parse(spec)
    return [task(rng) for _ in range(n)]


def first(spec, *words):
    """The first example whose source has these words in this order."""
    pattern = ".*".join(map(re.escape, words))
    return next(e for e in drawn(spec, 4000) if re.search(pattern, " ".join(e.source)))


def looked_at(example, row=0):
    """The words that a row of the expected attention has."""
    return [example.source[i] for i in np.flatnonzero(example.expected[row])]


@pytest.mark.parametrize(
    ("words", "answer", "deciding"),
    [
        (("found it great",), "positive", ["great"]),
        (("found it not great",), "negative", ["not", "great"]),
        (("觉得 它 不 糟糕",), "positive", ["不", "糟糕"]),
        (("觉得 它 无聊",), "negative", ["无聊"]),
    ],
)
def test_what_i_found_decides_and_not_turns_it_round(words, answer, deciding):
    example = first("sentiment", *words)
    assert example.written == [answer]
    assert looked_at(example) == deciding


def test_what_others_found_tells_nothing():
    theirs = {"same": 0, "other": 0}
    good = {word for language in _OPINIONS for word in language["good"]}
    for example in drawn("sentiment", 2000):
        before = example.source[: example.source.index("it" if "it" in example.source else "它")]
        said = "positive" if good & set(before) else "negative"
        theirs["same" if said == example.written[0] else "other"] += 1
    assert abs(theirs["same"] - theirs["other"]) < 200  # of 2000; by chance two in three are below 45


def test_names_are_tagged_by_the_word_before_them():
    example = next(e for e in drawn("ner") if "near" in e.source and e.target.count("O") < len(e.target) - 2)
    cue = example.source.index("near")
    assert example.target[cue : cue + 2] == ("O", "B-LOC")
    assert looked_at(example, cue + 1) == ["near"]


def test_every_name_has_every_kind():
    kinds = {}
    for example in drawn("ner", 2000):
        for word, tag in zip(example.source, example.target, strict=True):
            if tag != "O":
                kinds.setdefault(word, set()).add(tag)
    assert all(len(tags) == 6 for tags in kinds.values())


def test_the_marked_pair_is_what_is_asked():
    example = first("relation", "lives in oslo", "works for [2]")
    assert example.written == ["works-for"]
    assert looked_at(example) == ["works"]
    example = first("relation", "lives in [2]", "works for")
    assert example.written == ["lives-in"]
    assert looked_at(example) == ["lives"]


def test_a_summary_is_the_tagged_sentence_without_its_adjective():
    example = next(e for e in drawn("summary") if len(e.source) == 16)  # three sentences of five and a tag
    tag = example.source.index("!")
    assert example.target == example.source[tag + 2 : tag + 5]
    assert [looked_at(example, row) for row in range(3)] == [[word] for word in example.target]


def test_a_slot_has_what_was_said_of_it_last():
    taken_back = [e for e in drawn("dialogue") if e.source.count("food") == 2]
    for example in taken_back:
        last = len(example.source) - 1 - example.source[::-1].index("food")
        assert example.source[last - 1] == "no"
        assert example.target[0] == example.source[last + 1]
        assert np.flatnonzero(example.expected[0]).tolist() == [last + 1]
    assert taken_back
    silent = next(e for e in drawn("dialogue") if e.target[1] == "–")
    assert not silent.expected[1].any()
    assert not {"place", "地点"} & set(silent.source)


def test_a_summary_of_nothing():
    with pytest.raises(InputError, match=r"^longest 0; give 1 to 100$"):
        drawn("summary:longest=0", 1)
