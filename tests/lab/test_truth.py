"""Truths from saved attentions and from heads: the same numbers as everywhere, and what is known of their making."""

import numpy as np
import pytest
from attn_cli.attention.heads import project
from attn_cli.attention.rules import Rule
from attn_cli.attention.vectors import attend
from attn_cli.errors import InputError
from attn_cli.lab.exercise import Exercise, Recorded, proposed
from attn_cli.lab.judging import judge
from attn_cli.lab.pipeline import Work
from attn_cli.lab.truth import exercise_of, exercise_of_heads, recognised
from attn_cli.records.attention import Attention
from attn_cli.variants.masks import MASKS, as_matrix

from students import work_of

draw = np.random.default_rng(3)
X, CONTEXT = draw.normal(size=(5, 12)), draw.normal(size=(7, 12))
RULES = [
    {},
    {"mask": ["causal"]},
    {"mask": ["causal", "padding:length=6"]},
    {"mask": ["causal|global:tokens=5"]},
    {"mask": [draw.random((5, 7)) > 0.3]},
    {"score": "dot"},
    {"scale": 0.3, "temperature": 2.0},
    {"position": "rope"},
    {"position": "rope:pairing=interleaved,base=100"},
    {"position": "rope:partial=0.5"},
    {"position": "alibi", "mask": ["causal"]},
    {"score": "cosine"},
    {"softcap": 2.0},
    {"normalise": "sparsemax"},
    {"top_k": 3},
    {"mask": ["lsh:buckets=2"]},
]


@pytest.mark.filterwarnings("ignore:.*may attend to no key")
@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("kv_heads", [3, 1])
def test_the_truth_of_a_rule_is_what_attn_computes(rule, kv_heads):
    width = 4 * kv_heads
    record = attend(X, CONTEXT[:, :width], heads=3, kv_heads=kv_heads, **rule)
    heads = project(X, CONTEXT[:, :width], heads=3, kv_heads=kv_heads)
    for x in (exercise_of_heads(heads, Rule.parse(**rule)), exercise_of(record)):
        work = Work(x)
        for stage in ("scores", "weights", "output"):
            np.testing.assert_allclose(work[stage], getattr(record, stage)[0], atol=1e-12)


def test_projections_of_heads_are_known_but_not_those_of_a_record():
    x = proposed(project=True)
    heads = project(*x.inputs, heads=2, project=x.projection)
    assert exercise_of_heads(heads, Rule()).projection.W_o is not None
    record = attend(*x.inputs, heads=2, project=x.projection)
    assert "output" in exercise_of(record).known


@pytest.mark.parametrize(
    "specs", [("causal",), ("padding:length=4",), ("window:size=3",), ("causal", "padding:length=4"), ()]
)
@pytest.mark.parametrize("size", [(6, 6), (4, 6)])
def test_masks_are_recognised(specs, size):
    matrix = np.logical_and.reduce(
        [np.ones(size, bool), *(as_matrix(MASKS.parse(spec), *size) for spec in specs)]
    )
    found = recognised(np.stack([matrix] * 2))
    written = [as_matrix(mask, *size) for mask in found]
    assert (np.logical_and.reduce([np.ones(size, bool), *written]) == matrix).all()
    assert len(found) == len(specs)


def test_a_mask_of_no_name_is_kept_as_it_is():
    matrix = draw.random((2, 5, 5)) > 0.5
    (found,) = recognised(matrix)
    assert (found == matrix).all()


def test_mistakes_are_named_against_a_record():
    x = proposed(mask="causal")
    record = attend(*x.inputs, heads=2, mask=["causal"])
    truth = exercise_of(record)
    assert isinstance(truth, Exercise)
    for spec in ("no_scale", "mask_one_ahead", "heads_by_view", "softmax_over_queries", "heads_averaged"):
        assert spec in judge(work_of(spec, x)["weights"].round(4), truth, what="weights").mistakes
    assert judge(work_of("", x)["output"].round(3), truth, what="output").right


def test_weights_alone_show_what_follows_from_weights():
    x = proposed(mask="causal")
    right = work_of("", x)
    record = Attention(tuple("abcde"), tuple("abcdefg"), right["weights"][None])
    truth = exercise_of(record)
    assert isinstance(truth, Recorded)
    assert judge(right["weights"].round(3), truth).right
    assert judge(right["weights"].astype(np.float32), truth).right
    assert judge(right["weights"].mean(0).round(4), truth).mistakes == "heads_averaged"
    assert judge(work_of("softmax_twice", x)["weights"].round(4), truth).mistakes == "softmax_twice"
    unknown = judge(work_of("scale_d_model", x)["weights"].round(4), truth)
    assert unknown.mistakes == ""
    assert "log_ratio" in [said.key for said in unknown.decisive.evidence]


def test_pooled_weights_are_no_truth():
    pooled = Attention(("a", "b", "c"), ("a", "b"), np.full((1, 1, 2, 2), 0.5), pooled=True)
    with pytest.raises(InputError, match="pooled"):
        exercise_of(pooled)
