"""Value zeroing and ALTI, held to formulas written apart, in which parts of the model are made to give nothing."""

import numpy as np
import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.interpret.zeroing import alti, zeroing
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
