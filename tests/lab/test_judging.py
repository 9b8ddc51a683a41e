"""Verdicts: by hand, two mistakes at once, stage by stage, and what cannot be read."""

import math

import numpy as np
import pytest
from attn_cli.lab.exercise import Exercise, MaskExercise, TableExercise, proposed
from attn_cli.lab.judging import Judge, judge, unreadable
from attn_cli.lab.mistakes import MISTAKES, replaced

from students import work_of

CAUSAL = proposed(mask="causal")
PROJECTED = proposed(mask="causal", project=True)


def keys(verdict):
    stage = verdict.decisive
    return [said.key for said in (*stage.evidence, *stage.said)]


# ---- by hand ---------------------------------------------------------------------------------------------


def test_two_by_two_by_hand():
    """q = (0, √2) against e₁ and e₂: scores 0 and 1, weights 1 and e of 1 + e."""
    x = Exercise(np.array([[0.0, math.sqrt(2)]]), np.eye(2))
    assert judge(np.array([[0.27, 0.73]]), x).right
    assert judge(np.array([[0.0, 1.0]]), x, what="scores").right
    wrong = judge(np.array([[0.196, 0.804]]), x)  # e^0 and e^√2
    assert wrong.mistakes == "no_scale|scale_n_heads|scale_length"  # one head, one query
    assert wrong.tied == 3
    assert wrong.max_error == pytest.approx(0.804 - math.e / (1 + math.e))


def test_a_shift_in_the_last_digit_is_wrong():
    answer = work_of("", CAUSAL)["weights"].round(3)
    answer[1, 2, 3] += 0.001
    assert judge(answer, CAUSAL).verdict == "wrong"
    assert judge(answer, CAUSAL, tolerance=0.0016).right


def test_the_cell_that_differs_most_is_worked_out_both_ways():
    verdict = judge(work_of("scale_d_model", CAUSAL)["weights"].round(4), CAUSAL)
    stage = verdict.decisive
    right, wrong = work_of("", CAUSAL), work_of("scale_d_model", CAUSAL)
    error = np.abs(right["weights"] - wrong["weights"])
    assert error[stage.cell.index] == pytest.approx(error.max(), abs=1e-4)
    assert [trail.mistakes for trail in stage.trails] == [(), ("scale_d_model",)]
    for trail, made in zip(stage.trails, (right, wrong), strict=True):
        assert [name for name, _ in trail.steps] == ["dots", "scores", "masked", "weights"]
        for name, x in trail.steps:
            assert x == pytest.approx(made[name][stage.cell.index])
    assert "√d_model = √6 instead of √d_head = √3" in verdict.message()


# ---- what the numbers show -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "seen"),
    [
        ("softmax_over_queries", "columns_sum_to_1"),
        ("softmax_over_all", "all_sum_to_1"),
        ("softmax_over_heads", "heads_sum_to_1"),
        ("scale_after_softmax", "rows_sum_to"),
        ("exp_only", "above_1"),
        ("sum_without_exp", "negative"),
        ("no_scale", "log_ratio"),
        ("softmin", "log_ratio"),
        ("heads_reversed", "heads_in_order"),
    ],
)
def test_evidence(spec, seen):
    x = proposed()
    assert seen in keys(judge(work_of(spec, x)["weights"].round(5), x, what="weights"))


def test_the_factor_of_all_ratios_is_said_where_nothing_explains_it():
    scores = work_of("", CAUSAL)["masked"] * 1.37
    parts = np.exp(scores - scores.max(-1, keepdims=True))
    verdict = judge((parts / parts.sum(-1, keepdims=True)).round(4), CAUSAL)
    assert verdict.mistakes == ""
    assert keys(verdict)[-1] == "unexplained"
    (said,) = [said for said in verdict.decisive.evidence if said.key == "log_ratio"]
    assert float(said.values["beta"]) == pytest.approx(1.37, abs=0.002)


def test_weights_on_what_is_hidden():
    verdict = judge(work_of("mask_inverted", CAUSAL)["weights"].round(3), CAUSAL)
    assert verdict.mistakes == "mask_inverted"
    assert {"hidden_seen", "visible_unseen"} <= set(keys(verdict))


def test_a_row_that_a_mistake_blinds_may_be_nan_uniform_or_zero():
    x = proposed(mask="causal", n_query=6, n_key=6)
    right = work_of("mask_inverted", x)["weights"]
    for row in (0.0, np.nan, 1 / 6):
        answer = right.copy()
        answer[:, -1] = row
        assert judge(answer.round(4), x).mistakes == "mask_inverted"


