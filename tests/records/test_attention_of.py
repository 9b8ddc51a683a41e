"""Bare numbers as an attention in one call, whatever they lie in."""

import numpy as np
import pytest
import torch
from attn_cli.errors import AttnWarning, InputError
from attn_cli.records.attention import Attention
from attn_cli.records.axes import parse_axes, vectors_axes, weights_axes
from attn_cli.records.weights import like_weights, not_weights

WEIGHTS = np.random.default_rng(0).dirichlet(np.ones(4), size=(3, 2, 4))  # [layer, head, query, key]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (WEIGHTS, WEIGHTS),
        (torch.tensor(WEIGHTS), WEIGHTS),
        (torch.tensor(WEIGHTS, requires_grad=True), WEIGHTS),
        (torch.tensor(WEIGHTS).bfloat16(), torch.tensor(WEIGHTS).bfloat16().double().numpy()),
        (WEIGHTS.tolist(), WEIGHTS),
        (WEIGHTS[0, 0].tolist(), WEIGHTS[:1, :1]),
        (tuple(torch.tensor(layer)[None] for layer in WEIGHTS), WEIGHTS),  # outputs.attentions
        (list(WEIGHTS), WEIGHTS),
        (WEIGHTS[0], WEIGHTS[:1]),
        (WEIGHTS[None], WEIGHTS),
    ],
)
def test_whatever_holds_numbers_will_do(given, wanted):
    made = Attention.of(given)
    assert made.weights.shape == wanted.shape
    assert (made.weights == wanted).all()
    assert made.query_tokens == made.key_tokens == ("0", "1", "2", "3")
    assert made.kind == "unknown"  # nobody said


def test_tokens_are_names_or_a_text():
    assert Attention.of(WEIGHTS, "the cat sat down").key_tokens == ("the", "cat", "sat", "down")
    assert Attention.of(WEIGHTS, ["a", "b", "c", "d"]).query_tokens == ("a", "b", "c", "d")
    crossed = Attention.of(WEIGHTS[:, :, :2], "x y", "the cat sat down")
    assert (crossed.query_tokens, len(crossed.key_tokens), crossed.kind) == (("x", "y"), 4, "unknown")
    assert Attention.of(WEIGHTS[:, :, :2], "x y", "the cat sat down", kind="cross").kind == "cross"
    assert Attention.of(WEIGHTS, "a b c d", kind="decoder", provenance="mine").provenance == "mine"
    with pytest.raises(InputError, match="but there are 2 tokens; give one query token for each"):
        Attention.of(WEIGHTS, "a b")


def test_axes_and_batch():
    batch = np.stack([WEIGHTS[::-1], WEIGHTS])
    assert (Attention.of(batch, axes="batch layer head query key", batch=1).weights == WEIGHTS).all()
    assert (Attention.of(WEIGHTS.transpose(2, 3, 0, 1), axes="qklh").weights == WEIGHTS).all()
    layers = list(batch.swapaxes(0, 1))
    assert (Attention.of(layers, batch=1).weights == WEIGHTS).all()
    with pytest.raises(InputError, match=r"^layers of different shapes: \[2, 4, 4\], \[2, 3, 3\]"):
        Attention.of([WEIGHTS[0], WEIGHTS[0, :, :3, :3]])


def test_what_is_no_weight_is_warned_about():
    with pytest.warns(
        AttnWarning, match=r"^these are no attention weights: query 1 of layer 0, head 0 holds -2$"
    ):
        Attention.of([[0.5, 0.5], [-2.0, 1.0]])


@pytest.mark.parametrize(
    ("weights", "wrong"),
    [
        ([[0.5, 0.5]], ""),
        ([[0.0, 0.0]], ""),
        ([[1.009, 0.0]], ""),  # rounded, as 16 bits do it
        ([[0.6, 0.6]], "query 0 of layer 0, head 0 sums to 1.2"),
        ([[0.0, 1.5]], "query 0 of layer 0, head 0 holds 1.5"),
        ([[0.5, -0.5]], "query 0 of layer 0, head 0 holds -0.5"),
        ([[0.5, np.nan]], "query 0 of layer 0, head 0 holds nan"),
    ],
)
def test_what_can_be_weights(weights, wrong):
    assert not_weights(np.array([[weights]])) == wrong


def test_the_place_is_named_by_layer_and_head():
    weights = WEIGHTS / 2
    weights[2, 1, 3] = 0.3
    assert not_weights(weights) == "query 3 of layer 2, head 1 sums to 1.2"


@pytest.mark.parametrize(
    ("matrix", "like"),
    [
        ([[0.5, 0.5], [0.1, 0.9]], True),
        ([[1.0, 0.0], [0.5, 0.5]], True),
        ([[1.0, 0.0], [0.0, 1.0]], False),  # one-hot vectors
        ([[0.5, 0.6], [0.1, 0.9]], False),
        ([[-0.5, 1.5], [0.1, 0.9]], False),
        ([[1.0], [1.0]], False),
    ],
)
def test_what_looks_like_weights(matrix, like):
    assert like_weights(np.array(matrix)) is like


@pytest.mark.parametrize("axes", ["batch query head d", "b,q,h,d", "bqhd", " batch  query, head d_head "])
def test_axes_are_words_or_letters(axes):
    assert parse_axes(axes) == ("batch", "query", "head", "d")


def test_views_are_not_copied():
    found, named = weights_axes(WEIGHTS[None])
    assert np.shares_memory(found, WEIGHTS)
    assert named == ("batch", "layer", "head", "query", "key")
    vectors, _ = vectors_axes(np.zeros((1, 5, 8)))
    assert vectors.shape == (1, 5, 8)
