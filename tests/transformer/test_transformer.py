"""The stack against torch's own modules with the same weights, and against what must hold of any of them."""

from dataclasses import replace

import pytest
import torch
from attn_cli.attention.outputs import merge_heads
from attn_cli.errors import InputError
from attn_cli.transformer.model import (
    Capture,
    Config,
    FeedForward,
    Layer,
    MultiHeadAttention,
    Stack,
    Transformer,
    new_norm,
)
from torch import nn

D_MODEL, HEADS, D_FF = 12, 3, 20
CONFIG = Config(vocab=7, max_len=9, d_model=D_MODEL, n_heads=HEADS, n_layers=2, d_ff=D_FF)
EXACT = {"rtol": 0, "atol": 1e-10}


@pytest.fixture(autouse=True)
def _float64():
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def real(*lengths, seq):
    """True for the tokens of each sequence, False for its padding."""
    return torch.arange(seq) < torch.tensor(lengths)[:, None]


def copy_attention(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
        theirs.out_proj.load_state_dict(ours.out.state_dict())


def copy_layer(ours: Layer, theirs: nn.TransformerEncoderLayer) -> None:
    copy_attention(ours.attention, theirs.self_attn)
    theirs.norm1.load_state_dict(ours.attention_norm.state_dict())
    theirs.norm2.load_state_dict(ours.feed_forward_norm.state_dict())
    theirs.linear1.load_state_dict(ours.feed_forward.up.state_dict())
    theirs.linear2.load_state_dict(ours.feed_forward.down.state_dict())


def torch_layer() -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        D_MODEL, HEADS, D_FF, dropout=0, activation="gelu", norm_first=True, batch_first=True
    )


@pytest.mark.parametrize("n_key", [None, 6], ids=["self", "cross"])
def test_attention_is_torchs_multihead_attention(n_key):
    ours, theirs = MultiHeadAttention(CONFIG), nn.MultiheadAttention(D_MODEL, HEADS, batch_first=True)
    copy_attention(ours, theirs)
    x = torch.randn(2, 4, D_MODEL)
    context = None if n_key is None else torch.randn(2, n_key, D_MODEL)
    keys = x if context is None else context
    keep = real(keys.shape[1], 3, seq=keys.shape[1])
    capture = Capture()
    output = ours(x, context, keep[:, None, None, :], capture)
    their_output, their_weights = theirs(x, keys, keys, key_padding_mask=~keep, average_attn_weights=False)
    torch.testing.assert_close(output, their_output, **EXACT)
    torch.testing.assert_close(capture.layers[0].steps.weights, their_weights, **EXACT)
    torch.testing.assert_close(ours(x, context, keep[:, None, None, :]), their_output, **EXACT)


def test_a_layer_is_torchs_encoder_layer():
    ours, theirs = Layer(CONFIG), torch_layer()
    copy_layer(ours, theirs)
    x, keep = torch.randn(2, 5, D_MODEL), real(5, 3, seq=5)
    expected = theirs(x, src_key_padding_mask=~keep)
    torch.testing.assert_close(ours(x, keep[:, None, None, :])[keep], expected[keep], **EXACT)


def test_the_encoder_is_torchs_encoder():
    ours = Stack(CONFIG)
    theirs = nn.TransformerEncoder(torch_layer(), 2, norm=nn.LayerNorm(D_MODEL), enable_nested_tensor=False)
    for one, other in zip(ours.layers, theirs.layers, strict=True):
        copy_layer(one, other)
    theirs.norm.load_state_dict(ours.norm.state_dict())
    x = torch.randn(2, 5, D_MODEL)
    torch.testing.assert_close(ours(x), theirs(x), **EXACT)


