"""What of a text is shown of all that a model reads: special tokens hidden, queries and keys picked, words known."""

import pytest
from attn_cli.attention.wanted_parts import Wanted
from attn_cli.errors import AttnNote, InputError
from attn_cli.models.reading import Reading
from attn_cli.models.showing import Side, sides_of

SIDE = Side(("[CLS]", "un", "do", "it", "[SEP]"), (True, False, False, False, True), "undo it")


def test_all_is_wanted_unless_told():
    sides, wanted = sides_of(SIDE, SIDE, "encoder", "made", Reading())
    assert wanted == Wanted()
    assert (sides.query_words, sides.key_words) == ((1, 2, 2, 3, 4),) * 2


def test_what_is_picked_is_counted_among_what_is_shown():
    reading = Reading(
        special="drop", queries=lambda tokens: [tokens.index("it")], keys=lambda tokens: range(1, 3)
    )
    with pytest.warns(AttnNote, match="special tokens are hidden; rows sum to less than 1"):
        sides, wanted = sides_of(SIDE, SIDE, "encoder", "made", reading)
    assert (list(wanted.queries), list(wanted.keys), wanted.over) == ([3], [2, 3], None)
    assert sides.provenance == "made, special tokens hidden"
    assert wanted.said == "query 2 of 3; keys 1 to 2 of 3"


def test_rows_are_divided_by_what_is_left_for_all_that_is_shown():
    reading = Reading(special="renormalise", keys=lambda tokens: [0])
    with pytest.warns(AttnNote, match="special tokens are hidden; rows are renormalised"):
        sides, wanted = sides_of(SIDE, SIDE, "encoder", "made", reading)
    assert (list(wanted.keys), list(wanted.over)) == ([1], [1, 2, 3])
    assert sides.provenance == "made, special tokens hidden and rows renormalised"


def test_where_nothing_is_special_nothing_is_hidden():
    side = Side(("a", "b"))
    sides, wanted = sides_of(side, side, "decoder", "made", Reading(special="renormalise"))
    assert (sides.provenance, wanted) == ("made", Wanted())


def test_of_special_tokens_alone_nothing_is_left():
    side = Side(("[CLS]",), (True,))
    with pytest.raises(InputError, match="the text has only special tokens; leave --special out"):
        sides_of(side, side, "encoder", "made", Reading(special="drop"))
