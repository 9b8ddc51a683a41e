"""Formulas that have been published as attention, computed as described, and judged by their numbers."""

import numpy as np
import pytest
from attn_cli.lab.exercise import Exercise, TableExercise, proposed
from attn_cli.lab.judging import judge

CROSS = proposed(project=True)  # 5 queries, 7 keys
SELF = proposed(project=True, n_query=6, n_key=6)
PADDED = proposed(project=True, n_query=6, n_key=6, mask="padding:length=5")


def softmax(x, axis=-1):
    parts = np.exp(x - x.max(axis=axis, keepdims=True))
    return parts / parts.sum(axis=axis, keepdims=True)


def heads(x, n=2):
    return x.reshape(len(x), n, -1).swapaxes(0, 1)


def maps(x):
    p = x.projection
    return {part: (getattr(p, f"W_{part}"), getattr(p, f"b_{part}")) for part in "qkvo"}


def project(vectors, W, b):
    return vectors @ W + b


def test_1_divided_by_the_sum_of_the_whole_matrix():
    query, key, _ = CROSS.inputs
    q, k = (heads(project(v, *maps(CROSS)[part])) for v, part in ((query, "q"), (key, "k")))
    parts = np.exp(q @ k.mT / np.sqrt(3))
    answer = parts / parts.sum(axis=(1, 2), keepdims=True)
    assert judge(answer.round(4), CROSS, what="weights").mistakes == "softmax_over_all"


def test_2_weights_not_transposed_scores_not_scaled_and_the_keys_bias_on_the_scores():
    """The bias adds q · b to every score of a row, which no softmax sees: two mistakes are left."""
    x, of = PADDED.query, maps(PADDED)
    q = heads(project(x, of["q"][0].T, of["q"][1]))
    k = heads(x @ of["k"][0].T)
    scores = q @ k.mT + q @ of["k"][1].reshape(2, 3, 1)
    scores[..., 5:] = -1e9
    verdict = judge(softmax(scores).round(4), PADDED, what="weights")
    assert {frozenset(ids) for ids in verdict.decisive.alternatives} == {
        frozenset({"no_scale", "weight_transposed"})
    }
    assert "two at once" in verdict.message()


def test_3_projections_made_and_not_used():
    """Q = K = V = the input, one head as wide as the model; a softmax over dim=2 of two axes is an error."""
    x = SELF.query
    weights = softmax(x @ x.T / np.sqrt(6))
    verdict = judge(weights.round(4), SELF, what="weights")
    assert {frozenset(ids) for ids in verdict.decisive.alternatives} == {
        frozenset({"projections_missing", "heads_one_wide"})
    }
    with pytest.raises(np.exceptions.AxisError):
        softmax(x @ x.T, axis=2)


def test_3_with_heads():
    """As many tokens as the model is wide: √T is √d_model."""
    x = heads(SELF.query)
    verdict = judge(softmax(x @ x.mT / np.sqrt(6)).round(4), SELF, what="weights")
    named = {frozenset(ids) for ids in verdict.decisive.alternatives}
    assert named == {frozenset({"projections_missing", scale}) for scale in ("scale_d_model", "scale_length")}


def test_4_one_map_after_the_other_and_a_softmax_over_features():
    x = SELF.query
    for part in "qkv":
        x = project(x, *maps(SELF)[part])
    answer = softmax(x * 3**-0.5)
    verdict = judge(answer.round(4), SELF, what="output")
    assert verdict.mistakes == "chained_projections"
    assert "no attention" in verdict.message()
    assert [said.key for said in verdict.decisive.evidence] == ["features_sum_to_1"]
    assert judge(answer[:5].round(4), CROSS, what="weights").decisive.said[0].key == "no_attention"


def test_5_a_softmax_over_features_times_the_value_number_by_number():
    x, of = SELF.query, maps(SELF)
    answer = softmax(project(x, *of["q"])) * project(x, *of["v"])
    verdict = judge(answer.round(4), SELF, what="output")
    assert verdict.mistakes == "elementwise_value"
    assert "no attention" in verdict.message()


def test_6_positions_without_sine_and_cosine():
    position, i = np.arange(5)[:, None], np.arange(6)
    answer = 10000.0 ** (2 * (position / 6) + i % 2) * np.where(i % 2, -1, 1)
    verdict = judge(answer, TableExercise("sinusoidal", 5, 6))
    assert verdict.mistakes == "pe_without_waves"
    assert [said.key for said in verdict.decisive.evidence] == ["beyond_1"]


def test_7_query_and_key_side_by_side():
    """A softmax over the features of both, and values that are an empty slice: no query meets a key."""
    query, key, value = CROSS.inputs
    q, k = project(query, *maps(CROSS)["q"]), project(key, *maps(CROSS)["k"])[:5]
    weights = judge(softmax(np.concatenate([q, k], axis=1)).round(4), CROSS, what="weights")
    assert weights.verdict == "unreadable"
    assert "no attention" in weights.message()
    assert "holds nothing" in judge(value[:, 6:], CROSS, what="output").message()


@pytest.mark.parametrize(
    "x", [CROSS, proposed(), Exercise(np.random.default_rng(0).normal(size=(5, 6)), n_heads=2)]
)
def test_8_a_softmax_of_the_attention(x):
    of = maps(x)
    q, k = (
        heads(v if of[part][0] is None else project(v, *of[part]))
        for v, part in zip(x.inputs, "qk", strict=False)
    )
    answer = softmax(softmax(q @ k.mT / np.sqrt(3)))
    assert judge(answer.round(4), x, what="weights").mistakes == "softmax_twice"