def test_dropout_is_read_from_the_answer():
    right = work_of("", CAUSAL)["weights"]
    answer = MISTAKES.parse("dropout_on:p=0.25,seed=4")(right, None)
    assert judge(answer.round(4), CAUSAL).mistakes == "dropout_on"
    judged = judge({"weights": answer.round(4), "output": output_of(answer, CAUSAL).round(4)}, CAUSAL)
    assert [stage.verdict for stage in judged.stages] == ["wrong", "right"]


def output_of(weights, x):
    value = work_of("", x)["value"]
    return (weights @ value).swapaxes(0, 1).reshape(x.n_query, -1)


def test_one_head_after_another_stage_is_judged_as_sharply_as_several():
    """The draws that tell how far numbers may move once stood for heads, and then every output was right."""
    x = Exercise(*(np.random.default_rng(0).normal(size=(n, 4)) for n in (3, 4, 4)))
    right, wrong = work_of("", x), work_of("no_scale", x)
    for before in ("weights", "scores"):
        answer = {before: right[before].round(4), "output": wrong["output"].round(4)}
        assert [stage.verdict for stage in judge(answer, x).stages] == ["right", "wrong"]


# ---- right though it looks odd ---------------------------------------------------------------------------


@pytest.mark.parametrize("x", [CAUSAL, PROJECTED], ids=["bare", "projected"])
def test_what_looks_odd_is_right_and_said_to_be_the_same(x):
    made = work_of("", x)
    masked = made["masked"]
    for stage, answer, way in (
        ("query", made["query"] / 3**0.5, "query_scaled_first"),
        ("key", made["key"] / 3**0.25, "both_scaled_first"),
        ("masked", masked - masked.max(-1, keepdims=True), "largest_subtracted"),
    ):
        verdict = judge(answer.round(3), x, what=stage)
        assert verdict.right
        assert f"also_{way}" in keys(verdict)


def test_a_query_scaled_first_costs_nothing_later():
    made = work_of("", CAUSAL)
    answer = {"query": made["query"] / 3**0.5, "scores": made["scores"], "weights": made["weights"]}
    assert judge({stage: array.round(3) for stage, array in answer.items()}, CAUSAL).right


def test_masking_after_the_softmax_and_dividing_again_is_right():
    made = work_of("", CAUSAL)
    weights = np.exp(made["scores"]) / np.exp(made["scores"]).sum(-1, keepdims=True) * made["mask"]
    assert judge((weights / weights.sum(-1, keepdims=True)).round(4), CAUSAL).right


def test_heads_in_another_order_are_said_to_be_the_same():
    verdict = judge(work_of("", CAUSAL)["weights"][::-1].round(4), CAUSAL)
    assert verdict.mistakes == "heads_reversed"
    assert {"heads_in_order", "same_heads"} <= set(keys(verdict))


# ---- nothing is guessed ----------------------------------------------------------------------------------


def test_no_mistake_is_named_for_noise():
    judge = Judge(CAUSAL)
    for seed in range(50):
        noise = np.random.default_rng(seed).dirichlet(np.ones(7), size=(2, 5)).round(3)
        verdict = judge(noise, what="weights")
        assert (verdict.verdict, verdict.mistakes, verdict.tied) == ("wrong", "", 0)


def test_one_cell_that_is_off_is_said_to_be():
    answer = work_of("", CAUSAL)["weights"].round(3)
    answer[0, 1, 2] += 0.1
    verdict = judge(answer, CAUSAL)
    assert verdict.decisive.cell.index == (0, 1, 2)
    assert "one_cell" in keys(verdict)


def test_where_numbers_part_is_said():
    answer = work_of("", CAUSAL)["weights"].round(3)
    answer[0, 2] = answer[0, 2, ::-1]
    (said,) = [said for said in judge(answer, CAUSAL).decisive.said if said.key == "unexplained"]
    assert said.values["rows"] == "2"
    assert said.values["of"] == 70


# ---- two at once -----------------------------------------------------------------------------------------


def two_at_once():
    """Pairs of mistakes in different steps; the second is made by hand from the stages of the first."""
    return [
        ("scale_d_model", "softmax_over_queries"),
        ("no_scale", "mask_one_ahead"),
        ("scale_n_heads", "mask_missing"),
        ("heads_by_view", "mask_upper"),
        ("key_reshaped", "base_2"),
    ]


@pytest.mark.parametrize("digits", [3, 6])
@pytest.mark.parametrize(("first", "second"), two_at_once())
def test_two_at_once_are_found(first, second, digits):
    assert not replaced(first) & replaced(second)
    x = CAUSAL
    scores = work_of(first, x)["scores"]
    from_scores = Exercise(np.zeros((5, 6)), np.zeros((7, 6)), n_heads=2, masks=x.masks)
    answer = after(scores, second, from_scores)
    verdict = judge(answer.round(digits), x)
    assert verdict.verdict == "wrong"
    named = {frozenset(ids) for ids in verdict.decisive.alternatives}
    assert frozenset({first, second}) in named
    assert all(len(ids) == 2 for ids in named)


