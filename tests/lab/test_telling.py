"""What exercises cannot tell apart, why, and what can."""

import numpy as np
import pytest
from attn_cli.lab.exercise import Exercise, MaskExercise, TableExercise, proposed
from attn_cli.lab.mistakes import specs
from attn_cli.lab.telling import cannot_tell, told_apart_by

from students import ways_of


def reasons(blindness):
    return {said.key for said in blindness.reasons}


def group_of(blindness, name):
    return next((set(group) for group in blindness.groups if name in group), {name})


def test_one_head_hides_the_width_of_the_model():
    x = Exercise(np.random.default_rng(0).normal(size=(5, 4)), np.random.default_rng(1).normal(size=(7, 4)))
    blindness = cannot_tell(x)
    assert {"scale_d_model", "heads_by_view", "heads_merged_wrong", "heads_averaged"} <= set(blindness.unseen)
    assert "one_head" in reasons(blindness)
    assert blindness.proposal.values["n_heads"] == 2


def test_equal_queries_and_keys_hide_a_swap():
    blindness = cannot_tell(Exercise(np.random.default_rng(0).normal(size=(5, 6)), n_heads=2))
    assert "query_key_swapped" in blindness.unseen
    assert "same_query_and_key" in reasons(blindness)


def test_width_1_hides_every_scale():
    draw = np.random.default_rng(0)
    blindness = cannot_tell(Exercise(draw.normal(size=(5, 3)), draw.normal(size=(7, 3)), n_heads=3))
    of_scale = {
        "no_scale",
        "scale_d_k_not_root",
        "scale_multiplied",
        "scale_fourth_root",
        "scale_after_softmax",
    }
    assert of_scale <= set(blindness.unseen)
    assert "one_wide" in reasons(blindness)


def test_the_proposed_exercise_leaves_only_what_is_always_tied():
    for x in (proposed(), proposed(mask="causal", project=True)):
        blindness = cannot_tell(x, stages=("scores", "weights"))
        of_scale = {name for name in blindness.unseen if name.startswith(("scale", "softmax", "heads"))}
        assert of_scale <= {"heads_merged_wrong"}  # which changes the output alone
        assert group_of(blindness, "scale_twice") == {"scale_twice", "scale_d_k_not_root"}
        assert group_of(blindness, "no_scale") == {"no_scale"}
        assert blindness.proposal is None


@pytest.mark.parametrize(
    "x", [Exercise(np.eye(4)), proposed(mask="causal", n_query=6, n_key=6), TableExercise("sinusoidal", 5, 2)]
)
def test_what_is_unseen_gives_the_right_numbers(x):
    blindness = cannot_tell(x)
    stages = [stage for stage in ("weights", "output", "table") if stage in x.asked]
    right = ways_of("", x)[0]
    for spec in specs():
        if spec in blindness.unseen:
            made = ways_of(spec, x)[0]
            for stage in stages:
                if stage in made:
                    np.testing.assert_allclose(np.squeeze(made[stage]), np.squeeze(right[stage]), atol=0.01)


def test_masks_and_tables_have_proposals_of_their_own():
    assert cannot_tell(MaskExercise(4, 4, ("causal",))).proposal.key == "proposal_mask"
    assert cannot_tell(TableExercise("sinusoidal", 5, 2)).proposal.key == "proposal_table"


@pytest.mark.parametrize(
    ("a", "b", "by"),
    [
        ("no_scale", "scale_n_heads", "try_plain"),
        ("mask_upper", "mask_inverted", "try_causal"),
        ("gqa_tiled", "heads_reversed", "try_grouped"),
        ("pe_base", "pe_exponent", "try_rope"),
        ("window_one_more", "window_both_ways", "try_window"),
        ("alibi_sign", "alibi_slope_first", "try_alibi"),
    ],
)
def test_ties_are_separated_by_the_plainest_exercise(a, b, by):
    said = told_apart_by(((a,), (b,)))
    assert said.text("zh").endswith("。")
    assert said.key == "apart_all"
    assert said.values["exercise"].key == by


def test_exercises_that_ask_for_the_same_come_first():
    assert told_apart_by((("pe_base",), ("pe_exponent",)), "table").values["exercise"].key == "try_table"


def test_what_is_always_the_same_is_said_to_be():
    assert told_apart_by((("scale_twice",), ("scale_d_k_not_root",))).key == "never_apart"
    assert told_apart_by((("mask_times_scores",), ("fill_1e-9",))).key == "never_apart"
    assert told_apart_by((("scale_twice",), ("scale_d_k_not_root",), ("no_scale",))).key == "apart_some"
