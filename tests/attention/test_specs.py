"""What may be given in Python instead of a spec: functions, arrays, one mask or several, or none."""

import re

import numpy as np
import pytest
import torch
from attn_cli.attention import layers
from attn_cli.attention.dense import attention
from attn_cli.attention.heads import project
from attn_cli.attention.rules import Rule, positions
from attn_cli.attention.streaming import drain, stream
from attn_cli.attention.vectors import attend
from attn_cli.errors import InputError
from attn_cli.variants.masks import MASKS, of_vectors
from attn_cli.variants.projections import Projection

X = np.random.default_rng(0).normal(size=(5, 4))
CAUSAL = np.tri(5, dtype=bool)


def weights(**given):
    return attend(X, **given).weights


def causal(query, key):
    return key <= query


@pytest.mark.parametrize(
    "mask",
    [
        "causal",
        ["causal"],
        ("causal",),
        causal,
        [causal],
        MASKS["causal"],
        MASKS.parse("causal"),
        CAUSAL,
        [CAUSAL],
        torch.tensor(CAUSAL),
        CAUSAL.tolist(),
        CAUSAL.astype(int).tolist(),
        [["causal", np.zeros((5, 5))]],
        ["causal", np.ones((5, 5), bool)],
        lambda query, key: query - key >= 0,
    ],
    ids=lambda given: re.sub(r" at 0x\w+", "", str(given)),
)
def test_one_mask_may_be_given_in_many_ways(mask):
    assert (weights(mask=mask) == weights(mask=["causal"])).all()


def test_no_mask_is_no_mask():
    assert (weights(mask=None) == weights()).all()
    assert (weights(mask=[]) == weights()).all()


def test_several_masks_must_all_permit_and_parts_are_alternatives():
    near = MASKS.parse("window:size=2,ahead=1")
    both = weights(mask=[causal, near])
    assert (both == weights(mask=["causal", "window:size=2,ahead=1"])).all()
    assert (weights(mask=[[causal, "global"]]) == weights(mask="causal|global")).all()


def test_a_mask_may_look_at_vectors():
    @of_vectors
    def alike(query, key):
        return query @ key.mT > 0

    rule = Rule.parse(mask=alike)
    q = torch.tensor(X)
    assert (rule.allowed(q, q, *positions(5, 5, q.device)) == (q @ q.mT > 0)).all()


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (lambda query, key: key - query, "mask 'lambda' returns torch.int64, expected True or False"),
        (lambda query, key: True, "mask 'lambda' returns bool, expected True or False"),
        (3, "a mask of type int; give a name or a function"),
        (["causl"], "unknown mask 'causl'"),
        (np.ones((5, 5, 5)), r"a mask \[5, 5, 5\], expected \[query, key\]"),
        (np.full((5, 5), 0.5), "a mask holds 0.5 at row 0, column 0"),
    ],
    ids=lambda given: re.sub(r" at 0x\w+", "", str(given)),
)
def test_what_is_no_mask_is_named(mask, message):
    with pytest.raises(InputError, match=message):
        weights(mask=mask)


def test_a_score_may_be_a_function_or_the_matrix_of_a_bilinear_one():
    def negative_distance(query, key):
        return -torch.cdist(query, key)

    assert np.allclose(weights(score=negative_distance), weights(score="euclidean"))
    W = np.random.default_rng(1).normal(size=(4, 4))
    by_hand = torch.tensor(X @ W @ X.T).softmax(-1).numpy()
    assert np.allclose(weights(score=W)[0, 0], by_hand, atol=1e-12)
    assert Rule.parse(score=negative_distance).provenance == "score negative_distance"


def test_a_file_of_a_score_is_read_by_whoever_can_read_it():
    W = np.random.default_rng(1).normal(size=(4, 4))
    read = {"w.npz": {"W": W}}.__getitem__
    assert (weights(score="general:file=w.npz", read_arrays=read) == weights(score=W)).all()
    with pytest.raises(InputError, match="names a file; pass the function that reads it as read_arrays"):
        weights(score="general:file=w.npz")


def test_positions_may_be_a_function_or_what_is_added():
    distance = np.abs(np.arange(5)[:, None] - np.arange(5))

    def nearness(score, query, key, query_pos, key_pos):
        return score(query, key) - (query_pos[:, None] - key_pos).abs() / 256

    alibi = weights(position="alibi")  # of one head the slope is 2⁻⁸
    assert np.allclose(weights(position=nearness), alibi, atol=1e-15)
    assert np.allclose(weights(position=-distance / 256), alibi, atol=1e-15)
    assert np.allclose(weights(position=-distance[None] / 256), alibi, atol=1e-15)
    with pytest.raises(InputError, match=r"positions \[5\]; give finite numbers"):
        weights(position=np.zeros(5))


def test_of_a_function_of_ones_own_nobody_knows_whether_it_asks_for_heads():
    """Streamed head by head, it would see each head as the first."""

    def by_head(score, query, key, query_pos, key_pos):
        n_heads = query.shape[-3]
        return score(query, key) + torch.arange(n_heads)[:, None, None] * key_pos

    rule = Rule.parse(position=by_head)
    assert rule.of_heads
    assert not Rule.parse(position="rope").of_heads
    assert not Rule.parse().of_heads
    x = torch.tensor(X).reshape(1, 1, 5, 4).expand(1, 3, 5, 4)
    dense = attention(x[0], x[0], x[0], rule).weights
    assert np.allclose(drain(stream(x, x, x, rule)).weights[0], dense, atol=1e-12)


def test_a_normalisation_may_be_a_function():
    def halves(scores):
        return scores.softmax(-1) / 2

    assert (weights(normalise=halves) == weights() / 2).all()
    assert Rule.parse(normalise=halves).provenance == "normalised by halves"


def test_a_projection_may_be_a_function_or_matrices_by_their_names():
    W = np.random.default_rng(2).normal(size=(4, 4))

    def same(d_query, d_key, d_value, d_kv, seed=0):
        return Projection(W, W)

    wanted = attend(X, project=Projection(W, W)).weights
    assert (attend(X, project=same).weights == wanted).all()
    assert (attend(X, project={"W_q": W, "W_k": W}).weights == wanted).all()
    assert layers.attend(project(X, project=same)).provenance == "vectors as given, projections by same"
    assert attend(X, project={"W_q": W}).provenance == "vectors as given, projections as given"
    assert attend(X, project="random").provenance.endswith("untrained random projections (seed 0)")


def test_the_provenance_names_what_was_given():
    assert Rule.parse(mask=[causal, CAUSAL, "random"], seed=2).provenance == (
        "mask causal, mask given as a matrix, mask random (seed 2)"
    )
