"""Maps of all layers made one: rollout as a sum over paths, flow beside networkx, both by hand."""

import itertools

import numpy as np
import pytest
from attn_cli.errors import AttnNote, InputError
from attn_cli.interpret.flow import flow, flow_from
from attn_cli.interpret.reductions import REDUCTIONS, reduce, reduce_across, without_residual
from attn_cli.interpret.rollout import rollout, rollout_across
from attn_cli.records.attention import Attention
from hypothesis import given, settings
from hypothesis import strategies as st


def some_maps(n_layers, n_heads, n, *, causal=False, peak=2.0, seed=0):
    scores = np.random.default_rng(seed).normal(size=(n_layers, n_heads, n, n)) * peak
    e = np.exp(scores)
    if causal:
        e *= np.tri(n)
    return e / e.sum(axis=-1, keepdims=True)


def with_residual(maps, residual):
    """One layer after the other, one row after the other."""
    layers = []
    for heads in maps:
        n = heads.shape[1]
        layer = np.zeros((n, n))
        for q, k in np.ndindex(n, n):
            mean = sum(head[q, k] for head in heads) / len(heads)
            layer[q, k] = (1 - residual) * mean + residual * (q == k)
        layers.append(layer)
    return layers


def attention_of(maps, **more):
    tokens = tuple(map(str, range(maps.shape[2])))
    return Attention(tokens, tokens, maps, **more)


# ---- rollout -----------------------------------------------------------------------------------------------


def sum_over_paths(layers):
    """Every path from the last layer down to the first: the sum of the products of its weights."""
    n = len(layers[0])
    total = np.zeros((n, n))
    for path in itertools.product(range(n), repeat=len(layers) + 1):
        weight = 1.0
        for i, layer in enumerate(reversed(layers)):
            weight *= layer[path[i], path[i + 1]]
        total[path[0], path[-1]] += weight
    return total


@pytest.mark.parametrize("residual", [0.5, 0.0, 0.25, 1.0])
@pytest.mark.parametrize(("n_layers", "n"), [(1, 3), (2, 3), (4, 3)])
def test_rollout_is_the_sum_over_all_paths(n_layers, n, residual):
    maps = some_maps(n_layers, 2, n, seed=n_layers)
    wanted = sum_over_paths(with_residual(maps, residual))
    np.testing.assert_allclose(rollout(maps, residual=residual), wanted, rtol=0, atol=1e-12)


def test_rollout_is_what_networkx_sums_over_simple_paths():
    nx = pytest.importorskip("networkx")
    maps = some_maps(3, 1, 3, seed=5)
    graph = nx.DiGraph()
    for i, layer in enumerate(with_residual(maps, 0.5)):
        graph.add_edges_from(((i + 1, q), (i, k), {"w": layer[q, k]}) for q, k in np.ndindex(layer.shape))
    got = rollout(maps)
    for q, k in np.ndindex(3, 3):
        paths = nx.all_simple_edge_paths(graph, (3, q), (0, k))
        total = sum(np.prod([graph.edges[edge]["w"] for edge in path]) for path in paths)
        assert got[q, k] == pytest.approx(total, abs=1e-12)


def test_rollout_by_hand_puts_the_later_layer_on_the_left():
    swap, first = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    got = rollout(np.stack([swap, first])[:, None])  # first the swap, then the look at token 0
    # Â₂ = [[1, 0], [½, ½]], Â₁ = [[½, ½], [½, ½]]
    assert got.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    got = rollout(np.stack([first, swap])[:, None])
    # Â₂ = [[½, ½], [½, ½]], Â₁ = [[1, 0], [½, ½]]
    assert got.tolist() == [[0.75, 0.25], [0.75, 0.25]]


