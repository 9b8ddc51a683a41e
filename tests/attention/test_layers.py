"""The one ending of all attention: what is kept, chosen or streamed of layers, whoever made them."""

from functools import partial

import numpy as np
import pytest
import torch
from attn_cli.attention import layers
from attn_cli.attention.chunks import joined
from attn_cli.attention.heads import project
from attn_cli.attention.layers import Layer, Sides
from attn_cli.attention.mask_matrices import Added, Written
from attn_cli.attention.outputs import Output
from attn_cli.attention.rules import Rule
from attn_cli.attention.streaming import kept
from attn_cli.attention.wanted_parts import ALL, Wanted
from attn_cli.errors import AttnNote, InputError
from attn_cli.variants.normalisation import NORMALISATIONS
from attn_cli.variants.projections import Projection
from hypothesis import given
from hypothesis import strategies as st

RULES = {
    "plain": Rule(),
    "causal": Rule.parse(mask=["causal"]),
    "window": Rule.parse(mask=["window:size=2"]),
    "alibi": Rule.parse(position="alibi", mask=["causal"]),
    "rope": Rule.parse(position="rope"),
}


def normal(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape))


def some_layers(rule, n=2, n_heads=4, n_query=7, n_key=9):
    return [
        Layer(
            normal(n_heads, n_query, 4, seed=i),
            normal(n_heads, n_key, 4, seed=10 + i),
            normal(n_heads, n_key, 3, seed=20 + i),
            rule,
            Output(normal(12, 6, seed=30 + i), normal(6, seed=40 + i)),
            2 * i,
        )
        for i in range(n)
    ]


SIDES = Sides([f"q{i}" for i in range(7)], [f"k{i}" for i in range(9)], "cross", "made")
NAMES = ("weights", "scores", "norms", "mask", "query", "key", "value", "output")
NAMES += ("entropy", "mass", "top_keys", "top_weights")


def weights_by_hand(layer, head, query, n_query=7, n_key=9):
    """One row of a plain or causal layer, in NumPy."""
    scores = layer.key[head].numpy() @ layer.query[head, query].numpy() / 2
    if layer.rule.masks:
        scores[query + n_key - n_query + 1 :] = -np.inf
    odds = np.exp(scores - scores.max())
    return odds / odds.sum()


@pytest.mark.parametrize("way", [layers.dense, layers.streamed], ids=["dense", "streamed"])
@pytest.mark.parametrize("rule", ["plain", "causal"])
def test_every_number_is_the_formula(way, rule):
    given_layers = some_layers(RULES[rule])
    record = way(given_layers, SIDES, norms=True)
    assert (record.layers, record.heads, record.kind) == ((0, 2), (0, 1, 2, 3), "cross")
    for i, layer in enumerate(given_layers):
        W_o, value = layer.out.W_o.numpy().reshape(4, 3, 6), layer.value.numpy()
        rows = np.array([[weights_by_hand(layer, h, q) for q in range(7)] for h in range(4)])
        np.testing.assert_allclose(record.weights[i], rows, atol=1e-12)
        output = sum(rows[h] @ value[h] @ W_o[h] for h in range(4)) + layer.out.b_o.numpy()
        np.testing.assert_allclose(record.output[i], output, atol=1e-12)
        lengths = np.linalg.norm(np.einsum("hkd,hdm->hkm", value, W_o), axis=-1)
        np.testing.assert_allclose(record.norms[i], rows * lengths[:, None], atol=1e-12)


WANTED = [
    Wanted(queries=[3]),
    Wanted(queries=[0, 2, 6]),
    Wanted(keys=[1, 4, 5, 8]),
    Wanted(keys=range(2, 5), queries=range(1, 4)),
    Wanted(heads=[1, 3]),
    Wanted(queries=[5, 6], keys=[0, 8], heads=[2], over=[0, 3, 8]),
]


