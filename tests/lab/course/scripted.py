"""A scripted student: does an exercise of a lab by formulas that are written apart from it, right or wrong."""

import numpy as np
from attn_cli.lab.course.attention import exercise
from attn_cli.lab.course.data import filled_in
from attn_cli.lab.mistakes import mistake_id, specs
from attn_cli.lab.ways import agrees, canonical

from students import ways_of

# What those who do these labs are likely to get wrong.
TYPICAL = {
    "query": ("weight_transposed", "bias_missing", "rope_halves", "rope_mixed", "rope_sign", "pe_base"),
    "dots": ("softmax_over_queries",),
    "scores": ("no_scale", "scale_d_model", "scale_d_k_not_root", "heads_by_view", "heads_one_wide", "rope_sign"),
    "weights": (
        "no_scale", "scale_d_model", "softmax_over_queries", "softmax_over_all", "softmax_twice", "heads_averaged",
        "mask_after_softmax", "mask_inverted", "causal_top_left", "gqa_tiled", "nan_blind_row", "fill_uniform_blind_row",
    ),
    "output": ("value_is_key", "heads_merged_wrong", "output_projection_missing", "weight_transposed", "no_scale"),
    "mask": ("mask_inverted", "mask_upper", "causal_top_left", "window_one_more", "window_both_ways", "padding_on_queries"),
    "table": ("pe_exponent", "pe_cos_next", "pe_base", "pe_from_one", "alibi_slope_first", "alibi_sign"),
}  # fmt: skip


def numbers(course, task, spec=""):
    """The numbers of who makes this mistake, or none, and the options that it was made with."""
    x = exercise(task.what, filled_in(task.options, course.data), task.id)
    made = [way[task.what] for way in ways_of(spec, x) if task.what in way]
    return None if not made else canonical(made[0], task.what)


def typical_mistakes(course, task):
    """(id, numbers) of every typical mistake that shows in this exercise."""
    right = numbers(course, task)
    for spec in specs():
        if mistake_id(spec) in TYPICAL[task.what]:
            made = numbers(course, task, spec)
            if made is not None and not agrees(made, right, np.asarray(0.02)):
                yield mistake_id(spec), made


def typed(array, decimals=4):
    """An array as a student saves it."""
    rows = np.asarray(array, float).reshape(-1, np.shape(array)[-1])
    return "".join(",".join(f"{x:.{decimals}f}" for x in row) + "\n" for row in rows)


# Numbers and words, each worked out here from what the student reads.
WORKED = {
    ("heads", "parameters"): lambda data: 4 * data["d_model"] ** 2 + 4 * data["d_model"],
    ("heads", "cache"): lambda data: 2 * data["layers"] * data["n_kv"] * 64 * 1000,
}
