"""Every combination of variants against the oracle, in blocks, and in every precision."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from attn_cli.attention.dense import attention
from attn_cli.attention.outputs import weigh
from attn_cli.attention.rules import Rule, positions
from attn_cli.errors import InputError

import oracle
from variants import (
    D_HEAD,
    FILES,
    MASK_SPECS,
    N_HEADS,
    NORMALISATION_SPECS,
    POSITION_SPECS,
    SCORE_SPECS,
    read_arrays,
)  # fmt: skip

CPU = torch.device("cpu")
MASKINGS = [[], *([spec] for spec in MASK_SPECS), ["causal", "window:size=3,ahead=1"]]
COMBINATIONS = [
    *itertools.product([None], MASKINGS, NORMALISATION_SPECS),
    *itertools.product(POSITION_SPECS, [["causal"]], ["softmax"]),
]


def vectors(n_query, n_key, seed=0, dtype=torch.float64):
    normal = np.random.default_rng(seed).normal
    sizes = ((N_HEADS, n_query, D_HEAD), (N_HEADS, n_key, D_HEAD), (N_HEADS, n_key, 3))
    return [torch.tensor(normal(size=size)).to(dtype) for size in sizes]


def parse(**specs):
    return Rule.parse(**specs, read_arrays=read_arrays)


def assert_like_the_oracle(n_query, n_key, **specs):
    q, k, v = vectors(n_query, n_key)
    steps = attention(q, k, v, parse(**specs))
    masks = specs.pop("mask", [])
    for head in range(N_HEADS):
        here = [x[head].numpy() for x in (q, k, v)]
        allowed = oracle.mask_matrix(masks, *here[:2])
        expected = oracle.attention(*here, **specs, mask=allowed, files=FILES, head=head, n_heads=N_HEADS)
        for name in ("scores", "weights", "output"):
            got, wanted = getattr(steps, name)[head], getattr(expected, name)
            np.testing.assert_allclose(got, wanted, rtol=1e-15, atol=1e-12, err_msg=f"{name} {masks} {specs}")


@pytest.mark.parametrize("score", SCORE_SPECS)
@pytest.mark.parametrize("normalise", NORMALISATION_SPECS)
def test_every_score_mask_and_normalisation_is_the_oracles(score, normalise):
    for masks in MASKINGS:
        assert_like_the_oracle(7, 7, score=score, mask=masks, normalise=normalise)


@pytest.mark.parametrize("score", SCORE_SPECS)
@pytest.mark.parametrize("normalise", NORMALISATION_SPECS)
def test_logits_times_1000_are_the_oracles(score, normalise):
    for masks in MASKINGS:
        assert_like_the_oracle(5, 6, score=score, mask=masks, normalise=normalise, scale=1000.0)


@pytest.mark.parametrize("score", SCORE_SPECS)
@pytest.mark.parametrize("position", POSITION_SPECS)
def test_every_score_and_position_is_the_oracles(score, position):
    for n_query, n_key in ((6, 6), (3, 7)):
        assert_like_the_oracle(n_query, n_key, score=score, position=position, mask=["causal"])


@pytest.mark.parametrize(
    "numbers",
    [
        {"scale": 0.3},
        {"temperature": 0.2},
        {"softcap": 0.7},
        {"top_k": 2},
        {"top_k": 5},
        {"top_k": 100},
        {"scale": 2.0, "temperature": 3.0, "softcap": 1.5, "top_k": 3},
    ],
)
@pytest.mark.parametrize("position", [None, "alibi", "xl:file=xl"])
def test_scale_temperature_softcap_and_top_k_are_the_oracles(numbers, position):
    for score, normalise in itertools.product(SCORE_SPECS, NORMALISATION_SPECS):
        assert_like_the_oracle(
            5, 6, score=score, position=position, normalise=normalise, mask=["causal"], **numbers
        )


@pytest.mark.parametrize("score", SCORE_SPECS)
def test_a_block_of_rows_is_what_the_whole_has_there(score):
    """What streamed attention relies on: some rows, with the keys that they can reach."""
    q, k, v = vectors(9, 11)
    query_pos, key_pos = positions(9, 11, CPU)
    rows = slice(3, 6)
    for position, masks, normalise in COMBINATIONS:
        rule = parse(score=score, position=position, mask=masks, normalise=normalise)
        whole = attention(q, k, v, rule)
        reached = rule.reach(int(query_pos[3]), int(query_pos[5]) + 1, 11)
        keys = torch.tensor([j for lo, hi in reached for j in range(lo, hi)])
        block = q[:, rows], k[:, keys], query_pos[rows], key_pos[keys]
        allowed = rule.allowed(*block)
        weights = rule.weights(rule.scores(*block), allowed)
        torch.testing.assert_close(weights, whole.weights[:, rows][..., keys], rtol=0, atol=1e-13)
        torch.testing.assert_close(weigh(weights, v[:, keys]), whole.output[:, rows], rtol=0, atol=1e-13)


# ---- precision --------------------------------------------------------------------------------------------

WITHIN = {torch.float32: 2e-6, torch.float16: 2e-3, torch.bfloat16: 1e-2}


def assert_within(got, wanted, tolerance, what):
    """Off by so much of a number above 1, which sums of many sigmoids are, and by no more below."""
    off = (got.double() - wanted).abs() / wanted.abs().clamp_min(1)
    assert off.max() <= tolerance, what


@pytest.mark.parametrize("dtype", WITHIN, ids=str)
@pytest.mark.parametrize("score", SCORE_SPECS)
def test_lower_precision_is_near_float64(score, dtype):
    """The same vectors, once as they are and once in float64."""
    q, k, v = vectors(32, 32, dtype=dtype)
    for position, masks, normalise in COMBINATIONS:
        rule = parse(score=score, position=position, mask=masks, normalise=normalise)
        low, high = attention(q, k, v, rule), attention(q.double(), k.double(), v.double(), rule)
        what = f"{position} {masks} {normalise}"
        assert low.weights.dtype == torch.float32
        assert low.output.dtype == dtype
        assert_within(low.weights, high.weights, WITHIN[dtype], what)
        assert_within(low.output, high.output, WITHIN[dtype], what)


@pytest.mark.parametrize("dtype", WITHIN, ids=str)
@pytest.mark.parametrize("score", SCORE_SPECS)
def test_logits_times_1000_are_normalised_as_in_float64(score, dtype):
    """A float32 near 1000 is known to 3e-5, and so is its weight; what follows from the scores must be exact."""
    q, k, v = vectors(32, 32, dtype=dtype)
    for masks, normalise in itertools.product(MASKINGS, NORMALISATION_SPECS):
        rule = parse(score=score, mask=masks, normalise=normalise, scale=1000.0)
        steps = attention(q, k, v, rule)
        weights = rule.weights(steps.scores.double(), steps.mask)
        what = f"{masks} {normalise}"
        assert_within(steps.weights, weights, WITHIN[dtype], what)
        assert_within(steps.output, weigh(weights, v.double()), WITHIN[dtype], what)


@pytest.mark.parametrize("dtype", WITHIN, ids=str)
def test_logits_times_1000_from_vectors_that_every_precision_holds(dtype):
    whole = torch.tensor(np.random.default_rng(0).integers(-4, 5, size=(3, N_HEADS, 32, 16)) / 4.0)
    for score, masks, normalise in itertools.product(["dot", "scaled_dot"], MASKINGS, NORMALISATION_SPECS):
        rule = parse(score=score, mask=masks, normalise=normalise, temperature=1 / 1024)
        low, high = attention(*whole.to(dtype), rule), attention(*whole, rule)
        assert_within(low.weights, high.weights, WITHIN[dtype], f"{masks} {normalise}")
        assert_within(low.output, high.output, WITHIN[dtype], f"{masks} {normalise}")


# ---- parts of a rule ----------------------------------------------------------------------------------------


def test_softcap_bends_by_hand():
    x = torch.tensor([[3.0]])
    rule = Rule.parse(score="dot", softcap=2.0, temperature=0.5)
    assert rule.scores(x, x, *positions(1, 1, CPU)).item() == pytest.approx(2 * np.tanh(9 / 2) / 0.5)


def test_a_scale_stands_in_for_the_division_by_the_root():
    x = torch.tensor([[3.0, 0, 0, 0]])
    here = positions(1, 1, CPU)
    assert Rule.parse(scale=2.0).scores(x, x, *here).item() == 18
    assert Rule.parse(score="cosine", scale=2.0).scores(x, x, *here).item() == 2


def test_a_scale_does_not_touch_the_bias_of_alibi():
    """Press et al., §3: the bias is not multiplied by the scaling factor."""
    x = torch.zeros(1, 2, 4)
    here = positions(2, 2, CPU)
    assert (
        Rule.parse(position="alibi", scale=5.0).scores(x, x, *here)
        == Rule.parse(position="alibi").scores(x, x, *here)
    ).all()


def test_top_k_keeps_ties_and_counts_permitted_keys_only():
    scores = torch.tensor([[3.0, 2.0, 2.0, 1.0], [9.0, 1.0, 2.0, 3.0]])
    allowed = torch.tensor([[True] * 4, [False, True, True, True]])
    kept = Rule(top_k=2).weights(scores, allowed) > 0
    assert kept.tolist() == [[True, True, True, False], [False, False, True, True]]


def test_masks_are_combined_with_and_parts_with_or():
    matrix = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1]])
    x, here = torch.zeros(3, 1), positions(3, 3, CPU)

    def drawn(*masks):
        return Rule.parse(mask=masks).allowed(x, x, *here).int().tolist()

    assert drawn("causal", matrix) == [[1, 0, 0], [1, 0, 0], [1, 1, 1]]
    assert drawn("window:size=1|global:tokens=2") == [[1, 0, 1], [0, 1, 1], [1, 1, 1]]
    assert drawn("causal", ["window:size=1", matrix]) == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert Rule.parse(mask=["causal", "window:size=1|global:tokens=2"]).reach(1, 2, 3) == [(1, 2)]
    assert Rule.parse(mask=["window:size=1|global:tokens=2"]).reach(0, 1, 3) == [(0, 1), (2, 3)]
    assert Rule.parse(mask=["window:size=1", "padding:length=1"]).reach(1, 2, 3) == []
    assert Rule().allowed(x, x, *here) is None


def test_a_matrix_stands_at_the_end_of_the_keys():
    matrix = np.array([[1, 0, 1], [0, 1, 0]])
    rule, x = Rule.parse(mask=[matrix]), torch.zeros(3, 1)
    query_pos, key_pos = positions(2, 3, CPU)
    assert rule.allowed(x[:2], x, query_pos, key_pos).int().tolist() == matrix.tolist()
    assert rule.allowed(x[:1], x[:2], query_pos[1:], key_pos[1:]).int().tolist() == [[1, 0]]


def test_one_seed_reaches_every_spec_that_does_not_set_its_own():
    drawn = Rule.parse(score="general:seed=5", position="t5", mask=["random|lsh:seed=1"], seed=3)
    assert drawn.score.options["seed"] == 5
    assert drawn.position.options["seed"] == 3
    assert [part.options["seed"] for part in drawn.masks[0]] == [3, 1]
    assert drawn.provenance == (
        "score general:seed=5 (untrained, seed 5), position t5 (untrained, seed 3), mask random (seed 3)|lsh:seed=1 (seed 1)"
    )


def test_the_provenance_tells_what_is_not_the_default():
    assert Rule.parse().provenance == ""
    told = parse(
        score="general:file=general", mask=[np.eye(2), "causal"], normalise="sparsemax", scale=0.5, temperature=2, softcap=30, top_k=4
    )  # fmt: skip
    assert told.provenance == (
        "score general:file=general, mask given as a matrix, mask causal, normalised by sparsemax, scale 0.5, temperature 2, softcap 30, top-k 4"
    )


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ({"score": "scaled"}, r"unknown score 'scaled'.*did you mean 'scaled_dot'"),
        ({"score": "general:file=x.npz"}, "names a file; pass the function that reads it as read_arrays"),
        ({"position": "rop"}, "unknown position 'rop'.*did you mean 'rope'"),
        ({"position": "rope:pairing=odd"}, "'odd' is not half or interleaved"),
        ({"normalise": "softmx"}, "unknown normalisation 'softmx'.*did you mean 'softmax'"),
        ({"mask": ["causal|windw"]}, "unknown mask 'windw'.*did you mean 'window'"),
        ({"mask": ["window:size=0"]}, "a window of size 0"),
        ({"mask": ["block:size=0"]}, "size 0"),
        ({"temperature": 0.0}, "temperature 0.0; give a number above 0"),
        ({"softcap": -1.0}, "softcap -1.0; give a number above 0"),
        ({"scale": np.inf}, "scale inf; give a finite number"),
        ({"top_k": 0}, "top-k 0; give at least 1"),
    ],
)
def test_what_is_not_known_or_out_of_range_is_named(specs, message):
    with pytest.raises(InputError, match=message):
        Rule.parse(**specs)


def test_a_matrix_must_have_a_row_per_query():
    rule = Rule.parse(mask=[np.ones((2, 3))])
    rule.check(2, 3)
    with pytest.raises(InputError, match=r"a mask \[2, 3\] for 3 queries and 3 keys"):
        rule.check(3, 3)


def test_a_rule_can_be_changed():
    assert replace(Rule.parse(mask=["causal"]), temperature=2.0).temperature == 2.0
