"""Recording models of x-transformers, which nobody here wrote, against the weights that they give themselves."""

import numpy as np
import pytest
import torch
from attn_cli.attention.recorder import record

x_transformers = pytest.importorskip("x_transformers", reason="x-transformers is not installed")
TOKENS = torch.tensor([[3, 5, 8, 13, 2, 7, 9], [4, 6, 2, 2, 11, 1, 12]])


@pytest.mark.parametrize(
    ("stack", "options"),
    [
        ("Decoder", {}),
        ("Decoder", {"attn_kv_heads": 2}),
        ("Decoder", {"alibi_pos_bias": True}),
        ("Encoder", {"rel_pos_bias": True}),
    ],
)
def test_the_weights_are_those_that_it_gives(stack, options):
    torch.manual_seed(0)
    layers = getattr(x_transformers, stack)(dim=32, depth=2, heads=4, attn_dim_head=8, **options)
    model = x_transformers.TransformerWrapper(num_tokens=20, max_seq_len=16, attn_layers=layers).eval()
    with torch.no_grad():
        alone = model(TOKENS)
        with record(example=1) as seen:
            watched = model(TOKENS)
        _, between = model(TOKENS, return_intermediates=True)
    assert torch.equal(alone, watched)
    wanted = [one.post_softmax_attn[1] for one in between.attn_intermediates]
    np.testing.assert_allclose(seen.attention().weights, torch.stack(wanted), atol=1e-6)


def test_its_flash_attention_is_seen_as_well():
    torch.manual_seed(0)
    options = {"dim": 32, "depth": 2, "heads": 4, "attn_dim_head": 8}
    models = [
        x_transformers.TransformerWrapper(
            num_tokens=20, max_seq_len=16, attn_layers=x_transformers.Decoder(**options, attn_flash=flash)
        ).eval()
        for flash in (False, True)
    ]
    models[1].load_state_dict(models[0].state_dict())
    found = []
    for model in models:
        with torch.no_grad(), record() as seen:
            model(TOKENS)
        found.append(seen)
    assert found[1][0].way == "scaled_dot_product_attention"
    np.testing.assert_allclose(found[1].attention().weights, found[0].attention().weights, atol=1e-6)
