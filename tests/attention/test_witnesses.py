"""Second witnesses: the same numbers from torch's own attention and from Hugging Face's models."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from attn_cli.attention.dense import attention
from attn_cli.attention.rules import Rule, positions
from attn_cli.attention.streaming import drain, stream
from attn_cli.variants.posenc import alibi_slopes, rope_frequencies, t5_bucket
from torch.nn.attention.flex_attention import create_block_mask, flex_attention
from torch.nn.functional import scaled_dot_product_attention

from variants import MASK_SPECS

CPU = torch.device("cpu")


@pytest.fixture
def qkv():
    return torch.tensor(np.random.default_rng(0).normal(size=(3, 1, 4, 8, 6)))  # [batch, head, seq, d_head]


def assert_same(got, wanted, atol=1e-12):
    torch.testing.assert_close(got, wanted, rtol=0, atol=atol, check_dtype=False)


# ---- torch: the fused kernel --------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [None, *MASK_SPECS])
def test_sdpa_with_every_mask(qkv, spec):
    steps = attention(*qkv, Rule.parse(mask=[spec] if spec else []))
    seeing = slice(None) if steps.mask is None else steps.mask.any(dim=-1).expand(1, 4, 8)
    output = scaled_dot_product_attention(*qkv, attn_mask=steps.mask)
    assert_same(steps.output[seeing], output[seeing])


@pytest.mark.parametrize("position", ["alibi", "t5", "xl", "clipped", "rope"])
def test_sdpa_with_positions_as_a_bias(qkv, position):
    """softmax(q·kᵀ/√d + b) for the b that a scheme adds, whichever it is."""
    steps = attention(*qkv, Rule.parse(position=position, mask=["causal"]))
    bias = steps.scores - Rule().scores(*qkv[:2], *positions(8, 8, CPU))
    assert bias.abs().max() > 0.01
    output = scaled_dot_product_attention(*qkv, attn_mask=bias.masked_fill(~steps.mask, -torch.inf))
    assert_same(steps.output, output)


def test_sdpa_with_a_scale_and_with_causal_on_a_square(qkv):
    assert_same(attention(*qkv, Rule(scale=0.3)).output, scaled_dot_product_attention(*qkv, scale=0.3))
    causal = attention(*qkv, Rule.parse(mask=["causal"])).output
    assert_same(causal, scaled_dot_product_attention(*qkv, is_causal=True))


def test_causal_of_torch_aligns_the_beginnings_and_ours_the_ends(qkv):
    """With 3 queries after 8 keys torch's flag lets the last query see 3 keys; it should see all 8."""
    q, k, v = qkv
    last = q[:, :, -3:]
    ours = attention(last, k, v, Rule.parse(mask=["causal"])).output
    assert_same(ours, attention(*qkv, Rule.parse(mask=["causal"])).output[:, :, -3:])
    theirs = scaled_dot_product_attention(last, k, v, is_causal=True)
    assert_same(theirs[:, :, 0], v[:, :, 0])
    assert (ours - theirs).abs().max() > 0.1


def test_a_nan_query_is_nan_here_whatever_the_flash_kernel_makes_of_it(qkv):
    """On some processors torch's kernel gives 0, as if the query had seen nothing; on others NaN."""
    q, k, v = qkv.float()
    q[0, 0, 2] = torch.nan
    theirs = scaled_dot_product_attention(q, k, v)[0, 0, 2]
    assert (theirs == 0).all() or theirs.isnan().all()
    steps, streamed = attention(q, k, v), drain(stream(q, k, v))
    assert steps.weights[0, 0, 2].isnan().all()
    assert np.isnan(streamed.weights[0, 0, 2]).all()
    for output in (steps.output, streamed.output):
        assert output[0, 0, 2].isnan().all()
        assert output[0, 0, 3].isfinite().all()


