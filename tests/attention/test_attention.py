"""Dense attention against numbers worked out by hand, an oracle in NumPy, and torch's own functions."""

import numpy as np
import pytest
import torch
from attn_cli.attention import layers
from attn_cli.attention.dense import attention
from attn_cli.attention.heads import project
from attn_cli.attention.outputs import merge_heads, split_heads, weigh
from attn_cli.attention.rules import Rule
from attn_cli.attention.vectors import attend
from attn_cli.errors import AttnNote, AttnWarning, InputError
from attn_cli.records.encoding import Encoding
from attn_cli.variants import projections
from attn_cli.variants.projections import Projection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import oracle

Q, K, V = [[0.1, 0.2], [0.3, 0.4]], [[0.4, 0.5], [0.6, 0.7]], [[0.8, 0.9], [1.0, 1.1]]


def vectors(seq_len, width):
    return arrays(np.float64, (seq_len, width), elements=st.floats(-5, 5))


sequences = st.tuples(st.integers(1, 6), st.sampled_from([2, 4])).flatmap(lambda s: vectors(*s))


def test_by_hand_one_query():
    """q = [0, √2] against the unit vectors: scores [0, 1] after the division by √2, so [1, e] / (1 + e)."""
    result = attend(np.array([[0, 2**0.5]]), np.eye(2))
    assert result.weights[0, 0] == pytest.approx(np.array([[1, np.e]]) / (1 + np.e), abs=1e-15)


def test_the_article_with_query_key_value():
    result = attend(np.array(Q), np.array(K), np.array(V))
    weights = [[0.489394989, 0.510605011], [0.475271454, 0.524728546]]
    output = [[0.902121002, 1.002121002], [0.904945709, 1.004945709]]
    np.testing.assert_allclose(result.weights[0, 0], weights, rtol=0, atol=1e-9)
    np.testing.assert_allclose(result.output[0], output, rtol=0, atol=1e-9)


def test_transformer_is_powerful():
    embeddings = np.array([[0.5, 0.1, 0.3], [0.2, 0.6, 0.1], [0.3, 0.4, 0.7]])
    positions = np.array([[0, 0.1, 0.2], [0.3, 0.4, 0.5], [0.6, 0.7, 0.8]])
    weights = [
        [0.263784231, 0.297785973, 0.438429796],
        [0.188272877, 0.309331531, 0.502395592],
        [0.125066175, 0.226674206, 0.648259619],
    ]
    result = attend(embeddings + positions)
    np.testing.assert_allclose(result.weights[0, 0], weights, rtol=0, atol=1e-9)


@pytest.mark.parametrize("mask", [(), ("causal",), ("causal", "window:size=2")])
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_each_head_attends_in_its_slice_of_the_columns(mask, heads):
    q, k, v = np.random.default_rng(7).normal(size=(3, 5, 8))
    result = attend(q, k, v, heads=heads, mask=mask)
    for head, columns in enumerate(np.split(np.arange(8), heads)):
        here = q[:, columns], k[:, columns], v[:, columns]
        expected = oracle.attention(*here, mask=oracle.mask_matrix(mask, *here[:2]))
        np.testing.assert_allclose(result.weights[0, head], expected.weights, rtol=0, atol=1e-12)
        np.testing.assert_allclose(result.output[0][:, columns], expected.output, rtol=0, atol=1e-12)


@pytest.mark.parametrize("causal", [False, True])
def test_matches_torch_sdpa(causal):
    generator = np.random.default_rng(1)
    q, k, v = generator.normal(size=(3, 6, 8))
    heads = [split_heads(torch.tensor(x), 2) for x in (q, k, v)]
    expected = merge_heads(torch.nn.functional.scaled_dot_product_attention(*heads, is_causal=causal))
    result = attend(q, k, v, heads=2, mask=["causal"] * causal)
    np.testing.assert_allclose(result.output[0], expected.numpy(), rtol=0, atol=1e-12)