@pytest.mark.parametrize(
    "way",
    [layers.dense, partial(layers.dense, whole=True), layers.streamed],
    ids=["dense", "whole", "streamed"],
)
@pytest.mark.parametrize("wanted", WANTED, ids=str)
@pytest.mark.parametrize("rule", RULES)
def test_what_is_chosen_before_is_what_is_taken_of_the_whole(way, wanted, rule):
    """Queries keep their positions for masks and encodings, heads their number."""
    given_layers = some_layers(RULES[rule])
    whole, part = (way(given_layers, SIDES, norms=True, wanted=one) for one in (ALL, wanted))
    queries, keys, heads = (
        list(range(n) if places is None else places)
        for n, places in ((7, wanted.queries), (9, wanted.keys), (4, wanted.heads))
    )
    assert part.query_tokens == tuple(SIDES.query_tokens[i] for i in queries)
    assert part.key_tokens == tuple(SIDES.key_tokens[i] for i in keys)
    assert part.heads == tuple(heads)
    sums = whole.weights[..., list(wanted.over)].sum(-1, keepdims=True) if wanted.over else np.ones(1)
    sums = np.where(sums == 0, 1, sums)
    for name in ("weights", "norms"):
        expected = (getattr(whole, name) / sums)[:, heads][:, :, queries][..., keys]
        np.testing.assert_allclose(getattr(part, name), expected, atol=1e-12, err_msg=name)
    if wanted.heads is None:
        np.testing.assert_allclose(part.output, whole.output[:, queries], atol=1e-12)
    if way is not layers.streamed:
        np.testing.assert_allclose(part.scores, whole.scores[:, heads][:, :, queries][..., keys], atol=1e-12)
        np.testing.assert_allclose(part.value, whole.value[:, heads][:, :, keys])
    else:
        assert (part.mass is None, part.entropy is None) == (
            wanted.queries is not None,
            wanted.keys is not None,
        )


def test_the_output_of_a_head_is_what_it_adds_to_that_of_all():
    given_layers = some_layers(RULES["plain"])
    whole = layers.dense(given_layers, SIDES)
    each = [layers.dense(given_layers, SIDES, wanted=Wanted(heads=[head])).output for head in range(4)]
    bias = np.stack([layer.out.b_o.numpy() for layer in given_layers])[:, None]
    np.testing.assert_allclose(sum(each) + bias, whole.output, atol=1e-12)


def test_heads_are_counted_from_the_last_too():
    record = layers.record(some_layers(RULES["plain"]), SIDES, wanted=Wanted(heads=[-1, 0]))
    assert record.heads == (0, 3)
    with pytest.raises(InputError, match="no head 4 in this attention; it has 0 to 3"):
        layers.record(some_layers(RULES["plain"]), SIDES, wanted=Wanted(heads=[4]))


# ---- dense or streamed ------------------------------------------------------------------------------


def test_one_threshold_in_bytes_of_what_is_wanted(monkeypatch):
    given_layers = some_layers(RULES["causal"])  # 2 · 4 · 7 · 9 weights of 8 bytes
    monkeypatch.setattr(layers, "MOST_DENSE", 8 * 504)
    assert layers.record(given_layers, SIDES).scores is not None
    monkeypatch.setattr(layers, "MOST_DENSE", 8 * 503)
    assert layers.record(given_layers, SIDES).scores is None
    assert layers.record(given_layers, SIDES, wanted=Wanted(queries=[1])).scores is not None
    assert layers.record(given_layers, SIDES, wanted=Wanted(heads=[1])).scores is not None
    with pytest.raises(InputError, match="504 weights are too many to show every step; give at most 503"):
        layers.record(given_layers, SIDES, every_step=True)
    single = [
        Layer(one.query.float(), one.key.float(), one.value.float(), one.rule, None) for one in given_layers
    ]
    assert layers.record(single, SIDES).scores is not None


def test_pooling_is_noted(monkeypatch):
    monkeypatch.setattr(layers, "MOST_DENSE", 0)
    monkeypatch.setattr(kept, "MOST_CELLS", 3)
    with pytest.warns(AttnNote, match="7 × 9 weights are pooled to 3 × 3 cells, mean and max"):
        assert layers.record(some_layers(RULES["causal"]), SIDES).pooled
    with pytest.warns(AttnNote, match="2 × 9 weights are pooled to 2 × 3 cells, mean and max"):
        layers.record(some_layers(RULES["causal"]), SIDES, wanted=Wanted(queries=[3, 5]))


def test_four_rows_of_a_long_text_are_exact():
    n = 100_000
    heads = project(np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32))
    rule = Rule.parse(mask=["causal"])
    record = layers.attend(heads, rule, wanted=Wanted(queries=[0, 7, 50_000, n - 1]))
    assert (record.pooled, record.weights.shape) == (False, (1, 1, 4, n))
    x = heads.query[0].double().numpy()
    odds = np.exp(x[:50_001] @ x[50_000] / 2)
    np.testing.assert_allclose(record.weights[0, 0, 2, :50_001], odds / odds.sum(), atol=1e-6)
    assert not record.weights[0, 0, 2, 50_001:].any()


@given(st.data())
def test_pooled_parts_are_means_of_the_whole(data):
    wanted = Wanted(
        *(sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=1))) for n in (7, 9)),
        heads=sorted(data.draw(st.sets(st.integers(0, 3), min_size=1))),
    )
    rule = RULES[data.draw(st.sampled_from(sorted(RULES)))]
    whole = layers.dense(some_layers(rule), SIDES, wanted=wanted, norms=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "MOST_CELLS", 2)
        pooled = layers.streamed(some_layers(rule), SIDES, wanted=wanted, norms=True)
    for name in ("weights", "norms"):
        means = [
            [getattr(whole, name)[:, :, q][..., k].mean((2, 3)) for k in pooled.key_cells]
            for q in pooled.query_cells
        ]
        np.testing.assert_allclose(getattr(pooled, name), np.moveaxis(means, (0, 1), (2, 3)), atol=1e-12)


