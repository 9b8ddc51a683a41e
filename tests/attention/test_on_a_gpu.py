"""What a GPU does otherwise: blocks of more rows, two threads, flash kernels, half precision. Skipped where there is none."""

import copy
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from attn_cli.attention import streaming
from attn_cli.attention.recorder import record
from attn_cli.attention.rules import Rule
from attn_cli.errors import AttnNote
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.attention.flex_attention import flex_attention
from torch.nn.functional import scaled_dot_product_attention

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA here")


def vectors(*shape, seed=0, dtype=torch.float32):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape)).to("cuda", dtype)


@pytest.mark.parametrize("mask", [[], ["causal"], ["causal", "window:size=100"]])
@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-12), (torch.float32, 2e-6)])
@pytest.mark.parametrize("room", [2**20, 2**25, 2**32])  # one head, some heads, all heads at a time
def test_what_is_streamed_is_what_the_cpu_streams(monkeypatch, mask, dtype, within, room):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (16 * room, 0))
    q, k, v = (vectors(1, 3, 1500, 64, seed=i, dtype=dtype) for i in range(3))
    rule = Rule.parse(mask=mask)
    here = streaming.drain(streaming.stream(q, k, v, rule))
    there = streaming.drain(streaming.stream(q.cpu(), k.cpu(), v.cpu(), rule))
    for name in ("weights", "maxima", "entropy", "mass", "top_weights"):
        a, b = getattr(here, name), getattr(there, name)
        np.testing.assert_allclose(a, b, rtol=within, atol=within, err_msg=name)
    torch.testing.assert_close(here.output.cpu(), there.output, rtol=within, atol=within)
    np.testing.assert_array_equal(here.mask, there.mask)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_flash_kernels_are_recorded_and_not_changed(dtype, causal):
    q, k, v = (vectors(2, 4, 500, 64, seed=i, dtype=dtype) for i in range(3))
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):  # which has no weights to give
        alone = scaled_dot_product_attention(q, k, v, is_causal=causal)
        with record() as seen:
            watched = scaled_dot_product_attention(q, k, v, is_causal=causal)
    assert watched.equal(alone)
    scores = (q[0].double() @ k[0].double().mT / 8).cpu().numpy()
    scores[..., np.triu(np.full((500, 500), causal), 1)] = -np.inf
    wanted = np.exp(scores - scores.max(-1, keepdims=True))
    weights = seen.attention().weights[0]
    np.testing.assert_allclose(weights, wanted / wanted.sum(-1, keepdims=True), atol=2e-6)
    np.testing.assert_allclose(
        weights @ v[0].double().cpu().numpy(), alone[0].double().cpu(), atol=0.02
    )  # which flash attention made of them in half precision


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")  # inside torch's compiler
@pytest.mark.filterwarnings("ignore:flex_attention called without:UserWarning")  # it is, while it is recorded
def test_flexible_attention_that_is_compiled():
    q, k, v = (vectors(1, 2, 256, 64, seed=i) for i in range(3))

    def near(score, _batch, _head, query, key):
        return score - (query - key).abs()

    compiled = torch.compile(flex_attention)
    with pytest.warns(AttnNote, match="compile"), record() as seen:
        compiled(q, k, v, score_mod=near)
    at = torch.arange(256, device="cuda")
    wanted = (q[0] @ k[0].mT / 8 - (at[:, None] - at).abs()).softmax(-1)
    np.testing.assert_allclose(seen.attention().weights[0], wanted.cpu(), atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_layers_of_torch(training):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(64, 4, 128, dropout=0.0, batch_first=True)
    model = nn.TransformerEncoder(layer, 2).to("cuda").train(training)
    x = vectors(2, 50, 64)
    noted = nullcontext() if training else pytest.warns(AttnNote, match="fast path")
    with torch.set_grad_enabled(training), noted, record() as seen:
        model(x)
    first = copy.deepcopy(model.layers[0].self_attn)
    _, wanted = first(x, x, x, average_attn_weights=False)
    np.testing.assert_allclose(seen.attention().weights[0], wanted[0].detach().cpu(), atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_model_that_writes(dtype):
    """Llama with its cache and its default attention, against the weights that it gives when it is asked."""
    transformers = pytest.importorskip("transformers", reason="the extra attn-cli[hf] is not installed")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=99, hidden_size=256, intermediate_size=512, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config).to("cuda", dtype).eval()
    given = {"input_ids": torch.arange(3, 40, device="cuda")[None]}
    written = {"max_new_tokens": 20, "do_sample": False, "pad_token_id": 0}
    alone = model.generate(**given, **written)
    with record() as seen:
        watched = model.generate(**given, **written)
    assert watched.equal(alone)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        wanted = torch.stack(model(watched[:, :-1], output_attentions=True).attentions)[:, 0]
    within = 1e-5 if dtype == torch.float32 else 0.02
    np.testing.assert_allclose(seen.attention().weights, wanted.float().cpu(), atol=within)
