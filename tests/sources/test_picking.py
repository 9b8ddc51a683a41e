"""A selection that is settled before the attention is computed gives what it gives of the whole."""

import numpy as np
import pytest
from attn_cli.attention import layers
from attn_cli.errors import InputError
from attn_cli.records.encoding import Encoding
from attn_cli.sources import resolve as road
from attn_cli.sources.groups import Options, Selection, Vectors
from attn_cli.sources.picking import picked

TEXT = "the cat sat on the mat and she looked at it"
VECTORS = Encoding(tuple(TEXT.split()), np.random.default_rng(0).normal(size=(11, 8)), "made")
SELECTIONS = [
    Selection(query_range="2:5"),
    Selection(query_token="cat", key_range=":4"),
    Selection(head="1,3", key_range="-3:"),
    Selection(head="-1", layer="-1", query_range="1:"),
    Selection(head="mean", query_range="3:4"),
    Selection(layer="mean", head="0-1"),
]


def resolved(data, select, model):
    options = Options(select=select, vectors=Vectors(heads=4) if model == "none" else Vectors())
    return road.resolve(data, options, model=model)


@pytest.mark.parametrize("select", SELECTIONS, ids=str)
@pytest.mark.parametrize(("data", "model"), [(VECTORS, "none"), (TEXT, "mini")], ids=["vectors", "mini"])
def test_what_is_picked_first_is_what_is_selected_afterwards(data, model, select):
    early = resolved(data, select, model)
    late = road.selected(resolved(data, Selection(), model), select)
    for name in ("query_tokens", "key_tokens", "heads", "layers", "query_words"):
        assert getattr(early, name) == getattr(late, name), name
    np.testing.assert_array_equal(early.weights, late.weights)
    if select.query_range and select.head != "mean":
        assert late.provenance.partition("; ")[2] in early.provenance


def test_a_few_rows_of_a_long_text_are_exact(monkeypatch):
    whole = resolved(TEXT, Selection(), "mini")
    monkeypatch.setattr(layers, "MOST_DENSE", 4 * 3 * 4 * 12 * 2)
    part = resolved(TEXT, Selection(query_range="2:4"), "mini")
    assert part.scores is not None
    np.testing.assert_allclose(part.weights, whole.weights[:, :, 2:4], atol=1e-6)


def test_words_are_merged_before_a_range_counts_them():
    select = Selection(query_range="1:3", words=True, head="1")
    picks, rest = picked(select)
    assert (picks.heads, picks.queries) == ((1,), None)
    assert (rest.query_range, rest.head) == ("1:3", "all")
    assert resolved(TEXT, select, "mini").query_tokens == ("cat", "sat")


def test_the_output_of_one_head_is_what_it_adds():
    whole = resolved(VECTORS, Selection(), "none")
    second = resolved(VECTORS, Selection(head="1"), "none")
    np.testing.assert_allclose(second.output[0], whole.weights[0, 1] @ whole.value[0, 1], atol=1e-12)


def test_a_token_and_a_range_are_not_both_meant():
    with pytest.raises(InputError, match="--query-token cannot be combined with --query-range"):
        resolved(TEXT, Selection(query_token="cat", query_range="1:2"), "mini")