@given(st.integers(1, 6), st.integers(1, 6), st.booleans(), st.floats(0, 1), st.integers(0, 999))
def test_rows_of_a_rollout_sum_to_1(n_layers, n, causal, residual, seed):
    maps = some_maps(n_layers, 2, n, causal=causal, seed=seed).astype(
        np.float32
    )  # whose rows sum to 1 ± 1e-7
    np.testing.assert_allclose(rollout(maps, residual=residual).sum(axis=1), 1, rtol=0, atol=1e-12)


def test_a_query_that_may_attend_to_nothing_keeps_itself():
    maps = np.array([[[[0.0, 0.0], [0.5, 0.5]]]])
    assert rollout(maps).tolist() == [[1, 0], [0.25, 0.75]]


def test_norms_are_made_shares_before_they_are_multiplied():
    norms = np.array([[[[3.0, 1.0], [0.0, 2.0]]]])
    assert rollout(norms).tolist() == [[0.875, 0.125], [0.0, 1.0]]


def test_what_cannot_be_rolled_out_is_refused():
    with pytest.raises(InputError, match="2 queries and 3 keys cannot be multiplied through the layers"):
        rollout(np.full((1, 1, 2, 3), 1 / 3))
    with pytest.raises(InputError, match="below 0; give weights or norms, not scores"):
        rollout(np.full((1, 1, 2, 2), -1.0))
    with pytest.raises(InputError, match=r"residual 1\.5 is out of range; give a number from 0 to 1"):
        rollout(np.ones((1, 1, 1, 1)), residual=1.5)


# ---- encoder and decoder -----------------------------------------------------------------------------------


def paths_across(encoder, decoder, cross, residual):
    """Every path from a target token through the decoder, and where it crosses, on through the encoder."""
    through = sum_over_paths(with_residual(encoder, residual))
    itself = with_residual(decoder, residual)
    n_target, n_source = cross.shape[2:]
    got = np.zeros((n_target, n_source + n_target))

    def down(layer, token, weight, start):
        if layer < 0:
            got[start, n_source + token] += weight
            return
        for s in range(n_source):  # from the last thing that a decoder layer does to the first
            crossed = weight * (1 - residual) * cross[layer, :, token, s].mean()
            got[start, :n_source] += crossed * through[s]
        for t in range(n_target):
            down(layer - 1, t, weight * residual * itself[layer][token, t], start)

    for start in range(n_target):
        down(len(itself) - 1, start, 1.0, start)
    return got


@pytest.mark.parametrize("residual", [0.5, 0.2])
def test_rollout_across_is_the_sum_over_all_paths(residual):
    encoder, decoder = some_maps(2, 2, 3, seed=1), some_maps(2, 2, 2, causal=True, seed=2)
    cross = some_maps(2, 2, 3, seed=3)[:, :, :2]
    cross /= cross.sum(axis=-1, keepdims=True)
    got = rollout_across(encoder, decoder, cross, residual=residual)
    np.testing.assert_allclose(got, paths_across(encoder, decoder, cross, residual), rtol=0, atol=1e-12)
    np.testing.assert_allclose(got.sum(axis=1), 1, rtol=0, atol=1e-12)


def test_parts_of_another_text_are_refused():
    with pytest.raises(InputError, match="2 layers of decoder attention and 1 of cross-attention"):
        rollout_across(some_maps(1, 1, 3), some_maps(2, 1, 2), some_maps(1, 1, 3)[:, :, :2])
    with pytest.raises(InputError, match="do not fit; give those of one text"):
        rollout_across(some_maps(1, 1, 4), some_maps(1, 1, 2), some_maps(1, 1, 3)[:, :, :2])


def test_cross_attention_alone_is_refused():
    cross = Attention(("a", "b"), ("x", "y"), np.full((2, 1, 2, 2), 0.5), kind="cross")
    for name in ("rollout", "flow"):
        with pytest.raises(InputError, match=f"{name} needs the same tokens"):
            reduce(cross, REDUCTIONS[name])
    assert reduce(cross, REDUCTIONS["mean"]).kind == "cross"


