"""Value zeroing and ALTI, held to formulas written apart, in which parts of the model are made to give nothing.

The second witness of value zeroing is inseq 0.7.1. It installs beside transformers 5 but does not run there: it
traces an assignment to `value` in GPT-2's attention, which has another name now, and expects layers to return
tuples. So its numbers stand here, computed once in an environment of its own with transformers 4.57.6 and
`value_vector` set to "value_states".
"""

import numpy as np
import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.interpret.zeroing import alti, zeroing
from attn_cli.models.native.huggingface import load_stack
from attn_cli.transformer.answer import Asked
from safetensors.numpy import save_file
from small_models import STACKS, answer_of


def streams(answer, module):
    """What goes into each layer of a stack."""
    seen = []
    hooks = [layer.register_forward_pre_hook(lambda _, given: seen.append(given)) for layer in module.layers]
    answer.all_logits()
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize(
    ("stack", "kind"), [("encoder", "encoder"), ("decoder", "decoder"), ("both", "cross")]
)
def test_value_zeroing_by_taking_a_value_away_where_it_is_made(stack, kind):
    answer = answer_of(stack)
    module = answer.model.encoder if stack == "encoder" else answer.model.decoder
    found = zeroing(answer, kind).numpy()
    for layer, given, ours in zip(module.layers, streams(answer, module), found, strict=True):
        part = layer.cross if kind == "cross" else layer.attention
        whole = layer(*given)[0].numpy()
        expected = np.zeros(ours.shape)
        for key in range(ours.shape[1]):

            def without(_, __, made, key=key):
                made = made.clone()
                made[:, key] = 0
                return made

            hook = part.value.register_forward_hook(without)
            changed = layer(*given)[0].numpy()
            hook.remove()
            for query in range(len(whole)):
                a, b = whole[query], changed[query]
                expected[query, key] = 1 - a @ b / np.sqrt((a @ a) * (b @ b))
        expected[expected < 1e-14] = 0
        np.testing.assert_allclose(ours, expected / expected.sum(axis=1, keepdims=True), rtol=0, atol=1e-9)
    if kind == "decoder":
        assert not found[:, ~np.tri(4, dtype=bool)].any()


@pytest.mark.parametrize("stack", STACKS)
def test_alti_from_what_each_token_sends(stack):
    answer = answer_of(stack)
    kind = "decoder" if stack == "decoder" else "encoder"
    module = getattr(answer.model, kind)
    found = alti(answer, kind).numpy()
    for layer, (x, mask, *_), ours in zip(module.layers, streams(answer, module), found, strict=True):
        part = layer.attention
        inner = layer.attention_norm(x) if layer.norm_first else x
        whole = (x + part(inner, None, mask))[0]
        expected = np.zeros(ours.shape)
        bias = part.out.bias
        for query, key in np.ndindex(expected.shape):
            sent = sends(part, inner, mask, key)[query] - bias
            sent = sent + x[0, query] if query == key else sent
            y = whole[query]
            if not layer.norm_first:
                norm, sigma = layer.attention_norm, (y.var(correction=0) + layer.attention_norm.eps).sqrt()
                sent = norm.weight * (sent - sent.mean()) / sigma
                y = norm(y)
            expected[query, key] = max(0, float(y.abs().sum() - (y - sent).abs().sum()))
        np.testing.assert_allclose(ours, expected / expected.sum(axis=1, keepdims=True), rtol=0, atol=1e-10)
        assert (ours.diagonal() > 0).any()


def sends(part, x, mask, key):
    """What attention gives when the values of all keys but one are nothing."""

    def alone(_, __, made):
        kept = torch.zeros_like(made)
        kept[:, key] = made[:, key]
        return kept

    hook = part.value.register_forward_hook(alone)
    made = part(x, None, mask)[0]
    hook.remove()
    return made


def test_alti_has_no_form_for_cross_attention():
    with pytest.raises(InputError, match="ALTI does not apply to cross-attention"):
        alti(answer_of("both"), "cross")


SHAPES = {
    "attn.c_attn.bias": (24,), "attn.c_attn.weight": (8, 24), "attn.c_proj.bias": (8,), "attn.c_proj.weight": (8, 8),
    "ln_1.bias": (8,), "ln_1.weight": (8,), "ln_2.bias": (8,), "ln_2.weight": (8,),
    "mlp.c_fc.bias": (32,), "mlp.c_fc.weight": (8, 32), "mlp.c_proj.bias": (8,), "mlp.c_proj.weight": (32, 8),
}  # fmt: skip
OUTER = {"ln_f.bias": (8,), "ln_f.weight": (8,), "wpe.weight": (8, 8), "wte.weight": (8, 8)}


def gpt2_of_numbers(directory):
    """A GPT-2 of 3 layers whose parameters, by name, are 0.5 × those of NumPy's old generator, without its head."""
    shapes = {f"h.{i}.{name}": shape for i in range(3) for name, shape in SHAPES.items()} | OUTER
    normal = np.random.RandomState(0).standard_normal
    arrays = {name: (normal(shape) * 0.5).astype(np.float32) for name, shape in shapes.items()}
    save_file(arrays, directory / "model.safetensors")
    config = {"model_type": "gpt2", "vocab_size": 8, "n_positions": 8, "n_embd": 8, "n_head": 2, "n_layer": 3}
    model = load_stack(directory, config).double().requires_grad_(False)
    model.unembedding = torch.nn.Identity()
    return model


# inseq's for the tokens 3 1 4 1 5, of the layers 0 and 1; its row of the last layer is after the last norm.
BY_INSEQ = [
    [
        [1, 0, 0, 0, 0],
        [0.479441, 0.520559, 0, 0, 0],
        [0.364909, 0.260256, 0.374834, 0, 0],
        [0.259381, 0.118406, 0.400285, 0.221927, 0],
        [0.177368, 0.144273, 0.346957, 0.148149, 0.183254],
    ],
    [
        [1, 0, 0, 0, 0],
        [0.512854, 0.487146, 0, 0, 0],
        [0.255555, 0.260708, 0.483737, 0, 0],
        [0.273119, 0.251673, 0.25788, 0.217329, 0],
        [0.206014, 0.185452, 0.225231, 0.175597, 0.207706],
    ],
]


def test_value_zeroing_is_that_of_inseq(tmp_path):
    answer = Asked(gpt2_of_numbers(tmp_path), torch.tensor([[3, 1, 4, 1, 5]]), (4,), (0,))
    np.testing.assert_allclose(zeroing(answer, "decoder")[:2], BY_INSEQ, rtol=0, atol=1e-5)  # its in float32