def test_matches_torch_multihead_attention():
    """The same matrices in nn.MultiheadAttention, which multiplies from the other side."""
    torch.manual_seed(0)
    module = torch.nn.MultiheadAttention(8, 2, dtype=torch.float64, batch_first=True)
    in_q, in_k, in_v = (w.detach().numpy().T for w in module.in_proj_weight.chunk(3))
    matrices = Projection(in_q, in_k, in_v, module.out_proj.weight.detach().numpy().T)
    x = np.random.default_rng(2).normal(size=(5, 8))
    batch = torch.tensor(x)[None]
    output, weights = module(batch, batch, batch, average_attn_weights=False)
    result = attend(x, heads=2, project=matrices)
    np.testing.assert_allclose(result.weights[0], weights[0].detach(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.output[0], output[0].detach(), rtol=0, atol=1e-12)


def test_projection_biases_are_added():
    one = np.eye(2)
    moved = attend(
        one, project=Projection(b_q=np.array([1.0, 0.0]), b_v=np.array([0.5, 0.5]), b_o=np.ones(2))
    )
    plain = attend(one + np.array([1.0, 0.0]), one, one + 0.5)
    np.testing.assert_allclose(moved.weights, plain.weights, rtol=0, atol=1e-15)
    np.testing.assert_allclose(moved.output, plain.output + 1, rtol=0, atol=1e-15)


def test_the_scale_is_the_width_of_a_head_not_of_the_model():
    x = np.ones((1, 8))
    assert attend(x, heads=2).scores[0, 0, 0, 0] == 4 / np.sqrt(4)


@given(sequences, st.booleans())
def test_rows_sum_to_one(x, causal):
    weights = attend(x, mask=["causal"] * causal).weights
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=0, atol=1e-12)
    assert (weights >= 0).all()


@given(sequences, st.floats(-5, 5))
def test_causal_rows_ignore_the_future(x, other):
    changed = x.copy()
    changed[-1] = other
    before, after = (attend(y, heads=2, mask=["causal"]) for y in (x, changed))
    assert (before.weights[:, :, :-1] == after.weights[:, :, :-1]).all()
    np.testing.assert_allclose(before.output[:, :-1], after.output[:, :-1], rtol=0, atol=1e-12)


@given(sequences, st.randoms(use_true_random=False))
def test_permuting_tokens_permutes_rows_and_columns(x, random):
    order = list(range(len(x)))
    random.shuffle(order)
    plain, shuffled = attend(x), attend(x[order])
    np.testing.assert_allclose(
        shuffled.weights[0, 0], plain.weights[0, 0][order][:, order], rtol=0, atol=1e-12
    )


def test_a_query_without_keys_gets_zeros_and_one_warning():
    with pytest.warns(AttnWarning, match=r"query 0 \(a\\tb\)") as caught:
        result = attend(Encoding(("a\tb", "c"), np.eye(2)), mask=[np.array([[0, 0], [1, 0]])])
    assert len(caught) == 1
    assert result.weights[0, 0].tolist() == [[0, 0], [1, 0]]
    assert result.output[0, 0].tolist() == [0, 0]


def test_causal_with_more_keys_aligns_the_ends():
    """torch's is_causal aligns the beginnings; the last of 2 queries must see all 3 keys."""
    result = attend(np.ones((2, 2)), np.ones((3, 2)), mask=["causal"])
    assert (result.weights[0, 0] > 0).tolist() == [[True, True, False], [True, True, True]]


def test_huge_scores_do_not_overflow():
    weights = attend(np.array([[1000.0, 0], [0, 1000.0]]), score="dot").weights
    assert weights[0, 0].tolist() == [[1, 0], [0, 1]]


def test_an_empty_batch_axis_is_free():
    """The formula takes any leading axes, as torch does."""
    q = torch.ones(3, 2, 4, 8)
    assert attention(q, q, q).output.shape == (3, 2, 4, 8)


def test_a_value_of_weight_0_counts_for_nothing():
    nan, weights = torch.nan, torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    assert weigh(weights, torch.tensor([[2.0, 1.0], [4.0, torch.inf]])).nan_to_num(-1).tolist() == [
        [2, 1],
        [3, -1],
    ]
    assert weigh(weights, torch.full((2, 1), nan)).isnan().all()