def after(scores, spec, x):
    """The weights of whoever has these scores and makes this mistake: a mask, or a way to normalize."""
    mask = work_of(spec, x)["mask"]
    masked = np.where(mask, scores, -np.inf)
    base = 2.0 if spec == "base_2" else math.e
    axis = -2 if spec == "softmax_over_queries" else -1
    parts = base ** (masked - masked.max(axis=axis, keepdims=True))
    return parts / parts.sum(axis=axis, keepdims=True)


def test_pairs_are_not_tried_where_one_explains():
    verdict = judge(work_of("no_scale", CAUSAL)["weights"].round(4), CAUSAL)
    assert all(len(ids) == 1 for ids in verdict.decisive.alternatives)


# ---- stage by stage --------------------------------------------------------------------------------------

AT_ONE_STAGE = {
    "scale_d_model": "scores",
    "heads_strided": "scores",
    "softmax_over_queries": "weights",
    "softmax_twice": "weights",
    "mask_one_ahead": "weights",
    "mask_times_scores": "weights",
    "heads_merged_wrong": "output",
    "value_is_key": "output",
    "output_projection_missing": "output",
    "bias_missing:of=v": "output",
}


@pytest.mark.parametrize("digits", [2, 4, 6])
@pytest.mark.parametrize("spec", AT_ONE_STAGE)
def test_a_mistake_costs_once(spec, digits):
    made = work_of(spec, PROJECTED)
    answer = {stage: made[stage].round(digits) for stage in ("scores", "weights", "output")}
    verdict = judge(answer, PROJECTED, points=3.0)
    words = {stage.stage: stage.verdict for stage in verdict.stages}
    assert words == {stage: "wrong" if stage == AT_ONE_STAGE[spec] else "right" for stage in words}
    assert verdict.score == 2.0
    assert spec.partition(":")[0] in verdict.mistakes


def test_a_slip_in_the_scores_costs_once():
    x, made = CAUSAL, work_of("", CAUSAL)
    scores = made["scores"].round(2)
    scores[1, 4, 2] += 1
    masked = np.where(made["mask"], scores, -np.inf)
    weights = np.exp(masked) / np.exp(masked).sum(-1, keepdims=True)
    verdict = judge(
        {"scores": scores, "weights": weights.round(2), "output": output_of(weights, x).round(2)}, x
    )
    assert [stage.verdict for stage in verdict.stages] == ["wrong", "right", "right"]
    assert [stage.followed for stage in verdict.stages] == [False, True, True]


def test_points_by_stage_and_what_is_missing():
    answer = {"scores": work_of("", CAUSAL)["scores"].round(3)}
    verdict = judge(answer, CAUSAL, points={"scores": 2, "weights": 3})
    assert (verdict.score, verdict.max, verdict.verdict) == (2, 5, "unreadable")
    assert verdict.message() == "Not handed in: weights."


# ---- shapes, names, and what cannot be read --------------------------------------------------------------


def test_one_matrix_for_two_heads_is_the_mean_or_the_first():
    right = work_of("", CAUSAL)["weights"]
    assert judge(right.mean(0).round(4), CAUSAL).mistakes == "heads_averaged"
    assert judge(right[0].round(4), CAUSAL).mistakes == "head_first_only"


def test_heads_below_each_other_and_side_by_side_are_read():
    made = work_of("", PROJECTED)
    assert judge(made["weights"].round(4).reshape(10, 7), PROJECTED, what="weights").right
    assert judge(made["query"].swapaxes(0, 1).reshape(5, 6).round(4), PROJECTED, what="query").right


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (np.ones((3, 3)) * 0.3, "The shape is [3, 3], expected [2, 5, 7]"),
        (np.ones((5, 6)) * 0.3, "No query has met a key"),
        (np.zeros((0, 7)), "holds nothing"),
        (np.array([["a", "b"]]), "not numbers"),
        ({"mystery": np.eye(2), "other": np.eye(3)}, "name them"),
    ],
)
def test_what_cannot_be_read_is_no_mistake(answer, said):
    verdict = judge(answer, proposed(), what=None if isinstance(answer, dict) else "weights")
    assert verdict.verdict == "unreadable"
    assert said in verdict.message()
    assert verdict.score == 0


def test_whole_numbers_are_too_coarse_where_they_could_be_right():
    x = Exercise(np.array([[1.0, 0.5], [0.3, 1.0]]))  # weights 0.53 and 0.47, 0.39 and 0.61
    assert judge(np.eye(2), x, what="weights").verdict == "unreadable"
    assert judge(np.eye(2)[::-1], x, what="weights").verdict == "wrong"


def test_zeros_are_judged_as_zeros():
    verdict = judge(np.zeros((2, 2)), Exercise(np.array([[1.0, 0.5], [0.3, 1.0]])), what="weights")
    assert verdict.verdict == "wrong"
    assert "Every row sums to 0, not to 1." in verdict.message()


