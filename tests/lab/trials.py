"""Exercises for the tests of the lab: of sizes that can tell mistakes apart, and of sizes that cannot."""

import numpy as np
from attn_cli.lab.exercise import Exercise, MaskExercise, Rope, TableExercise, proposed
from attn_cli.variants.projections import Projection

draw = np.random.Generator(np.random.PCG64(7))
eye = np.eye(4)
small = draw.normal(size=(5, 6)) * 0.02
large = draw.normal(size=(6, 6)) * 9
square = draw.normal(size=(4, 16))
narrow = draw.normal(size=(5, 4)) * 1.3

CAN_TELL = {
    "two heads, 5 × 7": proposed(),
    "causal, projected": proposed(mask="causal", project=True),
    "self, projected": proposed(n_query=6, n_key=6, project=True),
    "window": proposed(mask="window:size=3", n_query=6, n_key=6),
    "causal and padding": proposed(mask="causal+padding:length=5", n_query=6, n_key=6, project=True),
    "grouped": proposed(n_heads=4, n_kv_heads=2, project=True),
    "blind rows": proposed(mask="causal", n_query=7, n_key=5),
    "rope": proposed(rope=True, d_head=6),
    "alibi": proposed(alibi=True, n_heads=4, mask="causal"),
    "positions added": Exercise(
        draw.normal(size=(6, 6)), n_heads=2, positions=TableExercise("sinusoidal", 6, 6)
    ),
    "a batch": proposed(n_batch=3, n_query=5, n_key=5, project=True),
    "table": TableExercise("sinusoidal", 6, 7),
    "rope table": TableExercise("rope", 6, 8),
    "alibi table": TableExercise("alibi", 6, 4),
    "mask": MaskExercise(5, 7, ("causal", "padding:length=6")),
}

CANNOT_TELL = {
    "one head, Q = K, one-hot": Exercise(eye),
    "d_head 1": Exercise(narrow, draw.normal(size=(6, 4)), n_heads=4),
    "all sizes 4": Exercise(square, draw.normal(size=(4, 16)), n_heads=4),
    "scores near 0": Exercise(small, n_heads=2, masks=("causal",)),
    "saturated": Exercise(large, draw.normal(size=(6, 6)) * 9, n_heads=2),
    "overflowing": Exercise(large * 3, n_heads=2),
    "one query": Exercise(draw.normal(size=(1, 6)), draw.normal(size=(7, 6)), n_heads=2),
    "symmetric matrices": Exercise(
        draw.normal(size=(4, 4)), projection=Projection(*(np.diag(draw.normal(size=4)) for _ in range(4)))
    ),
    "interleaved rope of one pair": Exercise(
        draw.normal(size=(5, 4)), n_heads=2, rope=Rope(interleaved=True)
    ),
    "two columns": TableExercise("sinusoidal", 5, 2),
}

TRIALS = CAN_TELL | CANNOT_TELL