def test_feed_forward_by_hand():
    part = FeedForward(replace(CONFIG, d_model=1, n_heads=1, d_ff=2))
    with torch.no_grad():
        part.up.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        part.down.weight.copy_(torch.tensor([[1.0, -1.0]]))
        part.up.bias.zero_()
        part.down.bias.fill_(5.0)
    # gelu(x) = x · Φ(x), so gelu(x) − gelu(−x) = x · (Φ(x) + Φ(−x)) = x, whatever x.
    torch.testing.assert_close(part(torch.tensor([[3.0]])), torch.tensor([[8.0]]), **EXACT)


def test_a_layer_adds_to_the_stream():
    layer = Layer(CONFIG)
    for last in (layer.attention.out, layer.feed_forward.down):
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    x = torch.randn(1, 4, D_MODEL)
    assert layer(x).equal(x)


def test_capturing_changes_nothing_and_sees_every_layer():
    model, capture = Transformer(CONFIG), Capture()
    tokens, keep = torch.randint(7, (3, 6)), real(6, 2, 4, seq=6)
    torch.testing.assert_close(model(tokens, keep, capture), model(tokens, keep), **EXACT)
    assert [one.query.shape for one in capture.layers] == [(3, HEADS, 6, D_MODEL // HEADS)] * 2
    for one in capture.layers:
        weights = one.steps.weights
        torch.testing.assert_close(weights.sum(-1), torch.ones(3, HEADS, 6), **EXACT)
        assert not weights.masked_select(~keep[:, None, None, :]).any()
        torch.testing.assert_close(weights @ one.value, one.steps.output, **EXACT)


def test_padding_has_no_effect():
    model = Transformer(CONFIG)
    tokens = torch.randint(7, (2, 4))
    padded = torch.cat([tokens, torch.randint(7, (2, 5))], dim=1)
    torch.testing.assert_close(model(padded, real(4, 4, seq=9))[:, :4], model(tokens), **EXACT)


def test_without_positions_order_does_not_matter_and_with_them_it_does():
    model, tokens, order = Transformer(CONFIG), torch.arange(6)[None], torch.tensor([5, 0, 3, 1, 4, 2])
    assert (model(tokens)[:, order] - model(tokens[:, order])).abs().max() > 0.01
    nn.init.zeros_(model.position.weight)
    torch.testing.assert_close(model(tokens)[:, order], model(tokens[:, order]), **EXACT)


def test_all_parameters_learn():
    model = Transformer(CONFIG)
    model(torch.randint(7, (2, 9))).square().sum().backward()
    # A constant added to all the scores of a query changes no weight, so the bias of keys has no gradient.
    still = [name for name, p in model.named_parameters() if p.grad.abs().max() < 1e-12]
    assert still == ["encoder.layers.0.attention.key.bias", "encoder.layers.1.attention.key.bias"]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"d_model": 10}, "3 heads do not divide d_model 10; give a d_model that is a multiple of 3"),
        ({"n_layers": 0}, "n_layers 0; give at least 1"),
    ],
)
def test_sizes_that_make_no_model(sizes, message):
    with pytest.raises(InputError) as error:
        replace(CONFIG, **sizes)
    assert str(error.value) == message


# ---- variants ---------------------------------------------------------------------------------------


def test_a_post_norm_layer_is_torchs():
    config = replace(CONFIG, norm_first=False, activation="relu")
    ours = Layer(config)
    theirs = nn.TransformerEncoderLayer(D_MODEL, HEADS, D_FF, dropout=0, activation="relu", batch_first=True)
    copy_layer(ours, theirs)
    x, keep = torch.randn(2, 5, D_MODEL), real(5, 3, seq=5)
    expected = theirs(x, src_key_padding_mask=~keep)
    torch.testing.assert_close(ours(x, keep[:, None, None, :])[keep], expected[keep], **EXACT)


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rope"])
@pytest.mark.parametrize("stack", ["encoder", "decoder", "both"])
def test_texts_in_one_row_are_alone_to_the_model(stack, positions):
    """Two texts and padding: states and gradients are those of the texts by themselves."""
    model = Transformer(
        replace(CONFIG, stack=stack, positions=positions, window=2 if stack == "decoder" else None)
    )
    texts, target_texts = torch.tensor([[1, 1, 1, 2, 2, 0]]), torch.tensor([[1, 1, 2, 2, 2, 0, 0]])
    tokens, target = torch.randint(7, texts.shape), torch.randint(7, target_texts.shape)
    both = stack == "both"
    out = (target_texts if both else texts)[0]

    alone = [
        model(tokens[texts == i][None], target=target[target_texts == i][None] if both else None)[0]
        for i in (1, 2)
    ]
    torch.cat(alone).square().sum().backward()
    expected = [parameter.grad for parameter in model.parameters()]
    model.zero_grad()
    packed = model(
        tokens, target=target, document_ids=texts, target_document_ids=target_texts if both else None
    )[0]
    packed[out > 0].square().sum().backward()

    torch.testing.assert_close(packed[out > 0], torch.cat(alone), **EXACT)
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, **EXACT)


