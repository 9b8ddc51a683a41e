"""Scores by hand, and what their files must hold."""

import math

import numpy as np
import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.variants.scores import SCORES

Q, K = [[1.0, 2.0]], [[3.0, -1.0], [1.0, 2.0], [0.0, 0.0]]
W = {"W": np.array([[1.0, 2.0], [0.0, 1.0]])}
LAYER = {
    "W_q": np.array([[1.0, 0.0], [0.0, 1.0]]),
    "W_k": np.array([[1.0, 0.0], [1.0, 0.0]]),
    "v": np.array([2.0, 1.0]),
}
BY_HAND = {
    "dot": [1, 5, 0],
    "scaled_dot": [1 / math.sqrt(2), 5 / math.sqrt(2), 0],
    "cosine": [1 / math.sqrt(5 * 10), 1, 0],
    "euclidean": [-math.sqrt(13), 0, -math.sqrt(5)],
    "gaussian": [-13 / 2, 0, -5 / 2],
    "general": [-1, 9, 0],  # q·W = [1, 4]
    "additive": [2 * math.tanh(t) + math.tanh(2) for t in (1 + 2, 1 + 3, 1 + 0)],
    "linear": [math.log(2 * 4 + 3 * math.exp(-1)), math.log(2 * 2 + 3 * 3), math.log(2 * 1 + 3 * 1)],
}
FILES = {"general": W, "additive": LAYER}


def score(name, q, k):
    file = {"file": FILES[name]} if name in FILES else {}
    return SCORES[name](torch.tensor(q, dtype=torch.float64), torch.tensor(k, dtype=torch.float64), **file)


@pytest.mark.parametrize("name", SCORES)
def test_by_hand(name):
    assert score(name, Q, K)[0].tolist() == pytest.approx(BY_HAND[name], abs=1e-15)


@pytest.mark.parametrize("name", SCORES)
def test_any_leading_axes(name):
    x = np.random.default_rng(0).normal(size=(3, 2, 5, 2))
    y = np.random.default_rng(1).normal(size=(3, 2, 4, 2))
    scores = score(name, x, y)
    assert scores.shape == (3, 2, 5, 4)
    np.testing.assert_allclose(scores[2, 1], score(name, x[2, 1], y[2, 1]), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["scaled_dot", "dot"])
def test_numpy_arrays_do_as_well(name):
    assert SCORES[name](np.array(Q), np.array(K))[0] == pytest.approx(BY_HAND[name], abs=1e-15)


def test_small_distances_are_not_lost():
    """‖q‖² + ‖k‖² − 2 q·k would be 0 or anything here."""
    q, k = torch.tensor([[1000.0, 1000.0]]), torch.tensor([[1000.0, 1000.0625]])
    assert SCORES["euclidean"](q, k).item() == -0.0625
    assert SCORES["gaussian"](q, k).item() == -(0.0625**2) / 2


def test_linear_underflow_is_a_large_negative_number_not_infinity():
    far = torch.full((1, 2), -1000.0)
    assert SCORES["linear"](far, far).isfinite().all()


def test_sigma_is_a_width():
    x, y = torch.zeros(1, 1), torch.full((1, 1), 3.0)
    assert SCORES.parse("gaussian:sigma=3")(x, y).item() == -0.5
    with pytest.raises(InputError, match=r"sigma 0\.0; give a number above 0"):
        SCORES.parse("gaussian:sigma=0")(x, y)


def test_seeded_matrices_are_the_same_everywhere_and_others_for_another_seed():
    x = torch.eye(3, dtype=torch.float64)
    drawn = SCORES.parse("general:seed=1")(x, x)
    assert (drawn == SCORES.parse("general:seed=1")(x, x)).all()
    assert not (drawn == SCORES.parse("general:seed=2")(x, x)).any()
    assert SCORES.parse("general")(x, x)[0].tolist() == pytest.approx(
        [-0.3040519511811902, -0.030747133947940375, -0.34696722095614285], abs=1e-15
    )


def test_seeded_scores_have_variance_1():
    q, k = (torch.tensor(np.random.default_rng(seed).normal(size=(400, 64))) for seed in (0, 1))
    assert SCORES["general"](q, k).var().item() == pytest.approx(1, abs=0.1)
    assert 0.1 < SCORES["additive"](q, k).var().item() < 1


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("general", {"M": np.eye(2)}, "a file with M; name an array W"),
        ("general", {}, "a file with no arrays; name an array W"),
        ("general", {"W": np.eye(3)}, r"W \[3, 3\]; give it the shape \[2, 2\]"),
        ("general", {"W": np.array([[1, 2], [np.nan, 4]])}, "W hold nan at row 1, column 0"),
        ("additive", {**LAYER, "v": np.ones(3)}, r"W_q \[2, 2\]; give it the shape \[2, 3\]"),
        ("additive", {"W_q": np.eye(2), "W_k": np.eye(2)}, "a file with W_q, W_k; name an array v"),
    ],
)
def test_a_file_that_does_not_fit_is_named(name, file, message):
    with pytest.raises(InputError, match=message):
        SCORES[name](torch.tensor(Q), torch.tensor(K), file=file)