def test_a_rule_and_a_mask_must_both_permit():
    q = torch.zeros(2, 3, 1)
    first = torch.tensor([[[True, False, False]], [[True, True, True]]])  # [head, 1, key]
    weights = attention(q, q, q, Rule.parse(mask=["causal"]), mask=first).weights
    assert (weights[0] > 0).int().tolist() == [[1, 0, 0]] * 3
    assert (weights[1] > 0).int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]


def test_grouped_queries_are_torchs_gqa():
    q, k, v = np.random.default_rng(0).normal(size=(3, 5, 8))
    k, v = k[:, :4], v[:, :4]
    result = attend(q, k, v, heads=4, kv_heads=2)
    q, k, v = (
        split_heads(torch.tensor(q), 4),
        split_heads(torch.tensor(k), 2),
        split_heads(torch.tensor(v), 2),
    )
    output = torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], enable_gqa=True)[0]
    np.testing.assert_allclose(result.output[0], merge_heads(output), rtol=0, atol=1e-12)
    assert result.key.shape == result.query.shape == (1, 4, 5, 2)
    assert (result.key[0, 0] == result.key[0, 1]).all()


def test_multi_query_shares_one_key_between_all_heads():
    result = attend(np.random.default_rng(0).normal(size=(3, 8)), heads=4, kv_heads=1, project="random")
    assert (result.key[0] == result.key[0, :1]).all()
    assert (result.value[0] == result.value[0, :1]).all()
    assert result.output.shape == (1, 3, 8)


def test_memory_comes_before_the_keys_and_causal_lets_all_see_it():
    x, memory = np.random.default_rng(0).normal(size=(2, 4, 6))
    whole = attend(np.concatenate([memory, x]), heads=2, mask=["causal"], position="xl", project="random")
    result = attend(x, memory=memory, heads=2, mask=["causal"], position="xl", project="random")
    assert result.weights.shape == (1, 2, 4, 8)
    np.testing.assert_allclose(result.weights, whole.weights[:, :, 4:], rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.output, whole.output[:, 4:], rtol=0, atol=1e-12)
    assert "after a memory of 4" in result.provenance


def test_linear_attention_is_the_sum_over_keys_and_says_how_far_off_it_is():
    """Σⱼ φ(q)·φ(kⱼ) vⱼ with the sums over j first: linear in the number of keys."""
    q, k, v = torch.tensor(np.random.default_rng(0).normal(size=(3, 9, 4)))
    phi_q, phi_k = (torch.nn.functional.elu(x) + 1 for x in (q, k))
    output = phi_q @ (phi_k.T @ v) / (phi_q @ phi_k.sum(dim=0))[:, None]
    exact = attend(q.numpy(), k.numpy(), v.numpy())
    with pytest.warns(
        AttnNote, match="linear attention approximates scaled_dot: weights are off by"
    ) as caught:
        result = attend(q.numpy(), k.numpy(), v.numpy(), score="linear")
    np.testing.assert_allclose(result.output[0], output, rtol=0, atol=1e-12)
    off = abs(result.weights - exact.weights)
    assert f"by {off.mean():.2g} on average and {off.max():.2g} at most" in str(caught[0].message)
    assert f"output by {abs(result.output - exact.output).max():.2g} at most" in str(caught[0].message)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32_and_kept_in_records_as_such(dtype):
    x = np.random.default_rng(0).normal(size=(6, 8))
    result = attend(x, heads=2, dtype=dtype)
    for part in ("weights", "scores", "output", "query", "key", "value"):
        assert getattr(result, part).dtype == np.float32
    rounded = torch.tensor(x).to(getattr(torch, dtype)).double().numpy()
    np.testing.assert_allclose(result.weights, attend(rounded, heads=2).weights, rtol=0, atol=1e-6)
    np.testing.assert_allclose(result.query, attend(rounded, heads=2).query, rtol=0, atol=0)