def test_an_encoder_decoder_is_reduced_in_its_parts():
    maps = some_maps(2, 2, 2, seed=1)
    source, target = attention_of(maps, kind="encoder"), attention_of(maps, kind="decoder")
    made = reduce_across(source, target, attention_of(maps, kind="cross", provenance="a model"))
    assert made.key_tokens == ("0", "1", "0", "1")
    assert made.provenance == "a model; rollout through encoder and decoder"
    np.testing.assert_allclose(made.weights[0, 0], rollout_across(maps, maps, maps), atol=1e-15)


# ---- flow --------------------------------------------------------------------------------------------------


def flow_by_networkx(maps, residual):
    nx = pytest.importorskip("networkx")
    layers, n = with_residual(maps, residual), maps.shape[2]
    graph = nx.DiGraph()
    for i, layer in enumerate(layers):
        for q, k in np.ndindex(n, n):
            graph.add_edge((i + 1, q), (i, k), capacity=layer[q, k])
    value = nx.maximum_flow_value
    of = nx.algorithms.flow.edmonds_karp
    return [[value(graph, (len(layers), q), (0, k), flow_func=of) for k in range(n)] for q in range(n)]


@pytest.mark.parametrize("residual", [0.5, 0.1, 0.0])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("n_layers", "n", "peak"), [(1, 3, 1), (2, 4, 1), (3, 5, 3), (5, 4, 8), (4, 6, 20)])
def test_flow_is_that_of_networkx(n_layers, n, peak, causal, residual):
    maps = some_maps(n_layers, 2, n, causal=causal, peak=peak, seed=n)
    np.testing.assert_allclose(
        flow(maps, residual=residual), flow_by_networkx(maps, residual), rtol=0, atol=1e-12
    )


def test_flow_of_many_layers_is_that_of_networkx():
    """Roundings below 0 once grew by the number of tokens from layer to layer, and made a flow of 0.99 too much."""
    nx = pytest.importorskip("networkx")
    maps, (query, key) = some_maps(20, 2, 24, causal=True, peak=12, seed=2), (23, 7)
    graph = nx.DiGraph()
    for i, layer in enumerate(with_residual(maps, 0.5)):
        for q, k in np.argwhere(layer > 0).tolist():
            graph.add_edge((i + 1, q), (i, k), capacity=layer[q, k])
    of = nx.algorithms.flow.shortest_augmenting_path
    wanted = nx.maximum_flow_value(graph, (20, query), (0, key), flow_func=of)
    assert flow_from([query], maps)[0, key] == pytest.approx(wanted, abs=1e-12)


def test_flow_of_sparse_maps_is_that_of_networkx():
    rng = np.random.default_rng(0)
    for _ in range(20):
        maps = np.where(rng.random((4, 1, 5, 5)) < 0.3, rng.random((4, 1, 5, 5)), 0)
        np.testing.assert_allclose(
            flow(maps, residual=0.2), flow_by_networkx(shares(maps), 0.2), rtol=0, atol=1e-12
        )


def test_flow_does_not_depend_on_how_many_pairs_are_followed_at_once(monkeypatch):
    maps = some_maps(5, 2, 9, causal=True, peak=8, seed=3)
    together = flow(maps)
    monkeypatch.setattr("attn_cli.interpret.flow.MOST", 1)
    np.testing.assert_allclose(flow(maps), together, rtol=0, atol=1e-13)


def shares(maps):
    """Rows that sum to 1; a row of zeros keeps itself."""
    sums = maps.sum(axis=-1, keepdims=True)
    return np.where(sums > 0, maps / np.where(sums > 0, sums, 1), np.eye(maps.shape[-1]))


def test_flow_by_hand():
    """Three tokens, two layers; each token attends to the one before it, the first to itself.

    Â = [[1, 0, 0], [½, ½, 0], [0, ½, ½]] in both layers. From 2 to 0: only 2 → 1 → 0, which lets ½ through; from
    2 to 1: 2 → 1 → 1 and 2 → 2 → 1, each ½; from 2 to 2: 2 → 2 → 2, which lets ½ through.
    """
    before = np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    assert flow(np.stack([before, before])[:, None])[2].tolist() == [0.5, 1.0, 0.5]