def test_tied_embeddings_may_enter_longer_than_they_leave():
    """Scaled by √d_model they are the unscaled model whose embeddings are so much longer, but for the logits."""
    config = replace(CONFIG, positions="rope", unembedding="tied")
    ours, longer = Transformer(replace(config, embedding_scale=True)), Transformer(config)
    longer.load_state_dict(ours.state_dict())
    with torch.no_grad():
        longer.embedding.weight *= D_MODEL**0.5
    tokens = torch.randint(7, (2, 6))
    torch.testing.assert_close(ours.embed(tokens).std(), ours.embedding.weight[tokens].std() * D_MODEL**0.5)
    torch.testing.assert_close(ours.hidden(tokens), longer.hidden(tokens), **EXACT)
    torch.testing.assert_close(ours(tokens) * D_MODEL**0.5, longer(tokens), **EXACT)


def test_an_encoder_decoder_is_torchs():
    model = Transformer(replace(CONFIG, stack="both", positions="sinusoidal", unembedding="tied"))
    theirs = nn.TransformerDecoderLayer(
        D_MODEL, HEADS, D_FF, dropout=0, activation="gelu", norm_first=True, batch_first=True
    )
    decoder = nn.TransformerDecoder(theirs, 2, norm=nn.LayerNorm(D_MODEL))
    for one, other in zip(model.decoder.layers, decoder.layers, strict=True):
        copy_layer(one, other)
        copy_attention(one.cross, other.multihead_attn)
        other.norm2.load_state_dict(one.cross_norm.state_dict())
        other.norm3.load_state_dict(one.feed_forward_norm.state_dict())
    source, target, keep = torch.randint(7, (2, 6)), torch.randint(7, (2, 4)), real(6, 3, seq=6)
    capture = Capture()
    logits = model(source, keep, capture, target)
    hidden = decoder(
        model.embed(target),
        model.encoder(model.embed(source), keep[:, None, None, :]),
        tgt_mask=~torch.ones(4, 4, dtype=torch.bool).tril(),
        memory_key_padding_mask=~keep,
    )
    torch.testing.assert_close(logits, hidden @ model.embedding.weight.T, **EXACT)
    assert [(one.part.kind, one.part.layer) for one in capture.layers] == [
        ("encoder", 0), ("encoder", 1), ("decoder", 0), ("cross", 0), ("decoder", 1), ("cross", 1),
    ]  # fmt: skip
    assert [one.steps.weights.shape[2:] for one in capture.layers[2:4]] == [(4, 4), (4, 6)]


def test_a_decoder_sees_only_what_came_before_and_no_further_than_its_window():
    model = Transformer(replace(CONFIG, stack="decoder", window=2, positions="rope:base=100", n_heads=2))
    capture = Capture()
    model.hidden(torch.randint(7, (1, 5)), attend=capture)
    band = torch.ones(5, 5).tril().triu(-1).bool()
    for one in capture.layers:
        assert (one.steps.weights != 0).equal(band.expand(1, 2, 5, 5))