def test_a_device_that_is_not_here_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="device 'cuda' is not available; give auto or"):
        attend(np.eye(2), device="cuda")
    with pytest.raises(InputError, match="device 'tpu' is not available"):
        attend(np.eye(2), device="tpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert (attend(np.eye(2), device="auto").weights == attend(np.eye(2)).weights).all()


def test_mps_has_no_float64(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(InputError, match="an mps device has no float64; give --dtype float32"):
        attend(np.eye(2), device="mps", dtype="float64")


def test_heads_and_a_rule_are_all_that_attention_needs():
    x = np.random.default_rng(0).normal(size=(3, 4))
    one = layers.attend(project(x, heads=2), Rule.parse(mask=["causal"], normalise="sparsemax"))
    other = attend(x, heads=2, mask=["causal"], normalise="sparsemax")
    assert (one.weights == other.weights).all()
    assert one.provenance == other.provenance == "vectors as given, mask causal, normalised by sparsemax"


def test_a_mask_by_head_is_kept_by_head():
    result = attend(np.random.default_rng(0).normal(size=(6, 8)), heads=2, mask=["lsh:buckets=2", "causal"])
    assert result.mask.shape == (1, 2, 6, 6)
    assert (result.weights[~result.mask] == 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"heads": 3}, r"3 heads do not divide d_model 4 of query \[2, 4\]; give one of 1, 2, 4"),
        ({"key": np.ones((2, 3))}, r"query \[2, 4\] and key \[2, 3\] differ in width"),
        ({"value": np.ones((3, 4))}, r"key \[2, 4\] and value \[3, 4\] differ in length"),
        (
            {"project": Projection(W_q=np.ones((3, 4)))},
            r"query vectors \[2, 4\] do not fit a matrix \[3, 4\]",
        ),
        ({"project": Projection(b_k=np.ones(3))}, r"key vectors \[2, 4\] do not fit a bias \[3\]"),
        ({"mask": [np.ones((2, 3))]}, r"a mask \[2, 3\] for 2 queries and 2 keys"),
        ({"mask": [np.full((2, 2), -2.0)]}, r"a mask holds -2.0 at row 0, column 0"),
        ({"mask": ["casual"]}, r"unknown mask 'casual'.*did you mean 'causal'"),
        ({"mask": ["window:size=0"]}, r"a window of size 0"),
        ({"score": "scaled"}, r"unknown score 'scaled'.*did you mean 'scaled_dot'"),
        ({"heads": 2, "kv_heads": 3}, r"3 key heads for 2 heads; give a number that divides --heads"),
        ({"heads": 2, "kv_heads": 1}, r"keys and values for 1 of 2 heads are 2 wide; give --project random"),
        ({"memory": np.ones((2, 3))}, r"memory \[2, 3\] and vectors \[2, 4\] differ in width"),
        ({"dtype": "float8"}, r"dtype 'float8'; give float64 or float32 or bfloat16 or float16"),
        ({"project": "rnadom"}, r"unknown projection 'rnadom'.*did you mean 'random'"),
    ],
)
def test_what_does_not_fit_is_named(arguments, message):
    with pytest.raises(InputError, match=message):
        attend(np.ones((2, 4)), **arguments)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_input_that_is_not_finite_is_refused(bad):
    with pytest.raises(InputError, match=r"row 1, column 0"):
        attend(np.array([[1.0, 2.0], [bad, 4.0]]))


def test_dtype_follows_the_vectors_unless_given():
    x = np.ones((2, 2), np.float32)
    assert attend(x).weights.dtype == np.float32
    assert attend(x, dtype="float64").weights.dtype == np.float64


def test_random_projections_bridge_widths():
    result = attend(np.ones((2, 4)), np.ones((3, 6)), project="random", heads=2)
    assert result.key.shape == (1, 2, 3, 2)
    assert "untrained" in result.provenance


def test_projection_files_name_what_is_wrong():
    with pytest.raises(InputError, match="a projection with Wq; name the arrays W_q"):
        projections.from_arrays({"Wq": np.eye(2)})
    with pytest.raises(InputError, match=r"W_q \[2\], expected \[d_in, d_out\]"):
        projections.from_arrays({"W_q": np.ones(2)})
