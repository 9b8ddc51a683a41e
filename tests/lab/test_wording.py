"""Texts in both languages: the same keys, the same places for numbers, nothing left out."""

import dataclasses
import re
import string

import pytest
from attn_cli.errors import InputError
from attn_cli.lab.exercise import proposed
from attn_cli.lab.mistakes import MISTAKES
from attn_cli.lab.mistakes.made_by import MADE_BY
from attn_cli.lab.wording import LANGUAGES, mistake_text, mistakes, say, sentences

HAN = re.compile("[\u4e00-\u9fff]")
FACTS = {name: getattr(proposed(), name) for name in ("n_query", "n_key", "n_heads", "d_head", "d_model")}


def places(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_sentences_have_the_same_keys_and_places():
    ours, theirs = sentences("en"), sentences("zh")
    assert list(ours) == list(theirs)
    for key in ours:
        assert places(ours[key]) == places(theirs[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mistake_has_a_text_and_no_other(language):
    assert set(mistakes(language)) == set(MISTAKES)


@pytest.mark.parametrize("name", MISTAKES)
def test_texts_have_the_same_parts_and_places(name):
    ours, theirs = (dataclasses.asdict(mistake_text(language, name)) for language in LANGUAGES)
    for part in ours:
        assert bool(ours[part]) == bool(theirs[part]), part
        assert places(ours[part]) == places(theirs[part]), part
        assert places(ours[part]) <= (set(FACTS) if part in ("here", "fix") else set()), part


@pytest.mark.parametrize("name", MISTAKES)
def test_texts_are_whole_sentences(name):
    english, chinese = (mistake_text(language, name) for language in LANGUAGES)
    for part in ("why", "see", "fix"):
        assert getattr(english, part).endswith("."), part
        assert getattr(chinese, part).endswith("。"), part
        assert HAN.search(getattr(chinese, part)), part
        assert not HAN.search(getattr(english, part)), part
    assert not english.title.endswith(".")
    assert HAN.search(chinese.title)
    assert english.here_with(FACTS)
    assert chinese.fix_with(FACTS)


def test_chinese_sentences_are_chinese():
    same = {key for key, text in sentences("zh").items() if text == sentences("en")[key]}
    assert same <= {"short_query", "short_key", "short_value", "short_dots", "says"}


def test_a_language_that_is_not_spoken_is_refused():
    with pytest.raises(InputError, match="give en or zh"):
        say("fr", "weights")


def test_evidence_is_of_mistakes_that_there_are():
    assert set(MADE_BY) <= set(MISTAKES)
    for name, places_found in MADE_BY.items():
        assert places_found, name
        assert all(re.match(r"[\w.-]+/[\w.-]+#\d+|https?://|[A-Z]", place) for place in places_found), name
