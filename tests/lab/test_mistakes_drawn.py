"""Mistakes in exercises of any size: whoever makes one is never told that it is another."""

import numpy as np
from attn_cli.lab.exercise import proposed
from attn_cli.lab.judging import Judge
from attn_cli.lab.mistakes import mistake_id, specs
from attn_cli.lab.ways import agrees, canonical
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from students import ways_of

SIZES = st.fixed_dictionaries(
    {
        "n_query": st.integers(1, 6),
        "n_key": st.integers(2, 8),
        "n_heads": st.integers(1, 4),
        "d_head": st.integers(1, 5),
        "seed": st.integers(0, 99),
        "mask": st.sampled_from(
            ["", "causal", "window:size=2", "padding:length=2", "causal+padding:length=3"]
        ),
        "project": st.booleans(),
    }
)
MOST = settings().max_examples


@settings(max_examples=1000 if MOST >= 1000 else 40, suppress_health_check=[HealthCheck.too_slow])
@given(SIZES, st.sampled_from(specs()), st.sampled_from(["weights", "output"]), st.integers(2, 6))
def test_a_mistake_is_right_or_among_those_that_are_named(sizes, spec, stage, digits):
    x = proposed(**sizes)
    right = canonical(ways_of("", x)[0][stage], stage)
    for made in ways_of(spec, x):
        if stage not in made:
            continue
        numbers = canonical(made[stage], stage)
        verdict = Judge(x)(numbers.round(digits) + 0.0, what=stage)
        named = {name for ids in verdict.decisive.alternatives for name in ids}
        if agrees(numbers, right, np.asarray(1e-6)):
            assert verdict.right
        else:
            assert verdict.right or mistake_id(spec) in named, verdict.message()
