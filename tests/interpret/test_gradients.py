"""Gradients of an output by attention: finite differences, captum, transformers' own autograd, completeness."""

import itertools

import numpy as np
import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.interpret.gradients import gradient_times_weight, gradients, integrated
from attn_cli.interpret.reductions import REDUCTIONS, across, reduce
from attn_cli.interpret.relevance import relevance, relevance_across
from attn_cli.records.attention import Attention
from attn_cli.transformer.answer import Asked
from small_models import STACKS, answer_of
from torch import nn


@pytest.mark.parametrize("stack", STACKS)
def test_the_gradient_is_what_a_small_change_of_a_weight_makes(stack):
    answer, step = answer_of(stack), 1e-6
    found = gradient_times_weight(answer)
    cells = {"encoder": (1, 0, 3, 2), "decoder": (0, 1, 2, 1), "cross": (0, 1, 2, 3)}
    for kind, maps in found.items():
        layer, *place = cells[kind]
        for at in (layer, *place), (0, 0, 2, 0):
            seen = []

            def changed(weights, of, number, change, at=at, kind=kind, seen=seen):
                if (of, number) != (kind, at[0]):
                    return weights
                seen.append(float(weights[0, *at[1:]]))
                by = torch.zeros_like(weights)
                by[0, *at[1:]] = change
                return weights + by

            up, down = (
                float(answer.logits(lambda w, k, n, by=by: changed(w, k, n, by)).sum())
                for by in (step, -step)
            )
            assert float(maps[at]) == pytest.approx(seen[0] * (up - down) / (2 * step), abs=1e-7)
    assert set(found) == ({"encoder", "decoder", "cross"} if stack == "both" else {stack})
    for kind, clamped in gradients(answer).items():
        assert torch.equal(clamped, found[kind].clamp(min=0))


@pytest.mark.parametrize("stack", STACKS)
def test_integrated_attention_is_complete(stack):
    answer = answer_of(stack)
    whole, nothing = (float(answer.logits(weigh).sum()) for weigh in (None, lambda w, _, __: w * 0))
    total = sum(float(maps.sum()) for maps in integrated(answer, steps=40).values())
    assert total == pytest.approx(whole - nothing, abs=5e-3)
    assert abs(whole - nothing) > 0.01


class Probabilities(nn.Module):
    """A model in which the weights of each layer pass through a part of their own, which captum can look at."""

    def __init__(self, answer, n_layers):
        super().__init__()
        self.answer = answer
        self.parts = nn.ModuleList(nn.Identity() for _ in range(n_layers))

    def forward(self, _):
        return self.answer.logits(lambda weights, _, layer: self.parts[layer](weights)).sum(dim=-1)


def test_captum_finds_the_same_products_and_the_same_integral():
    captum = pytest.importorskip("captum.attr")
    answer = answer_of("encoder")
    answer.model.requires_grad_(True)
    model, given = Probabilities(answer, 2), torch.zeros(1, 1, requires_grad=True)
    ours = gradient_times_weight(answer)["encoder"]
    for layer, part in enumerate(model.parts):
        theirs = captum.LayerGradientXActivation(model, part).attribute(given)
        torch.testing.assert_close(theirs[0].detach(), ours[layer], rtol=0, atol=1e-12)
    weights = tuple(answer.maps("weights")["encoder"][:, None])

    def of_weights(*given):
        return answer.logits(lambda _, __, layer: given[layer]).sum(dim=-1)

    theirs = captum.IntegratedGradients(of_weights).attribute(
        weights,
        baselines=tuple(torch.zeros_like(each) for each in weights),
        n_steps=7,
        method="riemann_middle",
    )
    torch.testing.assert_close(torch.cat(theirs), integrated(answer, steps=7)["encoder"], rtol=0, atol=1e-8)


