"""What must hold for any vectors: at least a thousand random cases for each variant and property.

A hundred at once in each of ten examples; or one in each of a thousand, which takes a quarter of an hour:

    python -m pytest tests/test_properties.py --hypothesis-profile=thorough
"""

import numpy as np
import pytest
import torch
from attn_cli.attention.dense import attention
from attn_cli.attention.rules import Rule, positions
from hypothesis import given, settings
from hypothesis import strategies as st

from variants import (
    D_HEAD,
    MASK_SPECS,
    N_HEADS,
    NORMALISATION_SPECS,
    POSITION_SPECS,
    SCORE_SPECS,
    read_arrays,
)

CASES, EXAMPLES = (1, 1000) if settings.default.max_examples >= 1000 else (100, 5)
VARIANTS = [
    *({"score": spec} for spec in SCORE_SPECS),
    *({"position": spec} for spec in POSITION_SPECS),
    *({"mask": [spec]} for spec in MASK_SPECS),
    *({"normalise": spec} for spec in NORMALISATION_SPECS),
]
# lsh looks at the vectors themselves, so a NaN there changes who sees whom.
BLIND_TO_VECTORS = [one for one in VARIANTS if "lsh" not in str(one)]

every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=str)
examples = settings(max_examples=EXAMPLES)
seeds = st.integers(0, 2**32 - 1)
lengths = st.integers(1, 7)
spreads = st.sampled_from([1e-3, 1.0, 30.0])


def vectors(seed, n, spread=1.0):
    """Query, key and value [case, head, n, d_head]; some vectors are zero, some the same as another."""
    generator = np.random.default_rng(seed)
    x = spread * generator.normal(size=(3, CASES, N_HEADS, n, D_HEAD))
    x[generator.random(x.shape[:-1]) < 0.1] = 0
    x[:, :, :, 0] = np.where(generator.random((3, CASES, N_HEADS, 1)) < 0.2, x[:, :, :, -1], x[:, :, :, 0])
    return torch.tensor(x)


def parse(variant, *masks):
    return Rule.parse(**{**variant, "mask": [*variant.get("mask", []), *masks]}, read_arrays=read_arrays)


def assert_same(got, wanted, spread=1.0):
    torch.testing.assert_close(got, wanted, rtol=1e-9, atol=1e-10 * max(spread, 1) ** 2)


@every_variant
@given(seeds, lengths, spreads)
@examples
def test_weights_are_shares_and_zero_where_masked(variant, seed, n, spread):
    steps = attention(*vectors(seed, n, spread), parse(variant))
    assert (steps.weights >= 0).all()
    assert (steps.weights <= 1 + 1e-12).all()
    seeing = torch.ones(n, 1, dtype=torch.bool)
    if steps.mask is not None:
        assert (steps.weights.masked_fill(steps.mask, 0) == 0).all()
        seeing = steps.mask.any(dim=-1, keepdim=True)
    sums = steps.weights.sum(dim=-1, keepdim=True)
    name = variant.get("normalise", "softmax").partition(":")[0]
    if name in ("softmax", "sparsemax"):
        assert_same(sums, seeing.to(sums.dtype).expand_as(sums))
    elif name == "softmax1":
        assert (sums <= 1 + 1e-12).all()


@every_variant
@given(seeds, st.integers(2, 7), st.data())
@examples
def test_causal_rows_ignore_the_future(variant, seed, n, data):
    future = data.draw(st.integers(1, n - 1), "the first position that changes")
    x, other = vectors(seed, n), vectors(seed + 1, n)
    changed = torch.cat([x[..., :future, :], other[..., future:, :]], dim=-2)
    rule = parse(variant, "causal")
    before, after = attention(*x, rule), attention(*changed, rule)
    for name in ("scores", "weights", "output"):
        kept = [
            getattr(steps, name)[..., :future, : n if name != "scores" else future]
            for steps in (before, after)
        ]
        assert_same(*kept)


@every_variant
@given(seeds, lengths, spreads, st.randoms(use_true_random=False))
@examples
def test_permuting_positions_permutes_rows_and_columns(variant, seed, n, spread, random):
    q, k, _ = vectors(seed, n, spread)
    rows, columns = (torch.tensor(random.sample(range(n), n)) for _ in "qk")
    rule, (query_pos, key_pos) = parse(variant), positions(n, n, torch.device("cpu"))
    block = q, k, query_pos, key_pos
    shuffled = q[..., rows, :], k[..., columns, :], query_pos[rows], key_pos[columns]
    scores, allowed = rule.scores(*block), rule.allowed(*block)
    other_scores, other_allowed = rule.scores(*shuffled), rule.allowed(*shuffled)
    assert_same(other_scores, scores[..., rows, :][..., columns], spread)
    if allowed is not None:
        assert (other_allowed == allowed[..., rows, :][..., columns]).all()
    assert_same(
        rule.weights(other_scores, other_allowed), rule.weights(scores, allowed)[..., rows, :][..., columns]
    )


@pytest.mark.parametrize("spec", POSITION_SPECS)
@given(seeds, lengths, st.integers(0, 10_000))
@examples
def test_positions_count_from_anywhere(spec, seed, n, start):
    q, k, _ = vectors(seed, n)
    rule, (query_pos, key_pos) = parse({"position": spec}), positions(n, n, torch.device("cpu"))
    assert_same(rule.scores(q, k, query_pos + start, key_pos + start), rule.scores(q, k, query_pos, key_pos))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("softmax", "softmax"),
        ("sparsemax", "sparsemax"),
        ("softmax1:sink=0.5", "softmax1:sink=3.5"),
        ("sigmoid:bias=0.5", "sigmoid:bias=-2.5"),
    ],
)
@given(seeds, lengths)
@examples
def test_adding_3_to_every_score_changes_nothing_once_the_sink_has_it_too(before, after, seed, n):
    q, k, _ = vectors(seed, n)
    scores = q @ k.mT
    assert_same(parse({"normalise": before}).weights(scores), parse({"normalise": after}).weights(scores + 3))


@pytest.mark.parametrize("variant", BLIND_TO_VECTORS, ids=str)
@given(seeds, st.integers(2, 7), st.data())
@examples
def test_keys_and_values_that_a_row_may_not_see_are_irrelevant_even_when_nan(variant, seed, n, data):
    j = data.draw(st.integers(1, n - 1), "the position that is NaN")
    q, k, v = vectors(seed, n)
    rule = parse(variant, "causal")
    plain = attention(q, k, v, rule)
    k[..., j, :] = v[..., j, :] = torch.nan
    broken = attention(q, k, v, rule)
    unseen = ~plain.mask[:, j]
    assert unseen.any()
    assert_same(broken.weights[..., unseen, :], plain.weights[..., unseen, :])
    assert_same(broken.output[..., unseen, :], plain.output[..., unseen, :])
    assert broken.output[..., ~unseen, :].isnan().all()


@every_variant
@given(seeds, lengths)
@examples
def test_rows_without_a_key_are_zero_even_among_nan(variant, seed, n):
    q, k, v = vectors(seed, n)
    q[..., 0, :] = torch.nan
    nobody = np.ones((n, n))
    nobody[0] = 0  # sees nobody
    steps = attention(q, k, v, parse(variant, nobody))
    assert (steps.weights[..., 0, :] == 0).all()
    assert (steps.output[..., 0, :] == 0).all()
    if n > 1 and "mask" not in variant:
        assert steps.output[..., 1:, :].isfinite().all()
