"""Heads left out and keys knocked out: what comes after sees it, and the record says so."""

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch
from attn_cli import models
from attn_cli.attention.outputs import merge_heads
from attn_cli.attention.rules import Rule
from attn_cli.errors import AttnWarning, InputError
from attn_cli.models.reading import Reading
from attn_cli.transformer.capture import Capture
from attn_cli.transformer.intervening import Intervention, heads_named
from attn_cli.transformer.model import Config, Transformer
from torch import nn

TOKENS = torch.tensor([[3, 1, 4, 1, 5]])


def made(**sizes):
    torch.manual_seed(0)
    config = Config(vocab=10, max_len=8, d_model=16, n_heads=4, n_layers=2, d_ff=32, **sizes)
    model = Transformer(config).double().requires_grad_(False)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model


def without(names):
    return Intervention(heads_named(names))


@pytest.mark.parametrize("stack", ["encoder", "decoder"])
def test_a_head_left_out_is_one_whose_rows_of_the_output_matrix_are_zero(stack):
    model, other = made(stack=stack), made(stack=stack)
    layers = (other.encoder if stack == "encoder" else other.decoder).layers
    layers[0].attention.out.weight[:, 8:12] = 0
    layers[1].attention.out.weight[:, 0:4] = 0
    found = model(TOKENS, attend=Capture((), without("L0H2,L1H0")))
    torch.testing.assert_close(found, other(TOKENS), rtol=0, atol=1e-12)
    assert (found - model(TOKENS)).abs().max() > 1e-3


def test_heads_that_share_a_value_are_left_out_one_by_one():
    model, other = made(n_kv_heads=2), made(n_kv_heads=2)
    other.encoder.layers[1].attention.out.weight[:, 4:8] = 0
    torch.testing.assert_close(
        model(TOKENS, attend=Capture((), without("L1H1"))), other(TOKENS), rtol=0, atol=1e-12
    )


def test_of_a_layer_left_out_the_bias_of_its_output_is_left():
    model, other = made(), made()
    other.encoder.layers[0].attention.out.weight[:] = 0
    torch.testing.assert_close(
        model(TOKENS, attend=Capture((), without("L0"))), other(TOKENS), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("stack", ["encoder", "decoder"])
def test_a_mask_besides_is_the_model_that_was_built_so(stack):
    """Knocking out all but a window in every layer of a decoder is a decoder with a window."""
    done = Intervention(masks=Rule.parse(mask=["causal", "window:size=2"]))
    built = made(stack="decoder", window=2)
    model = made(stack=stack)
    if stack == "encoder":
        model.encoder.load_state_dict(built.decoder.state_dict())
    torch.testing.assert_close(model(TOKENS, attend=Capture((), done)), built(TOKENS), rtol=0, atol=1e-12)


def test_the_record_has_the_weights_under_the_mask_and_nothing_of_the_head():
    model, capture = made(), Capture(None, Intervention(heads_named("L0H1"), Rule.parse(mask=["causal"])))
    model(TOKENS, attend=capture)
    first = capture.layers[0]
    weights = first.steps.weights[0]
    assert not np.triu(weights.numpy(), 1).any()
    assert not first.steps.output[0, 1].any()
    assert first.steps.output[0, 0].any()
    layer = first.layer
    assert layer.rule.masks
    torch.testing.assert_close(
        layer.out(first.steps.output[0]), first.part.out(merge_heads(first.steps.output))[0]
    )


def test_a_query_without_a_key_gives_zero_and_no_nan():
    done = Intervention(masks=Rule.parse(mask=["padding:length=2", "window:size=1"]))
    assert made()(TOKENS, attend=Capture((), done)).isfinite().all()


def test_gradients_reach_what_an_intervention_lets_through():
    model = made()
    x = model.embed(TOKENS).requires_grad_()
    model.encoder(x, attend=Capture((), without("L0,L1"))).sum().backward()
    assert x.grad.isfinite().all()


def by_hand(model, without, forbidden):
    """The last stream and the weights of all layers of an encoder, one vector at a time, in NumPy."""
    w = {name: tensor.numpy() for name, tensor in model.state_dict().items()}

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x, name):
        deviation = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
        return (x - x.mean(axis=-1, keepdims=True)) / deviation * w[f"{name}.weight"] + w[f"{name}.bias"]

    x = w["embedding.weight"][TOKENS[0].numpy()] + w["position.weight"][: TOKENS.shape[1]]
    every = np.zeros((2, 4, len(x), len(x)))
    for layer in range(2):
        at = f"encoder.layers.{layer}"
        y, heads = norm(x, f"{at}.attention_norm"), np.zeros(x.shape)
        query, key, value = (linear(y, f"{at}.attention.{part}") for part in ("query", "key", "value"))
        for head in range(4):
            of = slice(4 * head, 4 * head + 4)
            scores = np.where(forbidden, -np.inf, query[:, of] @ key[:, of].T / 2)
            weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
            weights /= weights.sum(axis=-1, keepdims=True)
            every[layer, head] = weights
            heads[:, of] = 0 if (layer, head) in without else weights @ value[:, of]
        x = x + linear(heads, f"{at}.attention.out")
        up = linear(norm(x, f"{at}.feed_forward_norm"), f"{at}.feed_forward.up")
        gelu = up * np.vectorize(lambda u: (1 + math.erf(u / math.sqrt(2))) / 2)(up)
        x = x + linear(gelu, f"{at}.feed_forward.down")
    return norm(x, "encoder.norm"), every


