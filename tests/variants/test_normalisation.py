"""Normalisations by hand."""

import math

import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.variants.normalisation import NORMALISATIONS

E = math.e
NEVER = -math.inf
BY_HAND = {
    "softmax": [([0, 1, NEVER], [1 / (1 + E), E / (1 + E), 0]), ([5], [1])],
    "softmax1": [([0, 1, NEVER], [1 / (2 + E), E / (2 + E), 0]), ([0], [1 / 2])],
    "sparsemax": [
        ([1, 0.5, -1], [0.75, 0.25, 0]),
        ([3, 1, 0], [1, 0, 0]),
        ([0.25, 0.25, NEVER], [0.5, 0.5, 0]),
        ([0.6, 0.5, 0.4, -5], [0.6 - 1 / 6, 0.5 - 1 / 6, 0.4 - 1 / 6, 0]),
    ],
    "sigmoid": [([0, 0, NEVER], [1 / 3, 1 / 3, 0]), ([math.log(2), NEVER], [2 / 3, 0])],
}


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_by_hand(name):
    for scores, weights in BY_HAND[name]:
        got = NORMALISATIONS[name](torch.tensor([scores], dtype=torch.float64))
        assert got[0].tolist() == pytest.approx(weights, abs=1e-15)


@pytest.mark.parametrize("name", NORMALISATIONS)
@pytest.mark.parametrize("size", [1e4, 1e30])
def test_huge_scores_do_not_overflow(name, size):
    weights = NORMALISATIONS[name](torch.tensor([[size, -size, 0.0]]))
    assert weights[0, :2].tolist() == [1, 0]


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_keys_that_are_not_permitted_may_as_well_be_left_out(name):
    scores = torch.tensor([[0.3, NEVER, -0.2, NEVER]])
    with_them, without = NORMALISATIONS[name](scores), NORMALISATIONS[name](scores[:, ::2])
    assert with_them[:, ::2].tolist() == without.tolist()


def test_sinks_are_one_for_each_head_or_one_for_all():
    scores = torch.zeros(2, 1, 3)
    apart = NORMALISATIONS.parse("softmax1:sink=0+1")(scores)
    assert apart[0, 0, 0].item() == pytest.approx(1 / (3 + 1))
    assert apart[1, 0, 0].item() == pytest.approx(1 / (3 + E))
    assert NORMALISATIONS.parse("softmax1:sink=1")(scores)[0, 0, 0].item() == pytest.approx(1 / (3 + E))
    with pytest.raises(InputError, match="3 sinks for 2 heads; give one, or one for each head"):
        NORMALISATIONS.parse("softmax1:sink=0+1+2")(scores)


def test_a_sink_far_above_the_scores_takes_all():
    for sink in ("50", "500", "1e30"):
        taken = NORMALISATIONS.parse(f"softmax1:sink={sink}")(torch.tensor([[-100.0, -101.0]]))
        assert taken.tolist() == [[0, 0]]


def test_numbers_in_a_list_may_have_exponents():
    assert NORMALISATIONS.parse("softmax1:sink=1e+2+-3e-1").options["sink"] == (100.0, -0.3)


def test_a_bias_of_the_sigmoid_is_taken_as_it_is():
    assert NORMALISATIONS.parse("sigmoid:bias=-2")(torch.tensor([[2.0, NEVER]])).tolist() == [[0.5, 0]]