def test_whole_numbers_are_exact_where_the_truth_is_whole():
    x = Exercise(np.array([[2.0, 0.0]]), np.array([[3.0, 0.0], [0.0, 1.0]]), scale=1.0)
    assert judge(np.array([[6, 0]]), x, what="scores").right
    assert judge(np.array([[6, 1]]), x, what="scores").verdict == "wrong"


def test_masks_may_be_additive():
    x = MaskExercise(2, 4, ("causal",))
    right = np.array([[1, 1, 1, 0], [1, 1, 1, 1]])
    assert judge(right, x).right
    assert judge(np.where(right, 0.0, -np.inf), x).right
    assert judge(np.where(right, 0.0, -1e9), x).right
    assert judge(1 - right, x).mistakes == "mask_inverted"
    assert judge(np.tril(np.ones((2, 4))), x).mistakes == "causal_top_left"


def test_scores_may_be_masked_already():
    masked = work_of("", CAUSAL)["masked"].round(3)
    for hidden in (-np.inf, -1e9):
        assert judge({"scores": np.where(np.isneginf(masked), hidden, masked)}, CAUSAL).right
    assert (
        judge(work_of("mask_upper", CAUSAL)["masked"].round(3), CAUSAL, what="scores").mistakes
        == "mask_upper"
    )


@pytest.mark.parametrize("stage", ["weights", "output", "scores"])
@pytest.mark.parametrize("spec", ["", "scale_n_heads", "heads_by_view"])
def test_which_stage_it_is_is_seen_from_the_numbers(stage, spec):
    assert judge(work_of(spec, PROJECTED)[stage].round(4), PROJECTED).what == stage


def test_a_table_of_positions():
    x = TableExercise("sinusoidal", 4, 6)
    assert judge(work_of("pe_exponent", x)["table"].round(4), x).mistakes == "pe_exponent"


def test_many_answers_are_judged_by_one_judge():
    judged = Judge(CAUSAL)
    words = [
        judged(work_of(spec, CAUSAL)["weights"].round(3), file=spec).mistakes
        for spec in ("no_scale", "mask_upper")
    ]
    assert words == ["no_scale", "mask_upper"]


# ---- what is said ----------------------------------------------------------------------------------------


def test_hints_tell_no_more_than_their_level():
    verdict = judge(work_of("scale_d_model", CAUSAL)["weights"].round(4), CAUSAL)
    lines = [verdict.lines(hint) for hint in range(4)]
    assert lines[0] == ["weights: wrong."]
    assert lines[1] == [*lines[0], "The largest difference is at head 0, query 4, key 1."]
    assert "scale_d_model" not in " ".join(lines[1])
    assert "scale_d_model" in " ".join(lines[2])
    expected = f"{verdict.decisive.cell.expected:.4g}"
    assert expected not in " ".join(lines[2])
    assert expected in " ".join(lines[3])


def test_require_raises_one_line():
    assert judge(work_of("", CAUSAL)["weights"].round(3), CAUSAL).require() is None
    with pytest.raises(AssertionError, match="weights: wrong") as caught:
        judge(work_of("no_scale", CAUSAL)["weights"].round(3), CAUSAL).require()
    assert "\n" not in str(caught.value)


def test_ties_say_what_would_tell_them_apart():
    one_head = Exercise(np.array([[1.0, 0.0], [0.0, 2.0]]))
    verdict = judge(np.array([[0.73, 0.27], [0.02, 0.98]]), one_head)
    assert verdict.decisive.told_apart_by.key == "apart_all"
    assert "would be told apart by 5 queries, 7 keys" in verdict.message()


def test_a_file_without_an_answer_is_unreadable():
    verdict = unreadable("a.csv", "line 3 is no number", points={"weights": 2})
    assert (verdict.verdict, verdict.score, verdict.max, verdict.file) == ("unreadable", 0, 2, "a.csv")
    assert verdict.message() == "the answer: cannot be judged. line 3 is no number."


def test_every_stage_of_one_head_is_judged_from_those_before():
    """Value and weights of one head had no axis of heads, and the output after them ended in an assertion."""
    draw = np.random.default_rng(3)
    q, k, v = (draw.normal(size=(n, 3)).round(2) for n in (2, 4, 4))
    scores = q @ k.T
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    given = {"query": q, "key": k, "value": v, "scores": scores, "weights": weights, "output": weights @ v}
    verdict = Judge(Exercise(q, k, v))({name: x.round(4) + 0.0 for name, x in given.items()})
    assert [stage.stage for stage in verdict.stages if stage.verdict != "right"] == ["scores"]
    assert verdict.mistakes == "no_scale|scale_n_heads"  # with one head they are the same