def test_the_whole_model_by_hand_with_heads_left_out_and_keys_forbidden():
    model, forbidden = made(), np.zeros((5, 5), dtype=bool)
    forbidden[3, [0, 1]] = forbidden[0, 4] = True
    capture = Capture(
        None, Intervention(heads_named("L0H2,L1H0"), Rule.parse(mask=[(~forbidden).astype(float)]))
    )
    stream, weights = by_hand(model, {(0, 2), (1, 0)}, forbidden)
    np.testing.assert_allclose(model.hidden(TOKENS, attend=capture)[0], stream, atol=1e-12)
    for layer, one in enumerate(capture.layers):
        np.testing.assert_allclose(one.steps.weights[0], weights[layer], atol=1e-12)


# ---- models -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_of_mini_only_what_is_shown_is_meant(kind):
    model, target = models.load("mini"), None if kind == "encoder" else "他有一只猫"
    whole, changed = (
        model.attend("She has a cat.", Reading(kind=kind, target=target, norms=True, intervention=done))
        for done in (Intervention(), without("L0H1"))
    )
    np.testing.assert_array_equal(changed.weights[0], whole.weights[0])
    assert np.abs(changed.weights[1] - whole.weights[1]).max() > 1e-4
    assert (changed.norms[0, 1].any(), changed.norms[0, 0].any()) == (False, True)
    assert changed.provenance.endswith(f"intervened: without {kind} L0H1")


@pytest.mark.filterwarnings("ignore::attn_cli.errors.AttnNote")
@pytest.mark.parametrize("kind", ["decoder", "cross"])
def test_mini_writes_without_the_heads_that_are_left_out(kind):
    """Without a layer's heads the model writes as one whose output matrix there is zero."""
    model = models.load("mini")
    other = dataclasses.replace(model, model=copy.deepcopy(model.model))
    for layer in other.model.decoder.layers:
        (layer.attention if kind == "decoder" else layer.cross).out.weight.data.zero_()
    done = Reading(kind=kind, intervention=without("L0,L1,L2"))
    written, known = model.attend("I like cats.", done), other.attend("I like cats.", Reading(kind=kind))
    assert written.query_tokens == known.query_tokens
    assert "".join(model.asked("I like cats.", done).output) == "".join(other.asked("I like cats.").output)
    whole = model.attend("I like cats.", Reading(kind=kind))
    assert (written.query_tokens != whole.query_tokens) == (kind == "cross")
    assert 'greedy output "' in written.provenance


@pytest.mark.filterwarnings("ignore::attn_cli.errors.AttnNote")
def test_under_a_mask_over_what_it_writes_the_output_is_of_the_intact_model():
    done = Intervention(masks=Rule.parse(mask=["window:size=2"]))
    shown = models.load("mini").attend("I like cats.", Reading(kind="decoder", intervention=done))
    assert 'greedy output of the intact model "我喜欢猫。"' in shown.provenance


def test_a_head_that_is_not_there_is_named():
    with pytest.raises(InputError, match="no L9H0 in this model; it has L0 to L2, H0 to H3"):
        models.load("mini").attend("a", Reading(intervention=without("L9H0")))
    with pytest.raises(
        InputError, match="no head 'H3'; give LAYER and HEAD from 0 as L5H3, or a layer as L5"
    ):
        heads_named("L0H1,H3")


def test_blind_queries_are_warned_about():
    done = Intervention(masks=Rule.parse(mask=["padding:length=1", "window:size=1"]))
    with pytest.warns(AttnWarning, match="query 1"):
        attention = models.load("mini").attend("She has a cat.", Reading(intervention=done))
    assert np.isfinite(attention.weights).all()