@pytest.mark.parametrize("n", [4, 3000])
def test_a_nan_query_is_refused_by_the_commands(run, tmp_path, n):
    """Dense and streamed: no kernel gets to see it."""
    broken = np.ones((n, 2))
    broken[2, 1] = np.nan
    np.save(tmp_path / "q.npy", broken)
    result = run("attend", str(tmp_path / "q.npy"), "-o", str(tmp_path / "x.npz"))
    assert (result.code, result.stdout) == (2, "")
    assert "q.npy: numbers hold nan at row 2, column 1" in result.stderr
    assert not (tmp_path / "x.npz").exists()


# ---- torch: flex_attention in eager form ----------------------------------------------------------------------


def flex(q, k, v, score_mod=None, mask_mod=None):
    blocks = (
        None
        if mask_mod is None
        else create_block_mask(mask_mod, None, None, q.shape[-2], k.shape[-2], device="cpu")
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="flex_attention called without torch.compile")
        return flex_attention(q, k, v, score_mod=score_mod, block_mask=blocks)


@pytest.mark.parametrize(
    ("spec", "mask_mod"),
    [
        ("causal", lambda b, h, q, k: q >= k),
        ("prefix:length=3", lambda b, h, q, k: (k < 3) | (q >= k)),
        ("padding:length=5", lambda b, h, q, k: k < 5),
        ("window:size=3", lambda b, h, q, k: (q >= k) & (q - k < 3)),
        ("window:size=5,ahead=2", lambda b, h, q, k: (q - k).abs() <= 2),
        ("document:lengths=3+2", lambda b, h, q, k: torch.bucketize(q, torch.tensor([2, 4])) == torch.bucketize(k, torch.tensor([2, 4]))),
        ("dilated:size=3,gap=2", lambda b, h, q, k: (q >= k) & (q - k <= 4) & ((q - k) % 2 == 0)),
        ("window:size=2|global:tokens=0", lambda b, h, q, k: ((q >= k) & (q - k < 2)) | (q == 0) | (k == 0)),
    ],
)  # fmt: skip
def test_flex_masks(qkv, spec, mask_mod):
    assert_same(attention(*qkv, Rule.parse(mask=[spec])).output, flex(*qkv, mask_mod=mask_mod))


@pytest.mark.parametrize(
    ("specs", "score_mod"),
    [
        ({"position": "alibi"}, lambda s, b, h, q, k: s - torch.exp2(-(h + 1) * 2.0) * (q - k).abs()),
        ({"softcap": 0.5}, lambda s, b, h, q, k: 0.5 * torch.tanh(s / 0.5)),
        ({"temperature": 0.4}, lambda s, b, h, q, k: s / 0.4),
        ({"score": "dot", "scale": 0.1}, lambda s, b, h, q, k: s * 6**0.5 * 0.1),
    ],
)
def test_flex_scores(qkv, specs, score_mod):
    assert_same(attention(*qkv, Rule.parse(**specs)).output, flex(*qkv, score_mod=score_mod))


# ---- Hugging Face ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def llama():
    return pytest.importorskip("transformers.models.llama.modeling_llama")


def rotary(llama, max_len=2048, **parameters):
    from transformers import LlamaConfig

    config = LlamaConfig(
        hidden_size=64, num_attention_heads=1, max_position_embeddings=max_len, rope_parameters={"rope_theta": 1e4, **parameters}
    )  # fmt: skip
    return llama.LlamaRotaryEmbedding(config)


ROTARIES = [
    ({"rope_type": "default"}, "rope"),
    ({"rope_type": "default", "rope_theta": 5e5}, "rope:base=500000"),
    ({"rope_type": "linear", "factor": 8.0}, "rope:scaling=linear,factor=8"),
    (
        {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 256},
        "rope:scaling=yarn,factor=8,original=256",
    ),
    (
        {"rope_type": "yarn", "factor": 40.0, "original_max_position_embeddings": 4096},
        "rope:scaling=yarn,factor=40,original=4096",
    ),
]


@pytest.mark.parametrize(("parameters", "spec"), ROTARIES)
def test_rotary_scores_are_llamas(llama, parameters, spec):
    q, k = torch.tensor(np.random.default_rng(0).normal(size=(2, 1, 2, 50, 64)), dtype=torch.float32)
    at = torch.arange(50)
    cos, sin = rotary(llama, **parameters)(q, at[None])
    turned_q, turned_k = llama.apply_rotary_pos_emb(q, k, cos, sin)
    ours = Rule.parse(position=spec, score="dot").scores(q, k, at, at)
    assert_same(ours, turned_q @ turned_k.mT, atol=2e-4)  # theirs has float32 angles