@settings(max_examples=25)
@given(st.integers(1, 4), st.integers(1, 5), st.booleans(), st.integers(0, 999))
def test_flow_is_at_least_the_rollout_and_at_most_what_leaves_the_query(n_layers, n, causal, seed):
    maps = some_maps(n_layers, 1, n, causal=causal, seed=seed)
    got = flow(maps)
    assert (got >= rollout(maps) - 1e-12).all()  # which is a flow too
    assert (got <= 1 + 1e-12).all()
    assert (got <= with_residual(maps, 0.5)[0].sum(axis=0) + 1e-12).all()  # and what enters the key
    np.testing.assert_allclose(flow_from([n - 1], maps)[0], got[n - 1], rtol=0, atol=1e-12)


def test_flow_of_one_layer_is_that_layer():
    maps = some_maps(1, 3, 4)
    np.testing.assert_allclose(flow(maps), with_residual(maps, 0.5)[0], rtol=0, atol=1e-15)


# ---- mean, maximum, and the record -------------------------------------------------------------------------


def test_mean_and_maximum_are_over_layers_and_heads():
    maps = np.array([[[[1.0, 0.0]], [[0.5, 0.5]]], [[[0.0, 1.0]], [[0.5, 0.5]]]])
    assert REDUCTIONS["mean"](maps).tolist() == [[0.5, 0.5]]
    assert REDUCTIONS["max"](maps).tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("name", REDUCTIONS)
def test_a_reduction_makes_one_map_and_leaves_its_input_alone(name):
    maps = some_maps(3, 2, 4, seed=2)
    before = maps.copy()
    made = REDUCTIONS.parse(name)(maps)
    assert made.shape == (4, 4)
    assert made.dtype == np.float64
    assert (made >= 0).all()
    assert (maps == before).all()


def test_the_record_of_a_reduction_says_what_it_is():
    attention = attention_of(some_maps(3, 2, 4), provenance="a model", query_words=(0, 0, 1, 2))
    made = reduce(attention, REDUCTIONS.parse("rollout:residual=0.25"), name="rollout:residual=0.25")
    assert made.provenance == "a model; rollout:residual=0.25 of 3 layers and 2 heads"
    assert (made.layers, made.heads, made.weights.shape) == (("rollout",), ("mean",), (1, 1, 4, 4))
    assert made.query_words == (0, 0, 1, 2)
    np.testing.assert_allclose(made.weights[0, 0], rollout(attention.weights, residual=0.25))


def test_norms_can_be_rolled_out():
    maps = some_maps(2, 2, 3)
    attention = attention_of(maps, norms=maps * 7)
    made = reduce(attention, REDUCTIONS["rollout"], show="norms")
    np.testing.assert_allclose(made.weights[0, 0], rollout(maps), atol=1e-12)
    assert made.show == "weights"  # shares, whose rows sum to 1
    assert made.provenance == "rollout of 2 layers and 2 heads, norms"
    assert reduce(attention, REDUCTIONS["mean"], show="norms").show == "norms"


def test_a_causal_mask_is_said_to_pile_up_on_the_first_tokens():
    attention = attention_of(some_maps(6, 2, 5, causal=True))
    with pytest.warns(AttnNote, match="under a causal mask rollout piles up on the first tokens"):
        made = reduce(attention, REDUCTIONS["rollout"])
    assert made.weights[0, 0, -1].argmax() == 0  # and so it does


def test_maps_that_hold_the_residual_get_no_second_one():
    maps = some_maps(3, 1, 4)
    wanted = maps[2, 0] @ maps[1, 0] @ maps[0, 0]
    np.testing.assert_allclose(without_residual(REDUCTIONS["rollout"])(maps), wanted, rtol=0, atol=1e-12)
    assert without_residual(REDUCTIONS["mean"]) is REDUCTIONS["mean"]
