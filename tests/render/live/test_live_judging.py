"""Answers judged in the page by hashes alone, as `attn lab check` judges them from what is right."""

import numpy as np
import pytest
from attn_cli.lab.course.single import judged
from attn_cli.render.page.sealing import hashed, sealed
from attn_cli.sources.lab_page import compared
from nodejs import NODE, in_node

pytestmark = pytest.mark.skipif(NODE is None, reason="no Node.js here")
MATRIX = np.array([[0.25, 0.125, 0.625], [1.0, 0.0, 0.0]])


def said(*asked):
    return in_node(
        "judging.mjs",
        [{"typed": typed, "sealed": sealed(compared(right), "s"), "salt": "s"} for typed, right in asked],
    )


def test_a_hash_is_that_of_the_standard_in_both():
    assert in_node("judging.mjs", [{"typed": "é 词", "salt": "a"}]) == [hashed("a", "é 词")]
    value = 0xCBF29CE484222325  # by hand: the one byte between salt and text
    assert int(hashed("", ""), 16) == (value ^ 0x20) * 0x100000001B3 % 2**64


RIGHT = [
    0.874,
    -0.5,
    12.3456,
    0.0123,
    1050624,
    -3,
    0.15,
    7.0,
    "L1H3",
    ("yesterday", "book"),
    "softmax_over_queries",
]
TYPED = [
    "0.87", "0.874", "0.88", "0.9", "-.5", "−0.50", "－0．5", "12.3", "12.35", "0.012", "0.01", "1,050,624", "1050624", "1050624.0",
    "-3", "-3.5", "0.15", "0.1", "7", "L1H3", " l1h3. ", "L1H0", "Book", "yesterday", "softmax over-queries", "half", "1e2",
]  # fmt: skip


def test_numbers_and_words_are_right_where_attn_lab_check_says_so():
    pairs = [(typed, right) for right in RIGHT for typed in TYPED]
    answers = said(*pairs)
    for (typed, right), answer in zip(pairs, answers, strict=True):
        if isinstance(right, float) and right == int(right):
            continue  # a float that is whole is judged as whole here
        wanted = judged(typed, right, {}, {}, 1).verdict == "right"
        assert answer.get("right", False) == wanted, (typed, right, answer)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("0.25,0.125,0.625\n1,0,0\n", {"right": True}),
        ("[0.25 0.12 0.63]\n[1; 0; 0]", {"right": True}),  # of 0.125 either may be left
        ("0.25,0.125,0.625\n1,0,0.1", {"said": "lab_some", "wrong": 1, "all": 6, "row": 1, "column": 2}),
        ("0.625,0.125,0.25\n1,0,0", {"said": "lab_some", "wrong": 2, "all": 6, "row": 0, "column": 0}),
        ("0.2,0.1,0.6\n1,0,0", {"said": "lab_coarse", "least": 2}),
        ("0.25,0.125\n0.625,1\n0,0", {"said": "lab_shape", "rows": 2, "columns": 3, "got": "2 + 2 + 2"}),
        ("0.25,a half,0.625\n1,0,0", {"said": "lab_no_number", "got": "a"}),
        (" \n", {"said": "lab_empty"}),
    ],
)
def test_a_table_is_judged_number_by_number(typed, answer):
    assert said((typed, MATRIX)) == [answer]


def test_numbers_that_need_few_decimals_may_be_typed_with_few():
    scores = np.array([[-3.0, 2.0, 3.5]])
    assert said(("-3 2 3.5", scores), ("-3 2 4.5", scores)) == [
        {"right": True},
        {"said": "lab_coarse", "least": 2},
    ]


def test_a_mask_and_infinities_are_whole():
    mask = np.tri(3)
    typed = "1,0,0\n1,1,0\n1,1,1"
    scores = np.array([[1.0, -np.inf]])
    assert said(
        (typed, mask), (typed.replace("1,1,1", "1,1,0.5"), mask), ("1 -inf", scores), ("1,-∞", scores), ("1,0", scores)
    ) == [
        {"right": True},
        {"said": "lab_some", "wrong": 1, "all": 9, "row": 2, "column": 2},
        {"right": True},
        {"right": True},
        {"said": "lab_some", "wrong": 1, "all": 2, "row": 0, "column": 1},
    ]  # fmt: skip