def test_rotary_scores_depend_on_the_distance_alone():
    model, capture = Transformer(replace(CONFIG, positions="rope")), Capture([0])
    model.hidden(torch.tensor([[3, 3, 3, 3]]), attend=capture)
    scores = capture.layers[0].steps.scores[0, 0]
    torch.testing.assert_close(scores[1:, 1:], scores[:-1, :-1], **EXACT)
    assert (scores[0, 0] - scores[0, 1]).abs() > 1e-6


def test_heads_of_a_group_share_key_and_value():
    config = replace(CONFIG, n_heads=4, n_kv_heads=2, d_head=5)
    capture = Capture()
    Transformer(config).hidden(torch.randint(7, (1, 3)), attend=capture)
    one = capture.layers[0]
    assert one.query.shape == (1, 4, 3, 5)
    for shared in (one.key, one.value):
        assert shared[:, 0].equal(shared[:, 1])
        assert shared[:, 2].equal(shared[:, 3])
        assert not shared[:, 1].equal(shared[:, 2])


def test_layers_beyond_the_depth_do_not_run_and_others_keep_nothing():
    model, capture = Transformer(replace(CONFIG, n_layers=4)), Capture([1])
    for layer in model.encoder.layers[2:]:
        layer.register_forward_hook(lambda *_: pytest.fail("it ran"))
    x = model.hidden(torch.randint(7, (1, 3)), attend=capture, depth=2)
    assert [one.part.layer for one in capture.layers] == [1]
    assert x.shape == (1, 3, D_MODEL)


def test_norm_weighted_attention_adds_up_to_the_output():
    """‖α v W_o‖ by the definition, one head and key at a time; the vectors themselves sum to the output."""
    capture = Capture()
    Transformer(CONFIG).hidden(torch.randint(7, (1, 4)), attend=capture)
    one, d_head, total = capture.layers[0], D_MODEL // HEADS, torch.zeros(4, D_MODEL)
    for head in range(HEADS):
        W_o = one.part.out.weight[:, head * d_head : (head + 1) * d_head]
        for key in range(4):
            arriving = one.steps.weights[0, head, :, key, None] * (W_o @ one.value[0, head, key])
            torch.testing.assert_close(one.norms[0, head, :, key], arriving.norm(dim=-1), **EXACT)
            total += arriving
    torch.testing.assert_close(
        total + one.part.out.bias, one.part.out(merge_heads(one.steps.output))[0], **EXACT
    )


def test_swiglu_and_rms_norm_by_hand():
    config = replace(CONFIG, d_model=1, n_heads=1, d_ff=1, activation="swiglu", feed_forward_bias=False)
    part = FeedForward(config)
    for weight, value in ((part.gate.weight, 1.0), (part.up.weight, 3.0), (part.down.weight, 2.0)):
        nn.init.constant_(weight, value)
    x = torch.tensor([[2.0]])  # silu(2) · 6 · 2
    torch.testing.assert_close(part(x), 24 / (1 + torch.exp(-x)), **EXACT)
    norm = new_norm(replace(config, d_model=2, norm="rms", norm_eps=0.5))
    x = torch.tensor([3.0, 4.0])  # mean square 12.5
    torch.testing.assert_close(norm(x), x / 13**0.5, **EXACT)


def test_patches_are_linear_maps_of_squares():
    model = Transformer(replace(CONFIG, vocab=2, patch=3, max_len=5, unembedding="none"))
    nn.init.normal_(model.embedding.whole)
    image = torch.randn(1, 2, 6, 6)
    x = model.embedding(image)[0]
    lower_left = model.embedding.linear.weight.flatten(1) @ image[0, :, 3:, :3].flatten()
    torch.testing.assert_close(x[3], lower_left + model.embedding.linear.bias, **EXACT)
    torch.testing.assert_close(x[0], model.embedding.whole, **EXACT)
    assert model.hidden(image).shape == (1, 5, D_MODEL)
