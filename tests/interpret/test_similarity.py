"""Which heads do the same: divergences beside SciPy, clusters and a plane worked out by hand."""

import math

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.interpret import similarity
from attn_cli.interpret.divergence import entropy, jensen_shannon
from attn_cli.records.attention import Attention


def some_attention(n_layers=2, n_heads=3, n=5, seed=0, dtype=np.float64):
    e = np.exp(np.random.default_rng(seed).normal(size=(n_layers, n_heads, n, n)) * 2)
    tokens = tuple(map(str, range(n)))
    return Attention(tokens, tokens, (e / e.sum(axis=-1, keepdims=True)).astype(dtype))


def divergence_by_hand(p, q):
    total = 0.0
    for a, b in zip(p, q, strict=True):
        m = (a + b) / 2
        total += (a * math.log(a / m) if a else 0) / 2 + (b * math.log(b / m) if b else 0) / 2
    return total


def test_entropy_and_divergence_by_hand():
    assert entropy(np.array([1.0, 0.0])) == 0
    assert str(entropy(np.array([1.0, 0.0]))) == "0.0"  # not −0.0
    assert entropy(np.full(4, 0.25)) == pytest.approx(math.log(4), abs=1e-15)
    assert jensen_shannon(np.array([1.0, 0]), np.array([0.5, 0.5])) == pytest.approx(
        divergence_by_hand([1, 0], [0.5, 0.5]), abs=1e-15
    )


def test_divergence_is_the_square_of_scipys_distance():
    distance = pytest.importorskip("scipy.spatial.distance")
    attention = some_attention()
    got = similarity.divergences(attention)
    heads = attention.weights.reshape(6, 5, 5)
    for i in range(6):
        for j in range(6):
            wanted = np.mean(
                [distance.jensenshannon(p, q) ** 2 for p, q in zip(heads[i], heads[j], strict=True)]
            )
            assert got[i, j] == pytest.approx(wanted, abs=1e-12)


def test_divergences_are_means_over_queries_of_what_is_worked_out_by_hand(monkeypatch):
    attention = some_attention(dtype=np.float32)
    whole = similarity.divergences(attention)
    monkeypatch.setattr("attn_cli.interpret.rows.MOST", 2 * 6 * 5)  # two rows at a time
    np.testing.assert_allclose(similarity.divergences(attention), whole, rtol=0, atol=1e-12)
    heads = attention.weights.astype(np.float64).reshape(6, 5, 5)
    heads /= heads.sum(axis=-1, keepdims=True)
    wanted = np.mean([divergence_by_hand(p, q) for p, q in zip(heads[1], heads[4], strict=True)])
    assert whole[1, 4] == whole[4, 1] == pytest.approx(wanted, abs=1e-12)
    assert (np.diag(whole) == 0).all()


def test_a_query_to_which_a_head_gives_nothing_is_left_out():
    weights = np.array([[[[1.0, 0], [0, 1]], [[0, 0], [0, 1]], [[0, 0], [0, 0]]]])
    got = similarity.divergences(Attention(("a", "b"), ("a", "b"), weights))
    assert got[0, 1] == 0  # they agree in the second row
    assert got[0, 2] == pytest.approx(math.log(2))  # nothing left to compare


def test_average_linkage_is_scipys():
    hierarchy = pytest.importorskip("scipy.cluster.hierarchy")
    points = np.random.default_rng(0).normal(size=(9, 2))
    apart = np.linalg.norm(points[:, None] - points, axis=-1)
    merges = similarity.tree(apart)
    wanted = hierarchy.linkage(apart[np.triu_indices(9, 1)], "average")
    np.testing.assert_allclose([merge.distance for merge in merges], wanted[:, 2], atol=1e-12)
    for number in (1, 3, 9):
        got = similarity.clusters(merges, number)
        theirs = hierarchy.fcluster(wanted, number, "maxclust")
        assert len(set(got)) == number
        assert (np.equal.outer(got, got) == np.equal.outer(theirs, theirs)).all()
    assert sorted(similarity.order(merges)) == list(range(9))


def test_planted_groups_are_found_and_stand_side_by_side():
    previous, first = np.eye(4, k=-1), np.zeros((4, 4))
    previous[0, 0] = 1
    first[:, 0] = 1
    weights = np.stack([previous, first, previous, first])[None]
    apart = similarity.divergences(Attention(tuple("abcd"), tuple("abcd"), weights))
    merges = similarity.tree(apart)
    assert similarity.clusters(merges, 2).tolist() == [0, 1, 0, 1]
    assert similarity.order(merges).tolist() == [0, 2, 1, 3]
    assert similarity.nearest(apart).tolist() == [2, 3, 0, 1]
    with pytest.raises(InputError, match="5 clusters of 4 heads; give 1 to 4"):
        similarity.clusters(merges, 5)


def test_the_plane_keeps_distances_that_it_has_room_for():
    points = np.array([[0.0, 0], [3, 0], [0, 4]])
    squares = ((points[:, None] - points) ** 2).sum(axis=-1)
    made = similarity.plane(squares)
    np.testing.assert_allclose(((made[:, None] - made) ** 2).sum(axis=-1), squares, atol=1e-12)
    assert (made == similarity.plane(squares)).all()


@pytest.mark.parametrize("n_heads", [1, 2])
def test_few_heads_have_a_tree_and_a_plane(n_heads):
    apart = similarity.divergences(some_attention(1, n_heads))
    assert len(similarity.tree(apart)) == n_heads - 1
    assert similarity.plane(apart).shape == (n_heads, 2)
    assert similarity.clusters(similarity.tree(apart), n_heads).tolist() == list(range(n_heads))