def test_ntk_is_the_dynamic_scaling_of_llama_at_a_length(llama):
    """Theirs follows the length: factor · n / max − (factor − 1) is our factor, 7 for n = 4 max and factor 2."""
    embedding = rotary(llama, max_len=128, rope_type="dynamic", factor=2.0)
    embedding(torch.zeros(1), torch.arange(512)[None])
    theta, stretch = rope_frequencies(64, scaling="ntk", factor=7.0)
    assert stretch == 1
    np.testing.assert_allclose(theta, embedding.inv_freq, rtol=1e-6)


def test_interleaved_and_partial_rotary_are_gpt_js():
    gptj = pytest.importorskip("transformers.models.gptj.modeling_gptj")
    q, k = torch.tensor(np.random.default_rng(0).normal(size=(2, 1, 20, 2, 16)), dtype=torch.float32)
    sin, cos = gptj.create_sinusoidal_positions(20, 8)[None].chunk(2, dim=-1)

    def turned(x):  # [batch, seq, head, d_head], 8 of 16 numbers turned
        first = gptj.apply_rotary_pos_emb(x[..., :8], sin, cos)
        return torch.cat([first, x[..., 8:]], dim=-1).transpose(1, 2)

    at = torch.arange(20)
    rule = Rule.parse(position="rope:pairing=interleaved,partial=0.5", score="dot")
    ours = rule.scores(q.transpose(1, 2), k.transpose(1, 2), at, at)
    assert_same(ours, turned(q) @ turned(k).mT, atol=2e-5)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("buckets", "farthest"), [(32, 128), (16, 64), (8, 20), (320, 800)])
def test_t5_buckets(bidirectional, buckets, farthest):
    t5 = pytest.importorskip("transformers.models.t5.modeling_t5")
    distance = np.arange(-1000, 1000)
    theirs = t5.T5Attention._relative_position_bucket(
        torch.tensor(distance), bidirectional=bidirectional, num_buckets=buckets, max_distance=farthest
    )
    ours = t5_bucket(distance, buckets=buckets, farthest=farthest, bidirectional=bidirectional)
    assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("n_heads", [1, 2, 8, 12, 14, 32, 112])
def test_alibi_slopes_are_blooms(n_heads):
    bloom = pytest.importorskip("transformers.models.bloom.modeling_bloom")
    bias = bloom.build_alibi_tensor(
        torch.ones(1, 2), n_heads, torch.float32
    )  # slope · position, [head, 1, seq]
    np.testing.assert_allclose(alibi_slopes(n_heads), bias[:, 0, 1], rtol=1e-6)


def test_a_learned_sink_is_gpt_osss(qkv):
    gpt_oss = pytest.importorskip("transformers.models.gpt_oss.modeling_gpt_oss")
    sinks = torch.tensor([0.5, -1.0, 2.0, 0.0], dtype=torch.float64)
    module = SimpleNamespace(num_key_value_groups=1, sinks=sinks, training=False)
    output, weights = gpt_oss.eager_attention_forward(module, *qkv, None, scaling=6**-0.5)
    steps = attention(*qkv, Rule.parse(normalise="softmax1:sink=0.5+-1+2+0"))
    assert_same(steps.weights, weights)
    assert_same(steps.output, output.transpose(1, 2))


def test_the_soft_cap_is_gemma_2s(qkv):
    gemma2 = pytest.importorskip("transformers.models.gemma2.modeling_gemma2")
    module = SimpleNamespace(num_key_value_groups=1, training=False)
    output, weights = gemma2.eager_attention_forward(module, *qkv.float(), None, scaling=6**-0.5, softcap=0.8)
    steps = attention(*qkv.float(), Rule(softcap=0.8))
    assert_same(steps.weights, weights, atol=1e-6)
    assert_same(steps.output, output.transpose(1, 2), atol=1e-6)