def test_transformers_own_gradients_of_bert(tmp_path):
    transformers = pytest.importorskip("transformers")
    from attn_cli.models import read_config
    from attn_cli.models.native import huggingface

    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=30, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20,
        max_position_embeddings=16, attn_implementation="eager",
    )  # fmt: skip
    theirs = transformers.BertForMaskedLM(config).eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.3)
    theirs.save_pretrained(tmp_path)
    told = read_config(tmp_path)
    stack = huggingface.load_stack(tmp_path, told)
    stack.unembedding = huggingface._unembedding(tmp_path, told, None, stack)
    tokens = torch.tensor([[4, 9, 7, 3, 12]])
    ours = gradient_times_weight(Asked(stack, tokens, (2,), (11,)))["encoder"]
    given = theirs(tokens, output_attentions=True)
    slopes = torch.autograd.grad(given.logits[0, 2, 11], given.attentions)
    expected = torch.cat([(A * slope).detach() for A, slope in zip(given.attentions, slopes, strict=True)])
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-5)
    assert expected.abs().max() > 0.01


def test_relevance_is_the_sum_over_all_ways_of_staying_and_going():
    maps = np.random.default_rng(0).random((3, 2, 4, 4))
    layers, expected = maps.mean(axis=1), np.eye(4)
    for n in (1, 2, 3):
        for chosen in itertools.combinations(range(3), n):
            product = np.eye(4)
            for layer in chosen:
                product = layers[layer] @ product
            expected = expected + product
    np.testing.assert_allclose(relevance(maps), expected, rtol=0, atol=1e-12)


def test_relevance_of_an_encoder_decoder_follows_the_rules_one_number_at_a_time():
    rng = np.random.default_rng(1)
    encoder, decoder, cross = rng.random((1, 2, 3, 3)), rng.random((1, 2, 2, 2)), rng.random((1, 2, 2, 3))
    E, D, C = (maps.mean(axis=1)[0] for maps in (encoder, decoder, cross))
    shares = [E[i] / E[i].sum() + np.eye(3)[i] for i in range(3)]
    own = [D[i] / D[i].sum() + np.eye(2)[i] for i in range(2)]
    expected = np.zeros((2, 3))
    for t, s, a, b in itertools.product(range(2), range(3), range(2), range(3)):
        expected[t, s] += own[a][t] * C[a, b] * shares[b][s]
    np.testing.assert_allclose(relevance_across(encoder, decoder, cross), expected, rtol=0, atol=1e-12)
    chosen = across([encoder, decoder, cross], REDUCTIONS["relevance"], queries=[1])
    np.testing.assert_allclose(chosen, expected[1:], rtol=0, atol=1e-12)


def test_flow_of_an_encoder_decoder_is_that_of_networkx():
    networkx = pytest.importorskip("networkx")
    rng = np.random.default_rng(2)
    parts = [
        x / x.sum(axis=-1, keepdims=True)
        for x in (rng.random((2, 1, 3, 3)), rng.random((2, 1, 2, 2)), rng.random((2, 1, 2, 3)))
    ]
    from attn_cli.interpret.rollout import joint

    graph = networkx.DiGraph()
    for level, step in enumerate(joint(*parts)):
        for (i, j), capacity in np.ndenumerate(step):
            graph.add_edge((level + 1, i), (level, j), capacity=capacity)
    found = across(parts, REDUCTIONS["flow"])
    for (target, key), value in np.ndenumerate(found):
        expected = networkx.maximum_flow_value(graph, (6, 3 + target), (0, key))
        assert value == pytest.approx(expected, abs=1e-9)


def test_what_holds_the_residual_already_is_followed_without_one():
    shares = np.random.default_rng(3).random((2, 1, 3, 3))
    shares /= shares.sum(axis=-1, keepdims=True)
    record = Attention(["a", "b", "c"], ["a", "b", "c"], zeroing=shares, show="zeroing")
    made = reduce(record, REDUCTIONS["rollout"], show="zeroing")
    np.testing.assert_allclose(made.weights[0, 0], shares[1, 0] @ shares[0, 0], rtol=0, atol=1e-12)
    half = reduce(record, REDUCTIONS.parse("rollout:residual=0.5"), show="zeroing")
    assert abs(half.weights - made.weights).max() > 0.01
    with pytest.raises(
        InputError, match="--reduce relevance needs gradients, not zeroing; add --show gradients"
    ):
        reduce(record, REDUCTIONS["relevance"], show="zeroing")