# ---- what differs from layer to layer ---------------------------------------------------------------


def test_each_layer_has_its_own_rule():
    first, second = some_layers(RULES["causal"])
    second = Layer(second.query, second.key, second.value, RULES["plain"], second.out, 1)
    record = layers.dense([first, second], SIDES)
    alone = [layers.dense([one], SIDES) for one in (first, second)]
    np.testing.assert_array_equal(record.weights, np.concatenate([one.weights for one in alone]))
    assert record.mask.shape == (2, 1, 7, 9)
    assert (record.mask[1].all(), record.mask[0, 0].sum()) == (True, sum(range(3, 10)))


def test_layers_with_different_numbers_of_heads():
    with pytest.raises(InputError, match=r"different numbers of heads \(0: 4, 0: 2\); give one with --layer"):
        layers.record([*some_layers(Rule(), 1), *some_layers(Rule(), 1, n_heads=2)], SIDES)


def test_without_an_output_matrix_there_are_no_norms_and_no_output():
    first, second = some_layers(RULES["plain"])
    second = Layer(second.query, second.key, second.value, out=None, number=5)
    assert layers.record([first, second], SIDES).output is None
    with pytest.raises(InputError, match="norms need W_o, which is unknown for layer 5; leave norms out"):
        layers.record([first, second], SIDES, norms=True)


def test_vectors_of_different_widths_are_left_out():
    first, second = some_layers(RULES["plain"])
    second = Layer(second.query[..., :2], second.key[..., :2], second.value, out=second.out, number=1)
    record = layers.record([first, second], SIDES)
    assert (record.query, record.key) == (None, None)
    assert record.value.shape == (2, 4, 9, 3)


def test_an_output_matrix_that_does_not_fit_is_named_before_anything_is_computed():
    with pytest.raises(InputError, match=r"the output of all heads, 4 wide, does not fit W_o \[3, 3\]"):
        project(np.eye(4), heads=2, project=Projection(W_o=np.eye(3)))
    with pytest.raises(InputError, match=r"b_o \[3\] does not fit an output 4 wide"):
        project(np.eye(4), heads=2, project=Projection(b_o=np.ones(3)))


# ---- pieces -----------------------------------------------------------------------------------------


def written_out(n, seed):
    return Written(
        torch.tensor(np.random.default_rng(seed).random((n, n)) < 0.6) | torch.eye(n, dtype=torch.bool)
    )


PIECES = {
    "plain": lambda n: Rule(),
    "causal": lambda n: RULES["causal"],
    "written out": lambda n: Rule(masks=((written_out(n, n),),)),
    "added": lambda n: Rule(position=Added(normal(2, n, n, seed=n)), masks=RULES["causal"].masks),
    "sinks": lambda n: Rule(normalise=NORMALISATIONS.parse("softmax1:sink=1+-1")),
}


@pytest.mark.parametrize("way", [layers.dense, layers.streamed], ids=["dense", "streamed"])
@pytest.mark.parametrize("rule", PIECES)
def test_pieces_attend_each_as_if_alone(way, rule, monkeypatch):
    lengths = (5, 3, 4)
    alone = [
        Layer(*(normal(2, n, 4, seed=n + i) for i in (0, 10, 20)), PIECES[rule](n), Output(normal(8, 8)))
        for n in lengths
    ]
    whole = way([joined(alone)], Sides(range(12), range(12)), norms=True)
    expected, start = np.zeros((1, 2, 12, 12)), 0
    for piece, n in zip(alone, lengths, strict=True):
        record = way([piece], Sides(range(n), range(n)), norms=True)
        place = slice(start, start := start + n)
        expected[..., place, place] = record.weights
        np.testing.assert_allclose(whole.output[:, place], record.output, atol=1e-12)
        np.testing.assert_allclose(whole.norms[..., place, place], record.norms, atol=1e-12)
    np.testing.assert_allclose(whole.weights, expected, atol=1e-12)


def test_gradients_pass_through_what_a_layer_is_given():
    """Nothing of the way from a layer's query to its weights is closed to a gradient."""
    from attn_cli.attention.dense import attention

    (layer,) = some_layers(RULES["causal"], 1)
    query = layer.query.clone().requires_grad_()
    layer.out(attention(query, layer.key, layer.value, layer.rule).output).sum().backward()
    assert query.grad.abs().sum() > 0
    assert layers.record([Layer(query, layer.key, layer.value, layer.rule)], SIDES).weights.shape == (
        1,
        4,
        7,
        9,
    )
